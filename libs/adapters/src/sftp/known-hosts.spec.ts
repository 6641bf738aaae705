import { createHmac } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';

import { judgeKey, keyTypeOf, knownKeysOf } from './known-hosts.js';

/** A key as it comes over the wire: its type, and bytes that tell it from others. */
const keyOf = (type: string, seed: number): Buffer => {
  const name = Buffer.from(type);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(name.length);
  return Buffer.concat([length, name, Buffer.alloc(32, seed)]);
};
const [ED, ED2, RSA] = [keyOf('ssh-ed25519', 1), keyOf('ssh-ed25519', 2), keyOf('ssh-rsa', 3)];
const line = (names: string, key: Buffer, marker = ''): string => `${marker}${names} ${keyTypeOf(key)} ${key.toString('base64')} ann@laptop`;
const hashed = (name: string): string => {
  const salt = Buffer.alloc(20, 7);
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
};
const judge = (lines: readonly string[], key: Buffer, host = 'files.example.org', port = 22): string => judgeKey(knownKeysOf(lines.join('\n'), host, port), key);

describe('a known_hosts file', () => {
  it.each([
    ['files.example.org', 22, true],
    ['Files.Example.ORG', 22, true],
    ['other,files.example.org,10.0.0.1', 22, true],
    ['*.example.org', 22, true],
    ['file?.example.org', 22, true],
    ['*.example.org,!files.example.org', 22, false],
    ['example.org', 22, false],
    ['files.example.org.evil.com', 22, false],
    ['filesxexample.org', 22, false],
    ['[files.example.org]:2222', 2222, true],
    ['[files.example.org]:2222', 22, false],
    ['files.example.org', 2222, false],
    [hashed('files.example.org'), 22, true],
    [hashed('other.example.org'), 22, false],
    [hashed('[files.example.org]:2222'), 2222, true],
    ['|1|broken', 22, false],
  ])('with %s knows the host at port %i: %p', (names, port, isKnown) => {
    expect(judge([line(names, ED)], ED, 'files.example.org', port)).toBe(isKnown ? 'trusted' : 'unknown');
  });

  it('tells a key that has changed from one of a type that was never seen', () => {
    expect(judge([line('files.example.org', ED)], ED2)).toBe('changed');
    expect(judge([line('files.example.org', RSA)], ED2)).toBe('unknown');
    // Any of several keys is the host's.
    expect(judge([line('files.example.org', ED), line('files.example.org', ED2)], ED2)).toBe('trusted');
  });

  it('believes a revocation, wherever it stands', () => {
    expect(judge([line('files.example.org', ED), line('*', ED, '@revoked ')], ED)).toBe('revoked');
    expect(judge([line('other', ED, '@revoked '), line('files.example.org', ED)], ED)).toBe('trusted');
    // It does not make another key known, nor changed.
    expect(judge([line('files.example.org', ED, '@revoked ')], ED2)).toBe('unknown');
  });

  it('takes a certificate authority, a comment and what is no line for nothing', () => {
    const others = [line('*', ED, '@cert-authority '), `# ${line('files.example.org', ED)}`, '', 'files.example.org', `files.example.org ssh-rsa ${ED.toString('base64')}`, 'files.example.org ssh-ed25519 !!!!'];
    expect(judge(others, ED)).toBe('unknown');
    expect(judge([...others, `  ${line('files.example.org', ED)}\r`], ED)).toBe('trusted');
  });
});

import { describe, expect, it } from '@jest/globals';

import { ABSENT, DIRECTORY, hashesNeeded, IGNORED, otherSide, sameContent, toSha256, versionOf, type FileNode, type Node } from './content.js';
import { fileNode } from './testing/trees.js';

const hash = (digit: string): ReturnType<typeof toSha256> => toSha256(digit.repeat(64));
const unhashed = (sizeBytes: number): FileNode => ({ ...fileNode(1), sizeBytes, hash: undefined });
const hashed = (sizeBytes: number): FileNode => ({ ...fileNode(1), sizeBytes });
const row = (sizeBytes: number) => ({ kind: 'file', hash: hash('a'), sizeBytes }) as const;

describe('toSha256', () => {
  it('takes 64 lower-case hex digits', () => {
    expect(toSha256('0123456789abcdef'.repeat(4))).toHaveLength(64);
  });

  it.each([
    ['an ETag', 'd41d8cd98f00b204e9800998ecf8427e'],
    ['upper case', 'A'.repeat(64)],
    ['one digit more', 'a'.repeat(65)],
    ['a line end', `${'a'.repeat(64)}\n`],
  ])('refuses %s', (_name, hex) => {
    expect(() => toSha256(hex)).toThrow('64 lower-case hex digits');
  });
});

describe('sameContent', () => {
  it('tells files of different sizes apart without their hashes', () => {
    expect(sameContent({ sizeBytes: 1, hash: undefined }, { sizeBytes: 2, hash: undefined })).toBe(false);
  });

  it('compares hashes where sizes are equal', () => {
    expect(sameContent({ sizeBytes: 1, hash: hash('a') }, { sizeBytes: 1, hash: hash('a') })).toBe(true);
    expect(sameContent({ sizeBytes: 1, hash: hash('a') }, { sizeBytes: 1, hash: hash('b') })).toBe(false);
  });

  it('INV-24: refuses to call anything but equal hashes equal', () => {
    expect(() => sameContent({ sizeBytes: 1, hash: hash('a') }, { sizeBytes: 1, hash: undefined })).toThrow('INV-24');
  });
});

describe('hashesNeeded', () => {
  const none = { source: false, target: false };
  it.each<[string, Parameters<typeof hashesNeeded>, ReturnType<typeof hashesNeeded>]>([
    ['nothing for a file that stands alone', [ABSENT, unhashed(5), ABSENT], none],
    ['nothing where all sizes differ', [row(1), unhashed(2), unhashed(3)], none],
    ['both where both sides have files of one size', [ABSENT, unhashed(5), unhashed(5)], { source: true, target: true }],
    ['only the one that is not known', [ABSENT, hashed(5), unhashed(5)], { source: false, target: true }],
    ['the source where it has the size of the baseline', [row(5), unhashed(5), ABSENT], { source: true, target: false }],
    ['the target where it has the size of the baseline', [row(5), unhashed(6), unhashed(5)], { source: false, target: true }],
    ['nothing for a file against a directory', [DIRECTORY, unhashed(5), DIRECTORY], none],
    ['nothing where hashes are known', [row(5), hashed(5), hashed(5)], none],
  ])('names %s', (_name, args, expected) => {
    expect(hashesNeeded(...args)).toEqual(expected);
  });

  it('INV-36: names the version that is left of a recorded conflict, so that a choice is seen without any cache', () => {
    const known = { source: { kind: 'file', sha256: hash('b'), sizeBytes: 4 }, target: { kind: 'file', sha256: hash('c'), sizeBytes: 5 } } as const;
    expect(hashesNeeded(ABSENT, ABSENT, unhashed(5), known)).toEqual({ source: false, target: true });
    expect(hashesNeeded(ABSENT, unhashed(4), ABSENT, known)).toEqual({ source: true, target: false });
    expect(hashesNeeded(ABSENT, ABSENT, unhashed(4), known)).toEqual(none);
    expect(hashesNeeded(ABSENT, unhashed(4), unhashed(5), known)).toEqual(none);
  });
});

describe('versionOf', () => {
  it.each<[Node, ReturnType<typeof versionOf>]>([
    [ABSENT, { kind: 'absent' }],
    [{ ...DIRECTORY, unlisted: 'read-error' }, { kind: 'directory' }],
    [fileNode(1), { kind: 'file', sha256: fileNode(1).hash, sizeBytes: fileNode(1).sizeBytes }],
    [{ kind: 'unknown', reason: 'symlink' }, undefined],
    [IGNORED, undefined],
  ])('shows %j as %j', (node, version) => {
    expect(versionOf(node)).toEqual(version);
  });
});

describe('otherSide', () => {
  it('is the other end', () => {
    expect([otherSide('source'), otherSide('target')]).toEqual(['target', 'source']);
  });
});

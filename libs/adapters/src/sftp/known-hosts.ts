/**
 * Reads known_hosts files: which keys a host is known by, and which are revoked. Names in clear, with
 * `*`, `?` and `!`, and hashed ones. Lines of certificate authorities are left out: the client knows
 * no host certificates. Source: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".
 */

import { createHmac, timingSafeEqual } from 'node:crypto';

/** A line that speaks of the host asked for. */
export interface KnownKey {
  /** `ssh-ed25519`, `ssh-rsa`, … */
  readonly keyType: string;
  /** As it comes over the wire. */
  readonly key: Buffer;
  readonly isRevoked: boolean;
}

/** What is known of a server's key. */
export type KeyVerdict = 'trusted' | 'revoked' | 'changed' | 'unknown';

/** The lines of a file that speak of a host. What cannot be read as a line is passed over, as ssh does. */
export function knownKeysOf(text: string, host: string, port: number): KnownKey[] {
  const name = port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${String(port)}`;
  return text.split(/\r?\n/).flatMap((line) => keyOf(line, name));
}

/** What the lines of a host say of the key it shows. */
export function judgeKey(known: readonly KnownKey[], key: Buffer): KeyVerdict {
  const same = known.filter((line) => line.key.equals(key));
  if (same.some(({ isRevoked }) => isRevoked)) return 'revoked';
  if (same.length > 0) return 'trusted';
  return known.some(({ keyType, isRevoked }) => !isRevoked && keyType === keyTypeOf(key)) ? 'changed' : 'unknown';
}

/** The type that a key names itself, `''` where it is none. */
export function keyTypeOf(key: Buffer): string {
  const length = key.length < 4 ? 0 : key.readUInt32BE(0);
  return length > 64 ? '' : key.toString('latin1', 4, 4 + length);
}

function keyOf(line: string, name: string): KnownKey[] {
  const fields = line.trim().split(/[ \t]+/);
  if (fields[0] === undefined || fields[0] === '' || fields[0].startsWith('#')) return [];
  const marker = fields[0].startsWith('@') ? fields.shift() : undefined;
  const [patterns, keyType, encoded] = fields;
  if (patterns === undefined || keyType === undefined || encoded === undefined || (marker !== undefined && marker !== '@revoked')) return [];
  const key = Buffer.from(encoded, 'base64');
  if (keyTypeOf(key) !== keyType || !isNamed(patterns, name)) return [];
  return [{ keyType, key, isRevoked: marker !== undefined }];
}

/** One `!pattern` that fits outweighs all others. */
function isNamed(patterns: string, name: string): boolean {
  if (patterns.startsWith('|')) return isHashOf(patterns, name);
  const parts = patterns.toLowerCase().split(',');
  if (parts.some((part) => part.startsWith('!') && fits(part.slice(1), name))) return false;
  return parts.some((part) => !part.startsWith('!') && fits(part, name));
}

/** `|1|salt|hash`: HMAC-SHA1 of the name. */
function isHashOf(text: string, name: string): boolean {
  const [, salt, hash] = /^\|1\|([A-Za-z0-9+/=]+)\|([A-Za-z0-9+/=]+)$/.exec(text) ?? [];
  if (salt === undefined || hash === undefined) return false;
  const [expected, found] = [Buffer.from(hash, 'base64'), createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest()];
  return expected.length === found.length && timingSafeEqual(expected, found);
}

function fits(pattern: string, name: string): boolean {
  const source = pattern.replace(/[.*+?^${}()|[\]\\]/g, (character) => (character === '*' ? '.*' : character === '?' ? '.' : `\\${character}`));
  return new RegExp(`^${source}$`).test(name);
}

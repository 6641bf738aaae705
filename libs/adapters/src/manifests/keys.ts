/**
 * Key pairs of owners and what they sign with, in the formats of the original (reference §3.2):
 * Ed25519 for signatures and X25519, kept for encryption, under one fingerprint.
 *
 * - public: base64 of `Ed`, signing key (32 bytes), encryption key (32 bytes);
 * - secret: base64 of `Ed`, both public keys, signing seed (32), encryption private key (32);
 * - fingerprint: `0x` and the hex SHA-256 of the decoded public blob.
 *
 * A fingerprint names exactly one public key, so a key is trusted by comparing its hash with the
 * name it was asked for under, wherever it came from.
 */

import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type JsonWebKey } from 'node:crypto';

import { err, ok, type Result } from '@wl/domain';

const ALGORITHM = 'Ed';
const KEY_BYTES = 32;
const PUBLIC_BYTES = 2 + 2 * KEY_BYTES;
const SECRET_BYTES = 2 + 4 * KEY_BYTES;

/** A public key pair. `blob` is the 66 bytes its fingerprint is made of. */
export interface PublicKey {
  readonly fingerprint: string;
  readonly blob: Uint8Array;
}

/** A secret key pair with its public half. */
export interface SecretKey {
  readonly publicKey: PublicKey;
  /** The 130 bytes of the secret file; never shown. */
  readonly blob: Uint8Array;
}

/** A signature and whose it claims to be. */
export interface Signature {
  readonly fingerprint: string;
  /** 64 bytes. */
  readonly bytes: Uint8Array;
}

/** Makes a new key pair. */
export function generateKey(): SecretKey {
  const signing = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const encryption = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' });
  const blob = Buffer.concat([
    Buffer.from(ALGORITHM),
    raw(signing, 'x'),
    raw(encryption, 'x'),
    raw(signing, 'd'),
    raw(encryption, 'd'),
  ]);
  return { publicKey: publicKeyOf(blob.subarray(0, PUBLIC_BYTES)), blob };
}

/** The text of a `.pub` file, and of an entry of `pubkeys`. */
export function toPublicText(key: PublicKey): string {
  return Buffer.from(key.blob).toString('base64');
}

/** The text of a `.sec` file. */
export function toSecretText(key: SecretKey): string {
  return Buffer.from(key.blob).toString('base64');
}

/** Reads the text of a `.pub` file. */
export function parsePublicKey(text: string): Result<PublicKey, 'bad-key'> {
  const blob = decode(text, PUBLIC_BYTES);
  return blob === undefined ? err('bad-key') : ok(publicKeyOf(blob));
}

/** Reads the text of a `.sec` file; its halves must belong together. */
export function parseSecretKey(text: string): Result<SecretKey, 'bad-key'> {
  const blob = decode(text, SECRET_BYTES);
  if (blob === undefined) return err('bad-key');
  const key: SecretKey = { publicKey: publicKeyOf(blob.subarray(0, PUBLIC_BYTES)), blob };
  return isConsistent(key) ? ok(key) : err('bad-key');
}

/** Signs `bytes` as they are. */
export function signBytes(key: SecretKey, bytes: Uint8Array): Signature {
  const jwk: JsonWebKey = { kty: 'OKP', crv: 'Ed25519', x: part(key.blob, 0), d: part(key.blob, 2) };
  return {
    fingerprint: key.publicKey.fingerprint,
    bytes: sign(null, bytes, createPrivateKey({ key: jwk, format: 'jwk' })),
  };
}

/** Whether `signature` is that of `key` over exactly these bytes. */
export function verifySignature(key: PublicKey, bytes: Uint8Array, signature: Signature): boolean {
  if (signature.fingerprint !== key.fingerprint) return false;
  const jwk: JsonWebKey = { kty: 'OKP', crv: 'Ed25519', x: part(key.blob, 0) };
  return verify(null, bytes, createPublicKey({ key: jwk, format: 'jwk' }), signature.bytes);
}

/** `<fingerprint>:<base64>` as it stands in a manifest's header. */
export function toSignatureText(signature: Signature): string {
  return `${signature.fingerprint}:${Buffer.from(signature.bytes).toString('base64')}`;
}

/** Reads `<fingerprint>:<base64 of 64 bytes>`. */
export function parseSignature(text: string): Result<Signature, 'bad-signature'> {
  const [, fingerprint, base64] = /^(0x[0-9a-f]{64}):([A-Za-z0-9+/]{86}==)$/.exec(text) ?? [];
  if (fingerprint === undefined || base64 === undefined) return err('bad-signature');
  return ok({ fingerprint, bytes: Buffer.from(base64, 'base64') });
}

function isConsistent(key: SecretKey): boolean {
  const probe = Buffer.from('the halves of a key belong together');
  try {
    return verifySignature(key.publicKey, probe, signBytes(key, probe));
  } catch {
    return false;
  }
}

function publicKeyOf(blob: Uint8Array): PublicKey {
  return { fingerprint: `0x${createHash('sha256').update(blob).digest('hex')}`, blob };
}

/** Base64, possibly followed by the end of a line, of exactly `size` bytes beginning with `Ed`. */
function decode(text: string, size: number): Uint8Array | undefined {
  const trimmed = text.trim();
  const blob = Buffer.from(trimmed, 'base64');
  const isExact = blob.length === size && blob.toString('base64') === trimmed;
  return isExact && blob.subarray(0, 2).toString('latin1') === ALGORITHM ? blob : undefined;
}

/** The n-th key in a blob, as a JSON web key holds it. */
function part(blob: Uint8Array, index: number): string {
  const start = ALGORITHM.length + index * KEY_BYTES;
  return Buffer.from(blob.subarray(start, start + KEY_BYTES)).toString('base64url');
}

function raw(jwk: JsonWebKey, field: 'x' | 'd'): Buffer {
  return Buffer.from(jwk[field] ?? '', 'base64url');
}

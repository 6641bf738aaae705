import { createHash } from 'node:crypto';
import { chmod, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { KeyStore } from './key-store.js';
import {
  generateKey,
  parsePublicKey,
  parseSecretKey,
  parseSignature,
  signBytes,
  toPublicText,
  toSecretText,
  toSignatureText,
  verifySignature,
} from './keys.js';
import { inTemporaryDirectory } from './testing/temporary-directory.js';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

/** Test 1 of RFC 8032 §7.1, and Alice's keys of RFC 7748 §6.1. */
const SEED = hex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60');
const SIGNING = hex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
const EMPTY_SIGNATURE = hex(
  'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
);
const ENCRYPTION_PRIVATE = hex('77076d0a7318a57d3c16c17251b26645a4c9b7ca5d9d4ff2a5b7c7b7b8b7a2a2');
const ENCRYPTION = hex('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a');
const PUBLIC = Buffer.concat([Buffer.from('Ed'), SIGNING, ENCRYPTION]);
const SECRET = Buffer.concat([PUBLIC, SEED, ENCRYPTION_PRIVATE]);

describe('keys in the original\'s formats', () => {
  it('reads a secret key and signs as RFC 8032 says', () => {
    const key = parseSecretKey(SECRET.toString('base64'));
    if (!key.ok) throw new Error('not read');
    expect(Buffer.from(signBytes(key.value, Buffer.alloc(0)).bytes)).toEqual(EMPTY_SIGNATURE);
    expect(toSecretText(key.value)).toHaveLength(176);
  });

  it('names a key by the SHA-256 of its public blob', () => {
    const key = parsePublicKey(`${PUBLIC.toString('base64')}\n`);
    if (!key.ok) throw new Error('not read');
    expect(key.value.fingerprint).toBe(`0x${createHash('sha256').update(PUBLIC).digest('hex')}`);
    expect(toPublicText(key.value)).toHaveLength(88);
  });

  it('makes keys that can be written, read and used', () => {
    const key = generateKey();
    const again = parseSecretKey(toSecretText(key));
    if (!again.ok) throw new Error('not read');
    expect(again.value.publicKey).toEqual(key.publicKey);
    const signature = signBytes(again.value, Buffer.from('text'));
    expect(verifySignature(key.publicKey, Buffer.from('text'), signature)).toBe(true);
    expect(verifySignature(key.publicKey, Buffer.from('texts'), signature)).toBe(false);
    expect(verifySignature(generateKey().publicKey, Buffer.from('text'), signature)).toBe(false);
  });

  it.each([
    ['nothing', ''],
    ['something else than base64', '%%%'],
    ['too few bytes', PUBLIC.subarray(0, 65).toString('base64')],
    ['another algorithm', Buffer.concat([Buffer.from('RS'), PUBLIC.subarray(2)]).toString('base64')],
    ['something in the middle', `${PUBLIC.toString('base64').slice(0, 40)} ${PUBLIC.toString('base64').slice(40)}`],
  ])('refuses a public key of %s', (_, text) => {
    expect(parsePublicKey(text)).toEqual({ ok: false, error: 'bad-key' });
  });

  it('refuses a secret key whose halves do not belong together', () => {
    const other = Buffer.from(generateKey().publicKey.blob);
    expect(parseSecretKey(Buffer.concat([other, SEED, ENCRYPTION_PRIVATE]).toString('base64')).ok).toBe(false);
  });

  it('reads the signatures it writes, and no others', () => {
    const signature = signBytes(generateKey(), Buffer.from('x'));
    expect(parseSignature(toSignatureText(signature))).toEqual({ ok: true, value: { ...signature, bytes: Buffer.from(signature.bytes) } });
    for (const text of ['', 'dummy.0x111', `${signature.fingerprint}:AAAA`, toSignatureText(signature).toUpperCase(), `${toSignatureText(signature)}\n`]) {
      expect(parseSignature(text).ok).toBe(false);
    }
  });
});

describe('the directory of keys', () => {
  it('keeps secrets from others', () =>
    inTemporaryDirectory(async (directory) => {
      const store = new KeyStore(path.join(directory, 'base/keys'));
      const key = await store.create();
      if (!key.ok) throw new Error(key.error.message);
      const { fingerprint } = key.value.publicKey;
      expect((await readdir(store.directory)).sort()).toEqual([`${fingerprint}.pub`, `${fingerprint}.sec`]);
      expect((await stat(store.directory)).mode & 0o777).toBe(0o700);
      expect((await stat(path.join(store.directory, `${fingerprint}.sec`))).mode & 0o777).toBe(0o600);
      expect(await store.secretKey(fingerprint)).toEqual({ ok: true, value: key.value });
      expect(await store.publicKey(fingerprint)).toMatchObject({ ok: true, value: { fingerprint } });
    }));

  it('tells an unknown key from one that cannot be read', () =>
    inTemporaryDirectory(async (directory) => {
      const store = new KeyStore(directory);
      const fingerprint = `0x${'a'.repeat(64)}`;
      expect(await store.publicKey(fingerprint)).toEqual({ ok: true, value: undefined });
      expect(await store.secretKey(fingerprint)).toMatchObject({ error: { code: 'no-secret-key' } });
      expect(await store.secretKey('../../etc/passwd')).toMatchObject({ error: { code: 'no-secret-key' } });
      expect(await store.publicKey('../../etc/passwd')).toEqual({ ok: true, value: undefined });
      await writeFile(path.join(directory, `${fingerprint}.pub`), 'garbage');
      await writeFile(path.join(directory, `${fingerprint}.sec`), 'garbage');
      expect(await store.publicKey(fingerprint)).toMatchObject({ error: { code: 'bad-key' } });
      expect(await store.secretKey(fingerprint)).toMatchObject({ error: { code: 'bad-key' } });
    }));

  it('does not take one key under the name of another', () =>
    inTemporaryDirectory(async (directory) => {
      const store = new KeyStore(directory);
      const [one, two] = [await store.create(), await store.create()];
      if (!one.ok || !two.ok) throw new Error('not made');
      const [first, second] = [one.value.publicKey.fingerprint, two.value.publicKey.fingerprint];
      for (const extension of ['pub', 'sec']) await rename(path.join(directory, `${first}.${extension}`), path.join(directory, `${second}.${extension}`));
      expect(await store.publicKey(second)).toMatchObject({ error: { code: 'bad-key' } });
      expect(await store.secretKey(second)).toMatchObject({ error: { code: 'bad-key' } });
      expect(await store.secretKey(first)).toMatchObject({ error: { code: 'no-secret-key' } });
    }));

  it('shows no secret when it fails', () =>
    inTemporaryDirectory(async (directory) => {
      const store = new KeyStore(directory);
      const key = await store.create();
      if (!key.ok) throw new Error('not made');
      const file = path.join(directory, `${key.value.publicKey.fingerprint}.sec`);
      const text = await readFile(file, 'latin1');
      await chmod(file, 0o600);
      await writeFile(file, text.slice(0, -4));
      const result = await store.secretKey(key.value.publicKey.fingerprint);
      expect(result.ok).toBe(false);
      expect(JSON.stringify(result)).not.toContain(text.slice(90, 120));
    }));
});

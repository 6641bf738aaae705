/**
 * The directory of key files: `<fingerprint>.pub`, and `<fingerprint>.sec` where the key is the
 * user's own. The directory is for its owner alone, secret files have mode 0600.
 */

import path from 'node:path';

import { err, ok, type Result } from '@wl/domain';

import { createFile, makePrivateDirectory, PRIVATE_FILE, readSmallFile } from './durable-file.js';
import { generateKey, parsePublicKey, parseSecretKey, toPublicText, toSecretText, type PublicKey, type SecretKey } from './keys.js';
import { setupError, type SetupError } from './setup-error.js';

const PUBLIC_FILE = 0o644;

/** Keys in `directory`, which is made with the first key. */
export class KeyStore {
  constructor(readonly directory: string) {}

  /** Makes and stores a key pair. The secret half is there first: a public key alone would look like somebody else's. */
  async create(): Promise<Result<SecretKey, SetupError>> {
    const key = generateKey();
    const made = await makePrivateDirectory(this.directory);
    if (!made.ok) return made;
    const secret = await createFile(this.#file(key.publicKey.fingerprint, 'sec'), Buffer.from(toSecretText(key)), PRIVATE_FILE);
    if (!secret.ok) return secret;
    const stored = await this.addPublicKey(key.publicKey);
    return stored.ok ? ok(key) : stored;
  }

  /** Stores a public key; fine when it is there already. */
  async addPublicKey(key: PublicKey): Promise<Result<void, SetupError>> {
    const made = await makePrivateDirectory(this.directory);
    if (!made.ok) return made;
    const written = await createFile(this.#file(key.fingerprint, 'pub'), Buffer.from(toPublicText(key)), PUBLIC_FILE);
    return written.ok ? ok(undefined) : written;
  }

  /** The public key of that fingerprint, `undefined` when there is none here. */
  async publicKey(fingerprint: string): Promise<Result<PublicKey | undefined, SetupError>> {
    if (!isFingerprint(fingerprint)) return ok(undefined);
    const file = this.#file(fingerprint, 'pub');
    const text = readSmallFile(file);
    if (!text.ok) return text.error.code === 'not-found' ? ok(undefined) : text;
    const key = parsePublicKey(text.value.toString('latin1'));
    return key.ok && key.value.fingerprint === fingerprint ? ok(key.value) : err(broken(file, 'public'));
  }

  /** The secret key of that fingerprint; `no-secret-key` when it is not here. */
  async secretKey(fingerprint: string): Promise<Result<SecretKey, SetupError>> {
    const file = this.#file(fingerprint, 'sec');
    const missing = setupError(
      'no-secret-key',
      `the secret key of ${fingerprint} is not here, so nothing can be signed in that name: put its .sec file into ${this.directory}`,
      file,
    );
    if (!isFingerprint(fingerprint)) return err(missing);
    const text = readSmallFile(file);
    if (!text.ok) return err(text.error.code === 'not-found' ? missing : text.error);
    const key = parseSecretKey(text.value.toString('latin1'));
    return key.ok && key.value.publicKey.fingerprint === fingerprint ? key : err(broken(file, 'secret'));
  }

  #file(fingerprint: string, extension: 'pub' | 'sec'): string {
    return path.join(this.directory, `${fingerprint}.${extension}`);
  }
}

/** Also keeps anything that is not one from becoming part of a path. */
function isFingerprint(text: string): boolean {
  return /^0x[0-9a-f]{64}$/.test(text);
}

function broken(file: string, half: 'public' | 'secret'): SetupError {
  return setupError('bad-key', `${file} does not hold the ${half} key that its name says: bring it back from a copy`, file);
}

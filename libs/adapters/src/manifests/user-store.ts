/**
 * Users: their manifests, and the default one, which is made when the first manifest needs an
 * owner. As a `Keyring` it knows all keys in the directory of keys and in user manifests.
 */

import path from 'node:path';

import { err, ok, type Result } from '@wl/domain';
import type { User } from '@wl/ports/schemas';

import type { ConfigStore, ConfigValues } from './config-store.js';
import { readSmallFile } from './durable-file.js';
import { KeyStore } from './key-store.js';
import { parsePublicKey, toPublicText, type PublicKey, type SecretKey } from './keys.js';
import { openUserManifest, toSignedManifest, validateManifest, type Keyring } from './manifest.js';
import { createManifestFile, listManifestFiles, nameOfManifest } from './naming.js';
import { setupError, type SetupError } from './setup-error.js';
import { writeYaml } from './yaml-edit.js';

/** Name of the user that is made on first need. */
const DEFAULT_USER = 'default';

/** A user manifest that was opened. */
export interface UserManifest {
  readonly file: string;
  readonly name: string;
  /** Fingerprint. */
  readonly owner: string;
  readonly data: User;
}

/** What a directory held: the good ones, and why the others were passed over. */
export interface UserListing {
  readonly users: readonly UserManifest[];
  readonly problems: readonly SetupError[];
}

/** The users and keys of one base directory. */
export class UserStore implements Keyring {
  readonly #config: ConfigStore;

  constructor(config: ConfigStore) {
    this.#config = config;
  }

  /** All user manifests that can be opened. */
  async list(): Promise<Result<UserListing, SetupError>> {
    const loaded = await this.#config.load();
    return loaded.ok ? listUsers(loaded.value.values) : loaded;
  }

  /** The secret key of an owner; `no-secret-key` when it is not here. */
  async secretKey(owner: string): Promise<Result<SecretKey, SetupError>> {
    const keys = await this.#keys();
    return keys.ok ? keys.value.secretKey(owner) : keys;
  }

  async publicKey(fingerprint: string): Promise<Result<PublicKey | undefined, SetupError>> {
    const keys = await this.#keys();
    if (!keys.ok) return keys;
    const stored = await keys.value.publicKey(fingerprint);
    if (!stored.ok || stored.value !== undefined) return stored;
    const listed = await this.list();
    if (!listed.ok) return listed;
    return ok(listed.value.users.flatMap(({ data }) => keysOf(data)).find((key) => key.fingerprint === fingerprint));
  }

  async mayActFor(signer: string, owner: string): Promise<Result<boolean, SetupError>> {
    const listed = await this.list();
    if (!listed.ok) return listed;
    const user = listed.value.users.find((candidate) => candidate.owner === owner);
    return ok(user !== undefined && keysOf(user.data).some((key) => key.fingerprint === signer));
  }

  /**
   * The key that new manifests are signed with: that of `@default-owner`. Where the configuration
   * names none, a user of this base directory whose secret key is here takes the place, else one
   * is made: keys, `users/default.user.yaml`, `@default`, `@default-owner` and `local-owners`.
   */
  async ensureDefaultOwner(): Promise<Result<SecretKey, SetupError>> {
    const loaded = await this.#config.load();
    if (!loaded.ok) return loaded;
    const configured = loaded.value.values['@default-owner'] ?? loaded.value.values['@default'];
    if (configured !== undefined) return new KeyStore(loaded.value.values['key-dir']).secretKey(configured);

    let key: Result<SecretKey, SetupError> | undefined;
    const updated = await this.#config.update(async (draft) => {
      // Another process may have been faster: the draft is what the file says under the lock.
      const existing = draft['@default-owner'] ?? draft['@default'];
      const keys = new KeyStore(loaded.value.values['key-dir']);
      key = existing === undefined ? await adoptOrCreateUser(loaded.value.values, keys) : await keys.secretKey(existing);
      if (!key.ok) return key;
      const owner = key.value.publicKey.fingerprint;
      draft['@default'] ??= owner;
      draft['@default-owner'] ??= owner;
      if (draft['local-owners']?.includes(owner) !== true) draft['local-owners'] = [...(draft['local-owners'] ?? []), owner];
      return ok(undefined);
    });
    if (!updated.ok) return updated;
    return key ?? err(setupError('no-secret-key', 'no default user could be made'));
  }

  async #keys(): Promise<Result<KeyStore, SetupError>> {
    const loaded = await this.#config.load();
    return loaded.ok ? ok(new KeyStore(loaded.value.values['key-dir'])) : loaded;
  }
}

async function listUsers(values: ConfigValues): Promise<Result<UserListing, SetupError>> {
  const files = listManifestFiles(values['user-dir']);
  if (!files.ok) return files;
  const users: UserManifest[] = [];
  const problems: SetupError[] = [];
  for (const file of files.value) {
    const bytes = readSmallFile(file);
    const opened = bytes.ok ? await openUserManifest(file, bytes.value) : bytes;
    if (!opened.ok) problems.push(opened.error);
    else users.push({ file, name: nameOfManifest('user', file), owner: opened.value.data.owner, data: opened.value.data });
  }
  return ok({ users, problems });
}

/** A crash between the key and the configuration leaves a user that the next attempt takes up. */
async function adoptOrCreateUser(values: ConfigValues, keys: KeyStore): Promise<Result<SecretKey, SetupError>> {
  const listed = await listUsers(values);
  if (!listed.ok) return listed;
  for (const { owner } of listed.value.users) {
    const key = await keys.secretKey(owner);
    if (key.ok || key.error.code !== 'no-secret-key') return key;
  }
  const key = await keys.create();
  if (!key.ok) return key;
  const written = await writeUser(values['user-dir'], DEFAULT_USER, key.value);
  return written.ok ? key : written;
}

async function writeUser(directory: string, name: string, key: SecretKey): Promise<Result<string, SetupError>> {
  const data: User = {
    version: '1',
    object: 'user',
    owner: key.publicKey.fingerprint,
    paths: [`/users/${name}`],
    pubkeys: [toPublicText(key.publicKey)],
  };
  const valid = validateManifest('user', data, path.join(directory, `${name}.user.yaml`));
  if (!valid.ok) return valid;
  const body = Buffer.from(await writeYaml(undefined, data));
  return createManifestFile('user', directory, name, toSignedManifest(key, body));
}

function keysOf(user: User): readonly PublicKey[] {
  return user.pubkeys.flatMap((text) => {
    const key = parsePublicKey(text);
    return key.ok ? [key.value] : [];
  });
}

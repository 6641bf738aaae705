/**
 * The container and storage manifests of one base directory: make, find, open, change, sign,
 * delete. Every change is made to the manifest as it is at that moment, under its lock, is signed
 * again and appears whole or not at all; comments stay.
 *
 * W-47 of the reference: a container without a uuid gets one once, and it is saved, so that job
 * ids stay the same.
 */

import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { err, ok, type Result } from '@wl/domain';
import type { Container, InlineStorage, Storage, StorageParams as AnyStorageParams } from '@wl/ports/schemas';

import { duplicateBackendId } from './choose-storages.js';
import type { ConfigStore, ConfigValues } from './config-store.js';
import { toUuidPath, uuidFirst, uuidOfPaths, type ContainerManifest } from './container-manifest.js';
import { PRIVATE_FILE, readSmallFile, removeFile, replaceFile } from './durable-file.js';
import { parseEnvelope } from './envelope.js';
import { withFileLock } from './file-lock.js';
import { openManifest, readBody, shellWord, toSignedManifest, validateManifest, type OpenedManifest } from './manifest.js';
import { createManifestFile, fileOfUrl, findManifest, isUrl, listManifestFiles, nameOfManifest, toManifestName } from './naming.js';
import { setupError, type SetupError } from './setup-error.js';
import { fromInlineStorage, fromStorageManifest, LOCAL_TYPES, toInlineStorage, type StorageParams } from './storage-params.js';
import type { UserStore } from './user-store.js';
import { writeYaml } from './yaml-edit.js';

/** What a new container is made of; everything may be left out. */
export interface NewContainer {
  /** Name of its file; the uuid where it is left out. */
  readonly name?: string | undefined;
  readonly paths?: readonly string[] | undefined;
  readonly title?: string | undefined;
  readonly categories?: readonly string[] | undefined;
  /** Patterns in gitignore syntax. */
  readonly ignore?: readonly string[] | undefined;
  readonly storages?: readonly AnyStorageParams[] | undefined;
}

/** A storage manifest that was opened. */
export interface StorageManifest {
  readonly file: string;
  readonly name: string;
  readonly data: Storage;
  readonly params: StorageParams;
}

/** The containers that could be opened, and why the others were passed over. */
export interface ContainerListing {
  readonly containers: readonly ContainerManifest[];
  readonly problems: readonly SetupError[];
}

/** The standalone storage manifests that could be opened, and why the others were passed over. */
export interface StorageListing {
  readonly storages: readonly StorageManifest[];
  readonly problems: readonly SetupError[];
}

/** The storages of a container that can be used, in manifest order, the cache storage last. */
export interface ContainerStorages {
  readonly storages: readonly StorageParams[];
  /** Why others were passed over. */
  readonly problems: readonly SetupError[];
}

/** What the store needs. */
export interface ManifestStoreOptions {
  readonly config: ConfigStore;
  readonly users: UserStore;
  /** Absolute; names given as paths are taken from here. */
  readonly workingDirectory: string;
  /** Makes uuids; `randomUUID` unless told. */
  readonly makeUuid?: () => string;
}

/** Container and storage manifests of one base directory. */
export class ManifestStore {
  readonly #config: ConfigStore;
  readonly #users: UserStore;
  readonly #workingDirectory: string;
  readonly #makeUuid: () => string;

  constructor({ config, users, workingDirectory, makeUuid = randomUUID }: ManifestStoreOptions) {
    this.#config = config;
    this.#users = users;
    this.#workingDirectory = workingDirectory;
    this.#makeUuid = makeUuid;
  }

  /** Makes a container, owned by the default user, who is made first where there is none. */
  async createContainer(wanted: NewContainer = {}): Promise<Result<ContainerManifest, SetupError>> {
    const uuid = this.#makeUuid();
    const name = toManifestName('container', wanted.name ?? uuid);
    if (!name.ok) return name;
    const storages = this.#newStorages(wanted.storages ?? []);
    if (!storages.ok) return storages;
    const key = await this.#users.ensureDefaultOwner();
    if (!key.ok) return key;
    const values = await this.#values();
    if (!values.ok) return values;
    const directory = values.value['container-dir'];
    const data = validateManifest(
      'container',
      {
        version: '1',
        object: 'container',
        owner: key.value.publicKey.fingerprint,
        paths: [toUuidPath(uuid), ...(wanted.paths ?? [])],
        ...(wanted.title === undefined ? {} : { title: wanted.title }),
        ...(wanted.categories === undefined ? {} : { categories: [...wanted.categories] }),
        access: [{ user: '*' }],
        ...(wanted.ignore === undefined ? {} : { ignore: [...wanted.ignore] }),
        backends: { storage: storages.value.map(toInlineStorage) },
      },
      `the new container ${name.value}`,
    );
    if (!data.ok) return data;
    const body = Buffer.from(await writeYaml(undefined, data.value));
    const file = await createManifestFile('container', directory, name.value, toSignedManifest(key.value, body));
    return file.ok ? ok(toContainerManifest(file.value, data.value, uuid)) : file;
  }

  /** All containers that can be opened, by file name. */
  async listContainers(): Promise<Result<ContainerListing, SetupError>> {
    const values = await this.#values();
    if (!values.ok) return values;
    const files = await listManifestFiles(values.value['container-dir']);
    if (!files.ok) return files;
    const containers: ContainerManifest[] = [];
    const problems: SetupError[] = [];
    for (const file of files.value) {
      const container = await this.#openContainer(file);
      if (container.ok) containers.push(container.value);
      else problems.push(container.error);
    }
    return ok({ containers, problems });
  }

  /** Opens the container that the user calls `argument`: a name, a path, a `file://` URL. */
  async loadContainer(argument: string): Promise<Result<ContainerManifest, SetupError>> {
    const file = await this.#find('container', argument);
    return file.ok ? this.#openContainer(file.value) : file;
  }

  /** Deletes a container's manifest; the data in its storages stays. A broken one can be deleted too, a file of another kind cannot. */
  async deleteContainer(argument: string): Promise<Result<{ readonly file: string }, SetupError>> {
    const file = await this.#find('container', argument);
    if (!file.ok) return file;
    const container = await this.#openContainer(file.value);
    if (!container.ok && (container.error.code === 'bad-envelope' || !isNamedAs('container', file.value))) return container;
    const removed = await withFileLock(file.value, () => removeFile(file.value));
    return removed.ok ? ok({ file: file.value }) : removed;
  }

  /** Signs a container's manifest as it stands in its file, after the user changed it by hand. */
  async signContainer(argument: string): Promise<Result<ContainerManifest, SetupError>> {
    const file = await this.#find('container', argument);
    if (!file.ok) return file;
    const signed = await this.#sign('container', file.value);
    return signed.ok ? this.#openContainer(file.value) : signed;
  }

  /**
   * Changes a container: `change` gets its data as they are now and edits them in place; a refusal
   * leaves the file as it is.
   */
  async updateContainer(
    container: Pick<ContainerManifest, 'file'>,
    change: (draft: Container) => Result<void, SetupError>,
  ): Promise<Result<ContainerManifest, SetupError>> {
    return withFileLock(container.file, async () => {
      const opened = await this.#openFile('container', container.file);
      if (!opened.ok) return opened;
      const draft = structuredClone(opened.value.data);
      const changed = change(draft);
      if (!changed.ok) return changed;
      draft.paths = uuidFirst(draft.paths);
      const data = validateManifest('container', draft, container.file);
      if (!data.ok) return data;
      const uuid = uuidOfPaths(data.value.paths);
      if (uuid === undefined) return err(setupError('invalid', `${container.file} cannot be changed so: a path below /.uuid/ has to stay`, container.file));
      const duplicate = duplicateBackendId(data.value.backends.storage.filter(hasBackendId));
      if (duplicate !== undefined) return err(duplicateError(duplicate, container.file));
      const written = await this.#write(opened.value, data.value);
      return written.ok ? ok(toContainerManifest(container.file, data.value, uuid)) : written;
    });
  }

  /**
   * Adds a storage to a container, with a random `backend-id` unless it names one. Inline unless
   * `standalone` asks for a manifest of its own, which the container then refers to.
   */
  async addStorage(
    container: ContainerManifest,
    storage: AnyStorageParams,
    options: { readonly standalone?: { readonly name?: string | undefined } } = {},
  ): Promise<Result<{ readonly container: ContainerManifest; readonly storage: StorageParams; readonly file?: string }, SetupError>> {
    const values = await this.#values();
    if (!values.ok) return values;
    const [added] = [this.#newStorages([storage])];
    if (!added.ok) return added;
    const inline = toInlineStorage(added.value[0] ?? storage) as InlineStorage;
    const params = fromInlineStorage(inline, container, values.value['local-owners']);
    const others = await this.storagesOf(container);
    if (!others.ok) return others;
    if (others.value.storages.some((other) => other['backend-id'] === params['backend-id'])) {
      return err(duplicateError(params['backend-id'], container.file));
    }
    if (options.standalone === undefined) {
      const updated = await this.updateContainer(container, (draft) => {
        draft.backends.storage.push(inline);
        return ok(undefined);
      });
      return updated.ok ? ok({ container: updated.value, storage: params }) : updated;
    }
    const file = await this.#createStorageManifest(container, params, options.standalone.name, values.value);
    if (!file.ok) return file;
    const updated = await this.updateContainer(container, (draft) => {
      draft.backends.storage.push(pathToFileURL(file.value).href);
      return ok(undefined);
    });
    return updated.ok ? ok({ container: updated.value, storage: params, file: file.value }) : updated;
  }

  /** Takes the storage with that `backend-id` out of a container; its data and a manifest of its own stay. */
  async removeStorage(container: ContainerManifest, backendId: string): Promise<Result<ContainerManifest, SetupError>> {
    const values = await this.#values();
    if (!values.ok) return values;
    const ids = new Map<unknown, string>();
    for (const item of container.data.backends.storage) {
      const params = await this.#resolve(item, container, values.value);
      if (params.ok) ids.set(JSON.stringify(item), params.value['backend-id']);
    }
    return this.updateContainer(container, (draft) => {
      const kept = draft.backends.storage.filter((item) => ids.get(JSON.stringify(item)) !== backendId);
      if (kept.length === draft.backends.storage.length) {
        return err(setupError('not-found', `storage not found: ${backendId} in container ${container.name}`, container.file));
      }
      draft.backends.storage = kept;
      return ok(undefined);
    });
  }

  /** The storages of a container; `duplicate-backend-id` when two share an id. What cannot be used is reported and passed over. */
  async storagesOf(container: ContainerManifest): Promise<Result<ContainerStorages, SetupError>> {
    const values = await this.#values();
    if (!values.ok) return values;
    const storages: StorageParams[] = [];
    const problems: SetupError[] = [];
    for (const item of container.data.backends.storage) {
      const params = await this.#resolve(item, container, values.value);
      if (params.ok) storages.push(params.value);
      else problems.push(params.error);
    }
    const cache = await this.#cacheStorage(container, values.value);
    if (!cache.ok) problems.push(cache.error);
    else if (cache.value !== undefined) storages.push(cache.value);
    const duplicate = duplicateBackendId(storages);
    return duplicate === undefined ? ok({ storages, problems }) : err(duplicateError(duplicate, container.file));
  }

  /** The containers that have a storage with that `backend-id`, and what could not be looked into. */
  async containersWith(backendId: string): Promise<Result<ContainerListing, SetupError>> {
    const listed = await this.listContainers();
    if (!listed.ok) return listed;
    const containers: ContainerManifest[] = [];
    const problems = [...listed.value.problems];
    for (const container of listed.value.containers) {
      const found = await this.storagesOf(container);
      if (!found.ok) problems.push(found.error);
      else if (found.value.storages.some((storage) => storage['backend-id'] === backendId)) containers.push(container);
    }
    return ok({ containers, problems });
  }

  /** All standalone storage manifests that can be opened, by file name. */
  async listStorages(): Promise<Result<StorageListing, SetupError>> {
    const values = await this.#values();
    if (!values.ok) return values;
    const files = await listManifestFiles(values.value['storage-dir']);
    if (!files.ok) return files;
    const storages: StorageManifest[] = [];
    const problems: SetupError[] = [];
    for (const file of files.value) {
      const storage = await this.#openStorage(file, values.value);
      if (storage.ok) storages.push(storage.value);
      else problems.push(storage.error);
    }
    return ok({ storages, problems });
  }

  /** Opens the standalone storage manifest that the user calls `argument`. */
  async loadStorage(argument: string): Promise<Result<StorageManifest, SetupError>> {
    const values = await this.#values();
    if (!values.ok) return values;
    const file = await this.#find('storage', argument);
    return file.ok ? this.#openStorage(file.value, values.value) : file;
  }

  /** Deletes a standalone storage manifest; the data in the storage stays. */
  async deleteStorage(storage: Pick<StorageManifest, 'file'>): Promise<Result<void, SetupError>> {
    return withFileLock(storage.file, () => removeFile(storage.file));
  }

  /** Signs a standalone storage manifest as it stands in its file. */
  async signStorage(argument: string): Promise<Result<{ readonly file: string }, SetupError>> {
    const file = await this.#find('storage', argument);
    if (!file.ok) return file;
    const signed = await this.#sign('storage', file.value);
    return signed.ok ? ok({ file: file.value }) : signed;
  }

  async #values(): Promise<Result<ConfigValues, SetupError>> {
    const loaded = await this.#config.load();
    return loaded.ok ? ok(loaded.value.values) : loaded;
  }

  async #find(kind: 'container' | 'storage', argument: string): Promise<Result<string, SetupError>> {
    const values = await this.#values();
    if (!values.ok) return values;
    return findManifest(kind, argument, {
      directory: values.value[`${kind}-dir`],
      workingDirectory: this.#workingDirectory,
      localHostname: values.value['local-hostname'],
    });
  }

  async #openFile<K extends 'container' | 'storage'>(kind: K, file: string): Promise<Result<OpenedManifest<K>, SetupError>> {
    const bytes = await readSmallFile(file);
    if (!bytes.ok) return bytes;
    return openManifest(kind, { file, name: await this.#callName(kind, file), bytes: bytes.value }, this.#users);
  }

  async #openContainer(file: string): Promise<Result<ContainerManifest, SetupError>> {
    const opened = await this.#openFile('container', file);
    if (!opened.ok) return opened;
    const data: Container = { ...opened.value.data, paths: uuidFirst(opened.value.data.paths) };
    const uuid = uuidOfPaths(data.paths);
    if (uuid !== undefined) return ok(toContainerManifest(file, data, uuid));
    return this.updateContainer({ file }, (draft) => {
      // Another process may have been faster.
      if (uuidOfPaths(draft.paths) === undefined) draft.paths = [toUuidPath(this.#makeUuid()), ...draft.paths];
      return ok(undefined);
    });
  }

  async #openStorage(file: string, values: ConfigValues): Promise<Result<StorageManifest, SetupError>> {
    const opened = await this.#openFile('storage', file);
    if (!opened.ok) return opened;
    const { data } = opened.value;
    return ok({ file, name: nameOfManifest('storage', file), data, params: fromStorageManifest(data, values['local-owners']) });
  }

  async #resolve(
    item: Container['backends']['storage'][number],
    container: ContainerManifest,
    values: ConfigValues,
  ): Promise<Result<StorageParams, SetupError>> {
    const refuse = (why: string) =>
      err(setupError('unsupported-storage', `a storage of container ${container.name} is left out: ${why}`, container.file));
    if (typeof item === 'string') {
      const file = isUrl(item) ? fileOfUrl(item, values['local-hostname']) : err(undefined);
      if (!file.ok) return refuse(`${item} is no file:// URL of this machine`);
      const storage = await this.#openStorage(file.value, values);
      if (!storage.ok) return storage;
      const { owner, 'container-path': containerPath } = storage.value.data;
      if (owner !== container.owner) return refuse(`${file.value} belongs to another owner`);
      if (!container.data.paths.includes(containerPath)) return refuse(`${file.value} is for the container at ${containerPath}`);
      return ok(storage.value.params);
    }
    if ('encrypted' in item) return refuse('it is encrypted, which is not supported here');
    if (item.object === 'link') return refuse('links to manifests in other storages are not supported here');
    return ok(fromInlineStorage(item as InlineStorage, container, values['local-owners']));
  }

  async #cacheStorage(container: ContainerManifest, values: ConfigValues): Promise<Result<StorageParams | undefined, SetupError>> {
    const file = path.join(values['cache-dir'], `${container.owner}.${container.uuid}.storage.yaml`);
    const opened = await this.#openStorage(file, values);
    if (opened.ok) return ok(opened.value.params);
    return opened.error.code === 'not-found' ? ok(undefined) : opened;
  }

  /** Fills in and checks storages that are to be added. */
  #newStorages(storages: readonly AnyStorageParams[]): Result<readonly StorageParams[], SetupError> {
    const filled = storages.map((storage) => ({ ...storage, 'backend-id': storage['backend-id'] ?? this.#makeUuid() }));
    for (const { 'backend-id': id } of filled) {
      if (LOCAL_TYPES.has(id) || !/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/.test(id)) {
        const message = `${JSON.stringify(id)} cannot be a backend-id: use letters, digits, '-', '_', '.', ':', at most 128, and no name of a storage type`;
        return err(setupError('bad-backend-id', message));
      }
    }
    const duplicate = duplicateBackendId(filled);
    return duplicate === undefined ? ok(filled) : err(duplicateError(duplicate, undefined));
  }

  async #createStorageManifest(
    container: ContainerManifest,
    params: StorageParams,
    wantedName: string | undefined,
    values: ConfigValues,
  ): Promise<Result<string, SetupError>> {
    const name = toManifestName('storage', wantedName ?? `${container.uuid}.${params['backend-id']}`);
    if (!name.ok) return name;
    const { 'is-local-owner': _local, object: _object, version: _version, owner, ...own } = params;
    const data = validateManifest('storage', { version: '1', object: 'storage', owner, ...own, access: [{ user: '*' }] }, `the new storage ${name.value}`);
    if (!data.ok) return data;
    const key = await this.#users.secretKey(container.owner);
    if (!key.ok) return key;
    const body = Buffer.from(await writeYaml(undefined, data.value));
    return createManifestFile('storage', values['storage-dir'], name.value, toSignedManifest(key.value, body));
  }

  async #write(opened: OpenedManifest<'container'>, data: Container): Promise<Result<void, SetupError>> {
    const key = await this.#users.secretKey(data.owner);
    if (!key.ok) return key;
    const body = Buffer.from(await writeYaml(opened.document, data));
    return replaceFile(opened.file, toSignedManifest(key.value, body), PRIVATE_FILE);
  }

  /** The body keeps its bytes: what the user wrote is what is signed. */
  async #sign(kind: 'container' | 'storage', file: string): Promise<Result<void, SetupError>> {
    return withFileLock(file, async () => {
      const bytes = await readSmallFile(file);
      if (!bytes.ok) return bytes;
      const envelope = parseEnvelope(bytes.value);
      // A manifest written by hand need not have a header at all.
      const body = envelope.ok ? envelope.value.body : bytes.value;
      const read = await readBody(kind, file, body);
      if (!read.ok) return read;
      const key = await this.#users.secretKey(read.value.data.owner);
      if (!key.ok) return key;
      return replaceFile(file, toSignedManifest(key.value, body), PRIVATE_FILE);
    });
  }

  /** The name where the manifest is in its directory, else the path. */
  async #callName(kind: 'container' | 'storage', file: string): Promise<string> {
    const values = await this.#values();
    const isAtHome = values.ok && path.dirname(file) === values.value[`${kind}-dir`];
    return isAtHome ? nameOfManifest(kind, file) : file;
  }
}

function toContainerManifest(file: string, data: Container, uuid: string): ContainerManifest {
  return { file, name: nameOfManifest('container', file), owner: data.owner, uuid, data };
}

function isNamedAs(kind: 'container' | 'storage', file: string): boolean {
  return file.endsWith(`.${kind}.yaml`);
}

function hasBackendId(item: unknown): item is { readonly 'backend-id': string } {
  return typeof item === 'object' && item !== null && 'backend-id' in item && typeof item['backend-id'] === 'string';
}

function duplicateError(backendId: string, file: string | undefined): SetupError {
  const where = file === undefined ? '' : ` in ${file}`;
  return setupError('duplicate-backend-id', `Duplicate backend-id found: ${backendId}${where}. Give one of the storages another`, file);
}

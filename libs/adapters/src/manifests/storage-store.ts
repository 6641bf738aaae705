/**
 * The storages of containers, written inside them or with a manifest of their own: list, add,
 * remove, and the parameters of each as a backend is made from.
 */

import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { err, ok, type Result } from '@wl/domain';
import type { Container, Storage, StorageParams as AnyStorageParams } from '@wl/ports/schemas';

import type { ConfigValues } from './config-store.js';
import type { ContainerManifest } from './container-manifest.js';
import type { ContainerListing, ContainerStore } from './container-store.js';
import type { ManifestFiles } from './manifest-files.js';
import { fileOfUrl, nameOfManifest, toManifestName } from './naming.js';
import { forgetTarget } from './remembered-target.js';
import { setupError, type SetupError } from './setup-error.js';
import {
  duplicateBackendId,
  duplicateError,
  fromInlineStorage,
  fromStorageManifest,
  toInlineStorage,
  withNewBackendIds,
  type StorageParams,
} from './storage-params.js';

/** A storage manifest that was opened. */
export interface StorageManifest {
  readonly file: string;
  readonly name: string;
  readonly params: StorageParams;
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

/** A storage as it was added. */
export interface AddedStorage {
  readonly container: ContainerManifest;
  readonly storage: StorageParams;
  /** Its own manifest, when it has one. */
  readonly file?: string;
}

/** Storages, by their manifests. */
export class StorageStore {
  constructor(
    private readonly files: ManifestFiles,
    private readonly containers: ContainerStore,
    private readonly makeUuid: () => string = () => randomUUID(),
  ) {}

  /** The storages of a container; `duplicate-backend-id` when two share an id. What cannot be used is reported and passed over. */
  async storagesOf(container: ContainerManifest): Promise<Result<ContainerStorages, SetupError>> {
    const values = await this.files.values();
    if (!values.ok) return values;
    const storages: StorageParams[] = [];
    const problems: SetupError[] = [];
    for (const item of container.data.backends.storage) {
      const params = await this.#resolve(item, container, values.value);
      if (params.ok) storages.push(params.value);
      else problems.push(params.error);
    }
    const cache = await this.#openCache(container, values.value);
    if (cache.ok) storages.push(cache.value.params);
    else if (cache.error.code !== 'not-found') problems.push(cache.error);
    const duplicate = duplicateBackendId(storages);
    return duplicate === undefined ? ok({ storages, problems }) : err(duplicateError(duplicate, container.file));
  }

  /**
   * Adds a storage to a container, with a random `backend-id` unless it names one. It is written
   * inside the container unless `standalone` asks for a manifest of its own.
   */
  async add(
    container: ContainerManifest,
    storage: AnyStorageParams,
    options: { readonly standalone?: { readonly name?: string | undefined } } = {},
  ): Promise<Result<AddedStorage, SetupError>> {
    const values = await this.files.values();
    if (!values.ok) return values;
    const filled = withNewBackendIds([storage], this.makeUuid);
    if (!filled.ok) return filled;
    const inline = toInlineStorage(filled.value[0] ?? storage);
    const params = fromInlineStorage(inline, container, values.value['local-owners']);
    const others = await this.storagesOf(container);
    if (!others.ok) return others;
    const duplicate = duplicateBackendId([...others.value.storages, params]);
    if (duplicate !== undefined) return err(duplicateError(duplicate, container.file));

    let file: string | undefined;
    if (options.standalone !== undefined) {
      const created = await this.#createManifest(container, params, options.standalone.name);
      if (!created.ok) return created;
      file = created.value;
    }
    const item = file === undefined ? inline : pathToFileURL(file).href;
    const updated = await this.containers.update(container, (draft) => {
      draft.backends.storage.push(item);
      return ok(undefined);
    });
    if (!updated.ok) return updated;
    return ok({ container: updated.value, storage: params, ...(file === undefined ? {} : { file }) });
  }

  /** Takes the storage with that `backend-id` out of a container, and what was remembered of it; its data and a manifest of its own stay. */
  async remove(container: ContainerManifest, backendId: string): Promise<Result<ContainerManifest, SetupError>> {
    const values = await this.files.values();
    if (!values.ok) return values;
    const updated = await this.containers.update(container, async (draft) => {
      const kept: Container['backends']['storage'] = [];
      for (const item of draft.backends.storage) {
        const params = await this.#resolve(item, { ...container, data: draft }, values.value);
        if (!params.ok || params.value['backend-id'] !== backendId) kept.push(item);
      }
      if (kept.length === draft.backends.storage.length) {
        return err(setupError('not-found', `storage not found: ${backendId} in container ${container.name}`, container.file));
      }
      draft.backends.storage = kept;
      return ok(undefined);
    });
    if (!updated.ok) return updated;
    const forgotten = await forgetTarget(this.files.config, container.uuid, backendId);
    return forgotten.ok ? updated : forgotten;
  }

  /** The containers that have a storage with that `backend-id`, and what could not be looked into. */
  async containersWith(backendId: string): Promise<Result<ContainerListing, SetupError>> {
    const listed = await this.containers.list();
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
  async list(): Promise<Result<StorageListing, SetupError>> {
    const files = await this.files.list('storage');
    if (!files.ok) return files;
    const storages: StorageManifest[] = [];
    const problems: SetupError[] = [];
    for (const file of files.value) {
      const storage = await this.#open(file);
      if (storage.ok) storages.push(storage.value);
      else problems.push(storage.error);
    }
    return ok({ storages, problems });
  }

  /** Opens the standalone storage manifest that the user calls `argument`. */
  async load(argument: string): Promise<Result<StorageManifest, SetupError>> {
    const file = await this.files.find('storage', argument);
    return file.ok ? this.#open(file.value) : file;
  }

  /** Signs a standalone storage manifest as it stands in its file. */
  async sign(argument: string): Promise<Result<StorageManifest, SetupError>> {
    const file = await this.files.find('storage', argument);
    if (!file.ok) return file;
    const signed = await this.files.sign('storage', file.value);
    return signed.ok ? this.#open(file.value) : signed;
  }

  /** Deletes a standalone storage manifest; the data in the storage stays. */
  async delete(storage: Pick<StorageManifest, 'file'>): Promise<Result<void, SetupError>> {
    return this.files.remove(storage.file);
  }

  async #open(file: string): Promise<Result<StorageManifest, SetupError>> {
    const values = await this.files.values();
    if (!values.ok) return values;
    const opened = await this.files.open('storage', file);
    if (!opened.ok) return opened;
    const params = fromStorageManifest(opened.value.data, values.value['local-owners']);
    return ok({ file, name: nameOfManifest('storage', file), params });
  }

  async #openCache(container: ContainerManifest, values: ConfigValues): Promise<Result<StorageManifest, SetupError>> {
    return this.#open(path.join(values['cache-dir'], `${container.owner}.${container.uuid}.storage.yaml`));
  }

  async #resolve(
    item: Container['backends']['storage'][number],
    container: ContainerManifest,
    values: ConfigValues,
  ): Promise<Result<StorageParams, SetupError>> {
    const refuse = (why: string) =>
      err(setupError('unsupported-storage', `a storage of container ${container.name} is left out: ${why}`, container.file));
    if (typeof item === 'string') {
      const file = fileOfUrl(item, values['local-hostname']);
      if (!file.ok) return refuse(file.error.message);
      const storage = await this.#open(file.value);
      if (!storage.ok) return refuse(storage.error.message);
      const { owner, 'container-path': containerPath } = storage.value.params;
      if (owner !== container.owner) return refuse(`${file.value} belongs to another owner`);
      const isForIt = container.data.paths.includes(containerPath ?? '');
      return isForIt ? ok(storage.value.params) : refuse(`${file.value} is for the container at ${containerPath}`);
    }
    if ('encrypted' in item) return refuse('it is encrypted, which is not supported here');
    if (item.object === 'link') return refuse('links to manifests in other storages are not supported here');
    return ok(fromInlineStorage(item, container, values['local-owners']));
  }

  async #createManifest(container: ContainerManifest, params: StorageParams, wantedName: string | undefined): Promise<Result<string, SetupError>> {
    const name = toManifestName('storage', wantedName ?? `${container.uuid}.${params['backend-id']}`);
    if (!name.ok) return name;
    const { 'is-local-owner': _local, ...own } = params;
    const data: Storage = { ...own, version: '1', object: 'storage', owner: container.owner, 'container-path': params['container-path'] ?? '', access: [{ user: '*' }] };
    return this.files.create('storage', name.value, data);
  }
}

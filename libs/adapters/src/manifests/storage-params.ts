/**
 * The parameters a backend is made from, filled in from the manifest a storage stands in
 * (reference §3.5), and the id of a storage that has none.
 */

import { createHash } from 'node:crypto';

import { err, ok, type Result } from '@wl/domain';
import type { InlineStorage, Storage, StorageParams as AnyStorageParams } from '@wl/ports/schemas';

import type { ContainerManifest } from './container-manifest.js';
import { setupError, type SetupError } from './setup-error.js';

/** Everything about one storage, as `start` takes it; `backend-id` is always there. Holds credentials. */
export type StorageParams = AnyStorageParams & { readonly 'backend-id': string };

/** Types whose data is in a directory of this machine. */
export const LOCAL_TYPES: ReadonlySet<string> = new Set(['local', 'local-cached', 'local-dir-cached']);

/** Whether a storage counts as local when source and target are chosen. */
export function isLocal(storage: { readonly type: string }): boolean {
  return LOCAL_TYPES.has(storage.type);
}

/** Where on this machine a storage is, if that is where it is: a directory, or an archive. */
export function placeOnDisk(storage: AnyStorageParams): string | undefined {
  return isLocal(storage) || storage.type === 'zip-archive' ? storage.location : undefined;
}

/** Parameters of a storage written inside a container. */
export function fromInlineStorage(item: InlineStorage, container: ContainerManifest, localOwners: readonly string[]): StorageParams {
  const { owner, paths } = container.data;
  return complete({ ...item, owner, 'container-path': paths[0] ?? '', version: '1' }, localOwners);
}

/** Parameters of a storage with a manifest of its own. */
export function fromStorageManifest(data: Storage, localOwners: readonly string[]): StorageParams {
  return complete(data, localOwners);
}

/** What of a storage is written inside a container: the rest comes from the container. */
export function toInlineStorage(storage: AnyStorageParams): InlineStorage {
  const { object: _object, owner: _owner, 'container-path': _path, version: _version, 'is-local-owner': _local, ...own } = storage;
  return { object: 'storage', ...own };
}

/**
 * The id of a storage that names none: a UUID of the MD5 of its parameters, each as text, as JSON
 * with sorted keys. The same parameters always give the same id; `backend-id` and what is only
 * added at run time do not count.
 */
export function deterministicBackendId(storage: AnyStorageParams): string {
  const { 'backend-id': _id, 'is-local-owner': _local, ...params } = storage;
  const texts = Object.entries(params)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]): [string, string] => [key, typeof value === 'string' ? value : JSON.stringify(sortKeys(value))])
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const digest = createHash('md5').update(JSON.stringify(Object.fromEntries(texts))).digest('hex');
  return digest.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Gives storages that are to be added an id where they name none, and checks the ones they name. */
export function withNewBackendIds(storages: readonly AnyStorageParams[], makeUuid: () => string): Result<readonly StorageParams[], SetupError> {
  const filled = storages.map((storage) => ({ ...storage, 'backend-id': storage['backend-id'] ?? makeUuid() }));
  for (const { 'backend-id': id, type } of filled) {
    if (LOCAL_TYPES.has(id) || id === type || !/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/.test(id)) {
      const message = `${JSON.stringify(id)} cannot be a backend-id: use letters, digits, '-', '_', '.', ':', at most 128, and no name of a storage type`;
      return err(setupError('bad-backend-id', message));
    }
  }
  const duplicate = duplicateBackendId(filled);
  return duplicate === undefined ? ok(filled) : err(duplicateError(duplicate, undefined));
}

/** The backend-id that two of the storages share, if any. */
export function duplicateBackendId(storages: readonly { readonly 'backend-id': string }[]): string | undefined {
  const seen = new Set<string>();
  for (const { 'backend-id': id } of storages) {
    if (seen.has(id)) return id;
    seen.add(id);
  }
  return undefined;
}

/** Two storages of a container must not share an id: jobs, caches and conflicts go by it. */
export function duplicateError(backendId: string, file: string | undefined): SetupError {
  const where = file === undefined ? '' : ` in ${file}`;
  return setupError('duplicate-backend-id', `Duplicate backend-id found: ${backendId}${where}. Give one of the storages another`, file);
}

function complete(storage: AnyStorageParams, localOwners: readonly string[]): StorageParams {
  return {
    ...storage,
    'backend-id': storage['backend-id'] ?? deterministicBackendId(storage),
    'is-local-owner': storage.owner !== undefined && localOwners.includes(storage.owner),
  };
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, entry]) => [key, sortKeys(entry)]));
}

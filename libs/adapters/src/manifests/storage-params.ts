/**
 * The parameters a backend is made from, filled in from the manifest a storage stands in
 * (reference §3.5), and the id of a storage that has none.
 */

import { createHash } from 'node:crypto';

import type { Container, InlineStorage, Storage, StorageParams as AnyStorageParams } from '@wl/ports/schemas';

import type { ContainerManifest } from './container-manifest.js';

/** Everything about one storage, as `start` takes it; `backend-id` is always there. Holds credentials. */
export type StorageParams = AnyStorageParams & { readonly 'backend-id': string };

/** Types whose data is in a directory of this machine. */
export const LOCAL_TYPES: ReadonlySet<string> = new Set(['local', 'local-cached', 'local-dir-cached']);

/** Whether a storage counts as local when source and target are chosen. */
export function isLocal(storage: { readonly type: string }): boolean {
  return LOCAL_TYPES.has(storage.type);
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
export function toInlineStorage(storage: AnyStorageParams): Container['backends']['storage'][number] {
  const { object: _object, owner: _owner, 'container-path': _path, version: _version, 'is-local-owner': _local, ...own } = storage;
  return { object: 'storage', ...own } as InlineStorage;
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

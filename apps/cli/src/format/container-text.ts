/** How containers and storages are shown: YAML without anything that opens a door. */

import { isLocal, type ContainerManifest, type StorageParams } from '@wl/adapters/manifests';

import { oneLine } from './text.js';

/** What `container info` dumps: the container's fields with its storages cut down to what is harmless. */
export function containerDump(container: ContainerManifest, storages: readonly StorageParams[]): Readonly<Record<string, unknown>> {
  const { data } = container;
  return {
    object: data.object,
    owner: data.owner,
    paths: data.paths,
    ...(data.title == null ? {} : { title: data.title }),
    ...(data.categories === undefined ? {} : { categories: data.categories }),
    ...(data.ignore === undefined || data.ignore.length === 0 ? {} : { ignore: data.ignore }),
    backends: { storage: storages.filter((storage) => storage['cache'] !== true).map(storageDump) },
    'local-path': container.file,
    ...cacheDump(storages),
  };
}

/** `type: local backend_id: … location: /home/ann/Photos`, the line of `storage list`. */
export function storageLine(storage: StorageParams): string {
  const location = isLocal(storage) && storage.location !== undefined ? ` location: ${oneLine(storage.location)}` : '';
  const readOnly = storage['read-only'] === true ? ' read-only' : '';
  return `type: ${oneLine(storage.type)} backend_id: ${oneLine(storage['backend-id'])}${location}${readOnly}`;
}

function storageDump(storage: StorageParams): Readonly<Record<string, unknown>> {
  return {
    type: storage.type,
    'backend-id': storage['backend-id'],
    // Of other types a location may tell more than the user wants to show around.
    ...(isLocal(storage) ? { location: storage.location } : {}),
    ...(storage['read-only'] === true ? { 'read-only': true } : {}),
    ...(storage['watcher-interval'] === undefined ? {} : { 'watcher-interval': storage['watcher-interval'] }),
  };
}

function cacheDump(storages: readonly StorageParams[]): Readonly<Record<string, unknown>> {
  const cache = storages.find((storage) => storage['cache'] === true);
  if (cache === undefined) return {};
  return { cache: { type: cache.type, backend_id: cache['backend-id'], ...(isLocal(cache) ? { location: cache.location } : {}) } };
}

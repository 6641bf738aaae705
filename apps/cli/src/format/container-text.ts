/** How containers and storages are shown: YAML without anything that opens a door. */

import { isLocal, placeOnDisk, s3PlaceOf, sftpPlaceOf, sftpText, webdavUrlOf, type ContainerManifest, type StorageParams } from '@wl/adapters/manifests';

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

/** Where a storage is: a directory or a URL; `undefined` where that may tell more than the user wants to show around. */
export function storagePlace(storage: StorageParams): string | undefined {
  if (storage.type === 'webdav') return webdavPlace(storage);
  if (storage.type === 'sftp') return sftpUrl(storage);
  if (storage.type !== 's3') return placeOnDisk(storage);
  // One that is refused may hold credentials.
  const place = s3PlaceOf(storage);
  return place.ok ? place.value.url.replace(/\/$/, '') : undefined;
}

/** `type: local backend_id: … location: /home/ann/Photos`, the line of `storage list`. */
export function storageLine(storage: StorageParams): string {
  const place = storagePlace(storage);
  const location = place === undefined ? '' : ` location: ${oneLine(place)}`;
  const readOnly = storage['read-only'] === true ? ' read-only' : '';
  return `type: ${oneLine(storage.type)} backend_id: ${oneLine(storage['backend-id'])}${location}${readOnly}`;
}

function storageDump(storage: StorageParams): Readonly<Record<string, unknown>> {
  return {
    type: storage.type,
    'backend-id': storage['backend-id'],
    ...(placeOnDisk(storage) === undefined ? {} : { location: placeOnDisk(storage) }),
    ...(storage.type === 's3' ? s3Dump(storage) : {}),
    ...(storage.type === 'webdav' ? { url: webdavPlace(storage), credentials: storage['credentials'] === undefined ? 'none' : 'stored' } : {}),
    ...(storage.type === 'sftp' ? sftpDump(storage) : {}),
    ...(storage['read-only'] === true ? { 'read-only': true } : {}),
    ...(storage['watcher-interval'] === undefined ? {} : { 'watcher-interval': storage['watcher-interval'] }),
  };
}

/** One that is refused may hold credentials. */
function webdavPlace(storage: StorageParams): string | undefined {
  const url = webdavUrlOf(storage);
  return url.ok ? url.value : undefined;
}

function sftpUrl(storage: StorageParams): string | undefined {
  const place = sftpPlaceOf(storage);
  return place.ok ? sftpText(place.value) : undefined;
}

function sftpDump(storage: StorageParams): Readonly<Record<string, unknown>> {
  const isStored = storage['passwd'] !== undefined || storage['passphrase'] !== undefined;
  const shown = ['identity', 'host-key'].filter((key) => storage[key] !== undefined);
  return { url: sftpUrl(storage), ...Object.fromEntries(shown.map((key) => [key, storage[key]])), secrets: isStored ? 'stored' : 'none' };
}

function s3Dump(storage: StorageParams): Readonly<Record<string, unknown>> {
  const place = s3PlaceOf(storage);
  if (!place.ok) return {};
  const { url, endpoint } = place.value;
  const shown = ['region', 'path-style', 'storage-class', 'sse', 'with-index'].filter((key) => storage[key] !== undefined);
  return {
    s3_url: url,
    ...(endpoint === undefined ? {} : { endpoint_url: endpoint }),
    ...Object.fromEntries(shown.map((key) => [key, storage[key]])),
    credentials: storage['credentials'] === undefined ? 'from the environment of the daemon' : 'stored',
  };
}

function cacheDump(storages: readonly StorageParams[]): Readonly<Record<string, unknown>> {
  const cache = storages.find((storage) => storage['cache'] === true);
  if (cache === undefined) return {};
  return { cache: { type: cache.type, backend_id: cache['backend-id'], ...(isLocal(cache) ? { location: cache.location } : {}) } };
}

/**
 * The table of storage types: which driver serves which params, and how each is watched.
 */

import { ChokidarWatcher } from '@wl/adapters/chokidar-watcher';
import { IntervalWatcher, type IntervalPace } from '@wl/adapters/interval-watcher';
import { createLocalFsBackend, LOCAL_TYPES, type TaskRunner } from '@wl/adapters/local-fs';
import { canonicalPath, deterministicBackendId, type Environment } from '@wl/adapters/manifests';
import type { MakeBackend } from '@wl/adapters/plugins';
import { createFileNotes, type S3Host, type S3Params } from '@wl/adapters/s3';
import { createSftpBackend } from '@wl/adapters/sftp';
import { createWebdavBackend } from '@wl/adapters/webdav';
import { createZipBackend } from '@wl/adapters/zip-archive';
import { rootOverlap } from '@wl/domain';
import { WildlandError } from '@wl/engine';
import type { Clock, StorageBackend, Watcher } from '@wl/ports';
import type { StorageParams } from '@wl/ports/schemas';

import { OrByLooking } from './or-by-looking.js';
import { notesFile, toS3Params } from './s3-storage.js';
import { toSftpParams } from './sftp-storage.js';
import { toWebdavParams } from './webdav-storage.js';

/** Makes the driver for storage params. */
export type CreateStorage = (params: StorageParams) => StorageBackend;

/** What drivers are made with. */
export interface StorageParts {
  readonly baseDir: string;
  readonly clock: Clock;
  readonly env: Environment;
  /** Without disk workers their work is done on the calling thread. */
  readonly workers: TaskRunner | undefined;
  readonly createS3Backend: (params: S3Params, host: S3Host) => StorageBackend;
  /** Makers of the types that plugins bring, as of now. */
  readonly pluginBackends?: () => ReadonlyMap<string, MakeBackend>;
}

/** Makes watchers, and tells how a storage is being watched. */
export interface Watching {
  /** Makes a watcher for a storage; throws `WildlandError` where there is no way to watch it. */
  readonly watch: (storage: StorageBackend) => Watcher;
  /** What its last watcher says of itself now; `undefined` where it has none. */
  readonly describe: (storage: StorageBackend) => string | undefined;
}

/** Makes drivers. */
export function storageFactory(parts: StorageParts): CreateStorage {
  return (params) => {
    const create = CREATORS.get(params.type);
    const backend = create === undefined ? createFromPlugin(params, parts) : create(params, parts);
    pacesAsked.set(backend, { isRemote: !LOCAL_PLACES.has(params.type), seconds: params['watcher-interval'] });
    return backend;
  };
}

type Creator = (params: StorageParams, parts: StorageParts) => StorageBackend;

/** What makes the driver of each type. */
const CREATORS: ReadonlyMap<string, Creator> = new Map([
  ...LOCAL_TYPES.map((type): [string, Creator] => [type, (params, parts) => createLocal(type, params, parts)]),
  ['s3', createS3],
  ['sftp', (params, { clock, env }) => createSftpBackend(toSftpParams(params), { clock, env })],
  ['webdav', (params, { clock, env }) => createWebdavBackend(toWebdavParams(params), { clock, env })],
  ['zip-archive', createZip],
]);

/** Types that are served without a plugin. */
export const BUILT_IN_TYPES: readonly string[] = [...CREATORS.keys()];

/** Types of places on this machine. Many machines may look at all others, and they answer over a network. */
const LOCAL_PLACES: ReadonlySet<string> = new Set([...LOCAL_TYPES, 'zip-archive']);

/** Whatever no driver of ours serves. Throws `UnknownTypeError` where no plugin does either. */
function createFromPlugin(params: StorageParams, { pluginBackends }: StorageParts): StorageBackend {
  const make = pluginBackends?.().get(params.type);
  if (make === undefined) throw new UnknownTypeError(params.type);
  try {
    return make({ ...params, 'backend-id': params['backend-id'] ?? deterministicBackendId(params) });
  } catch (error) {
    throw new WildlandError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function createLocal(type: (typeof LOCAL_TYPES)[number], params: StorageParams, parts: StorageParts): StorageBackend {
  const { clock, workers } = parts;
  return createLocalFsBackend(
    {
      backendId: params['backend-id'] ?? deterministicBackendId(params),
      type,
      location: placeOnThisMachine(params, parts),
      readOnly: params['read-only'] ?? false,
    },
    { clock, ...(workers !== undefined && { workers }), createWatcher: (location) => new ChokidarWatcher(location, clock) },
  );
}

function createZip(params: StorageParams, parts: StorageParts): StorageBackend {
  return createZipBackend({ backendId: params['backend-id'] ?? deterministicBackendId(params), location: placeOnThisMachine(params, parts) }, { clock: parts.clock });
}

/** The path of a storage on this machine, if it may be used. Throws `WildlandError`. */
function placeOnThisMachine(params: StorageParams, { baseDir }: StorageParts): string {
  if (params.location === undefined || !params.location.startsWith('/')) {
    throw new WildlandError(`a storage of type ${params.type} needs an absolute path as its location`);
  }
  if (params['is-local-owner'] === false) {
    throw new WildlandError(
      `the owner of storage ${params.location} may not name local paths: add the owner to local-owners in config.yaml if you trust it`,
    );
  }
  // Reading our own lock file through a storage would release the lock: POSIX drops it on any close.
  if (rootOverlap(canonicalPath(baseDir), canonicalPath(params.location)) !== 'apart') {
    throw new WildlandError(
      `storage ${params.location} and the base directory ${baseDir} lie in one another: choose a folder that does not hold it, or another --base-dir`,
    );
  }
  return params.location;
}

function createS3(params: StorageParams, { baseDir, clock, env, createS3Backend }: StorageParts): StorageBackend {
  const own = toS3Params(params);
  return createS3Backend(own, { clock, env, notes: createFileNotes(notesFile(baseDir, own.backendId)) });
}

/** What the manifests say about watching, by storage; seconds. */
const pacesAsked = new WeakMap<StorageBackend, { readonly isRemote: boolean; readonly seconds: number | undefined }>();

/** Seconds between two looks at a remote storage whose manifest names no interval. */
const REMOTE_INTERVAL_S = 30;

/** Makes watchers: by interval where the manifest says so, else the storage's own, else by interval where that may take its time. */
export function watching(clock: Clock, random: () => number = Math.random): Watching {
  const watchers = new WeakMap<StorageBackend, Watcher>();
  const choose = (storage: StorageBackend): Watcher => {
    const { isRemote, seconds } = pacesAsked.get(storage) ?? { isRemote: false, seconds: undefined };
    const byInterval = (intervalS: number, pace: IntervalPace): Watcher =>
      new IntervalWatcher({ backend: storage, clock, intervalMs: intervalS * 1000, ...pace });
    // Many machines look at one bucket: they are not to do so in step.
    if (seconds !== undefined) return byInterval(seconds, isRemote ? { random } : {});
    const own = storage.watcher();
    if (own !== undefined) return new OrByLooking(own);
    if (isRemote) return byInterval(REMOTE_INTERVAL_S, { random, slowsDown: true });
    throw new WildlandError(
      `storage ${storage.backendId} of type ${storage.type} cannot tell of changes by itself: give it a watcher-interval (seconds) for continuous sync`,
    );
  };
  return {
    watch: (storage) => {
      const watcher = choose(storage);
      watchers.set(storage, watcher);
      return watcher;
    },
    describe: (storage) => watchers.get(storage)?.description,
  };
}

/** The original answers an unknown type with this class. */
class UnknownTypeError extends Error {
  override readonly name = 'KeyError';

  constructor(type: string) {
    super(`storage type ${type} is not supported by this version, and no plugin serves it (wl plugin list)`);
  }
}

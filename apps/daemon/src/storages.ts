/**
 * The table of storage types: which driver serves which params, and how each is watched.
 */

import { ChokidarWatcher } from '@wl/adapters/chokidar-watcher';
import { IntervalWatcher } from '@wl/adapters/interval-watcher';
import { createLocalFsBackend, LOCAL_TYPES, type TaskRunner } from '@wl/adapters/local-fs';
import { canonicalPath, deterministicBackendId } from '@wl/adapters/manifests';
import { rootOverlap } from '@wl/domain';
import { WildlandError } from '@wl/engine';
import type { Clock, StorageBackend, Watcher } from '@wl/ports';
import type { StorageParams } from '@wl/ports/schemas';

/** Makes the driver for storage params. */
export type CreateStorage = (params: StorageParams) => StorageBackend;
/** Makes a watcher for a storage. */
export type Watch = (storage: StorageBackend) => Watcher;

/** Makes drivers. Without disk workers their work is done on the calling thread. */
export function storageFactory(baseDir: string, clock: Clock, workers: TaskRunner | undefined): CreateStorage {
  return (params) => {
    const type = LOCAL_TYPES.find((local) => local === params.type);
    if (type === undefined) throw new UnknownTypeError(params.type);
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
    const backend = createLocalFsBackend(
      {
        backendId: params['backend-id'] ?? deterministicBackendId(params),
        type,
        location: params.location,
        readOnly: params['read-only'] ?? false,
      },
      { clock, ...(workers !== undefined && { workers }), createWatcher: (location) => new ChokidarWatcher(location, clock) },
    );
    intervals.set(backend, params['watcher-interval']);
    return backend;
  };
}

/** Watcher intervals in seconds, by storage, where the manifest names one: it wins over a faster watcher. */
const intervals = new WeakMap<StorageBackend, StorageParams['watcher-interval']>();

/** Makes watchers: by interval where the manifest says so, else the storage's own. */
export function watcherFactory(clock: Clock): Watch {
  return (storage) => {
    const seconds = intervals.get(storage);
    if (seconds !== undefined) return new IntervalWatcher({ backend: storage, clock, intervalMs: seconds * 1000 });
    const own = storage.watcher();
    if (own !== undefined) return own;
    throw new WildlandError(
      `storage ${storage.backendId} of type ${storage.type} cannot tell of changes by itself: give it a watcher-interval (seconds) for continuous sync`,
    );
  };
}

/** The original answers an unknown type with this class. */
class UnknownTypeError extends Error {
  override readonly name = 'KeyError';

  constructor(type: string) {
    super(`storage type ${type} is not supported by this version`);
  }
}

/** Names of what `container.ts` binds, each with its type. */

import type { TaskRunner } from '@wl/adapters/local-fs';
import type { DaemonLog } from '@wl/adapters/log';
import type { ControlServer } from '@wl/adapters/socket';
import type { JobManager, SyncerRegistry } from '@wl/engine';
import type { Clock, HashCache, StorageBackend, SyncState, Watcher } from '@wl/ports';
import type { StorageParams } from '@wl/ports/schemas';
import type { ServiceIdentifier } from 'inversify';

const token = <T>(name: string): ServiceIdentifier<T> => Symbol.for(`wl-daemon/${name}`) as ServiceIdentifier<T>;

/** Makes the driver for storage params. */
export type CreateStorage = (params: StorageParams) => StorageBackend;
/** Makes a watcher for a storage. */
export type Watch = (storage: StorageBackend) => Watcher;

/** All tokens of the daemon. */
export const TOKENS = {
  log: token<DaemonLog>('log'),
  clock: token<Clock>('clock'),
  state: token<SyncState & HashCache>('state'),
  diskWorkers: token<TaskRunner | undefined>('disk-workers'),
  createStorage: token<CreateStorage>('create-storage'),
  watch: token<Watch>('watch'),
  registry: token<SyncerRegistry>('registry'),
  jobManager: token<JobManager>('job-manager'),
  server: token<ControlServer>('server'),
};

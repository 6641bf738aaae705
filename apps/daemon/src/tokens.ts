/** Names of what `container.ts` binds, each with its type. */

import type { DaemonLog } from '@wl/adapters/log';
import type { ConfigValues } from '@wl/adapters/manifests';
import type { ControlServer } from '@wl/adapters/socket';
import type { SqliteState } from '@wl/adapters/sqlite-state';
import type { JobManager, SyncerRegistry } from '@wl/engine';
import type { Clock, StorageBackend, Watcher } from '@wl/ports';
import type { StorageParams } from '@wl/ports/schemas';
import type { ServiceIdentifier } from 'inversify';

import type { DaemonOptions } from './options.js';

const token = <T>(name: string): ServiceIdentifier<T> => Symbol.for(`wl-daemon/${name}`) as ServiceIdentifier<T>;

/** Makes the driver for storage params. */
export type CreateStorage = (params: StorageParams) => StorageBackend;
/** Makes a watcher for a storage. */
export type Watch = (storage: StorageBackend) => Watcher;
/** What ends the daemon. */
export type Shutdown = (reason: string) => void;

/** All tokens of the daemon. */
export const TOKENS = {
  options: token<DaemonOptions>('options'),
  config: token<ConfigValues>('config'),
  shutdown: token<Shutdown>('shutdown'),
  log: token<DaemonLog>('log'),
  clock: token<Clock>('clock'),
  state: token<SqliteState>('state'),
  createStorage: token<CreateStorage>('create-storage'),
  watch: token<Watch>('watch'),
  registry: token<SyncerRegistry>('registry'),
  jobManager: token<JobManager>('job-manager'),
  server: token<ControlServer>('server'),
};

/** Wires the daemon. Nothing else in the program knows Inversify. */

import 'reflect-metadata';

import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { createIgnoreFilter } from '@wl/adapters/ignore-rules';
import { createLocalFsWorkers, localCopySyncer, type TaskRunner } from '@wl/adapters/local-fs';
import { openDaemonLog, type DaemonLog } from '@wl/adapters/log';
import { isLocal, resolveLogPath } from '@wl/adapters/manifests';
import { mountFinder } from '@wl/adapters/mounts';
import { pluginPlaces } from '@wl/adapters/plugins';
import { memoryReturner } from '@wl/adapters/process-memory';
import { rsyncSyncer } from '@wl/adapters/rsync';
import { createS3Backend, s3CopySyncer } from '@wl/adapters/s3';
import { ControlServer } from '@wl/adapters/socket';
import { openSqliteState } from '@wl/adapters/sqlite-state';
import { systemClock } from '@wl/adapters/system-clock';
import { genericSyncer, JobManager, SyncerRegistry, type GenericDefinition } from '@wl/engine';
import type { Clock, HashCache, SyncerDefinition, SyncState } from '@wl/ports';
import { Container, type ServiceIdentifier } from 'inversify';

import { storageChecker } from './check-storage.js';
import { controlCommands } from './commands.js';
import { createPlugins, type Plugins } from './plugins.js';
import type { DaemonSettings } from './settings.js';
import { BUILT_IN_TYPES, storageFactory, watching, type CreateStorage, type Watching } from './storages.js';

const token = <T>(name: string): ServiceIdentifier<T> => Symbol.for(`wl-daemon/${name}`);

/** Names of what is bound here, each with its type. */
export const TOKENS = {
  log: token<DaemonLog>('log'),
  clock: token<Clock>('clock'),
  state: token<SyncState & HashCache>('state'),
  diskWorkers: token<TaskRunner | undefined>('disk-workers'),
  createStorage: token<CreateStorage>('create-storage'),
  watching: token<Watching>('watching'),
  generic: token<GenericDefinition>('generic-syncer'),
  dedicated: token<readonly SyncerDefinition[]>('dedicated-syncers'),
  registry: token<SyncerRegistry>('registry'),
  plugins: token<Plugins>('plugins'),
  jobManager: token<JobManager>('job-manager'),
  server: token<ControlServer>('server'),
};

/** File in the base directory that holds baselines, hash cache, conflicts and jobs. */
export const STATE_FILE = 'wl-state.db';

/** Binds everything as singletons; nothing is opened before it is asked for. */
export function createContainer(settings: DaemonSettings): Container {
  const container = new Container({ defaultScope: 'Singleton' });
  /** What status tells of the state file: who lost continuous jobs with it does not read logs. */
  const notices: string[] = [];
  container.bind(TOKENS.log).toDynamicValue(() => openDaemonLog(resolveLogPath(settings.logPath, settings.env, settings.cwd)));
  container.bind(TOKENS.clock).toConstantValue(systemClock);
  container.bind(TOKENS.state).toResolvedValue(
    ({ log }) =>
      openSqliteState({
        path: path.join(settings.baseDir, STATE_FILE),
        onNotice: (message: string) => {
          log('warn', message);
          notices.push(message);
        },
      }),
    [TOKENS.log],
  );
  container.bind(TOKENS.diskWorkers).toResolvedValue(
    (clock) => {
      const program = diskWorkerProgram();
      return program === undefined ? undefined : createLocalFsWorkers(program, { clock, onRest: memoryReturner(), umask: settings.umask });
    },
    [TOKENS.clock],
  );
  container.bind(TOKENS.createStorage).toResolvedValue(
    (clock, workers, plugins) =>
      storageFactory({ baseDir: settings.baseDir, env: settings.env, clock, workers, createS3Backend, pluginBackends: () => plugins.current.backends }),
    [TOKENS.clock, TOKENS.diskWorkers, TOKENS.plugins],
  );
  container.bind(TOKENS.watching).toResolvedValue((clock) => watching(clock), [TOKENS.clock]);
  container
    .bind(TOKENS.generic)
    .toResolvedValue((cache, clock, { watch }) => genericSyncer({ cache, clock, watch }), [TOKENS.state, TOKENS.clock, TOKENS.watching]);
  container.bind(TOKENS.dedicated).toDynamicValue(() => [s3CopySyncer, rsyncSyncer({ searchPath: settings.env['PATH'] }), localCopySyncer]);
  container.bind(TOKENS.registry).toResolvedValue(
    (generic, dedicated) => {
      const registry = new SyncerRegistry();
      for (const syncer of [generic, ...dedicated]) registry.register(syncer);
      return registry;
    },
    [TOKENS.generic, TOKENS.dedicated],
  );
  container.bind(TOKENS.plugins).toResolvedValue(
    (registry, clock, { log }) =>
      createPlugins({ places: pluginPlaces(settings.baseDir, programDirectory()), builtInTypes: BUILT_IN_TYPES, registry, clock, log }),
    [TOKENS.registry, TOKENS.clock, TOKENS.log],
  );
  container.bind(TOKENS.jobManager).toResolvedValue(
    (state, clock, registry, generic, createStorage, { describe }, { log }) =>
      new JobManager({
        state,
        cache: state,
        clock,
        registry,
        generic,
        findMount: mountFinder({ clock, isLocal }),
        createStorage,
        createFilter: createIgnoreFilter,
        describeWatching: describe,
        log,
        program: { version: settings.version, pid: process.pid, notices },
      }),
    [TOKENS.state, TOKENS.clock, TOKENS.registry, TOKENS.generic, TOKENS.createStorage, TOKENS.watching, TOKENS.log],
  );
  container.bind(TOKENS.server).toResolvedValue(
    (manager, createStorage, { watch }, plugins, clock, { log }) =>
      new ControlServer({
        path: settings.socketPath,
        commands: controlCommands({
          manager,
          checkStorage: storageChecker({ createStorage, watch, clock }),
          plugins,
          program: { version: settings.version, pid: process.pid, baseDir: settings.baseDir },
          shutdown: settings.shutdown,
        }),
        log,
      }),
    [TOKENS.jobManager, TOKENS.createStorage, TOKENS.watching, TOKENS.plugins, TOKENS.clock, TOKENS.log],
  );
  return container;
}

/** Where this program is. */
function programDirectory(): string {
  return fileURLToPath(new URL('.', import.meta.url));
}

/** The bundled program of the disk workers, beside this one; in a source checkout there is none and the work is done inline. */
function diskWorkerProgram(): string | undefined {
  const file = fileURLToPath(new URL('./local-fs-worker.cjs', import.meta.url));
  return existsSync(file) ? file : undefined;
}

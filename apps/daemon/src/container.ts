/** Wires the daemon. Nothing else in the program knows Inversify. */

import 'reflect-metadata';

import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { createIgnoreFilter } from '@wl/adapters/ignore-rules';
import { createLocalFsWorkers } from '@wl/adapters/local-fs';
import { openDaemonLog } from '@wl/adapters/log';
import { resolveLogPath } from '@wl/adapters/manifests';
import { ControlServer } from '@wl/adapters/socket';
import { openSqliteState } from '@wl/adapters/sqlite-state';
import { systemClock } from '@wl/adapters/system-clock';
import { genericSyncer, JobManager, SyncerRegistry } from '@wl/engine';
import { Container } from 'inversify';

import { controlCommands } from './commands.js';
import { storageFactory, watcherFactory } from './storages.js';
import { TOKENS } from './tokens.js';
import type { DaemonSettings } from './settings.js';

/** File in the base directory that holds baselines, hash cache, conflicts and jobs. */
export const STATE_FILE = 'wl-state.db';

/** Binds everything as singletons; nothing is opened before it is asked for. */
export function createContainer(settings: DaemonSettings): Container {
  const container = new Container({ defaultScope: 'Singleton' });
  container.bind(TOKENS.log).toDynamicValue(() => openDaemonLog(resolveLogPath(settings.logPath, settings.env, settings.cwd)));
  container.bind(TOKENS.clock).toConstantValue(systemClock);
  container.bind(TOKENS.state).toResolvedValue(
    ({ log }) =>
      openSqliteState({
        path: path.join(settings.baseDir, STATE_FILE),
        onNotice: (message: string) => log('warn', message),
      }),
    [TOKENS.log],
  );
  container.bind(TOKENS.diskWorkers).toDynamicValue(() => {
    const program = diskWorkerProgram();
    return program === undefined ? undefined : createLocalFsWorkers(program);
  });
  container.bind(TOKENS.createStorage).toResolvedValue(storageFactory, [TOKENS.clock, TOKENS.diskWorkers]);
  container.bind(TOKENS.watch).toResolvedValue(watcherFactory, [TOKENS.clock]);
  container.bind(TOKENS.registry).toResolvedValue(
    (cache, clock, watch) => {
      const registry = new SyncerRegistry();
      registry.register(genericSyncer({ cache, clock, watch }));
      return registry;
    },
    [TOKENS.state, TOKENS.clock, TOKENS.watch],
  );
  container.bind(TOKENS.jobManager).toResolvedValue(
    (state, clock, registry, createStorage, { log }) =>
      new JobManager({
        state,
        cache: state,
        clock,
        registry,
        createStorage,
        createFilter: createIgnoreFilter,
        log,
        program: { version: settings.version, pid: process.pid },
      }),
    [TOKENS.state, TOKENS.clock, TOKENS.registry, TOKENS.createStorage, TOKENS.log],
  );
  container.bind(TOKENS.server).toResolvedValue(
    (manager, { log }) =>
      new ControlServer({
        path: settings.socketPath,
        commands: controlCommands({
          manager,
          program: { version: settings.version, pid: process.pid, baseDir: settings.baseDir },
          shutdown: settings.shutdown,
        }),
        log,
      }),
    [TOKENS.jobManager, TOKENS.log],
  );
  return container;
}

/** The bundled program of the disk workers, beside this one; in a source checkout there is none and the work is done inline. */
function diskWorkerProgram(): string | undefined {
  const file = fileURLToPath(new URL('./local-fs-worker.cjs', import.meta.url));
  return existsSync(file) ? file : undefined;
}

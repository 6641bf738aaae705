/** Puts a local storage together. */

import type { Clock, Watcher } from '@wl/ports';

import { LocalFsBackend, type LocalFsParams } from './local-fs-backend.js';
import { createInlineRunner, type TaskRunner } from './task-runner.js';
import { createLocalFsWorkers } from './worker-pool.js';
import type { AnchorKind } from './worker/anchor.js';
import { createDisk, type Disk } from './worker/disk.js';
import { createInstanceName, systemUptime, type Uptime } from './worker/instance.js';
import { loadNative } from './worker/native.js';
import { createTasks } from './worker/tasks.js';

/** What a local storage may be given. */
export interface LocalFsDeps {
  /** A pool shared by several storages (`createLocalFsWorkers`); it stays open when the storage closes. */
  readonly workers?: TaskRunner;
  /** File bundled from `worker/main.ts`, for a pool of the storage's own. Without either, tasks run on the calling thread. */
  readonly workerPath?: string;
  /** Names the runs of the trash; the system's clock by default. */
  readonly clock?: Clock;
  /** Counts the age of the trash; the system's uptime by default. */
  readonly uptime?: () => Uptime;
  /** For how long replaced and removed versions are kept; 30 by default. */
  readonly trashRetentionDays?: number;
  /** Makes the watcher of a location; without it the storage has none of its own. */
  readonly createWatcher?: (location: string) => Watcher;
  /** System calls and how names are resolved, for tests on the calling thread. */
  readonly disk?: Disk;
  readonly anchor?: AnchorKind;
}

const TRASH_RETENTION_DAYS = 30;

/** Makes a local storage; `open` it before use. */
export function createLocalFsBackend(params: LocalFsParams, deps: LocalFsDeps = {}): LocalFsBackend {
  return new LocalFsBackend(params, {
    runner: deps.workers ?? ownRunner(deps),
    ownsRunner: deps.workers === undefined,
    clock: deps.clock ?? systemClock,
    uptime: deps.uptime ?? systemUptime,
    trashRetentionDays: deps.trashRetentionDays ?? TRASH_RETENTION_DAYS,
    instance: createInstanceName(),
    createWatcher: deps.createWatcher,
  });
}

function ownRunner({ workerPath, disk, anchor }: LocalFsDeps): TaskRunner {
  if (workerPath !== undefined) return createLocalFsWorkers(workerPath);
  const options = anchor === undefined ? {} : { anchor };
  return createInlineRunner(createTasks({ disk: disk ?? createDisk(loadNative({ ownsThread: false })), ...options }));
}

const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      }, { once: true });
    }),
};

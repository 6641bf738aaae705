/** The contract of `StorageBackend`, kept by local directories that worker threads look after. */

import { rmSync } from 'node:fs';
import { dirname } from 'node:path';

import { afterAll, beforeAll, describe } from '@jest/globals';
import { describeStorageBackend } from '@wl/ports/testing';

import type { TaskRunner } from './task-runner.js';
import { bundleWorker } from './testing/bundle.js';
import { openLocal } from './testing/open-local.js';
import { createLocalFsWorkers } from './worker-pool.js';

describe('in worker threads', () => {
  let workers: TaskRunner;
  let workerPath: string;
  beforeAll(() => {
    workerPath = bundleWorker();
    workers = createLocalFsWorkers(workerPath);
  });
  afterAll(async () => {
    await workers.close();
    rmSync(dirname(workerPath), { recursive: true });
  });

  describeStorageBackend('LocalFsBackend', () => openLocal({ deps: { workers } }));
});

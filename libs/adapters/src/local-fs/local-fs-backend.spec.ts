/** The contract of `StorageBackend`, kept by local directories in every way they can be driven. */

import { constants } from 'node:fs';
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';

import { afterAll, beforeAll, describe } from '@jest/globals';
import { describeReadOnlyBackend, describeStorageBackend } from '@wl/ports/testing';

import { openLocal } from './testing/open-local.js';
import { bundleWorker } from './testing/bundle.js';
import type { TaskRunner } from './task-runner.js';
import { createLocalFsWorkers } from './worker-pool.js';
import { createDisk, errnoException } from './worker/disk.js';
import { loadNative } from './worker/native.js';

const native = loadNative({ ownsThread: false });

describeStorageBackend('LocalFsBackend on the calling thread', () => {
  const disk = createDisk(native);
  let unreadable: string | undefined;
  return openLocal({
    deps: {
      disk: {
        ...disk,
        open: (path, flags, mode) => {
          const isDirectory = (flags & constants.O_DIRECTORY) !== 0;
          if (isDirectory && unreadable !== undefined && path.endsWith(unreadable)) throw errnoException('open', 13);
          return disk.open(path, flags, mode);
        },
      },
    },
    makeUnreadable: (path) => {
      unreadable = path.slice(path.lastIndexOf('/'));
    },
  });
});

describeStorageBackend('LocalFsBackend without koffi', () => openLocal({ deps: { disk: createDisk(undefined) } }));

describeStorageBackend('LocalFsBackend without koffi and /proc', () =>
  openLocal({ deps: { disk: createDisk(undefined), anchor: 'checked-path' } }),
);

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

describeReadOnlyBackend('LocalFsBackend', () => openLocal({ readOnly: true }));

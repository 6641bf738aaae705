/** The contract of `StorageBackend`, kept by local directories driven from the calling thread; beside it the specs of other ways. */

import { constants } from 'node:fs';

import { describeReadOnlyBackend, describeStorageBackend } from '@wl/ports/testing';

import { openLocal } from './testing/open-local.js';
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

describeReadOnlyBackend('LocalFsBackend', () => openLocal({ readOnly: true }));

/** The contract of `StorageBackend`, kept by local directories where Node has no native calls, or no `/proc` either. */

import { describeStorageBackend } from '@wl/ports/testing';

import { openLocal } from './testing/open-local.js';
import { createDisk } from './worker/disk.js';

describeStorageBackend('LocalFsBackend without koffi', () => openLocal({ deps: { disk: createDisk(undefined) } }));

describeStorageBackend('LocalFsBackend without koffi and /proc', () =>
  openLocal({ deps: { disk: createDisk(undefined), anchor: 'checked-path' } }),
);

/** Directories of this machine as storages. */

export { createLocalFsBackend, type LocalFsDeps } from './create-local-fs-backend.js';
export { localCopySyncer } from './local-copy-syncer.js';
export { LOCAL_TYPES, LocalFsBackend, type LocalFsParams } from './local-fs-backend.js';
export type { TaskRunner } from './task-runner.js';
export { createLocalFsWorkers } from './worker-pool.js';

/** The use cases, on ports alone: passes, continuous jobs, the job table, the choice of syncers. */

export { DEFAULT_PACE, type Pace } from './continuous-job.js';
export { carriedStorage } from './carried-storage.js';
export { chooseSyncer, type FindMount, type Mount } from './choose-syncer.js';
export { GENERIC, genericSyncer, type GenericDefinition, type GenericSyncerParts } from './generic-syncer.js';
export { type JobEvent, type JobListener } from './job.js';
export { containerIdOf, JobManager, type JobManagerParts } from './job-manager.js';
export { conflictText, statusText } from './job-status.js';
export { runPass, type PassOptions, type PassResult, type Scope } from './pass.js';
export type { PassContext } from './pass-context.js';
export { SyncerRegistry } from './syncer-registry.js';
export { WildlandError } from './wildland-error.js';

/** The memory backend: a whole storage in memory with faults and hooks, for tests and the simulator. */

export { MemoryBackend, type MemoryBackendOptions } from './memory-backend.js';
export type { FileVersion, MemoryVolume, StagedFile, TrashedFile } from './memory-entry.js';
export { MemoryEvents } from './memory-events.js';
export { MemoryFaults, type FailureScope, type FaultEvent, type FaultScope, type MemoryOperation, type Phase } from './memory-faults.js';
export { MemoryTree } from './memory-tree.js';
export type { MemoryTreeOptions, TreeChange } from './tree-store.js';

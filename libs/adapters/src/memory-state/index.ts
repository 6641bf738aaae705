/** `SyncState` and `HashCache` in memory, for tests and the simulator. */

export { MemoryState, type MemoryStateOptions, type StateOperation } from './memory-state.js';

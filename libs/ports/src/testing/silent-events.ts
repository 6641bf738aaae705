/** Listeners of a syncer for tests that look at storages and reports only. */

import type { SyncerContext } from '../syncer.js';

export const SILENT_EVENTS: SyncerContext['events'] = {
  state: () => undefined,
  operation: () => undefined,
  progress: () => undefined,
  conflict: () => undefined,
  conflictResolved: () => undefined,
  report: () => undefined,
  halt: () => undefined,
  error: () => undefined,
  note: () => undefined,
  noteEnded: () => undefined,
};

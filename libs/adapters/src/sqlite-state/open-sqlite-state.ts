/** Opens the durable state of a base directory. */

import type { HashCache, SyncState } from '@wl/ports';

import { openDatabase, type OpenOptions } from './open-database.js';
import { SqliteState } from './sqlite-state.js';

/** How to open a state; see `OpenOptions`. */
export type SqliteStateOptions = OpenOptions;

/**
 * Opens the state database at a path, or begins one. A damaged file is set aside as
 * `<path>.damaged-<n>` and an empty one begun, which is told to `onNotice`; so is, later, whatever
 * else turns out damaged. Throws `StateError`: `newer-version`, `locked` (another process has it
 * open), `no-space` or `io-error`. One process at a time; close it to let another in.
 */
export function openSqliteState(options: SqliteStateOptions): SyncState & HashCache {
  return new SqliteState(openDatabase(options), options.onNotice);
}

/** `SyncState` and `HashCache` on one SQLite file, through the `node:sqlite` interface. */

export { openSqliteState, type SqliteStateOptions } from './open-sqlite-state.js';

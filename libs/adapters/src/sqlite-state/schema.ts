/**
 * What stands in the file. Tables are read back word for word when it is opened, so that a file
 * with any other table is never taken for ours (INV-11).
 *
 * - `WITHOUT ROWID` with (pair, key) first: rows stand in the order they are read in. SQLite
 *   compares text by its UTF-8 bytes, which is key order.
 * - A pair's ends are `first` and `second` in the order of their backend ids (see orientation.ts).
 * - Every `checksum` covers its whole row (see checksums.ts).
 * - `last_full_pass_ms` is empty; it held a time that nobody read, written at the end of each pass.
 * - `is_distrusted` has two bits: 1 when the baseline is not to be trusted, 2 when the roots are lost.
 *
 * Versions: 2 added `baseline_by_size`; a file of version 1 gets it when it is opened.
 */

/** Marks the file as ours: "wlst". */
export const APPLICATION_ID = 0x776c7374;

/** Version of the tables and indices below; kept in `user_version`, and in `about` against a damaged header. */
export const SCHEMA_VERSION = 2;

/** The version before there was an index. */
export const VERSION_WITHOUT_INDICES = 1;

/** Name → statement that makes it. */
export const TABLES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    about: `CREATE TABLE about (
  name TEXT NOT NULL PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID`,
    pairs: `CREATE TABLE pairs (
  id INTEGER NOT NULL PRIMARY KEY,
  scope TEXT NOT NULL,
  first_backend TEXT NOT NULL,
  second_backend TEXT NOT NULL,
  first_roots TEXT NOT NULL,
  second_roots TEXT NOT NULL,
  last_full_pass_ms REAL,
  files INTEGER NOT NULL,
  directories INTEGER NOT NULL,
  bytes REAL NOT NULL,
  is_distrusted INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  UNIQUE (scope, first_backend, second_backend)
) STRICT`,
    baseline: `CREATE TABLE baseline (
  pair_id INTEGER NOT NULL,
  key TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  hash BLOB NOT NULL,
  first_token TEXT NOT NULL,
  second_token TEXT NOT NULL,
  checksum INTEGER NOT NULL,
  hash_checksum INTEGER NOT NULL,
  PRIMARY KEY (pair_id, key)
) STRICT, WITHOUT ROWID`,
    conflicts: `CREATE TABLE conflicts (
  pair_id INTEGER NOT NULL,
  path TEXT NOT NULL,
  record TEXT NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (pair_id, path)
) STRICT, WITHOUT ROWID`,
    deletions: `CREATE TABLE deletions (
  pair_id INTEGER NOT NULL,
  side TEXT NOT NULL,
  minute INTEGER NOT NULL,
  count INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (pair_id, side, minute)
) STRICT, WITHOUT ROWID`,
    jobs: `CREATE TABLE jobs (
  job_id TEXT NOT NULL PRIMARY KEY,
  request TEXT NOT NULL,
  checksum INTEGER NOT NULL
) STRICT, WITHOUT ROWID`,
    cached_backends: `CREATE TABLE cached_backends (
  id INTEGER NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT`,
    cached_hashes: `CREATE TABLE cached_hashes (
  backend_id INTEGER NOT NULL,
  path TEXT NOT NULL,
  token TEXT NOT NULL,
  hash BLOB NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (backend_id, path)
) STRICT, WITHOUT ROWID`,
  }),
);

/**
 * Name → statement that makes it. Files by size, to find content that is there already; small
 * ones are left out, so that they cost nothing (`FINDABLE_BYTES` of the port, in figures since
 * the statement stands in every file).
 */
export const INDICES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    baseline_by_size: 'CREATE INDEX baseline_by_size ON baseline (pair_id, size_bytes) WHERE size_bytes >= 131072',
  }),
);

/**
 * From a path to a database that can be trusted, or a new one.
 *
 * INV-11, T20, T21: a file that is not, in every respect we can check, what we wrote is never
 * read on: it is set aside under another name, the user is told, and an empty one is begun.
 * Without a baseline nothing is deleted (INV-12). A file of a newer version is refused as it is.
 *
 * How durable: a commit is flushed to the disk before it returns (`synchronous=FULL`). A lost
 * last commit would not only cost a comparison: with an older baseline, a file that the user
 * put back to its old content would look untouched and be overwritten (INV-13, INV-15). In
 * batches of 1000 rows it costs nothing that can be measured, alone 0.2 ms on a fast disk.
 * Each commit is also copied into the main file at once (`wal_autocheckpoint=1`, another 0.5 ms):
 * SQLite takes a damaged or lost log for one that ends earlier, so as little as possible stands
 * in the log alone.
 */

import { closeSync, existsSync, openSync, renameSync, rmSync, statSync } from 'node:fs';

import { StateError } from '@wl/ports';

import { Database } from './database.js';
import { APPLICATION_ID, INDICES, SCHEMA_VERSION, TABLES, VERSION_WITHOUT_INDICES } from './schema.js';
import { DamageError, stateError, translated } from './sqlite-errors.js';
import { connect, readValues, type SqliteConnection, type SqliteValue } from './sqlite-module.js';

/** How to open a state database. */
export interface OpenOptions {
  /** The database file; its directory exists. Created with mode 0600. */
  readonly path: string;
  /** Told in a sentence or two what the user has to know: that a damaged file was set aside. */
  readonly onNotice: (message: string) => void;
  /** How long to wait for another process that has the file open, milliseconds; 2000 unless told. */
  readonly busyTimeoutMs?: number;
}

/** The files SQLite keeps for one database, by suffix; the main one first (see `setAside`). */
const SUFFIXES = ['', '-wal', '-shm', '-journal'];

/** Opens the database at a path, or begins a new one; throws `StateError`. */
export function openDatabase(options: OpenOptions): Database {
  const { path, onNotice } = options;
  const opened = openOrSetAside(options);
  if (opened instanceof Database) return opened;
  onNotice(
    `The state database ${path} was damaged (${opened.reason}). It was set aside as ${opened.keptAs}, and an empty one was begun. ` +
      'Nothing is deleted because of this: the next sync compares both storages in full, and files that differ ' +
      'are listed as conflicts. Continuous jobs have to be started again.',
  );
  const begun = openOrSetAside(options);
  if (begun instanceof Database) return begun;
  throw stateError('damaged', 'begin a new state', path, { message: begun.reason });
}

/** What became of a damaged file. */
interface SetAside {
  readonly keptAs: string;
  readonly reason: string;
}

function openOrSetAside(options: OpenOptions): Database | SetAside {
  const { path } = options;
  let connection: SqliteConnection | undefined;
  try {
    if (isMissing(path)) beginNew(path);
    connection = connect(path);
    prepare(connection, options);
    return new Database(path, connection);
  } catch (error) {
    const failure = translated(error, 'open the state', path);
    try {
      if (!(failure instanceof StateError) || failure.code !== 'damaged') throw failure;
      // Under its new name before SQLite closes it and thereby removes the log.
      return { keptAs: setAside(path), reason: (failure.cause as { readonly message: string }).message };
    } finally {
      closeQuietly(connection);
    }
  }
}

/** Sets up a connection and checks all there is; throws what SQLite throws, `DamageError`, or `StateError` for a newer version. */
function prepare(connection: SqliteConnection, options: OpenOptions): void {
  // One process at a time, and no shared memory beside the file that a crash could leave wrong.
  // Rows are read and written in the order of their keys, so few pages are wanted again; they are cached in KiB (negative).
  const busyTimeoutMs = Math.floor(options.busyTimeoutMs ?? 2000);
  connection.exec(`PRAGMA busy_timeout = ${String(busyTimeoutMs)}; PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA cache_size = -4096;`);
  checkVersion(connection, options.path);
  connection.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1;
    PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON; PRAGMA journal_size_limit = 67108864;`);
  checkSize(connection, options.path);
  checkContent(connection);
  upgrade(connection);
}

/** Whether there is no database yet; throws `DamageError` when there is less than one. */
function isMissing(path: string): boolean {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  // SQLite would take an empty file for a new database and remove the log beside it. Ours are never empty.
  if (size === 0) throw new DamageError('the file is empty');
  if (size === undefined && existsSync(`${path}-wal`)) throw new DamageError('the file is missing, only its log is there');
  return size === undefined;
}

/** Makes an empty database under another name and renames it, so that there is none or a whole one, whenever we are killed. */
function beginNew(path: string): void {
  const draft = `${path}.new`;
  for (const suffix of SUFFIXES) rmSync(`${draft}${suffix}`, { force: true });
  closeSync(openSync(draft, 'wx', 0o600));
  const connection = connect(draft);
  try {
    connection.exec(`PRAGMA synchronous = FULL; PRAGMA fullfsync = ON;
      BEGIN IMMEDIATE;
      ${[...TABLES.values(), ...INDICES.values()].join(';\n')};
      INSERT INTO about (name, value) VALUES ('schema', ${String(SCHEMA_VERSION)});
      PRAGMA application_id = ${String(APPLICATION_ID)};
      PRAGMA user_version = ${String(SCHEMA_VERSION)};
      COMMIT;`);
  } finally {
    connection.close();
  }
  renameSync(draft, path);
}

/** Refuses what is not ours, and what is of a newer version, before anything else in it is judged. */
function checkVersion(connection: SqliteConnection, path: string): void {
  if (pragma(connection, 'application_id') !== APPLICATION_ID) throw new DamageError('it is no state database of wl');
  // This table is the same in every version.
  if (statementsOf(connection).get('about') !== TABLES.get('about')) throw new DamageError('its tables are not those of wl');
  // Said twice, so that a flipped bit in the header is not taken for a newer wl.
  const version = pragma(connection, 'user_version');
  const [stated] = readValues(connection, 'value', "about WHERE name = 'schema'");
  if (stated !== version) throw new DamageError('it contradicts itself about its version');
  if (version > SCHEMA_VERSION) {
    throw new StateError(
      'newer-version',
      `the state database ${path} was written by a newer wl (schema ${String(version)}, this one knows ${String(SCHEMA_VERSION)}). ` +
        'Install that version again; or move the file away to begin with an empty state: both storages are then ' +
        'compared in full, nothing is deleted, and continuous jobs have to be started again.',
    );
  }
}

/** Of a last page that is cut, SQLite takes the rest for zeros; which it may have been, and then nothing else would show it. */
function checkSize(connection: SqliteConnection, path: string): void {
  // A page may stand in the log alone until now.
  connection.exec('PRAGMA wal_checkpoint(PASSIVE)');
  if (statSync(path).size < pragma(connection, 'page_count') * pragma(connection, 'page_size')) throw new DamageError('its end is missing');
}

function checkContent(connection: SqliteConnection): void {
  const [finding] = readValues(connection, 'integrity_check', 'pragma_integrity_check');
  if (finding !== 'ok') throw new DamageError(String(finding));
  const expected = EXPECTED.get(pragma(connection, 'user_version'));
  const found = statementsOf(connection);
  const isOurs = expected?.size === found.size && [...expected].every(([name, sql]) => found.get(name) === sql);
  if (!isOurs) throw new DamageError('its tables are not those of wl');
}

/** What stands in a file of each version that can be read. */
const EXPECTED: ReadonlyMap<number, ReadonlyMap<string, string>> = new Map([
  [VERSION_WITHOUT_INDICES, TABLES],
  [SCHEMA_VERSION, new Map([...TABLES, ...INDICES])],
]);

/** Brings a file of the version before to this one, in one transaction: whenever we are killed it is one or the other, whole. */
function upgrade(connection: SqliteConnection): void {
  if (pragma(connection, 'user_version') === SCHEMA_VERSION) return;
  connection.exec(`BEGIN IMMEDIATE;
    ${[...INDICES.values()].join(';\n')};
    UPDATE about SET value = ${String(SCHEMA_VERSION)} WHERE name = 'schema';
    PRAGMA user_version = ${String(SCHEMA_VERSION)};
    COMMIT;`);
}

/** All that was made by a statement: tables, indices, whatever else. Those that SQLite makes for itself have none. */
function statementsOf(connection: SqliteConnection): Map<SqliteValue | undefined, SqliteValue | undefined> {
  const from = 'sqlite_schema WHERE sql IS NOT NULL ORDER BY name';
  const statements = readValues(connection, 'sql', from);
  return new Map(readValues(connection, 'name', from).map((name, i) => [name, statements[i]]));
}

function pragma(connection: SqliteConnection, name: string): number {
  return Number(readValues(connection, name, `pragma_${name}`)[0]);
}

/**
 * Renames the database and what belongs to it; returns its new name. The main file goes first:
 * a crash in between leaves a log without a database, which the next start sets aside as well,
 * and never a database without the newest part of it.
 */
function setAside(path: string): string {
  let kept: string;
  for (let n = 1; ; n += 1) {
    kept = `${path}.damaged-${String(n)}`;
    if (!SUFFIXES.some((suffix) => existsSync(`${kept}${suffix}`))) break;
  }
  for (const suffix of SUFFIXES) {
    try {
      renameSync(`${path}${suffix}`, `${kept}${suffix}`);
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ENOENT') throw translated(error, 'set aside the damaged state', path);
    }
  }
  return kept;
}

function closeQuietly(connection: SqliteConnection | undefined): void {
  try {
    connection?.close();
  } catch {
    // What it was opened for has failed already, and that is the failure to tell of.
  }
}

/**
 * SQLite through the `node:sqlite` interface: Node's own where this Node has it, else the
 * package that carries the same interface to older ones. Both are loaded on first use, without
 * a bundler's help: neither can become part of a one-file bundle.
 */

import { createRequire } from 'node:module';

/** A value of a column or parameter. */
export type SqliteValue = string | number | null | Uint8Array;

/** A row: values by column name. */
export type SqliteRow = Readonly<Record<string, SqliteValue | undefined>>;

/** The part of `StatementSync` in use here; its newer methods are missing on Node 22's first versions. */
export interface SqliteStatement {
  run(...parameters: SqliteValue[]): { readonly changes: number | bigint };
  get(...parameters: SqliteValue[]): SqliteRow | undefined;
  all(...parameters: SqliteValue[]): SqliteRow[];
}

/** The part of `DatabaseSync` in use here. */
export interface SqliteConnection {
  exec(sql: string): void;
  prepare(sql: string): SqliteStatement;
  function(name: string, body: (value: SqliteValue) => null): void;
  close(): void;
}

interface SqliteModule {
  readonly DatabaseSync: new (file: string) => SqliteConnection;
}

let loaded: SqliteModule | undefined;

/** Opens or creates a database file; throws the errors that `sqlite-errors.ts` translates. */
export function connect(file: string): SqliteConnection {
  loaded ??= load();
  return new loaded.DatabaseSync(file);
}

/**
 * Closes a connection that has prepared statements, so that its file can be opened again at
 * once. The package for older Nodes leaves them to the garbage collector, and with them the
 * connection and its lock; so the log is merged and the lock given up first. What remains is one
 * file.
 */
export function disconnect(connection: SqliteConnection): void {
  try {
    connection.exec('PRAGMA journal_mode = DELETE; PRAGMA locking_mode = NORMAL; SELECT count(*) FROM sqlite_schema;');
  } finally {
    connection.close();
  }
}

/**
 * The values of an expression in the rows of `from`, read without a prepared statement: a
 * connection that never had one is closed when `close` returns. Otherwise it would be closed by
 * the garbage collector, which may be when a new file has taken the old one's name, and SQLite
 * would remove that one's log.
 */
export function readValues(connection: SqliteConnection, expression: string, from: string): SqliteValue[] {
  const values: SqliteValue[] = [];
  connection.function('wl_seen', (value) => {
    values.push(value);
    return null;
  });
  connection.exec(`SELECT wl_seen(${expression}) FROM ${from}`);
  return values;
}

function load(): SqliteModule {
  const builtIn = withoutWarning(() => process.getBuiltinModule('node:sqlite'));
  if (builtIn !== undefined) return builtIn as SqliteModule;
  // The bundle is CommonJS, where `import.meta` is empty and `__filename` is not.
  const here = typeof __filename === 'string' ? __filename : import.meta.url;
  return createRequire(here)('@photostructure/sqlite') as SqliteModule;
}

/** Node 22 calls its SQLite experimental at every start; what is used of it here is the same in the stable one. */
function withoutWarning<T>(action: () => T): T {
  const emitWarning = process.emitWarning.bind(process) as (...warning: unknown[]) => void;
  process.emitWarning = (...warning: unknown[]) => {
    if (warning[1] !== 'ExperimentalWarning') emitWarning(...warning);
  };
  try {
    return action();
  } finally {
    process.emitWarning = emitWarning;
  }
}

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

function load(): SqliteModule {
  const builtIn = withoutWarning(() => process.getBuiltinModule('node:sqlite') as unknown);
  if (builtIn !== undefined) return builtIn as SqliteModule;
  // The bundle is CommonJS, where `import.meta` is empty and `__filename` is not.
  const here = typeof __filename === 'string' ? __filename : import.meta.url;
  return createRequire(here)('@photostructure/sqlite') as SqliteModule;
}

/** Node 22 calls its SQLite experimental at every start; what is used of it here is the same in the stable one. */
function withoutWarning<T>(action: () => T): T {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    if (rest[0] !== 'ExperimentalWarning') (emitWarning as (...all: unknown[]) => void)(warning, ...rest);
  }) as typeof process.emitWarning;
  try {
    return action();
  } finally {
    process.emitWarning = emitWarning;
  }
}

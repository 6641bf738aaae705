/**
 * SQLite through the `node:sqlite` interface, for its file locks: Node's own where this Node has
 * it, else the package that carries the same interface to older ones. The same choice as the
 * state database makes; adapters do not share code, so that each can be replaced on its own.
 */

import { createRequire } from 'node:module';

/** The part of `DatabaseSync` in use here. */
export interface SqliteConnection {
  exec(sql: string): void;
  close(): void;
}

interface SqliteModule {
  readonly DatabaseSync: new (file: string) => SqliteConnection;
}

let loaded: SqliteModule | undefined;

/** Opens a file with SQLite, without reading it yet. */
export function connect(file: string): SqliteConnection {
  loaded ??= load();
  return new loaded.DatabaseSync(file);
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

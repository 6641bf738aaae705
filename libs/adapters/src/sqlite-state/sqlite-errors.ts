/** SQLite's failures in the words of the port, each with what to do about it. */

import { StateError, type StateErrorCode } from '@wl/ports';

/** Primary result codes (https://sqlite.org/rescode.html); extended ones carry them in their low byte. */
const CODES: ReadonlyMap<number, StateErrorCode> = new Map([
  [5, 'locked'], // SQLITE_BUSY
  [6, 'locked'], // SQLITE_LOCKED
  [7, 'io-error'], // SQLITE_NOMEM
  [8, 'io-error'], // SQLITE_READONLY
  [10, 'io-error'], // SQLITE_IOERR
  [11, 'damaged'], // SQLITE_CORRUPT
  [13, 'no-space'], // SQLITE_FULL
  [14, 'io-error'], // SQLITE_CANTOPEN
  [18, 'damaged'], // SQLITE_TOOBIG: a length that was never written
  [19, 'damaged'], // SQLITE_CONSTRAINT: an index that does not belong to its table
  [20, 'damaged'], // SQLITE_MISMATCH
  [23, 'io-error'], // SQLITE_AUTH
  [24, 'damaged'], // SQLITE_FORMAT
  [26, 'damaged'], // SQLITE_NOTADB
]);

/** What to do, by code. */
const ADVICE: Readonly<Record<StateErrorCode, string>> = {
  damaged:
    'Nothing was changed because of what it says. Start the sync again (or `wl stop`, if it does not help): ' +
    'what is damaged is set aside and both storages are compared in full',
  'newer-version': 'Update wl',
  locked: 'Another process is using it: end that one, then try again',
  'no-space': 'Free some space on its disk; what was being written is not in it',
  'io-error': 'Check that its directory exists and may be written, and that its disk is well',
};

/** Something read from the database is not what was written to it; the message says what. */
export class DamageError extends Error {
  override readonly name = 'DamageError';
}

/** What SQLite and the file system throw. Told by its fields: it may come from another realm, where `instanceof Error` is false. */
interface ForeignError {
  readonly message: string;
  readonly code: unknown;
  readonly errcode?: unknown;
  readonly syscall?: unknown;
}

/**
 * A failure of SQLite or of the file system, or a `DamageError`, as a `StateError`; anything
 * else as it is: a mistake of ours, such as a statement that SQLite does not understand, must
 * never pass for damage and cost the user the state.
 */
export function translated(error: unknown, operation: string, file: string): unknown {
  if (error instanceof StateError) return error;
  if (error instanceof DamageError) return stateError('damaged', operation, file, error);
  const code = isForeign(error) ? codeOf(error) : undefined;
  return code === undefined ? error : stateError(code, operation, file, error as ForeignError);
}

/** A `StateError` that says what failed, why, and what to do. */
export function stateError(code: StateErrorCode, operation: string, file: string, cause: { readonly message: string }): StateError {
  return new StateError(code, `unable to ${operation} in ${file}: ${code} (${cause.message}). ${ADVICE[code]}.`, { cause });
}

/** Whether SQLite met a page that is broken: the file as a whole is not to be trusted. */
export function isFileDamage(error: unknown): boolean {
  const primary = isForeign(error) ? primaryCode(error) : undefined;
  return primary === 11 /* SQLITE_CORRUPT */ || primary === 26; /* SQLITE_NOTADB */
}

function isForeign(error: unknown): error is ForeignError {
  return typeof error === 'object' && error !== null && 'code' in error && 'message' in error;
}

function primaryCode(error: ForeignError): number | undefined {
  if (typeof error.errcode === 'number') return error.errcode & 0xff;
  return error.code === 'ERR_SQLITE_ERROR' ? BY_MESSAGE.get(error.message) : undefined;
}

/** The package for older Nodes leaves out the code of what fails while many rows are read (`all`). */
const BY_MESSAGE: ReadonlyMap<string, number> = new Map([
  ['disk I/O error', 10],
  ['database disk image is malformed', 11],
  ['file is not a database', 26],
]);

function codeOf(error: ForeignError): StateErrorCode | undefined {
  // Of the file system: what is done to the files themselves, around SQLite.
  if (typeof error.syscall === 'string') return error.code === 'ENOSPC' || error.code === 'EDQUOT' ? 'no-space' : 'io-error';
  // A value that no program of ours writes, where a number or a text should be.
  if (error.code === 'ERR_OUT_OF_RANGE' || /^(Value is too large|JSON cannot hold)/.test(error.message)) return 'damaged';
  return error.code === 'ERR_SQLITE_ERROR' ? CODES.get(primaryCode(error) ?? 0) : undefined;
}

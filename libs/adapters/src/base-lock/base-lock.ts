/**
 * Exactly one daemon per base directory (INV-23, T28).
 *
 * The lock is the kernel's: `wl-daemon.lock` is an empty file on which SQLite holds the file
 * lock of an exclusive transaction, because Node has no file locks of its own. The kernel gives
 * it up when the process ends in whatever way, so there is nothing to clean up by hand, and
 * neither the content of the file nor any process id decides anything. `wl-daemon.pid` beside it
 * is for messages only.
 *
 * What it rests on: POSIX locks of a file end when this process closes any descriptor of it, so
 * nothing else in the daemon may open `wl-daemon.lock`; and the file system has working locks
 * (a local one does).
 */

import { closeSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { err, ok, type Result } from '@wl/domain';
import { StateError } from '@wl/ports';

import { connect, type SqliteConnection } from './sqlite-module.js';

const LOCK_NAME = 'wl-daemon.lock';
const PID_NAME = 'wl-daemon.pid';

/** Two that come at the same instant see each other's first step; one of them has to wait out the other's. */
const WAIT_MS = 300;

/** The exclusive right to a base directory. */
export interface BaseLock {
  /** Gives it up; again does nothing. */
  release(): void;
}

/**
 * Takes the lock of an existing base directory, or answers `held` when another process (or
 * another part of this one) has it. Blocks for at most about 0.3 s. Throws `StateError`
 * `io-error` when the lock file can be neither made nor used.
 */
export function acquireBaseLock(baseDir: string): Result<BaseLock, 'held'> {
  const file = path.join(baseDir, LOCK_NAME);
  try {
    createIfMissing(file);
    const connection = lock(file);
    if (connection === undefined) return err('held');
    return ok(heldBy(connection, path.join(baseDir, PID_NAME)));
  } catch (error) {
    const { message } = error as Error;
    const advice = `Check that ${baseDir} is a directory on a local disk that you may write to, and that ${LOCK_NAME} in it is a plain file`;
    throw new StateError('io-error', `unable to lock ${file}: io-error (${message}). ${advice}.`, { cause: error });
  }
}

/** Id of the process that last took the lock, for messages; it need not live any more. */
export function readBaseLockOwner(baseDir: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(path.join(baseDir, PID_NAME), 'utf8'), 10);
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Never opens an existing file: see what the lock rests on. */
function createIfMissing(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'EEXIST') throw error;
  }
}

/** The connection that holds the lock, or `undefined` when somebody else's does. */
function lock(file: string): SqliteConnection | undefined {
  for (let hasEmptied = false; ; hasEmptied = true) {
    const connection = connect(file);
    try {
      connection.exec(`PRAGMA busy_timeout = ${String(WAIT_MS)}; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE`);
      return connection;
    } catch (error) {
      connection.close();
      const code = primaryCode(error);
      if (code === 5 /* SQLITE_BUSY */) return undefined;
      // Garbage. SQLite asks for the lock before it reads, so nobody holds it; and emptied in
      // place the file stays the one that everybody locks, whoever takes it next.
      if (hasEmptied || (code !== 11 /* SQLITE_CORRUPT */ && code !== 26) /* SQLITE_NOTADB */) throw error;
      truncateSync(file);
    }
  }
}

/** SQLite's primary result code; extended ones carry it in their low byte. */
function primaryCode(error: unknown): number | undefined {
  const { errcode } = error as { errcode?: unknown };
  return typeof errcode === 'number' ? errcode & 0xff : undefined;
}

function heldBy(connection: SqliteConnection, pidFile: string): BaseLock {
  let isHeld = true;
  forMessages(() => {
    writeFileSync(pidFile, `${String(process.pid)}\n`, { mode: 0o600 });
  });
  return {
    release() {
      if (!isHeld) return;
      isHeld = false;
      // Before the lock, or it would be the next owner's that is removed.
      forMessages(() => {
        rmSync(pidFile, { force: true });
      });
      connection.exec('ROLLBACK');
      connection.close();
    },
  };
}

/** What serves messages alone must not fail anything: the disk may be full. */
function forMessages(action: () => void): void {
  try {
    action();
  } catch {
    // The message will name no process.
  }
}

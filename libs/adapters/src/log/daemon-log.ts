/**
 * The daemon's log. JSON lines (pino), at most five files of 10 MB, for its user alone: the
 * names of somebody's files are nobody else's business. Field values never hold secrets:
 * callers log ids, paths and messages only, and what looks like a credential is removed once
 * more here.
 */

import { mkdirSync } from 'node:fs';
import path from 'node:path';

import { pino } from 'pino';
import { createStream } from 'rotating-file-stream';

/** Severity of a line. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Writes one line. Never throws. */
export type Log = (level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>) => void;

/** An open log. */
export interface DaemonLog {
  readonly log: Log;
  /** Writes out what is pending. */
  close(): Promise<void>;
}

const FILE_SIZE = '10M';
const FILES = 5;
const SECRETS = ['*.secret-key', '*.access-key', '*.credentials', 'credentials', '*.password', '*.token'];

/** Opens the log at a path, or on standard error for `-`. Throws when the file cannot be made. */
export function openDaemonLog(logPath: string): DaemonLog {
  const options = { base: null, timestamp: pino.stdTimeFunctions.isoTime, level: 'debug', redact: { paths: SECRETS, censor: '***' } };
  if (logPath === '-') {
    const logger = pino(options, pino.destination({ fd: 2, sync: true }));
    return { log: logTo(logger), close: () => Promise.resolve() };
  }
  mkdirSync(path.dirname(logPath), { recursive: true, mode: 0o700 });
  const stream = createStream(path.basename(logPath), {
    path: path.dirname(logPath),
    size: FILE_SIZE,
    maxFiles: FILES,
    mode: 0o600,
  });
  // A full disk must not end the daemon: the line is lost, the sync goes on.
  stream.on('error', () => undefined);
  stream.on('warning', () => undefined);
  return {
    log: logTo(pino(options, stream)),
    close: () => new Promise((resolve) => stream.end(() => resolve())),
  };
}

function logTo(logger: pino.Logger): Log {
  return (level, message, fields = {}) => logger[level](fields, message);
}

/**
 * Where things are: base directory, daemon socket, log. Pure but for looking at links, with the
 * environment passed in.
 *
 * W-33 of the reference: with one socket per login, two base directories shared a daemon. Here
 * only the default base directory has the plain name; any other has a socket of its own.
 * A relative path in an XDG variable is ignored, as the XDG base directory specification asks.
 */

import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { userInfo } from 'node:os';
import path from 'node:path';

import { err, ok, type Result } from '@wl/domain';

import { setupError, systemCode, type SetupError } from './setup-error.js';

/** Environment variables; `process.env` fits. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A Unix socket's path may have this many bytes (`sun_path` of macOS and BSD, one less for the closing NUL; Linux has 4 more). */
const SOCKET_PATH_LIMIT = 103;

/** The home directory: `$HOME`, else what the user database says, else (a user it does not know) the root directory. */
export function homeDirectory(env: Environment): string {
  const home = absoluteOrUndefined(env['HOME']);
  if (home !== undefined) return home;
  try {
    return userInfo().homedir;
  } catch {
    return '/';
  }
}

/** The base directory for a user who named none: `$XDG_CONFIG_HOME/wildland`, else `$HOME/.config/wildland`. */
export function defaultBaseDirectory(env: Environment): string {
  return path.join(absoluteOrUndefined(env['XDG_CONFIG_HOME']) ?? path.join(homeDirectory(env), '.config'), 'wildland');
}

/** The base directory, absolute: the option `--base-dir` (taken from `workingDirectory` when relative), else the default. */
export function resolveBaseDirectory(option: string | undefined, env: Environment, workingDirectory: string): string {
  return option === undefined || option === '' ? defaultBaseDirectory(env) : path.resolve(workingDirectory, option);
}

/** Where the daemon of a base directory listens, when the configuration names no other place. */
export function defaultSyncSocketPath(baseDirectory: string, env: Environment): string {
  const runtime = absoluteOrUndefined(env['XDG_RUNTIME_DIR']);
  if (runtime === undefined) return path.join(baseDirectory, 'wlsync.sock');
  const base = canonicalPath(baseDirectory);
  const isDefault = base === canonicalPath(defaultBaseDirectory(env));
  return path.join(runtime, isDefault ? 'wlsync.sock' : `wlsync-${createHash('sha256').update(base).digest('hex').slice(0, 12)}.sock`);
}

/** Where the original's file-system driver listens; kept for its configuration. */
export function defaultFsSocketPath(baseDirectory: string, env: Environment): string {
  return path.join(absoluteOrUndefined(env['XDG_RUNTIME_DIR']) ?? baseDirectory, 'wlfuse.sock');
}

/** Refuses a path that no socket can be bound to; systems cut it short or answer with something obscure. */
export function checkSocketPath(socketPath: string): Result<string, SetupError> {
  const bytes = Buffer.byteLength(socketPath);
  if (bytes <= SOCKET_PATH_LIMIT) return ok(socketPath);
  return err(
    setupError(
      'socket-path-too-long',
      `the socket path ${socketPath} has ${bytes} bytes, a socket may have ${SOCKET_PATH_LIMIT}: ` +
        'set XDG_RUNTIME_DIR, or sync-socket-path in config.yaml to a shorter path',
      socketPath,
    ),
  );
}

/**
 * Where the daemon logs: the option `--log-path`, else `$WL_SYNC_LOG_PATH`, else
 * `wildland/wl-sync.log` below `$XDG_DATA_HOME` or `$HOME/.local/share`. `-` means standard error.
 */
export function resolveLogPath(option: string | undefined, env: Environment, workingDirectory: string): string {
  const named = nonEmpty(option) ?? nonEmpty(env['WL_SYNC_LOG_PATH']);
  if (named !== undefined) return named === '-' ? '-' : path.resolve(workingDirectory, named);
  const data = absoluteOrUndefined(env['XDG_DATA_HOME']) ?? path.join(homeDirectory(env), '.local', 'share');
  return path.join(data, 'wildland', 'wl-sync.log');
}

/**
 * The path with all links resolved. What does not exist yet keeps its name below the deepest
 * directory that does, so that the answer is the same before and after it is made.
 */
export function canonicalPath(place: string): string {
  const missing: string[] = [];
  for (let current = path.resolve(place); ; current = path.dirname(current)) {
    try {
      return path.join(realpathSync(current), ...missing);
    } catch (error) {
      // Not being allowed to look ends in the spelling as given; it must not end in a crash.
      if (systemCode(error) === undefined || current === path.dirname(current)) return path.resolve(place);
      missing.unshift(path.basename(current));
    }
  }
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

function absoluteOrUndefined(value: string | undefined): string | undefined {
  return value !== undefined && path.isAbsolute(value) ? value : undefined;
}

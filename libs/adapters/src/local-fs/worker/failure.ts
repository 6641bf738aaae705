/** Errors of the operating system in our words: the one place where errno names are read. */

import { constants } from 'node:os';

import type { UnknownReason } from '@wl/domain';
import { BackendError, isBackendError, type BackendErrorCode, type BackendErrorDetails } from '@wl/ports';

import { Cancelled } from './cancellation.js';

/** A `BackendError` as it crosses a thread. */
export interface WireError {
  readonly code: BackendErrorCode;
  readonly details: BackendErrorDetails;
  readonly explanation: string;
}

interface Meaning {
  readonly code: BackendErrorCode;
  readonly explanation: string;
  readonly retryable?: boolean;
}

const MEANINGS: Readonly<Record<string, Meaning>> = {
  ENOENT: { code: 'not-found', explanation: 'nothing of that name is there' },
  ENOTDIR: { code: 'not-a-directory', explanation: 'a part of the path is no directory' },
  ELOOP: { code: 'not-a-directory', explanation: 'a part of the path is a symbolic link, links are not followed' },
  EACCES: { code: 'permission-denied', explanation: 'the user this runs as may not do that; check owner and permissions' },
  EPERM: { code: 'permission-denied', explanation: 'the system does not allow it; check owner, permissions and attributes' },
  EROFS: { code: 'read-only', explanation: 'the file system is mounted read-only' },
  ENOSPC: { code: 'no-space', explanation: 'the disk is full' },
  EDQUOT: { code: 'no-space', explanation: 'the disk quota is used up' },
  EFBIG: { code: 'unsupported', explanation: 'the file is larger than this file system can hold' },
  ENAMETOOLONG: { code: 'name-not-representable', explanation: 'the name is too long for this file system' },
  EILSEQ: { code: 'name-not-representable', explanation: 'this file system cannot hold that name' },
  EMFILE: { code: 'too-many-open-files', explanation: 'this process has too many files open; raise the limit (ulimit -n)', retryable: true },
  ENFILE: { code: 'too-many-open-files', explanation: 'the system has too many files open', retryable: true },
  EIO: { code: 'io-error', explanation: 'the disk reported an error; check it' },
  EXDEV: { code: 'other-file-system', explanation: 'this place is on another file system than the root of the storage' },
  EBUSY: { code: 'io-error', explanation: 'the system is using this place, for example as a mount point', retryable: true },
  ETXTBSY: { code: 'io-error', explanation: 'the file is a program that is running', retryable: true },
  ESTALE: { code: 'unreachable', explanation: 'the file server lost track of this place', retryable: true },
  ENOTCONN: { code: 'unreachable', explanation: 'the file system is no longer connected' },
  EHOSTDOWN: { code: 'unreachable', explanation: 'the file server does not answer', retryable: true },
  ETIMEDOUT: { code: 'unreachable', explanation: 'the file server does not answer', retryable: true },
  EAGAIN: { code: 'io-error', explanation: 'the system asks to try again', retryable: true },
  EINTR: { code: 'io-error', explanation: 'the call was interrupted', retryable: true },
  ENOMEM: { code: 'io-error', explanation: 'the system is out of memory', retryable: true },
  ENOSYS: { code: 'unsupported', explanation: 'this system does not offer the call' },
  ENOTSUP: { code: 'unsupported', explanation: 'this file system does not offer the operation' },
  EOPNOTSUPP: { code: 'unsupported', explanation: 'this file system does not offer the operation' },
};

/** Names of the system's errors by number. */
const NAMES: ReadonlyMap<number, string> = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));

/** A failure found by this adapter itself rather than by a system call. */
export function failure(
  code: BackendErrorCode,
  operation: string,
  path: string | undefined,
  explanation: string,
  retryable = false,
): BackendError {
  return new BackendError(code, detailsOf(operation, path, retryable), { explanation });
}

/** The errno name of a caught value, `undefined` when it carries none. */
export function errnoOf(error: unknown): string | undefined {
  if (isBackendError(error) || typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  if (typeof error.code !== 'string') return undefined;
  // Node names the errors that libuv knows; a quota and a lost file server are not among them.
  const isNamed = /^E[A-Z0-9]+$/.test(error.code);
  return isNamed || !('errno' in error) || typeof error.errno !== 'number' ? error.code : (NAMES.get(-error.errno) ?? error.code);
}

/** Translates a caught value; a `BackendError` stays what it is. */
export function toBackendError(error: unknown, operation: string, path?: string): BackendError {
  const wire = toWireError(error, operation, path);
  return new BackendError(wire.code, wire.details, { explanation: wire.explanation });
}

/** Translates a caught value into what can cross a thread. Messages of the system are left out: they may name other places. */
export function toWireError(error: unknown, operation: string, path?: string): WireError {
  if (isBackendError(error)) return { code: error.code, details: error.details, explanation: explanationOf(error) };
  if (error instanceof Cancelled) return { code: 'cancelled', details: detailsOf(operation, path, false), explanation: 'stopped on request' };
  const errno = errnoOf(error);
  const meaning = errno === undefined ? undefined : meaningOf(errno, operation);
  if (meaning !== undefined) {
    return { code: meaning.code, details: detailsOf(operation, path, meaning.retryable ?? false), explanation: `${meaning.explanation}, ${errno ?? ''}` };
  }
  const said = errno ?? (error instanceof Error ? error.message : String(error));
  return { code: 'io-error', details: detailsOf(operation, path, false), explanation: said };
}

/** A `BackendError` that crossed a thread. */
export function fromWireError({ code, details, explanation }: WireError): BackendError {
  return new BackendError(code, details, { explanation });
}

/** Why a place could not be looked at. */
export function unknownReasonOf(error: unknown): UnknownReason {
  const errno = errnoOf(error);
  if (errno === 'EACCES' || errno === 'EPERM') return 'permission-denied';
  if (errno === 'ENAMETOOLONG') return 'name-not-representable';
  return 'read-error';
}

/** Operations that give a name to something: there, an invalid argument is the name. */
const NAMING = /^(create|make|replace|copy)/;

function meaningOf(errno: string, operation: string): Meaning | undefined {
  if (errno === 'EINVAL' && NAMING.test(operation)) {
    return { code: 'name-not-representable', explanation: 'this file system cannot hold that name' };
  }
  return MEANINGS[errno];
}

function detailsOf(operation: string, path: string | undefined, retryable: boolean): BackendErrorDetails {
  return path === undefined ? { operation, retryable } : { operation, path, retryable };
}

/** The part of the message in parentheses. */
function explanationOf(error: BackendError): string {
  const start = error.message.indexOf(`: ${error.code} (`);
  return start < 0 ? '' : error.message.slice(start + error.code.length + 4, -1);
}

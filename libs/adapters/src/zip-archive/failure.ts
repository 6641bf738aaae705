/**
 * What went wrong with an archive, in the port's words. INV-8: an archive that is half-written,
 * damaged or out of reach is one that could not be looked into; nothing in it is ever absent.
 */

import { BackendError, isBackendError, type BackendErrorCode } from '@wl/ports';

/** What an operation on the archive was about. */
export interface Concern {
  readonly operation: string;
  readonly path?: string;
}

const MEANINGS: Readonly<Record<string, { readonly code: BackendErrorCode; readonly explanation: string; readonly retryable?: boolean }>> = {
  ENOENT: { code: 'not-found', explanation: 'there is no archive of that name' },
  ENOTDIR: { code: 'not-found', explanation: 'a part of its path is no directory' },
  EACCES: { code: 'permission-denied', explanation: 'the user this runs as may not read the archive; check owner and permissions' },
  EPERM: { code: 'permission-denied', explanation: 'the system does not allow to read the archive' },
  EIO: { code: 'io-error', explanation: 'the disk reported an error; check it' },
  ESTALE: { code: 'unreachable', explanation: 'the file server lost track of the archive', retryable: true },
  EMFILE: { code: 'too-many-open-files', explanation: 'this process has too many files open; raise the limit (ulimit -n)', retryable: true },
  ENFILE: { code: 'too-many-open-files', explanation: 'the system has too many files open', retryable: true },
};

/** A failure that was found here. */
export function failure(code: BackendErrorCode, { operation, path }: Concern, explanation: string, retryable = false): BackendError {
  return new BackendError(code, { operation, ...(path !== undefined && { path }), retryable }, { explanation });
}

/** The archive, or an entry of it, is not what it says it is. It may still be being written, so another look may help. */
export function damaged(concern: Concern, explanation: string): BackendError {
  return failure('damaged', concern, explanation, true);
}

/** Translates what the system or the reader of archives threw. */
export function toBackendError(error: unknown, concern: Concern): BackendError {
  if (isBackendError(error)) return error;
  const { code: errno, message = String(error) } = error as { readonly code?: string; readonly message?: string };
  const meaning = errno === undefined ? undefined : MEANINGS[errno];
  if (meaning !== undefined) return failure(meaning.code, concern, `${meaning.explanation}, ${String(errno)}`, meaning.retryable);
  // zlib's own codes begin with Z_; an error without a code is the archive reader's sentence about the format.
  const isFormat = errno === undefined || errno.startsWith('Z_');
  return isFormat ? damaged(concern, `the archive is damaged or not complete: ${message}`) : failure('io-error', concern, errno, true);
}

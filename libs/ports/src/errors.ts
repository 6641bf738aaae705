/**
 * Failures of stores and networks, translated once by the adapter that met them.
 * Callers match on `code`; `instanceof` does not survive the socket.
 */

/** What went wrong, in our words; append-only. */
export type BackendErrorCode =
  | 'permission-denied'
  | 'not-found'
  | 'not-a-directory'
  | 'no-space'
  | 'read-only'
  | 'name-not-representable'
  | 'too-many-open-files'
  | 'other-file-system'
  | 'unreachable'
  | 'unauthorized'
  | 'throttled'
  | 'damaged'
  | 'unsupported'
  | 'cancelled'
  | 'io-error';

/** Where it went wrong and whether trying again may help. */
export interface BackendErrorDetails {
  readonly operation: string;
  readonly path?: string;
  readonly retryable: boolean;
}

/** A store failed. The message reads `unable to replace a/b.txt: no-space (No space left on device)`. */
export class BackendError extends Error {
  override readonly name = 'BackendError';

  constructor(
    readonly code: BackendErrorCode,
    readonly details: BackendErrorDetails,
    options?: { cause?: unknown; explanation?: string },
  ) {
    const where = details.path === undefined ? '' : ` ${details.path}`;
    const why = options?.explanation === undefined ? '' : ` (${options.explanation})`;
    super(`unable to ${details.operation}${where}: ${code}${why}`, options?.cause === undefined ? undefined : { cause: options.cause });
  }
}

/** Whether a caught value is a `BackendError`, also one that crossed a thread. */
export function isBackendError(error: unknown): error is BackendError {
  return error instanceof Error && error.name === 'BackendError' && 'code' in error;
}

/** Failures of a server, in the port's words. Neither credentials nor a server's pages get in here. */

import { BackendError, type BackendErrorCode } from '@wl/ports';

/** What a request was for. */
export interface Concern {
  readonly operation: string;
  readonly path?: string;
}

/** A failure that was found here. */
export function failure(code: BackendErrorCode, { operation, path }: Concern, explanation: string, retryable = false, cause?: unknown): BackendError {
  return new BackendError(code, { operation, ...(path !== undefined && { path }), retryable }, { explanation, ...(cause !== undefined && { cause }) });
}

/** The server, or something before it, answered what makes no sense here; another try may fare better. */
export function damaged(concern: Concern, explanation: string): BackendError {
  return failure('damaged', concern, explanation, true);
}

/** Throws `BackendError` (`cancelled`) when the caller does not want it any more. */
export function assertWanted(concern: Concern, signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw failure('cancelled', concern, 'stopped on request');
}

/** Failures of an S3 endpoint, and what they mean to the port. */

import type { RelativePath } from '@wl/domain';
import { BackendError, type BackendErrorCode } from '@wl/ports';

/** A request failed. */
export class S3Error extends Error {
  override readonly name = 'S3Error';

  constructor(
    /** In the port's words. */
    readonly kind: BackendErrorCode,
    /** One or two sentences for the user: what was found and what to do; never a secret. */
    message: string,
    readonly details: {
      /** HTTP status, `undefined` when there was no answer. */
      readonly status?: number;
      /** The server's own code, e.g. `NoSuchBucket`. */
      readonly code?: string;
      /** Whether trying again later may help. */
      readonly isRetryable: boolean;
    },
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
  }
}

/** Translates what a request was rejected with; what is not ours is a broken invariant and goes on as it is. */
export function toBackendError(error: unknown, operation: string, path?: RelativePath): unknown {
  if (!(error instanceof S3Error)) return error;
  return new BackendError(
    error.kind,
    { operation, ...(path !== undefined && { path }), retryable: error.details.isRetryable },
    // It becomes part of a sentence.
    { explanation: error.message.replace(/\.$/, ''), cause: error },
  );
}

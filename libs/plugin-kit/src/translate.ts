/** Failures of drivers in our words, translated once. */

import { BackendError, isBackendError, type BackendErrorCode } from '@wl/ports';

/** What the codes of Node.js mean, and whether trying again may help. */
const CODES: Readonly<Record<string, readonly [BackendErrorCode, boolean]>> = {
  ENOENT: ['not-found', false],
  ENOTDIR: ['not-a-directory', false],
  EACCES: ['permission-denied', false],
  EPERM: ['permission-denied', false],
  EROFS: ['read-only', false],
  ENOSPC: ['no-space', false],
  EDQUOT: ['no-space', false],
  ENAMETOOLONG: ['name-not-representable', false],
  EILSEQ: ['name-not-representable', false],
  EINVAL: ['name-not-representable', false],
  EMFILE: ['too-many-open-files', true],
  ENFILE: ['too-many-open-files', true],
  ECONNREFUSED: ['unreachable', true],
  ECONNRESET: ['unreachable', true],
  EHOSTUNREACH: ['unreachable', true],
  ENETUNREACH: ['unreachable', true],
  ENOTFOUND: ['unreachable', true],
  EAI_AGAIN: ['unreachable', true],
  ETIMEDOUT: ['unreachable', true],
  ABORT_ERR: ['cancelled', false],
};

/** Runs a call on a driver; whatever it fails with becomes a `BackendError`. */
export async function translated<T>(operation: string, path: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw toBackendError(error, operation, path);
  }
}

/** Any failure as a `BackendError`. */
export function toBackendError(error: unknown, operation: string, path: string): BackendError {
  if (isBackendError(error)) return error;
  const [code, retryable] = CODES[codeOf(error) ?? ''] ?? ['io-error', true];
  const explanation = error instanceof Error ? error.message : String(error);
  return failure(code, operation, path, explanation, { cause: error, retryable });
}

/** A failure of our own. */
export function failure(
  code: BackendErrorCode,
  operation: string,
  path: string,
  explanation?: string,
  { cause, retryable = false }: { readonly cause?: unknown; readonly retryable?: boolean } = {},
): BackendError {
  return new BackendError(
    code,
    { operation, ...(path !== '' && { path }), retryable },
    { ...(explanation !== undefined && { explanation }), ...(cause !== undefined && { cause }) },
  );
}

/** Rejects with `cancelled` once the signal has aborted. */
export function assertGoing(signal: AbortSignal | undefined, operation: string, path: string): void {
  if (signal?.aborted === true) throw failure('cancelled', operation, path);
}

function codeOf(error: unknown): string | undefined {
  // By shape: `instanceof` does not hold between realms.
  const code = typeof error === 'object' && error !== null ? (error as { readonly code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : undefined;
}

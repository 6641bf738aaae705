/** What the ways to write a large object have in common: bytes stream in, nothing shows before `commit`. */

import type { ContentIdentity, FileAttributes } from '@wl/ports';

import { S3Error } from '../s3-error.js';

import type { WriteContext } from './context.js';
import type { Sizes } from './sizes.js';
import type { SwapOutcome } from './swap.js';

/** What is to be written. */
export interface LargeTarget {
  readonly key: string;
  /** ETag of the version to be replaced; `undefined`: nothing may be there. */
  readonly expected: string | undefined;
  readonly attributes: FileAttributes;
}

/** What a way to write is made of. */
export interface LargeParts {
  readonly context: WriteContext;
  readonly target: LargeTarget;
  readonly sizes: Sizes;
  /** Stops everything that is under way. */
  readonly signal: AbortSignal | undefined;
}

/** An object being written. The methods are called one at a time, except that `abort` and `suspend` may come at any moment. */
export interface LargeUpload {
  /** Takes bytes, which the caller may overwrite afterwards; resolves when there is room for more. */
  write(chunk: Uint8Array): Promise<void>;
  /** Shows what was written, if it is `content` and the key still holds what was expected. */
  commit(content: ContentIdentity): Promise<SwapOutcome>;
  /** Leaves nothing behind. Never rejects for what the server says. */
  abort(): Promise<void>;
  /** Stops so that a later writer of the same content may go on, where that is possible; else as `abort`. */
  suspend(): Promise<void>;
}

/** What was written is not what was announced or handed over. */
export function notAsAnnounced(what: string): S3Error {
  return new S3Error('damaged', what, { isRetryable: true });
}

/** A writer was stopped. */
export function stopped(): S3Error {
  return new S3Error('cancelled', 'stopped on request', { isRetryable: false });
}

/** Aborts with either. */
export function withSignal(own: AbortController, outer: AbortSignal | undefined): AbortSignal {
  return outer === undefined ? own.signal : AbortSignal.any([own.signal, outer]);
}

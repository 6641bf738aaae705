/** Writes many small files, each in one request, many at a time: `WholeFiles.write` of the port. */

import type { Token } from '@wl/domain';
import { BackendError, isBackendError, type WholeWrite, type WholeWriteOutcome } from '@wl/ports';

import { toBackendError } from '../s3-error.js';

import type { WriteContext } from './context.js';
import { writeObject } from './write-object.js';

/** Writes files that are in memory. */
export interface WholeWriter {
  /** One outcome each, in order; what fails stops no other (INV-16). Rejects only when stopped, and then only once nothing is under way any more. */
  write(requests: readonly WholeWrite[], signal?: AbortSignal): Promise<readonly WholeWriteOutcome[]>;
}

/** A writer on one storage; what is under way at once is bounded over all its calls. */
export function createWholeWriter(context: WriteContext): WholeWriter {
  return {
    async write(requests, signal) {
      const outcomes = await Promise.all(requests.map((request) => writeOne(context, request, signal)));
      if (signal?.aborted === true) throw new BackendError('cancelled', { operation: 'write', retryable: false }, { explanation: 'stopped on request' });
      return outcomes;
    },
  };
}

async function writeOne(context: WriteContext, request: WholeWrite, signal: AbortSignal | undefined): Promise<WholeWriteOutcome> {
  const { path, content, sha256, attributes } = request;
  try {
    const expected = expectedTag(context, request.expected);
    if (expected === undefined) return { kind: 'stale' };
    const write = { key: context.keyOf(path), content, sha256, attributes, expected: expected.etag };
    const outcome = await context.limiter.run(() => writeObject(context, write, signal), signal);
    if (outcome.kind === 'stale') return { kind: 'stale' };
    return { kind: 'written', token: context.tokenOf({ ...outcome, sizeBytes: content.length }), isRacy: false };
  } catch (error) {
    const translated = toBackendError(error, 'replace', path);
    // A broken invariant of ours surfaces.
    if (!isBackendError(translated)) throw translated;
    return { kind: 'failed', error: translated };
  }
}

/** The version a caller expects, or nothing; `undefined` for a token that no object can have. */
export function expectedTag(context: WriteContext, expected: Token | undefined): { readonly etag: string | undefined } | undefined {
  if (expected === undefined) return { etag: undefined };
  const etag = context.etagOf(expected);
  return etag === undefined ? undefined : { etag };
}

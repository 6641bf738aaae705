/**
 * Copies objects within one endpoint, without their bytes passing through this machine, under
 * the conditions and with the verification of a write (`copyFrom` of the port). Where the server
 * does not compare the target of a copy, a new name is reserved by a placeholder (ADR 0011), and
 * an existing object is written anew from a stream: a copy over it could not be undone. What the
 * keys of the target may not read is streamed as well. Whoever wants no byte to pass through here
 * (`noStreams`) is told why an object was not copied instead.
 */

import { setMaxListeners } from 'node:events';

import type { RelativePath, Sha256, Token } from '@wl/domain';
import { BackendError, isBackendError, type CopyOutcome, type CopyRequest, type HashOutcome } from '@wl/ports';

import type { ObjectHead, S3Api } from '../s3-api.js';
import { S3Error, toBackendError } from '../s3-error.js';

import { conditionFor, conditionForCopy } from './conditions.js';
import type { WriteContext, WriteNames } from './context.js';
import { Limiter } from './limiter.js';
import { attributesOf, trustedHash } from './object-properties.js';
import { isPlaceholderUsable } from './placeholder.js';
import { copyInParts } from './parts-copy.js';
import { copyOnServer, type CopyJob, type CopyResult } from './server-copy.js';
import { SIZES, type Sizes } from './sizes.js';
import { copyByStream } from './streamed-copy.js';
import { expectedTag } from './whole-writer.js';

/** Streams at once: each holds some parts in memory (INV-40). */
const STREAMS_AT_ONCE = 2;

/** Where the copies come from: this storage itself, or another one of the endpoint. */
export interface CopyOrigin extends WriteNames {
  readonly api: S3Api;
  /** Name of its bucket; `undefined`: the same as that of the target. */
  readonly bucket: string | undefined;
  /** Hashes a file of the source, by reading it if need be. */
  hashOf(path: RelativePath, signal?: AbortSignal): Promise<HashOutcome>;
}

/** How to copy. */
export interface CopyManner {
  /** What the server cannot copy safely is a failure, not a stream. */
  readonly noStreams?: boolean;
  readonly sizes?: Sizes;
}

/** Outcomes as they come, by index of the request. */
export type CopyOutcomes = readonly { readonly index: number; readonly outcome: CopyOutcome }[];

/** Copies all; each request is answered once. Rejects when stopped. Ending the iteration early stops the rest. */
export async function* copyWithin(
  context: WriteContext,
  origin: CopyOrigin,
  requests: readonly CopyRequest[],
  signal?: AbortSignal,
  { noStreams = false, sizes = SIZES }: CopyManner = {},
): AsyncGenerator<CopyOutcomes> {
  const stop = new AbortController();
  const within = signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal]);
  // Every copy listens to it.
  setMaxListeners(0, within);
  const shared = { context, origin, noStreams, sizes, signal: within, streams: new Limiter(STREAMS_AT_ONCE), rights: { mayRead: true } };
  const ready: { readonly index: number; readonly outcome: CopyOutcome }[] = [];
  let wake = (): void => undefined;
  const copies = requests.map(async (request, index) => {
    const outcome = await context.limiter.run(() => copyOne({ ...shared, request }), within).catch((error: unknown) => failed(error, request.path));
    ready.push({ index, outcome });
    wake();
  });
  try {
    for (let left = requests.length; left > 0; ) {
      if (ready.length === 0) await Promise.race([new Promise<void>((resolve) => (wake = resolve)), firstFailure(copies)]);
      if (signal?.aborted === true) throw new BackendError('cancelled', { operation: 'copy', retryable: false }, { explanation: 'stopped on request' });
      const batch = ready.splice(0);
      left -= batch.length;
      yield batch;
    }
  } finally {
    stop.abort();
    await Promise.allSettled(copies);
  }
}

/** Rejects when a copy rejects, which only a broken invariant makes it do; else never settles. */
function firstFailure(copies: readonly Promise<void>[]): Promise<never> {
  return new Promise((_resolve, reject) => {
    for (const copy of copies) copy.catch(reject);
  });
}

function failed(error: unknown, path: RelativePath): CopyOutcome {
  const translated = toBackendError(error, 'copy', path);
  if (!isBackendError(translated)) throw translated;
  return { kind: 'failed', error: translated };
}

interface OneCopy {
  readonly context: WriteContext;
  readonly origin: CopyOrigin;
  readonly request: CopyRequest;
  readonly streams: Limiter;
  readonly noStreams: boolean;
  readonly sizes: Sizes;
  readonly signal: AbortSignal;
  /** Whether the keys of the target may read the source, as far as is known; shared by all copies. */
  readonly rights: { mayRead: boolean };
}

async function copyOne(copy: OneCopy): Promise<CopyOutcome> {
  const { context, origin, request, signal } = copy;
  const { path, fromPath = path, from, replaces } = request;
  const expected = expectedTag(context, replaces?.token);
  if (expected === undefined) return { kind: 'target-changed' };
  const fromKey = origin.keyOf(fromPath);
  const head = await origin.api.headObject(fromKey, signal);
  if (head === undefined || head.etag === '' || head.etag !== origin.etagOf(from.token) || head.sizeBytes !== from.sizeBytes) return { kind: 'source-changed' };
  const recorded = trustedHash(head);
  if (from.hash !== undefined && recorded !== undefined && recorded !== from.hash) return { kind: 'source-changed' };
  // Whoever gives a hash has it of this very version: reading it all again would be the transfer to be saved.
  const sha256 = from.hash ?? recorded ?? (await hashOfSource(origin, fromPath, from.token, signal));
  if (typeof sha256 !== 'string') return sha256;

  const { mtimeMs, isExecutable = false } = request.attributes ?? attributesOf(head);
  const job: CopyJob = {
    context,
    source: { api: origin.api, bucket: origin.bucket, key: fromKey, head },
    target: { path, key: context.keyOf(path), expected: expected.etag },
    attributes: { mtimeMs, isExecutable },
    sha256,
    signal,
  };
  const outcome = await perform(copy, job);
  if (outcome.kind !== 'done') return outcome;
  return { kind: 'copied', sha256, sizeBytes: head.sizeBytes, sourceToken: from.token, isSourceRacy: false, targetToken: outcome.token, isTargetRacy: false };
}

/** By the server where that is safe and allowed, else by a stream, where that is. */
async function perform({ context, origin, streams, noStreams, sizes, signal, rights }: OneCopy, job: CopyJob): Promise<CopyResult | Failed> {
  const { head } = job.source;
  let obstacle = rights.mayRead ? obstacleTo(context, head, job.target.expected, sizes) : NOT_READABLE;
  if (obstacle === undefined) {
    try {
      return await (head.sizeBytes > sizes.single ? copyInParts(job, sizes) : copyOnServer(job));
    } catch (error) {
      // With the source's own keys it was seen a moment ago: those of the target may not read it, or may not write; the stream shows which.
      if (origin.api === context.api || !isDenied(error)) throw error;
      rights.mayRead = false;
      obstacle = NOT_READABLE;
    }
  }
  if (!noStreams) return streams.run(() => copyByStream(job, sizes), signal);
  return { kind: 'failed', error: new BackendError('unsupported', { operation: 'copy', path: job.target.path, retryable: false }, { explanation: obstacle }) };
}

type Failed = Extract<CopyOutcome, { readonly kind: 'failed' }>;

const NOT_READABLE = 'the keys of the storage that is written to may not read the other one';

/** Why the server's copy would not be as safe as the best write of this object; `undefined` where it is. */
function obstacleTo(context: WriteContext, { sizeBytes }: ObjectHead, expected: string | undefined, sizes: Sizes): string | undefined {
  const abilities = context.abilities();
  if (!abilities.copies) return 'the server cannot copy';
  // An upload in parts is shown in the same way, whoever filled it.
  if (sizeBytes > sizes.single) return abilities.uploadsInParts ? undefined : 'it is too large for one copy, and the server takes no uploads in parts';
  if (conditionForCopy(expected, abilities).isChecked) return undefined;
  if (expected === undefined && isPlaceholderUsable(abilities)) return undefined;
  return conditionFor(expected, abilities).isChecked ? 'the server does not compare what a copy of its own replaces' : undefined;
}

function isDenied(error: unknown): boolean {
  return error instanceof S3Error && (error.kind === 'permission-denied' || error.kind === 'unauthorized');
}

async function hashOfSource(origin: CopyOrigin, path: RelativePath, token: Token, signal: AbortSignal): Promise<Sha256 | CopyOutcome> {
  const outcome = await origin.hashOf(path, signal);
  if (outcome.kind === 'hashed') return outcome.node.token === token ? outcome.node.hash : { kind: 'source-changed' };
  if (outcome.kind !== 'unknown') return { kind: 'source-changed' };
  return { kind: 'failed', error: new BackendError('io-error', { operation: 'copy', path, retryable: true }, { explanation: outcome.message }) };
}

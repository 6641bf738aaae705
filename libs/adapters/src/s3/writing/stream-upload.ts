/**
 * Writes a large object by one streamed `PUT`: the only conditional write of more than a buffer
 * on a server that does not compare when an upload in parts is completed (Ceph). Size and hash
 * have to be known beforehand, since they are signed.
 *
 * INV-6: the last chunk is held back until `commit`, so that the server cannot show the object
 * before; an aborted request ends short, and a short one is not stored (T41).
 */

import { createHash, type Hash } from 'node:crypto';

import type { ContentIdentity } from '@wl/ports';

import type { WriteAnswer } from '../s3-api.js';

import { ChunkPipe } from '../../http/chunk-pipe.js';
import { conditionFor, type CheckedCondition } from './conditions.js';
import { notAsAnnounced, stopped, withSignal, type LargeParts, type LargeUpload } from './large-upload.js';
import { isOfWrite, propertiesFor } from './object-properties.js';
import { keepOld, swapIn, type Kept, type SwapOutcome } from './swap.js';
import { verifyStored } from './verification.js';

/** One `PUT` under way. */
export class StreamUpload implements LargeUpload {
  readonly #pipe: ChunkPipe;
  readonly #own = new AbortController();
  readonly #writeId: string;
  readonly #condition: CheckedCondition;
  /** Where the ETag is all that tells whether the server stored what it was sent. */
  readonly #md5: Hash | undefined;
  readonly #answer: Promise<WriteAnswer>;
  /** The trash copies while we upload: it may take longer than a server waits for the last chunk. */
  readonly #kept: Promise<Kept>;
  #last: Uint8Array | undefined;
  #receivedBytes = 0;
  #failure: { readonly error: unknown } | undefined;
  #isReleased = false;

  constructor(
    private readonly parts: LargeParts,
    private readonly announced: ContentIdentity,
  ) {
    const { context, target, sizes } = parts;
    const { tagsByMd5, verifiesContent } = context.abilities();
    this.#pipe = new ChunkPipe(sizes.pipe);
    this.#writeId = context.newId();
    this.#condition = conditionFor(target.expected, context.abilities());
    this.#md5 = tagsByMd5 && !verifiesContent ? createHash('md5') : undefined;
    this.#kept = keepOld(context, target.key, target.expected, withSignal(this.#own, parts.signal));
    this.#kept.catch(() => undefined);
    this.#answer = this.#send();
    this.#answer.then(
      () => this.#pipe.unread(),
      (error: unknown) => {
        this.#failure = { error };
        this.#pipe.unread();
      },
    );
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (chunk.length === 0) return;
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes > this.announced.sizeBytes) throw notAsAnnounced('there are more bytes than announced');
    this.#md5?.update(chunk);
    const copy = new Uint8Array(chunk);
    if (this.#receivedBytes < this.announced.sizeBytes) await this.#pipe.push(copy);
    else this.#last = copy;
    // Set meanwhile, which control flow analysis does not see.
    const failure = this.#failure as { readonly error: unknown } | undefined;
    if (failure !== undefined) throw failure.error;
  }

  async commit(content: ContentIdentity): Promise<SwapOutcome> {
    const { context, target, signal } = this.parts;
    const isAsAnnounced = content.sha256 === this.announced.sha256 && content.sizeBytes === this.announced.sizeBytes && this.#last !== undefined;
    if (!isAsAnnounced) {
      await this.abort();
      throw notAsAnnounced('what was written is not what was announced');
    }
    const { key, expected } = target;
    const md5 = this.#md5?.digest('hex');
    try {
      const outcome = await swapIn(context, {
        key,
        expected,
        ...this.#condition,
        kept: this.#kept,
        isOurs: (head) => isOfWrite(head, this.#writeId) && head.sizeBytes === content.sizeBytes && (md5 === undefined || head.etag === md5),
        perform: () => this.#release(),
        signal,
      });
      if (outcome.kind === 'stale') return outcome;
      const sent = { key, sha256: content.sha256, sizeBytes: content.sizeBytes, md5 };
      return (await verifyStored(context, sent, outcome, signal)) === 'stale' ? { kind: 'stale' } : outcome;
    } finally {
      // Where another version was found before the last chunk was sent.
      await this.#end();
    }
  }

  async abort(): Promise<void> {
    const { context, target } = this.parts;
    const isReleased = this.#isReleased;
    await this.#end();
    const kept = await this.#kept.catch(() => 'stale' as const);
    if (kept === 'kept' && !isReleased && target.expected !== undefined) await context.unkeep(target.key, target.expected);
  }

  suspend(): Promise<void> {
    return this.abort();
  }

  #send(): Promise<WriteAnswer> {
    const { context, target, signal } = this.parts;
    const { key, attributes } = target;
    const { sha256, sizeBytes } = this.announced;
    const properties = propertiesFor(key, { attributes, sha256, etag: undefined, writeId: this.#writeId });
    const content = { sizeBytes, sha256, chunks: this.#pipe.chunks() };
    return context.api.putStream(key, content, properties, this.#condition.condition, withSignal(this.#own, signal));
  }

  #release(): Promise<WriteAnswer> {
    this.#isReleased = true;
    void this.#pipe.push(this.#last!);
    this.#pipe.end();
    return this.#answer;
  }

  /** Ends the request, if it is still under way, and waits for its end. */
  async #end(): Promise<void> {
    this.#pipe.fail(stopped());
    this.#own.abort();
    await this.#answer.catch(() => undefined);
  }
}

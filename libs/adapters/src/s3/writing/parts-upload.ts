/**
 * Writes a large object as an upload in parts: several under way at once, each verified by its own
 * hash, shown by completing the upload. Memory is that of the parts under way (INV-40).
 *
 * Where the content is known beforehand, the upload is journaled: a later writer of the same
 * content goes on with it. A part that the server holds already is believed only if its ETag is
 * the MD5 of the bytes that belong there (T48). Before completing, the server's list of parts
 * is compared with ours (T44). Parts that the version to be replaced has too are copied on the
 * server (`PartReuse`); of what was written, the parts are remembered for the next version.
 */

import type { ContentIdentity } from '@wl/ports';

import { S3Error } from '../s3-error.js';

import { beginUpload, type BegunUpload } from './begin-upload.js';
import { completeUpload } from './complete-upload.js';
import type { WriteContext } from './context.js';
import { notAsAnnounced, stopped, withSignal, type LargeParts, type LargeUpload } from './large-upload.js';
import { PartBuffers } from './part-buffers.js';
import { isReusable, PartReuse } from './part-reuse.js';
import { PartSender } from './part-sender.js';
import { growingPartBytes, partBytesFor } from './sizes.js';
import type { SwapOutcome } from './swap.js';

/** Parts under way at once. */
export const PARTS_AT_ONCE = 4;

/** An upload in parts under way. */
export class PartsUpload implements LargeUpload {
  readonly #own = new AbortController();
  readonly #signal: AbortSignal;
  readonly #announced: ContentIdentity | undefined;
  readonly #reuse: PartReuse | undefined;
  readonly #sender: PartSender;
  readonly #underWay = new Set<Promise<void>>();
  readonly #buffers = new PartBuffers();
  #begun: Promise<BegunUpload> | undefined;
  #current: Buffer | undefined;
  #filledBytes = 0;
  #partNumber = 1;
  #receivedBytes = 0;
  #failure: { readonly error: unknown } | undefined;
  #state: 'writing' | 'committing' | 'over' = 'writing';

  constructor(private readonly given: LargeParts) {
    this.#signal = withSignal(this.#own, given.signal);
    this.#announced = given.target.attributes.content;
    this.#reuse = PartReuse.of(given.context, given.target, given.sizes);
    this.#sender = new PartSender(given.context, given.target, this.#reuse, this.#signal);
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#receivedBytes += chunk.length;
    if (this.#announced !== undefined && this.#receivedBytes > this.#announced.sizeBytes) throw notAsAnnounced('there are more bytes than announced');
    for (let taken = 0; taken < chunk.length && !this.#sender.isStale; ) {
      this.#assertGoing();
      this.#current ??= this.#buffers.take(this.#partBytes());
      const piece = chunk.subarray(taken, taken + this.#current.length - this.#filledBytes);
      this.#current.set(piece, this.#filledBytes);
      this.#filledBytes += piece.length;
      taken += piece.length;
      if (this.#filledBytes === this.#current.length) await this.#sendCurrent();
    }
  }

  async commit(content: ContentIdentity): Promise<SwapOutcome> {
    this.#state = 'committing';
    try {
      return await this.#finish(content);
    } catch (error) {
      // What is no use any more goes; what a better moment can complete stays for the next writer.
      await (isWorthKeeping(error) ? this.suspend() : this.abort());
      throw error;
    }
  }

  async abort(): Promise<void> {
    // The server was not reached, or we were stopped: the parts it has are good, a later writer asks for them.
    if (this.#announced !== undefined && this.#failure !== undefined && isWorthKeeping(this.#failure.error)) return this.suspend();
    const begun = await this.#stop();
    if (begun === undefined) return;
    const { context, target } = this.given;
    await abortUpload(context, target.key, begun.uploadId);
  }

  async suspend(): Promise<void> {
    // Nobody could tell which bytes belong where.
    if (this.#announced === undefined) return this.abort();
    const begun = await this.#stop();
    if (begun !== undefined) this.given.context.journal.suspend(begun.uploadId);
  }

  /** Stops what is under way; the upload, unless it was over before. */
  async #stop(): Promise<BegunUpload | undefined> {
    if (this.#state === 'over') return undefined;
    this.#state = 'over';
    this.#own.abort();
    await Promise.allSettled(this.#underWay);
    return this.#begun?.catch(() => undefined);
  }

  async #finish(content: ContentIdentity): Promise<SwapOutcome> {
    const isWhole = content.sizeBytes === this.#receivedBytes && (this.#announced === undefined || (content.sizeBytes === this.#announced.sizeBytes && content.sha256 === this.#announced.sha256));
    if (!isWhole) throw notAsAnnounced('what was written is not what was announced');
    if (this.#filledBytes > 0 && !this.#sender.isStale) await this.#sendCurrent();
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    this.#assertGoing();
    const outcome = this.#sender.isStale ? ({ kind: 'stale' } as const) : await this.#complete(content);
    if (outcome.kind === 'stale') await this.abort();
    return outcome;
  }

  async #complete(content: ContentIdentity): Promise<SwapOutcome> {
    const { context, target } = this.given;
    const begun = await this.#begin();
    const { parts, md5s, isMixed } = this.#sender;
    const outcome = await completeUpload(context, { target, begun, parts, md5s, isMixed, content, signal: this.#signal });
    if (outcome.kind === 'stale') return outcome;
    this.#state = 'over';
    context.journal.forget(begun.uploadId);
    // Parts of growing size are of no use to the next version.
    if (this.#announced !== undefined && isReusable(context.abilities())) {
      context.parts.remember({ key: target.key, etag: outcome.etag, sizeBytes: content.sizeBytes, partBytes: this.#usualPartBytes(), digests: this.#sender.digests() });
    }
    return outcome;
  }

  /** Size of all parts but the last, where the size of the whole is known; else of the first. */
  #usualPartBytes(): number {
    const { sizes } = this.given;
    if (this.#announced === undefined) return sizes.part;
    return this.#reuse?.partBytes ?? partBytesFor(this.#announced.sizeBytes, sizes);
  }

  #partBytes(): number {
    if (this.#announced === undefined) return growingPartBytes(this.#partNumber, this.given.sizes);
    const usual = this.#usualPartBytes();
    return Math.min(usual, this.#announced.sizeBytes - (this.#partNumber - 1) * usual);
  }

  #begin(): Promise<BegunUpload> {
    const { context, target } = this.given;
    this.#begun ??= beginUpload(context, target, this.#usualPartBytes(), this.#signal);
    return this.#begun;
  }

  /** Sends the part in hand as soon as fewer than so many are under way. */
  async #sendCurrent(): Promise<void> {
    const begun = await this.#begin().catch((error: unknown) => this.#fail(error));
    while (this.#underWay.size >= PARTS_AT_ONCE) await Promise.race(this.#underWay);
    this.#assertGoing();
    if (this.#sender.isStale) return;
    const buffer = this.#current!;
    const [partNumber, sizeBytes] = [this.#partNumber, this.#filledBytes];
    this.#current = undefined;
    this.#filledBytes = 0;
    this.#partNumber += 1;
    const sending = this.#sender.bring(begun, partNumber, buffer.subarray(0, sizeBytes))
      .catch((error: unknown) => void (this.#failure ??= { error }))
      .finally(() => {
        this.#underWay.delete(sending);
        this.#buffers.give(buffer);
      });
    this.#underWay.add(sending);
  }

  #fail(error: unknown): never {
    this.#failure ??= { error };
    throw error;
  }

  #assertGoing(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#state === 'over' || this.#signal.aborted) throw stopped();
  }
}

/** Whether the upload may be gone on with after this failure. */
function isWorthKeeping(error: unknown): boolean {
  return error instanceof S3Error && (error.kind === 'cancelled' || (error.details.isRetryable && error.kind !== 'damaged'));
}

/** Aborts an upload; one that cannot be reached is left to the next start. */
export async function abortUpload({ api, journal }: Pick<WriteContext, 'api' | 'journal'>, key: string, uploadId: string): Promise<void> {
  try {
    await api.abortUpload(key, uploadId);
    journal.forget(uploadId);
  } catch {
    journal.giveUp(uploadId);
  }
}

/**
 * Writes a large object as an upload in parts: several under way at once, each verified by its own
 * hash, shown by completing the upload. Memory is that of the parts under way (INV-40).
 *
 * Where the content is known beforehand, the upload is journaled: a later writer of the same
 * content goes on with it. A part that the server holds already is believed only if its ETag is
 * the MD5 of the bytes that belong there (T48). Before completing, the server's list of parts
 * is compared with ours (T44).
 */

import type { ContentIdentity } from '@wl/ports';

import type { UploadedPart } from '../s3-api.js';
import { S3Error } from '../s3-error.js';

import { beginUpload, type BegunUpload } from './begin-upload.js';
import { completeUpload } from './complete-upload.js';
import type { WriteContext } from './context.js';
import { md5Of, sha256Of } from './digests.js';
import { notAsAnnounced, stopped, withSignal, type LargeParts, type LargeUpload } from './large-upload.js';
import { PartBuffers } from './part-buffers.js';
import { growingPartBytes, partBytesFor } from './sizes.js';
import type { SwapOutcome } from './swap.js';

/** Parts under way at once. */
export const PARTS_AT_ONCE = 4;

/** An upload in parts under way. */
export class PartsUpload implements LargeUpload {
  readonly #own = new AbortController();
  readonly #signal: AbortSignal;
  readonly #announced: ContentIdentity | undefined;
  readonly #parts = new Map<number, UploadedPart>();
  readonly #md5s = new Map<number, string>();
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
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#receivedBytes += chunk.length;
    if (this.#announced !== undefined && this.#receivedBytes > this.#announced.sizeBytes) throw notAsAnnounced('there are more bytes than announced');
    for (let taken = 0; taken < chunk.length; ) {
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
    if (this.#filledBytes > 0) await this.#sendCurrent();
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    this.#assertGoing();
    const { context, target } = this.given;
    const begun = await this.#begin();
    const parts = [...this.#parts.values()].sort((a, b) => a.partNumber - b.partNumber);
    const outcome = await completeUpload(context, { target, begun, parts, md5s: this.#md5s, content, signal: this.#signal });
    if (outcome.kind === 'done') {
      this.#state = 'over';
      context.journal.forget(begun.uploadId);
    } else {
      await this.abort();
    }
    return outcome;
  }

  #partBytes(): number {
    const { sizes } = this.given;
    if (this.#announced === undefined) return growingPartBytes(this.#partNumber, sizes);
    const partBytes = partBytesFor(this.#announced.sizeBytes, sizes);
    return Math.min(partBytes, this.#announced.sizeBytes - (this.#partNumber - 1) * partBytes);
  }

  #begin(): Promise<BegunUpload> {
    const { context, target, sizes } = this.given;
    this.#begun ??= beginUpload(context, target, sizes, this.#signal);
    return this.#begun;
  }

  /** Sends the part in hand as soon as fewer than so many are under way. */
  async #sendCurrent(): Promise<void> {
    const begun = await this.#begin().catch((error: unknown) => this.#fail(error));
    while (this.#underWay.size >= PARTS_AT_ONCE) await Promise.race(this.#underWay);
    this.#assertGoing();
    const buffer = this.#current!;
    const [partNumber, sizeBytes] = [this.#partNumber, this.#filledBytes];
    this.#current = undefined;
    this.#filledBytes = 0;
    this.#partNumber += 1;
    const sending = this.#sendPart(begun, partNumber, buffer.subarray(0, sizeBytes))
      .catch((error: unknown) => void (this.#failure ??= { error }))
      .finally(() => {
        this.#underWay.delete(sending);
        this.#buffers.give(buffer);
      });
    this.#underWay.add(sending);
  }

  async #sendPart(begun: BegunUpload, partNumber: number, content: Uint8Array): Promise<void> {
    const { context, target } = this.given;
    const { tagsByMd5, verifiesContent } = context.abilities();
    const there = begun.parts.get(partNumber);
    const isCandidate = tagsByMd5 && there?.sizeBytes === content.length;
    const md5 = isCandidate || (tagsByMd5 && !verifiesContent) ? md5Of(content) : undefined;
    if (md5 !== undefined) this.#md5s.set(partNumber, md5);
    if (isCandidate && there.etag === md5) {
      this.#parts.set(partNumber, there);
      return;
    }
    const part = await context.api.uploadPart(target.key, begun.uploadId, partNumber, content, sha256Of(content), this.#signal);
    if (!verifiesContent && md5 !== undefined && part.etag !== md5) throw notAsAnnounced('the server stored a part otherwise than it was sent');
    this.#parts.set(partNumber, { partNumber, etag: part.etag, sizeBytes: content.length });
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

/**
 * Copies small files whole, many at a time, from one storage to another (ADR 0003): batches
 * are read ahead while others are being written. INV-27: each file is checked between the
 * two, and each has an outcome of its own. INV-40: what is held is bounded in bytes and files.
 */

import type { CopyOutcome, CopyRequest, StorageBackend, WholeFiles, WholeReadOutcome, WholeWrite, WholeWriteOutcome } from '@wl/ports';

import { damagedSource, isDamaged } from './known-content.js';
import type { Stop } from './run-all.js';

/** A batch to be written is no larger, so that its outcomes come soon. */
const BATCH_FILES = 256;
const BATCH_BYTES = 4 << 20;
/** Batches being written at the same time. */
const MAX_WRITING = 4;
/** With fewer than so many under way, what there is is written at once: a slow source fills no batches. */
const EAGER_WRITING = 2;
/** No more is read while so much waits to be written or is being written. */
const MAX_HELD_BYTES = 16 << 20;
const MAX_HELD_FILES = 2048;

/** Both ends of whole copies, for files of up to `maxBytes`. */
export interface WholeWays {
  readonly from: WholeFiles;
  readonly to: WholeFiles;
  readonly maxBytes: number;
}

/** How small files get from one storage to another, `undefined` where one of them has no way to take them whole. */
export function wholeWays({ wholeFiles: from }: StorageBackend, { wholeFiles: to }: StorageBackend): WholeWays | undefined {
  if (from === undefined || to === undefined) return undefined;
  return { from, to, maxBytes: Math.min(from.maxBytes, to.maxBytes) };
}

/** How to hear of outcomes and to end early. */
export interface WholeCopyOptions {
  readonly onOutcome: (request: CopyRequest, outcome: CopyOutcome) => void;
  /** Nothing further is begun once this is set; it is set when this copy fails. */
  readonly stop: Stop;
  readonly signal: AbortSignal | undefined;
}

/**
 * Copies all; resolves when each has an outcome. Rejects when a storage was stopped or
 * `onOutcome` throws; what is being written then is waited for, and its outcomes are told.
 */
export async function copyWhole(requests: readonly CopyRequest[], ways: WholeWays, options: WholeCopyOptions): Promise<void> {
  if (requests.length > 0) await new WholeCopy(requests, ways, options).run();
}

/** A file read and found right. */
interface Checked {
  readonly request: CopyRequest;
  readonly isSourceRacy: boolean;
  readonly write: WholeWrite;
}

class WholeCopy {
  readonly #requests: readonly CopyRequest[];
  readonly #ways: WholeWays;
  readonly #options: WholeCopyOptions;
  #waiting: Checked[] = [];
  #heldBytes = 0;
  #heldFiles = 0;
  #isReading = true;
  #failure: { readonly error: unknown } | undefined;
  readonly #writing = new Set<Promise<void>>();

  constructor(requests: readonly CopyRequest[], ways: WholeWays, options: WholeCopyOptions) {
    this.#requests = requests;
    this.#ways = ways;
    this.#options = options;
  }

  async run(): Promise<void> {
    try {
      await this.#read();
    } catch (error) {
      this.#fail(error);
    }
    this.#isReading = false;
    this.#pump();
    while (this.#writing.size > 0) await Promise.race(this.#writing);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #read(): Promise<void> {
    const { stop, signal } = this.#options;
    const reads = this.#requests.map((request) => ({ path: request.path, expected: request.from.token, sizeBytes: request.from.sizeBytes }));
    let left = reads.length;
    for await (const outcomes of this.#ways.from.read(reads, signal)) {
      left -= outcomes.length;
      for (const { index, outcome } of outcomes) this.#take(this.#requests[index]!, outcome);
      this.#pump();
      while (this.#isFull() && this.#writing.size > 0) await Promise.race(this.#writing);
      if (stop.isStopped) return;
    }
    if (left !== 0) throw new Error(`a storage answered for ${String(reads.length - left)} of ${String(reads.length)} files that it was to read`);
  }

  /** INV-27: what was read must be the version that was planned. */
  #take(request: CopyRequest, outcome: WholeReadOutcome): void {
    if (outcome.kind === 'failed') return this.#tell(request, outcome);
    if (outcome.kind === 'changed' || outcome.content.byteLength !== request.from.sizeBytes) return this.#tell(request, SOURCE_CHANGED);
    const { content, sha256, attributes, isRacy } = outcome;
    if (isDamaged(attributes.content, { sha256, sizeBytes: content.byteLength })) return this.#tell(request, { kind: 'failed', error: damagedSource(request.path) });
    if (request.from.hash !== undefined && request.from.hash !== sha256) return this.#tell(request, SOURCE_CHANGED);
    this.#heldBytes += content.byteLength;
    this.#heldFiles += 1;
    this.#waiting.push({ request, isSourceRacy: isRacy, write: { path: request.path, expected: request.replaces?.token, content, sha256, attributes } });
  }

  #isFull(): boolean {
    return this.#heldBytes >= MAX_HELD_BYTES || this.#heldFiles >= MAX_HELD_FILES;
  }

  /** Starts to write what is worth a batch. */
  #pump(): void {
    while (this.#waiting.length > 0 && this.#writing.size < MAX_WRITING && !this.#options.stop.isStopped) {
      const { count, isWhole } = this.#nextBatch();
      if (!isWhole && this.#isReading && this.#writing.size >= EAGER_WRITING) return;
      const writing: Promise<void> = this.#write(this.#waiting.splice(0, count)).then(() => {
        this.#writing.delete(writing);
        this.#pump();
      });
      this.#writing.add(writing);
    }
  }

  #nextBatch(): { readonly count: number; readonly isWhole: boolean } {
    let count = 0;
    for (let bytes = 0; count < BATCH_FILES && count < this.#waiting.length; count += 1) {
      bytes += this.#waiting[count]!.write.content.byteLength;
      if (bytes > BATCH_BYTES && count > 0) return { count, isWhole: true };
    }
    return { count, isWhole: count === BATCH_FILES };
  }

  async #write(batch: readonly Checked[]): Promise<void> {
    try {
      const outcomes = await this.#ways.to.write(batch.map(({ write }) => write), this.#options.signal);
      for (const [index, checked] of batch.entries()) this.#tell(checked.request, outcomeOf(outcomes[index]!, checked));
    } catch (error) {
      this.#fail(error);
    }
    for (const { write } of batch) this.#heldBytes -= write.content.byteLength;
    this.#heldFiles -= batch.length;
  }

  /** An outcome that ends the whole copy keeps none of the others from being told. */
  #tell(request: CopyRequest, outcome: CopyOutcome): void {
    try {
      this.#options.onOutcome(request, outcome);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#options.stop.isStopped = true;
    this.#failure ??= { error };
  }
}

const SOURCE_CHANGED: CopyOutcome = { kind: 'source-changed' };

function outcomeOf(outcome: WholeWriteOutcome, { request, isSourceRacy, write }: Checked): CopyOutcome {
  switch (outcome.kind) {
    case 'written':
      return {
        kind: 'copied',
        sha256: write.sha256,
        sizeBytes: write.content.byteLength,
        sourceToken: request.from.token,
        isSourceRacy,
        targetToken: outcome.token,
        isTargetRacy: outcome.isRacy,
      };
    case 'stale':
      return outcome.leftover === undefined ? { kind: 'target-changed' } : { kind: 'target-changed', leftover: outcome.leftover };
    case 'failed':
      return outcome;
  }
}

/**
 * Small local files in bulk: batches are cut here, read and written by tasks, and their bytes
 * cross threads by being handed over.
 */

import type { WholeFiles, WholeRead, WholeReadOutcome, WholeWrite, WholeWriteOutcome } from '@wl/ports';

import { cutBatches } from './batches.js';
import { cancel, type CancelFlag } from './worker/cancellation.js';
import { failure, fromWireError, toWireError } from './worker/failure.js';
import type { BatchOutcome } from './worker/staged-batch.js';
import type { WholeReadAnswer, WholeReadBatch, WholeReadItem } from './worker/whole-read.js';
import type { WholeWriteItem } from './worker/whole-write.js';

/** Measured: at 64 KiB half the work of a stream, at 256 KiB three quarters, from 512 KiB on none is saved. */
const MAX_BYTES = 256 << 10;
/** What is read together should be on its way soon. */
const READ_BATCH = { files: 128, bytes: 2 << 20 } as const;
/** What is written together shares one flush. */
const WRITE_BATCH = { files: 512, bytes: 16 << 20 } as const;

/** What is needed of the storage. */
export interface WholeFilesHost {
  /** How many tasks run side by side. */
  readonly width: number;
  readonly isReadOnly: boolean;
  /** A flag that is raised when the signal aborts or the storage closes, until it is released; throws `cancelled` when that is so already. */
  hold(signal: AbortSignal | undefined): { readonly flag: CancelFlag; readonly release: () => void };
  read(items: readonly WholeReadItem[], flag: CancelFlag): Promise<WholeReadBatch>;
  /** The bytes are gone afterwards. */
  write(items: readonly WholeWriteItem[], bytes: ArrayBuffer, flag: CancelFlag): Promise<readonly (BatchOutcome | undefined)[]>;
}

/** Outcomes with the index of their request. */
type ReadResults = readonly { readonly index: number; readonly outcome: WholeReadOutcome }[];

/** The small files of one local storage. */
export class LocalWholeFiles implements WholeFiles {
  readonly maxBytes = MAX_BYTES;

  constructor(private readonly host: WholeFilesHost) {}

  async *read(requests: readonly WholeRead[], signal?: AbortSignal): AsyncGenerator<ReadResults, void, undefined> {
    const { flag, release } = this.host.hold(signal);
    const { width } = this.host;
    const batches = cutBatches(requests, ({ sizeBytes }) => sizeBytes, { ...READ_BATCH, width });
    const underWay: Promise<ReadResults>[] = [];
    try {
      for (let next = 0; ; ) {
        // Beside the batch that is waited for, one for each thread: as far as reading ahead goes (INV-40).
        for (let batch = batches[next]; batch !== undefined && underWay.length <= width; batch = batches[next]) {
          next += 1;
          const reading = this.readBatch(requests.slice(batch.start, batch.end), batch.start, flag);
          // A failure is met when its turn comes; until then it must not count as unhandled.
          reading.catch(() => undefined);
          underWay.push(reading);
        }
        const results = await underWay.shift();
        if (results === undefined) return;
        yield results;
      }
    } finally {
      // Whoever stops asking needs nothing of what is still being read.
      cancel(flag);
      release();
      await Promise.allSettled(underWay);
    }
  }

  async write(requests: readonly WholeWrite[], signal?: AbortSignal): Promise<readonly WholeWriteOutcome[]> {
    const { flag, release } = this.host.hold(signal);
    try {
      const batches = cutBatches(requests, ({ content }) => content.byteLength, { ...WRITE_BATCH, width: 1 });
      const written: WholeWriteOutcome[][] = [];
      const waiting = batches.entries();
      const work = async (): Promise<void> => {
        for (const [index, { start, end }] of waiting) written[index] = await this.writeBatch(requests.slice(start, end), flag);
      };
      const ends = await Promise.allSettled(Array.from({ length: this.host.width }, work));
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
      return written.flat();
    } finally {
      release();
    }
  }

  private async readBatch(requests: readonly WholeRead[], start: number, flag: CancelFlag): Promise<ReadResults> {
    try {
      const { answers, bytes } = await this.host.read(requests.map(({ path, expected, sizeBytes }) => ({ path, expected, sizeBytes })), flag);
      return answers.map((answer, offset) => ({ index: start + offset, outcome: readOutcome(answer, bytes, requests[offset]!.sizeBytes) }));
    } catch (caught) {
      return requests.map(({ path }, offset) => ({ index: start + offset, outcome: failed(caught, 'read', path) }));
    }
  }

  private async writeBatch(requests: readonly WholeWrite[], flag: CancelFlag): Promise<WholeWriteOutcome[]> {
    const { isReadOnly } = this.host;
    if (isReadOnly) return requests.map(({ path }) => failed(failure('read-only', 'replace', path, 'this storage is set up as read-only'), 'replace', path));
    const { items, bytes } = pack(requests);
    try {
      const outcomes = await this.host.write(items, bytes, flag);
      return requests.map((_, index) => writeOutcome(outcomes[index]));
    } catch (caught) {
      return requests.map(({ path }) => failed(caught, 'replace', path));
    }
  }
}

/** One piece of memory for a batch, as it is handed over; the caller's own stays his. */
function pack(requests: readonly WholeWrite[]): { readonly items: WholeWriteItem[]; readonly bytes: ArrayBuffer } {
  let sizeBytes = 0;
  for (const { content } of requests) sizeBytes += content.byteLength;
  const bytes = Buffer.allocUnsafeSlow(sizeBytes);
  let offset = 0;
  const items = requests.map(({ path, expected, content, sha256, attributes: { mtimeMs, isExecutable } }) => {
    const item: WholeWriteItem = { path, replaces: expected, offset, sizeBytes: content.byteLength, sha256, mtimeMs, isExecutable };
    bytes.set(content, offset);
    offset += content.byteLength;
    return item;
  });
  return { items, bytes: bytes.buffer };
}

function readOutcome(answer: WholeReadAnswer, bytes: ArrayBuffer, sizeBytes: number): WholeReadOutcome {
  switch (answer.kind) {
    case 'read': {
      const { offset, sha256, mtimeMs, isExecutable, isRacy } = answer;
      return { kind: 'read', content: new Uint8Array(bytes, offset, sizeBytes), sha256, attributes: { mtimeMs, ...(isExecutable !== undefined && { isExecutable }) }, isRacy };
    }
    case 'changed':
      return answer;
    case 'failed':
      return { kind: 'failed', error: fromWireError(answer.error) };
  }
}

/** Throws for one that was not reached: writing was stopped. */
function writeOutcome(outcome: BatchOutcome | undefined): WholeWriteOutcome {
  switch (outcome?.kind) {
    case undefined:
      throw failure('cancelled', 'replace', undefined, 'stopped on request');
    case 'shown':
      return { kind: 'written', token: outcome.token, isRacy: outcome.isRacy };
    case 'failed':
      return { kind: 'failed', error: fromWireError(outcome.error) };
    case 'source-changed':
    case 'target-changed':
      return 'leftover' in outcome && outcome.leftover !== undefined ? { kind: 'stale', leftover: outcome.leftover } : { kind: 'stale' };
  }
}

/** What kept a whole batch from being done, told of each of its files; being stopped is thrown on. */
function failed(caught: unknown, operation: 'read' | 'replace', path: string): Extract<WholeReadOutcome, { kind: 'failed' }> {
  const error = toWireError(caught, operation, path);
  if (error.code === 'cancelled') throw caught;
  return { kind: 'failed', error: fromWireError({ ...error, details: { ...error.details, operation, path } }) };
}

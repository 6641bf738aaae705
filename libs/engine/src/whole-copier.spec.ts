/** Small files on their way between two storages that are nothing but counters: order, bounds, ends. */

import { describe, expect, it } from '@jest/globals';
import { toRelativePath, toSha256, type Token } from '@wl/domain';
import { BackendError, type CopyOutcome, type CopyRequest, type WholeFiles, type WholeReadOutcome, type WholeWriteOutcome } from '@wl/ports';

import { copyWhole, type WholeCopyOptions } from './whole-copier.js';

const HASH = toSha256('ab'.repeat(32));
const OTHER_HASH = toSha256('cd'.repeat(32));
const MIB = 1 << 20;

function requestsOf(count: number, sizeBytes: number): CopyRequest[] {
  return Array.from({ length: count }, (_, i) => ({
    path: toRelativePath(`f${String(i)}`),
    from: { kind: 'file', token: `t${String(i)}` as Token, sizeBytes, mtimeMs: 0, hash: undefined, isRacy: false },
    replaces: undefined,
  }));
}

function readOf(sizeBytes: number, more: Partial<Extract<WholeReadOutcome, { kind: 'read' }>> = {}): WholeReadOutcome {
  return { kind: 'read', content: new Uint8Array(sizeBytes), sha256: HASH, attributes: { mtimeMs: 0 }, isRacy: false, ...more };
}

/** Lets everything happen that can. */
async function quiet(): Promise<void> {
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A source that answers in batches, and a target that writes when it is told to; both count. */
class Ends {
  readonly batches: number[] = [];
  readonly outcomes: [string, CopyOutcome][] = [];
  heldBytes = 0;
  mostHeldBytes = 0;
  mostWriting = 0;
  isReaderClosed = false;
  readonly release: (() => void)[] = [];
  #writing = 0;

  constructor(
    readonly answer: (request: CopyRequest, index: number) => WholeReadOutcome,
    readonly readBatch: number,
    readonly write: (count: number) => readonly WholeWriteOutcome[] = (count) => Array.from({ length: count }, () => ({ kind: 'written', token: 'new' as Token, isRacy: false })),
  ) {}

  run(requests: readonly CopyRequest[], options: Partial<WholeCopyOptions> = {}): Promise<void> {
    const onOutcome = (request: CopyRequest, outcome: CopyOutcome): void => void this.outcomes.push([request.path, outcome]);
    const ways = { from: this.#from(requests), to: this.#to(), maxBytes: MIB };
    return copyWhole(requests, ways, { onOutcome, stop: { isStopped: false }, signal: undefined, ...options });
  }

  /** Lets every write end, also those that begin then. */
  async releaseAll(): Promise<void> {
    for (await quiet(); this.release.length > 0; await quiet()) for (const release of this.release.splice(0)) release();
  }

  #from(requests: readonly CopyRequest[]): WholeFiles {
    return { maxBytes: MIB, read: () => this.#read(requests), write: () => Promise.reject(new Error('nothing is written to the source')) };
  }

  async *#read(requests: readonly CopyRequest[]): AsyncGenerator<{ index: number; outcome: WholeReadOutcome }[]> {
    try {
      for (let start = 0; start < requests.length; start += this.readBatch) {
        const results = requests.slice(start, start + this.readBatch).map((request, offset) => ({ index: start + offset, outcome: this.answer(request, start + offset) }));
        for (const { outcome } of results) if (outcome.kind === 'read') this.heldBytes += outcome.content.byteLength;
        this.mostHeldBytes = Math.max(this.mostHeldBytes, this.heldBytes);
        yield results;
      }
    } finally {
      this.isReaderClosed = true;
    }
  }

  #to(): WholeFiles {
    return {
      maxBytes: MIB,
      read: () => {
        throw new Error('nothing is read from the target');
      },
      write: async (writes) => {
        this.batches.push(writes.length);
        this.#writing += 1;
        this.mostWriting = Math.max(this.mostWriting, this.#writing);
        await new Promise<void>((resolve) => this.release.push(resolve));
        this.#writing -= 1;
        for (const { content } of writes) this.heldBytes -= content.byteLength;
        return this.write(writes.length);
      },
    };
  }
}

describe('whole copies', () => {
  it('INV-40: hold no more than a bounded number of bytes, whatever the number of files', async () => {
    const ends = new Ends(() => readOf(MIB), 2);
    const running = ends.run(requestsOf(200, MIB));
    await quiet();
    expect(ends.mostHeldBytes).toBeLessThanOrEqual(18 * MIB);
    expect(ends.batches.length).toBeGreaterThan(2);
    await ends.releaseAll();
    await running;
    expect(ends.outcomes).toHaveLength(200);
    expect(ends.mostHeldBytes).toBeLessThanOrEqual(18 * MIB);
    expect(ends.mostWriting).toBe(4);
  });

  it('INV-40: hold no more than a bounded number of empty files', async () => {
    const ends = new Ends(() => readOf(0), 100);
    const running = ends.run(requestsOf(10_000, 0));
    await quiet();
    expect(ends.batches.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(2048);
    await ends.releaseAll();
    await running;
    expect(ends.outcomes).toHaveLength(10_000);
    expect(Math.max(...ends.batches)).toBeLessThanOrEqual(256);
  });

  it('write at once what a slow source gives, and in batches what comes meanwhile', async () => {
    const ends = new Ends(() => readOf(10), 1);
    const running = ends.run(requestsOf(50, 10));
    await quiet();
    expect(ends.batches).toEqual([1, 1, 48]);
    await ends.releaseAll();
    await running;
  });

  it('INV-27: copy nothing that is not what was planned, and tell why file by file', async () => {
    const [changed, longer, damaged, otherHash, failing, good, racy] = requestsOf(7, 10);
    const known = { ...otherHash!, from: { ...otherHash!.from, hash: OTHER_HASH } };
    const broken = new BackendError('permission-denied', { operation: 'read', path: failing!.path, retryable: false });
    const answers: WholeReadOutcome[] = [
      { kind: 'changed' },
      readOf(11),
      readOf(10, { attributes: { mtimeMs: 0, content: { sha256: OTHER_HASH, sizeBytes: 10 } } }),
      readOf(10),
      { kind: 'failed', error: broken },
      readOf(10, { attributes: { mtimeMs: 0, content: { sha256: HASH, sizeBytes: 10 } } }),
      readOf(10, { isRacy: true }),
    ];
    const ends = new Ends((_, index) => answers[index]!, 3);
    const running = ends.run([changed!, longer!, damaged!, known, failing!, good!, racy!]);
    await ends.releaseAll();
    await running;
    const copied = { kind: 'copied', sha256: HASH, sizeBytes: 10, targetToken: 'new' };
    expect(Object.fromEntries(ends.outcomes)).toMatchObject({
      f0: { kind: 'source-changed' },
      f1: { kind: 'source-changed' },
      f2: { kind: 'failed', error: { code: 'damaged', details: { operation: 'read', path: 'f2' } } },
      f3: { kind: 'source-changed' },
      f4: { kind: 'failed', error: broken },
      f5: { ...copied, sourceToken: 't5', isSourceRacy: false },
      f6: { ...copied, sourceToken: 't6', isSourceRacy: true },
    });
    expect(ends.outcomes).toHaveLength(7);
  });

  it('INV-16: one that the target refuses stops no other', async () => {
    const error = new BackendError('no-space', { operation: 'replace', path: 'f1', retryable: false });
    const ends = new Ends(() => readOf(1), 4, () => [{ kind: 'written', token: 'n' as Token, isRacy: true }, { kind: 'failed', error }, { kind: 'stale' }, { kind: 'stale', leftover: '.wl/trash/f3' }]);
    const running = ends.run(requestsOf(4, 1));
    await ends.releaseAll();
    await running;
    expect(ends.outcomes.map(([, outcome]) => outcome)).toMatchObject([
      { kind: 'copied', isTargetRacy: true },
      { kind: 'failed', error },
      { kind: 'target-changed' },
      { kind: 'target-changed', leftover: '.wl/trash/f3' },
    ]);
  });

  it('begin nothing more after a failure, wait for what is under way and tell its outcomes', async () => {
    const ends = new Ends(() => readOf(1), 1);
    const stop = { isStopped: false };
    const told: string[] = [];
    const running = ends.run(requestsOf(1000, 1), {
      stop,
      onOutcome: ({ path }) => {
        told.push(path);
        if (path === 'f2') throw new Error('the storage is gone');
      },
    });
    const ended = expect(running).rejects.toThrow('the storage is gone');
    await quiet();
    expect(ends.batches).toEqual([1, 1, 256, 256]);
    ends.release.splice(2, 1)[0]!();
    await quiet();
    expect(stop.isStopped).toBe(true);
    await ends.releaseAll();
    await ended;
    expect(told).toHaveLength(514);
    expect(ends.batches).toHaveLength(4);
  });

  it('stop reading as soon as others have failed', async () => {
    const stop = { isStopped: false };
    const ends = new Ends((_, index) => ((stop.isStopped = index === 5), readOf(1)), 1);
    const running = ends.run(requestsOf(1000, 1), { stop });
    await ends.releaseAll();
    await running;
    expect(ends.isReaderClosed).toBe(true);
    expect(ends.outcomes.length).toBeLessThan(6);
  });

  it('a storage that answers for fewer files than it was asked for is found out', async () => {
    const from: WholeFiles = {
      maxBytes: MIB,
      read: async function* () {
        yield [{ index: 0, outcome: readOf(1) }];
      },
      write: () => Promise.resolve([]),
    };
    const to: WholeFiles = { ...from, write: () => Promise.resolve([{ kind: 'written', token: 'n' as Token, isRacy: false }]) };
    const told: string[] = [];
    const options = { onOutcome: ({ path }: CopyRequest): void => void told.push(path), stop: { isStopped: false }, signal: undefined };
    await expect(copyWhole(requestsOf(3, 1), { from, to, maxBytes: MIB }, options)).rejects.toThrow('1 of 3 files');
    expect(told).toEqual(['f0']);
  });
});

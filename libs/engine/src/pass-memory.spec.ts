/** Bounded memory (INV-40): storages that exist only as generators, and the heap looked at on the way. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { describe, expect, it } from '@jest/globals';
import { toSha256, type Key, type Token } from '@wl/domain';
import type { BaselineBatch, BaselineChange, BaselineRow, ListingBatch, PairState, StorageBackend, SyncerEvents } from '@wl/ports';

import { runPass } from './pass.js';
import { Rig } from './testing/rig.js';

setFlagsFromString('--expose_gc');
const collectGarbage = runInNewContext('gc') as () => void;

const ENTRIES = 100_000;
const FILES_PER_DIRECTORY = 999;
const MIB = 1024 * 1024;

/** Keys of a big tree, in order: directories of 999 files. */
function* keys(): Generator<string> {
  for (let i = 0; i < ENTRIES; i += 1) {
    const [directory, file] = [Math.floor(i / (FILES_PER_DIRECTORY + 1)), i % (FILES_PER_DIRECTORY + 1)];
    yield `d${String(directory).padStart(6, '0')}/${file === 0 ? '' : String(file).padStart(6, '0')}`;
  }
}

/** Groups of a thousand; `onBatch` hears how many entries went before. */
function* batches(onBatch: (before: number) => void = () => undefined): Generator<string[]> {
  let batch: string[] = [];
  let before = 0;
  for (const key of keys()) {
    batch.push(key);
    if (batch.length < 1000) continue;
    onBatch(before);
    before += batch.length;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

const isFile = (key: string): boolean => !key.endsWith('/');
const tokenOf = (key: string, side: string): string => (isFile(key) ? `${side} ${key}` : '');

function listing(batch: readonly string[], side: string): ListingBatch {
  const count = batch.length;
  return {
    keys: batch,
    kinds: Uint8Array.from(batch, (key) => (isFile(key) ? 0 : 1)),
    tokens: batch.map((key) => tokenOf(key, side)),
    sizes: new Float64Array(count).fill(7),
    mtimes: new Float64Array(count),
    racy: new Uint8Array(count),
    reasons: new Map(),
  };
}

/** A storage that is nothing but a listing; whatever else is asked of it fails the test. */
function fakeStorage(side: string, list: () => Iterable<ListingBatch>, more: Partial<StorageBackend> = {}): StorageBackend {
  const fake: Partial<StorageBackend> = {
    backendId: side,
    type: side,
    displayLocation: side,
    capabilities: { isReadOnly: false, replace: 'atomic', remove: 'atomic', isCaseSensitive: true, keepsEmptyDirectories: true, hasTrash: true, notes: [] },
    open: () => Promise.resolve(),
    flush: () => Promise.resolve(),
    rootIdentity: () => Promise.resolve({ ids: [side], location: side }),
    list: async function* () {
      yield* list();
    },
    ...more,
  };
  return fake as StorageBackend;
}

/** Heap in use at a tenth and at nine tenths of the way, in bytes, with everything collected that can be. */
function probe(): { readonly onBatch: (before: number) => void; readonly growth: () => number } {
  const seen: number[] = [];
  const points = [ENTRIES * 0.1, ENTRIES * 0.9];
  return {
    onBatch: (before) => {
      if (seen.length >= points.length || before < points[seen.length]!) return;
      collectGarbage();
      seen.push(process.memoryUsage().heapUsed);
    },
    growth: () => seen[1]! - seen[0]!,
  };
}

const nothing = (): void => undefined;
const silent: SyncerEvents = {
  state: nothing, operation: nothing, progress: nothing, conflict: nothing, conflictResolved: nothing,
  report: nothing, halt: nothing, error: nothing, note: nothing, noteEnded: nothing,
};

const OPTIONS = { allowMassDelete: false, acceptNewRoot: false, deletionDelayMs: 0, retries: 0 };

describe('memory', () => {
  it('T89, INV-40: a pass over many entries that agree holds none of them', async () => {
    const { onBatch, growth } = probe();
    const rig = new Rig();
    function* scan(): Generator<BaselineBatch> {
      for (const batch of batches()) {
        yield {
          keys: batch,
          sizes: new Float64Array(batch.length).fill(7),
          sourceTokens: batch.map((key) => tokenOf(key, 'source')),
          targetTokens: batch.map((key) => tokenOf(key, 'target')),
        };
      }
    }
    let rowsRead = 0;
    const rows: Partial<PairState> = {
      scan,
      get: () => void (rowsRead += 1),
      commit: () => {
        throw new Error('there is nothing to write');
      },
    };
    const pair = Object.assign(Object.create(rig.pair) as PairState, rows);
    function* source(): Generator<ListingBatch> {
      for (const batch of batches(onBatch)) yield listing(batch, 'source');
    }
    function* target(): Generator<ListingBatch> {
      for (const batch of batches()) yield listing(batch, 'target');
    }
    const context = rig.context({ pair, source: fakeStorage('source', source), target: fakeStorage('target', target) });
    const { report } = await runPass(context, 'all', OPTIONS);
    expect(report).toMatchObject({ isComplete: true, copiedFiles: 0, deletedFiles: 0, problems: [] });
    expect(rowsRead).toBe(0);
    // Held, the entries would be some 30 MiB.
    expect(growth()).toBeLessThan(4 * MIB);
  });

  it('T89, INV-40: a first sync of many files holds none of them for long', async () => {
    const { onBatch, growth } = probe();
    const rig = new Rig();
    const counted = { rows: 0, directories: 0 };
    let serial = 0;
    const rows: Partial<PairState> = { get: () => undefined, commit: (changes: readonly BaselineChange[]) => void (counted.rows += changes.length) };
    const pair = Object.assign(Object.create(rig.pair) as PairState, rows);
    function* source(): Generator<ListingBatch> {
      for (const batch of batches(onBatch)) yield listing(batch, 'source');
    }
    const target = fakeStorage('target', () => [], {
      makeDirectory: () => {
        counted.directories += 1;
        return Promise.resolve({ ok: true, value: undefined });
      },
      async *copyFrom(_, requests) {
        for (const [index, { from }] of requests.entries()) {
          const token = `new ${from.token}` as Token;
          const sha256 = toSha256((serial += 1).toString(16).padStart(64, '0').split('').reverse().join(''));
          yield [{ index, outcome: { kind: 'copied', sha256, sizeBytes: 7, sourceToken: from.token, isSourceRacy: false, targetToken: token, isTargetRacy: false } }];
        }
      },
    });
    const { report } = await runPass(rig.context({ pair, events: silent, source: fakeStorage('source', source), target }), 'all', OPTIONS);
    expect(report).toMatchObject({ copiedFiles: ENTRIES - counted.directories, madeDirectories: 100, problems: [] });
    expect(counted).toEqual({ rows: ENTRIES, directories: 100 });
    expect(growth()).toBeLessThan(8 * MIB);
  });

  it('INV-40: endless problems are counted, not kept', async () => {
    const rig = new Rig();
    const broken = (side: string): ListingBatch[] =>
      [...batches()].slice(0, 30).map((batch) => {
        const files = batch.filter(isFile);
        return { ...listing(files, side), kinds: new Uint8Array(files.length).fill(2), tokens: files.map(() => ''), reasons: new Map(files.map((_, i) => [i, 'symlink'])) };
      });
    const context = rig.context({ source: fakeStorage('source', () => broken('source')), target: fakeStorage('target', () => []) });
    const { report } = await runPass(context, 'all', OPTIONS);
    expect(report.skipped).toHaveLength(10_000);
  });

  it('reads a row only where something differs', async () => {
    const rig = new Rig();
    for (let i = 0; i < 200; i += 1) rig.sourceTree.write(`d/${String(i)}`, 't');
    await rig.clock.advance(60_000);
    await rig.pass();
    rig.sourceTree.write('d/5', 'changed');
    const read: Key[] = [];
    const get = rig.pair.get.bind(rig.pair);
    const rows: Partial<PairState> = { get: (key: Key): BaselineRow | undefined => (read.push(key), get(key)) };
    await rig.pass('all', {}, { pair: Object.assign(Object.create(rig.pair) as PairState, rows) });
    expect(new Set(read)).toEqual(new Set(['d/5']));
  });
});

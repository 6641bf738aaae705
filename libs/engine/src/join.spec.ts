/** The join says the same whether runs are compared as a whole or row by row (ADR 0015). */

import { describe, expect, it } from '@jest/globals';
import { compareKeys, type Key } from '@wl/domain';
import { endsRun, EntryKind, KEY_SEPARATOR, packListing, runHash, TOKEN_SEPARATOR, type BaselineBatch, type BaselineScan, type ListingBatch } from '@wl/ports';

import { BaselineCursor } from './baseline-cursor.js';
import { ListingCursor } from './cursors.js';
import { joinStreams } from './join.js';

/** Key → token, `''` for a directory. */
type Rows = ReadonlyMap<string, string>;

/** Rows in key order, cut where their keys say so, and nowhere else. */
function runsOf(rows: Rows): string[][] {
  const runs: string[][] = [[]];
  for (const key of [...rows.keys()].sort(compareKeys)) {
    runs.at(-1)?.push(key);
    if (endsRun(runHash(key))) runs.push([]);
  }
  return runs.filter((run) => run.length > 0);
}

async function* listing(rows: Rows, isJoined: boolean): AsyncGenerator<ListingBatch> {
  for (const keys of runsOf(rows)) {
    const batch = packListing(
      keys.map((key) => ({
        key,
        kind: key.endsWith('/') ? EntryKind.directory : EntryKind.file,
        token: rows.get(key) ?? '',
        sizeBytes: 1,
        mtimeMs: 0,
        isRacy: false,
        reason: undefined,
      })),
    );
    const joined = { keys: keys.join(KEY_SEPARATOR), tokens: batch.tokens.join(TOKEN_SEPARATOR) };
    yield isJoined ? { ...batch, joined } : batch;
  }
}

function* baseline(rows: Rows, isJoined: boolean, firstRows: number): BaselineScan {
  const keys = [...rows.keys()].sort(compareKeys);
  let through: string | undefined;
  for (let start = 0; start < keys.length; ) {
    const end = through === undefined ? -1 : keys.findLastIndex((key) => compareKeys(key, through as string) <= 0) + 1;
    const some = keys.slice(start, end > start ? end : start + firstRows);
    start += some.length;
    const tokens = some.map((key) => rows.get(key) ?? '');
    const batch: BaselineBatch = { keys: some, sizes: some.map(() => 1), sourceTokens: tokens, targetTokens: tokens };
    const text = tokens.join(TOKEN_SEPARATOR);
    through = yield isJoined ? { ...batch, joined: { keys: some.join(KEY_SEPARATOR), sourceTokens: text, targetTokens: text } } : batch;
  }
}

async function joined(source: Rows, target: Rows, known: Rows, isJoined: boolean): Promise<{ keys: Key[]; seen: number; files: number[] }> {
  const cursors = [new ListingCursor(listing(source, isJoined), undefined), new ListingCursor(listing(target, isJoined), undefined)] as const;
  let seen = 0;
  const rows: Key[] = [];
  const onSeen = (count: number): void => void (seen += count);
  const position = new BaselineCursor(baseline(known, isJoined, 100));
  for await (const chunk of joinStreams(...cursors, position, { chunkRows: 50, deliverAll: false, onSeen, signal: undefined })) {
    rows.push(...chunk.map(({ key }) => key));
  }
  return { keys: rows, seen, files: cursors.map(({ filesSeen }) => filesSeen) };
}

const TREE: Rows = new Map(
  Array.from({ length: 12_000 }, (_, i): [string, string] => {
    const directory = `d${String(Math.floor(i / 100)).padStart(3, '0')}/`;
    return i % 100 === 0 ? [directory, ''] : [`${directory}f${String(i)}`, `token ${String(i)}`];
  }),
);

function without(rows: Rows, ...keys: string[]): Rows {
  return new Map([...rows].filter(([key]) => !keys.includes(key)));
}

describe('a join of joined runs', () => {
  it('passes over all rows where nothing has changed, and counts them', async () => {
    const result = await joined(TREE, TREE, TREE, true);
    expect(result).toEqual(await joined(TREE, TREE, TREE, false));
    expect(result).toMatchObject({ keys: [], seen: 12_000, files: [11_880, 11_880] });
  });

  it.each<[string, Rows, Rows, Rows]>([
    ['a changed token on the source', new Map([...TREE, ['d050/f5001', 'other']]), TREE, TREE],
    ['a changed token on the target', TREE, new Map([...TREE, ['d050/f5001', 'other']]), TREE],
    ['a file that is not on the source', without(TREE, 'd000/f1', 'd110/f11001'), TREE, TREE],
    ['a file that the baseline does not know', TREE, TREE, without(TREE, 'd070/f7050', 'd119/f11999')],
    ['a file that only the baseline knows', without(TREE, 'd070/f7050'), without(TREE, 'd070/f7050'), TREE],
    ['a new file at either end', new Map([...TREE, ['a', '1'], ['z', '2']]), TREE, TREE],
    ['a token that the baseline does not rely on', TREE, TREE, new Map([...TREE, ['d050/f5001', '']])],
    ['nothing on one side', new Map(), TREE, TREE],
    ['no baseline', TREE, TREE, new Map()],
  ])('delivers the same rows as one of single rows: %s', async (_, source, target, known) => {
    const result = await joined(source, target, known, true);
    expect(result).toEqual(await joined(source, target, known, false));
    expect(result.keys.length).toBeGreaterThan(0);
  });

  it('INV-8, T06: refuses a listing that repeats a run', async () => {
    async function* twice(): AsyncGenerator<ListingBatch> {
      for await (const batch of listing(TREE, true)) {
        yield batch;
        yield batch;
      }
    }
    const cursors = [new ListingCursor(twice(), undefined), new ListingCursor(twice(), undefined)] as const;
    const options = { chunkRows: 50, deliverAll: false, onSeen: () => undefined, signal: undefined };
    const all = async (): Promise<void> => {
      for await (const chunk of joinStreams(...cursors, new BaselineCursor(baseline(TREE, true, 100)), options)) void chunk;
    };
    await expect(all()).rejects.toMatchObject({ code: 'damaged' });
  });
});

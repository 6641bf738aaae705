/**
 * Whatever the three streams hold, wherever they are cut, and whichever of their runs are joined: the join
 * delivers, counts and refuses the same as one that looks at every row by itself (ADR 0015).
 */

import { describe, expect, it } from '@jest/globals';
import { compareKeys, type UnknownReason } from '@wl/domain';
import {
  EntryKind,
  KEY_SEPARATOR,
  packListing,
  TOKEN_SEPARATOR,
  type BaselineBatch,
  type BaselineScan,
  type EntryKindValue,
  type JoinedPlace,
  type ListingBatch,
  type PathFilter,
} from '@wl/ports';
import fc from 'fast-check';

import { BaselineCursor } from './baseline-cursor.js';
import { ListingCursor } from './cursors.js';
import { joinStreams, type JoinedRow } from './join.js';

/** `WL_SEED` repeats a run that failed, `WL_RUNS` makes as many as wanted. */
const { WL_SEED: SEED, WL_RUNS: RUNS = '60' } = process.env;
const SETTINGS = { numRuns: Number(RUNS), ...(SEED !== undefined && { seed: Number(SEED) }) };

/** What a stream holds of a key: what all agree on, another version, nothing, or (a listing) no observation and (the baseline) no token. */
type Holding = 'same' | 'other' | 'absent' | 'unsure';

/** A key and what each stream holds of it. */
interface Row {
  readonly key: string;
  readonly source: Holding;
  readonly target: Holding;
  readonly baseline: Holding;
}

/** How a stream is cut: the lengths of its runs, in turn, and which of them are joined. */
interface Cut {
  readonly lengths: readonly number[];
  readonly areJoined: readonly boolean[];
}

/** Names that are joined to keys with dots beside slashes, line breaks, and more than one unit. */
const part = fc.constantFrom('a', 'b', 'a.', '.b', '..c', 'é', '\u{10000}', 'with\nbreak', 'a rather long name, as those that people give');
const key = fc.tuple(fc.array(part, { minLength: 1, maxLength: 3 }), fc.constantFrom('', '', '', '/')).map(([parts, end]) => parts.join('/') + end);
const holding = fc.oneof(
  { weight: 40, arbitrary: fc.constant<Holding>('same') },
  { weight: 1, arbitrary: fc.constantFrom<Holding>('other', 'absent', 'unsure') },
);
const rows = fc
  .uniqueArray(fc.record({ key, source: holding, target: holding, baseline: holding }), { selector: (row) => row.key, minLength: 1, maxLength: 250, size: 'max' })
  .map((list) => list.sort((a, b) => compareKeys(a.key, b.key)));
const agreed = rows.map((list) => list.map((row): Row => ({ key: row.key, source: 'same', target: 'same', baseline: 'same' })));
const cut = fc.record({
  lengths: fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1, maxLength: 4 }),
  areJoined: fc.oneof(fc.constant([true]), fc.array(fc.boolean(), { minLength: 1, maxLength: 4 })),
});
const cuts = fc.record({ source: cut, target: cut, baseline: cut });

const NEVER: Cut = { lengths: [7], areJoined: [false] };

function isDirectory(text: string): boolean {
  return text.endsWith('/');
}

function tokenOf(text: string, held: Holding): string {
  if (isDirectory(text) || held === 'unsure') return '';
  // Of two values, so that rows which are not the same often have the same one.
  return held === 'same' ? `token ${String(text.length % 2)}` : 'other';
}

function runsOf<T>(list: readonly T[], { lengths, areJoined }: Cut): { readonly run: T[]; readonly isJoined: boolean }[] {
  const runs = [];
  for (let start = 0, n = 0; start < list.length; n += 1) {
    const run = list.slice(start, start + lengths[n % lengths.length]!);
    runs.push({ run, isJoined: areJoined[n % areJoined.length]! });
    start += run.length;
  }
  return runs;
}

async function* listing(list: readonly Row[], side: 'source' | 'target', how: Cut): AsyncGenerator<ListingBatch> {
  const held = list.filter((row) => row[side] !== 'absent');
  for (const { run, isJoined } of runsOf(held, how)) {
    const entries = run.map(({ key: text, [side]: holds }) => {
      const isUnsure = holds === 'unsure';
      let kind: EntryKindValue = isDirectory(text) ? EntryKind.directory : EntryKind.file;
      if (isUnsure && !isDirectory(text)) kind = EntryKind.unknown;
      const reason: UnknownReason | undefined = isUnsure ? 'read-error' : undefined;
      return { key: text, kind, token: tokenOf(text, holds), sizeBytes: 1, mtimeMs: 0, isRacy: false, reason };
    });
    const batch = packListing(entries);
    const joined = { keys: batch.keys.join(KEY_SEPARATOR), tokens: batch.tokens.join(TOKEN_SEPARATOR) };
    yield isJoined && batch.reasons.size === 0 ? { ...batch, joined } : batch;
  }
}

/** Whoever takes a row out of a joined run must have asked for it, at its right place; `asked` gets its key. */
function* baseline(list: readonly Row[], how: Cut, asked: Set<string>): BaselineScan {
  const held = list.filter((row) => row.baseline !== 'absent');
  for (const { run, isJoined } of runsOf(held, how)) {
    const keys = run.map((row) => row.key);
    const tokens = run.map((row) => tokenOf(row.key, row.baseline));
    const batch: BaselineBatch = { keys, sizes: run.map(() => 1), sourceTokens: tokens, targetTokens: tokens };
    if (!isJoined) {
      for (const text of keys) asked.add(text);
      yield batch;
      continue;
    }
    const text = tokens.join(TOKEN_SEPARATOR);
    const beginningOf = (texts: readonly string[], index: number, separator: string): number =>
      texts.slice(0, index).reduce((sum, before) => sum + before.length + separator.length, 0);
    const verify = ({ index, ...begins }: JoinedPlace): void => {
      const token = beginningOf(tokens, index, TOKEN_SEPARATOR);
      const isRight = begins.key === beginningOf(keys, index, KEY_SEPARATOR) && begins.sourceToken === token && begins.targetToken === token;
      if (!isRight || index > keys.length) throw new Error(`no row ${String(index)} of ${String(keys.length)} begins at ${JSON.stringify(begins)}`);
      if (index < keys.length) asked.add(keys[index]!);
    };
    yield { ...batch, joined: { keys: keys.join(KEY_SEPARATOR), sourceTokens: text, targetTokens: text }, verify };
  }
}

interface Streams {
  readonly source: AsyncIterable<ListingBatch>;
  readonly target: AsyncIterable<ListingBatch>;
  readonly known: BaselineScan;
  readonly filter?: PathFilter;
}

interface Outcome {
  readonly rows: readonly JoinedRow[];
  readonly seen: number;
  readonly files: readonly number[];
  readonly unknown: readonly number[];
}

async function outcomeOf({ source, target, known, filter }: Streams): Promise<Outcome> {
  const cursors = [new ListingCursor(source, filter), new ListingCursor(target, filter)] as const;
  let seen = 0;
  const delivered: JoinedRow[] = [];
  const onSeen = (count: number): void => void (seen += count);
  for await (const chunk of joinStreams(...cursors, new BaselineCursor(known), { chunkRows: 5, deliverAll: false, onSeen, signal: undefined })) {
    delivered.push(...chunk);
  }
  return { rows: delivered, seen, files: cursors.map((cursor) => cursor.filesSeen), unknown: cursors.map((cursor) => cursor.unknownSeen) };
}

/** Leaves out what is called `b`, with all below. */
const WITHOUT_B: PathFilter = { patterns: ['b'], ignores: (path) => path.split('/').includes('b') };

describe('a join of any streams', () => {
  it('ADR 0015, INV-11: says the same as one row by row, and takes no row of the baseline out of a run unasked', async () => {
    const property = fc.asyncProperty(rows, cuts, fc.constantFrom(undefined, undefined, WITHOUT_B), async (list, how, filter) => {
      const asked = new Set<string>();
      const withFilter = filter && { filter };
      const result = await outcomeOf({
        source: listing(list, 'source', how.source),
        target: listing(list, 'target', how.target),
        known: baseline(list, how.baseline, asked),
        ...withFilter,
      });
      const expected = await outcomeOf({ source: listing(list, 'source', NEVER), target: listing(list, 'target', NEVER), known: baseline(list, NEVER, new Set()), ...withFilter });
      expect(result).toEqual(expected);
      expect(result.rows.filter((row) => row.isKnown && !asked.has(row.key))).toEqual([]);
    });
    await fc.assert(property, SETTINGS);
  });

  it('INV-8, T06: refuses a listing out of order, wherever it is', async () => {
    const place = fc.record({ from: fc.nat(), to: fc.nat(), isRepeated: fc.boolean(), side: fc.constantFrom<'source' | 'target'>('source', 'target') });
    const property = fc.asyncProperty(fc.oneof(rows, agreed), cuts, place, async (list, how, { from, to, isRepeated, side }) => {
      const held = list.filter((row) => row[side] !== 'absent');
      fc.pre(held.length > 1);
      const [a, b] = [from % held.length, to % held.length];
      fc.pre(a !== b);
      const moved = [...held];
      const [row] = isRepeated ? moved.slice(a) : moved.splice(a, 1);
      moved.splice(b, 0, row!);
      const streams: Streams = {
        source: listing(side === 'source' ? moved : list, 'source', how.source),
        target: listing(side === 'target' ? moved : list, 'target', how.target),
        known: baseline(list, how.baseline, new Set()),
      };
      await expect(outcomeOf(streams)).rejects.toMatchObject({ code: 'damaged' });
    });
    await fc.assert(property, SETTINGS);
  });

  it('looks at few rows one by one where few differ', async () => {
    const list = Array.from({ length: 2000 }, (_, i): Row => {
      const differs = i % 100 === 50;
      return { key: `d/f${String(i).padStart(4, '0')}`, source: differs ? 'other' : 'same', target: 'same', baseline: 'same' };
    });
    const how: Cut = { lengths: [500], areJoined: [true] };
    const asked = new Set<string>();
    const result = await outcomeOf({ source: listing(list, 'source', how), target: listing(list, 'target', how), known: baseline(list, how, asked) });
    expect(result.rows.map((row) => row.key)).toEqual(list.filter((row) => row.source === 'other').map((row) => row.key));
    expect(result).toMatchObject({ seen: 2000, files: [2000, 2000] });
    // Each that differs, the one behind it, and both ends of the four runs.
    expect(asked.size).toBeLessThanOrEqual(2 * 20 + 2 * 4);
  });
});

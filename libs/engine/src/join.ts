/**
 * Merge-join of source listing, target listing and baseline (DESIGN §2). What all three
 * agree on is passed over without an allocation, where possible a whole run or a stretch of it at
 * a time (ADR 0015); the rest comes out in chunks, in key order.
 */

import { ABSENT, compareKeys, type Key, type Node } from '@wl/domain';

import type { BaselineCursor } from './baseline-cursor.js';
import type { ListingCursor } from './cursors.js';
import { settledStretch } from './settled-stretch.js';

/** One name or directory that needs deciding. */
export interface JoinedRow {
  readonly key: Key;
  readonly source: Node;
  readonly target: Node;
  /** Whether the baseline has this key. */
  readonly isKnown: boolean;
}

/** Options of `joinStreams`. */
export interface JoinOptions {
  /** Rows a chunk holds at most. */
  readonly chunkRows: number;
  /** Also deliver rows on which all agree (needed where names are folded). */
  readonly deliverAll: boolean;
  /** Called now and then with the number of keys passed since the last call. */
  readonly onSeen: (keys: number) => void;
  readonly signal: AbortSignal | undefined;
}

/** Merges the three streams; ends after both listings ended normally. */
export async function* joinStreams(
  source: ListingCursor,
  target: ListingCursor,
  baseline: BaselineCursor,
  { chunkRows, deliverAll, onSeen, signal }: JoinOptions,
): AsyncGenerator<readonly JoinedRow[]> {
  let chunk: JoinedRow[] = [];
  let seen = 0;
  await Promise.all([source.fillWhole(), target.fillWhole()]);
  for (;;) {
    signal?.throwIfAborted();
    if (baseline.isSpent) baseline.fetch(source.through ?? target.through);
    if (!deliverAll && areSettled(source, target, baseline)) {
      baseline.skipWhole();
      target.skipWhole();
      onSeen(seen + source.skipWhole());
      seen = 0;
      await Promise.all([source.fillWhole(), target.fillWhole()]);
      continue;
    }
    source.unfold();
    target.unfold();
    baseline.unfold();
    const s = source.key;
    const t = target.key;
    const b = baseline.key;
    if (s === undefined && t === undefined && b === undefined) break;
    seen += 1;

    if (s !== undefined && s === t && s === b && !deliverAll && isSettled(source, target, baseline)) {
      const passed = passOverSettled(source, target, baseline);
      if (passed > 0) {
        seen += passed - 1;
        continue;
      }
      baseline.step();
    } else {
      const key = least(least(s, t), b)!;
      chunk.push({
        key: key as Key,
        source: s === key ? source.node() : ABSENT,
        target: t === key ? target.node() : ABSENT,
        isKnown: b === key,
      });
      if (b === key) baseline.step();
      if (chunk.length >= chunkRows) {
        onSeen(seen);
        seen = 0;
        yield chunk;
        chunk = [];
      }
      if (s !== key) {
        if (t === key && !target.step()) await target.fillWhole();
        continue;
      }
      if (t !== key) {
        if (!source.step()) await source.fillWhole();
        continue;
      }
    }
    // Both sides were at this key; their next batches are fetched side by side.
    const hasSource = source.step();
    const hasTarget = target.step();
    if (!hasSource || !hasTarget) {
      if (seen > 0) onSeen(seen);
      seen = 0;
      await Promise.all([hasSource ? undefined : source.fillWhole(), hasTarget ? undefined : target.fillWhole()]);
    }
  }
  onSeen(seen);
  if (chunk.length > 0) yield chunk;
}

/**
 * As `isSettled`, of the three runs at hand as a whole: their rows are the same, and in the order
 * in which the baseline holds them.
 */
function areSettled({ whole: source }: ListingCursor, { whole: target }: ListingCursor, { whole: baseline }: BaselineCursor): boolean {
  if (source === undefined || target === undefined || baseline === undefined) return false;
  return (
    source.keys === baseline.keys &&
    target.keys === baseline.keys &&
    source.tokens === baseline.sourceTokens &&
    target.tokens === baseline.targetTokens
  );
}

/** Passes over the rows at hand, which are settled, with those behind them that are as well, but not to the end of a run; answers how many there were. */
function passOverSettled(source: ListingCursor, target: ListingCursor, baseline: BaselineCursor): number {
  if (source.columns === undefined || target.columns === undefined || baseline.columns === undefined) return 0;
  const stretch = settledStretch(source.columns, target.columns, baseline.columns);
  if (stretch.rows === 0) return 0;
  source.passOver(stretch, stretch.sourceTokens);
  target.passOver(stretch, stretch.targetTokens);
  baseline.passOver(stretch);
  return stretch.rows;
}

/** Both sides still hold exactly what the baseline recorded, by kind or by token. */
function isSettled(source: ListingCursor, target: ListingCursor, baseline: BaselineCursor): boolean {
  const sourceToken = source.token;
  if (sourceToken !== '') return sourceToken === baseline.sourceToken && target.token === baseline.targetToken;
  return source.isDirectory() && target.isDirectory();
}

function least(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined) return b;
  if (b === undefined) return a;
  return compareKeys(a, b) <= 0 ? a : b;
}

/**
 * How far two listings and the baseline agree from the rows at hand on, found out in their joined
 * texts (ADR 0015). Where a row in thirty differs hardly any run is the same as a whole; the
 * stretches between such rows are.
 *
 * Only what was compared counts: a row is part of a stretch when its key and its tokens, each with
 * the separator behind it, are the same text in all streams. So the last row of a run never is.
 */

import type { JoinedColumn } from './column.js';

/** Columns of a listing's run, at one row. */
export interface ListingColumns {
  readonly keys: JoinedColumn;
  readonly tokens: JoinedColumn;
}

/** Columns of a run of the baseline, at one row. */
export interface BaselineColumns {
  readonly keys: JoinedColumn;
  readonly sourceTokens: JoinedColumn;
  readonly targetTokens: JoinedColumn;
}

/** Rows on which all agree, and how many units they take in each column, separators included. */
export interface Stretch {
  readonly rows: number;
  readonly keys: number;
  readonly sourceTokens: number;
  readonly targetTokens: number;
}

/** The stretch that begins with the rows at hand; behind it each column has another row. */
export function settledStretch(source: ListingColumns, target: ListingColumns, baseline: BaselineColumns): Stretch {
  const keys = new Walk(baseline.keys, commonLength(target.keys, baseline.keys, commonLength(source.keys, baseline.keys)));
  const sourceTokens = new Walk(baseline.sourceTokens, commonLength(source.tokens, baseline.sourceTokens));
  const targetTokens = new Walk(baseline.targetTokens, commonLength(target.tokens, baseline.targetTokens));
  let rows = 0;
  while (keys.seesNext() && sourceTokens.seesNext() && targetTokens.seesNext()) {
    keys.goOn();
    sourceTokens.goOn();
    targetTokens.goOn();
    rows += 1;
  }
  return { rows, keys: keys.length, sourceTokens: sourceTokens.length, targetTokens: targetTokens.length };
}

/** Goes from text to text within the first units of a column that others have as well. */
class Walk {
  readonly #column: JoinedColumn;
  readonly #limit: number;
  #at: number;
  #next: number;

  constructor(column: JoinedColumn, common: number) {
    this.#column = column;
    this.#limit = column.start + common;
    this.#at = this.#next = column.start;
  }

  /** Units gone over so far. */
  get length(): number {
    return this.#at - this.#column.start;
  }

  /** Whether the next text, with its separator, is common. */
  seesNext(): boolean {
    const { text, separator } = this.#column;
    const end = text.indexOf(separator, this.#at);
    this.#next = end + separator.length;
    return end >= 0 && this.#next <= this.#limit;
  }

  goOn(): void {
    this.#at = this.#next;
  }
}

/** Units compared first; as many as a row has. */
const FIRST_UNITS = 64;

/** Of fewer units each is looked at: parts this short would be copied to be compared. */
const FEW_UNITS = 16;

/** Number of units, `most` at most, that are the same from the texts at hand on. */
function commonLength(a: JoinedColumn, b: JoinedColumn, most = Infinity): number {
  const limit = Math.min(most, a.text.length - a.start, b.text.length - b.start);
  const isSame = (from: number, to: number): boolean =>
    a.text.slice(a.start + from, a.start + to) === b.text.slice(b.start + from, b.start + to);
  // Ever longer parts, until one holds the difference; then halves of it.
  let same = 0;
  let step = FIRST_UNITS;
  while (same < limit && isSame(same, Math.min(same + step, limit))) {
    same = Math.min(same + step, limit);
    step *= 2;
  }
  let different = Math.min(same + step, limit);
  while (different - same > FEW_UNITS) {
    const middle = (same + different) >>> 1;
    if (isSame(same, middle)) same = middle;
    else different = middle;
  }
  while (same < limit && a.text.charCodeAt(a.start + same) === b.text.charCodeAt(b.start + same)) same += 1;
  return same;
}

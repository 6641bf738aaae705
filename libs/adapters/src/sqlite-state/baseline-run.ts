/**
 * A run of baseline rows as SQLite joins it, one text a column.
 *
 * INV-11: no row is handed out before its checksum and its place in the order were verified. That
 * happens when somebody asks for the row. Where nothing has changed nobody does: names and
 * tokens then equal what both storages show, which says more than a checksum.
 */

import { compareParts } from '@wl/domain';
import { KEY_SEPARATOR, lastJoined, startOfJoined, TOKEN_SEPARATOR, type BaselineBatch, type JoinedBaseline, type JoinedPlace } from '@wl/ports';

import { beginRow, endRow, mixPart } from './checksums.js';
import type { Totals } from './pair-table.js';
import { DamageError } from './sqlite-errors.js';
import type { SqliteRow } from './sqlite-module.js';
import { fromStoredLines, holdsMarks } from './stored-text.js';

/** Does what reads the state, so that damage is noted and told in the words of the port. */
export type Guard = <T>(action: () => T) => T;

/** A run that is verified when it is taken apart. */
export class BaselineRun {
  readonly #pairId: number;
  readonly #from: string;
  readonly #columns: Columns;

  /** What was selected at or behind `from`; throws `DamageError` when there are not as many sizes and sums as rows. */
  constructor(pairId: number, from: string, row: SqliteRow) {
    this.#pairId = pairId;
    this.#from = from;
    this.#columns = {
      keys: String(row['keys']),
      first: String(row['first_tokens']),
      second: String(row['second_tokens']),
      sizes: JSON.parse(String(row['sizes'])) as number[],
      checksums: JSON.parse(String(row['checksums'])) as number[],
    };
    if (this.#columns.sizes.length !== row['count'] || this.#columns.checksums.length !== row['count']) throw lostPart();
  }

  get lastKey(): string {
    return lastJoined(this.#columns.keys);
  }

  /** What the rows come to, not verified. */
  get totals(): Totals {
    const { keys, sizes } = this.#columns;
    const directories = countDirectories(keys);
    return { files: sizes.length - directories, directories, bytes: sizes.reduce((sum, size) => sum + size, 0) };
  }

  /** Throws `DamageError` when a row is not what was written. */
  verify(): void {
    let place: Place | undefined = { index: 0, key: 0, first: 0, second: 0 };
    while (place !== undefined) place = this.#verifyAt(place);
  }

  /** The run as the port has it, seen from one of the pair's ends; it verifies itself within `guard`. */
  toBatch(isFlipped: boolean, guard: Guard): BaselineBatch {
    const { keys, sizes, first, second } = this.#columns;
    const [sourceTokens, targetTokens] = isFlipped ? [second, first] : [first, second];
    const verifyAt = ({ index, key, sourceToken, targetToken }: JoinedPlace): void => {
      const [firstAt, secondAt] = isFlipped ? [targetToken, sourceToken] : [sourceToken, targetToken];
      guard(() => this.#verifyAt({ index, key, first: firstAt, second: secondAt }));
    };
    return new JoinedBatch({ keys, sourceTokens, targetTokens }, sizes, () => guard(() => this.verify()), verifyAt);
  }

  /** Checks sum and order of the row at a place, and gives the place of the next; behind the last one, that nothing is left. */
  #verifyAt({ index, key: keyAt, first: firstAt, second: secondAt }: Place): Place | undefined {
    const { keys, first, second, sizes, checksums } = this.#columns;
    if (index === sizes.length) {
      // Behind the last row stands no separator.
      const isWhole = keyAt === keys.length + KEY_SEPARATOR.length && firstAt === first.length + 1 && secondAt === second.length + 1;
      if (!isWhole) throw lostPart();
      return undefined;
    }
    if (index > sizes.length || keyAt > keys.length || firstAt > first.length || secondAt > second.length) throw lostPart();
    const size = sizes[index] as number;
    const keyEnd = endOf(keys, KEY_SEPARATOR, keyAt);
    const firstEnd = endOf(first, TOKEN_SEPARATOR, firstAt);
    const secondEnd = endOf(second, TOKEN_SEPARATOR, secondAt);
    let sum = mixPart(beginRow(this.#pairId), keys, keyAt, keyEnd);
    sum = mixPart(mixPart(sum, first, firstAt, firstEnd), second, secondAt, secondEnd);
    if (endRow(sum, size) !== checksums[index] || !Number.isSafeInteger(size)) throw new DamageError('the checksum of a baseline row does not match');
    if (!this.#isInOrder(keyAt, keyEnd)) throw new DamageError('the baseline is out of order');
    return { index: index + 1, key: keyEnd + KEY_SEPARATOR.length, first: firstEnd + TOKEN_SEPARATOR.length, second: secondEnd + TOKEN_SEPARATOR.length };
  }

  /** Whether a key is behind the one before it; the first one not before what was asked for. */
  #isInOrder(start: number, end: number): boolean {
    const { keys } = this.#columns;
    if (start === 0) return compareParts(this.#from, 0, this.#from.length, 0, end, keys) <= 0;
    const earlierEnd = start - KEY_SEPARATOR.length;
    return compareParts(keys, startOfJoined(keys, KEY_SEPARATOR, earlierEnd), earlierEnd, start, end) < 0;
  }
}

/** Where a row begins in each column. */
interface Place {
  readonly index: number;
  readonly key: number;
  readonly first: number;
  readonly second: number;
}

/** The columns that a scan selects. */
interface Columns {
  readonly keys: string;
  readonly first: string;
  readonly second: string;
  readonly sizes: readonly number[];
  readonly checksums: readonly number[];
}

/** Keys of directories among joined ones: those that end with a slash, and the root's empty one. */
function countDirectories(keys: string): number {
  const ending = `/${KEY_SEPARATOR}`;
  let count = keys === '' || keys.endsWith('/') ? 1 : 0;
  if (keys.startsWith(KEY_SEPARATOR)) count += 1;
  for (let at = keys.indexOf(ending); at >= 0; at = keys.indexOf(ending, at + ending.length)) count += 1;
  return count;
}

function endOf(text: string, separator: string, start: number): number {
  const end = text.indexOf(separator, start);
  return end < 0 ? text.length : end;
}

function lostPart(): DamageError {
  return new DamageError('a row of the baseline has lost a part');
}

/** Its arrays are verified and made when they are asked for. */
class JoinedBatch implements BaselineBatch {
  readonly joined?: JoinedBaseline;
  readonly #texts: JoinedBaseline;
  readonly #verifyAll: () => void;
  readonly #verifyAt: (place: JoinedPlace) => void;
  readonly #sizes: readonly number[];
  #isVerified = false;
  #keys: readonly string[] | undefined;
  #sourceTokens: readonly string[] | undefined;
  #targetTokens: readonly string[] | undefined;

  constructor(texts: JoinedBaseline, sizes: readonly number[], verifyAll: () => void, verifyAt: (place: JoinedPlace) => void) {
    this.#texts = texts;
    this.#sizes = sizes;
    this.#verifyAll = verifyAll;
    this.#verifyAt = verifyAt;
    // What was stored in another form is compared token by token.
    if (!holdsMarks(texts.sourceTokens) && !holdsMarks(texts.targetTokens)) this.joined = texts;
  }

  verify(place: JoinedPlace): void {
    this.#verifyAt(place);
  }

  get keys(): readonly string[] {
    return (this.#keys ??= this.#verified().keys.split(KEY_SEPARATOR));
  }

  get sizes(): readonly number[] {
    this.#verified();
    return this.#sizes;
  }

  get sourceTokens(): readonly string[] {
    return (this.#sourceTokens ??= fromStoredLines(this.#verified().sourceTokens));
  }

  get targetTokens(): readonly string[] {
    return (this.#targetTokens ??= fromStoredLines(this.#verified().targetTokens));
  }

  #verified(): JoinedBaseline {
    if (!this.#isVerified) this.#verifyAll();
    this.#isVerified = true;
    return this.#texts;
  }
}

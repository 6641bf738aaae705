/**
 * A run of baseline rows as SQLite joins it, one text a column.
 *
 * INV-11: no row is handed out before its checksum and its place in the order were verified. That
 * happens when somebody asks for single rows. Where nothing has changed nobody does: names and
 * tokens of the whole run then equal what both storages show, which says more than a checksum.
 */

import { compareParts } from '@wl/domain';
import { KEY_SEPARATOR, lastJoined, TOKEN_SEPARATOR, type BaselineBatch, type JoinedBaseline } from '@wl/ports';

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
    verify(this.#pairId, this.#from, this.#columns);
  }

  /** The run as the port has it, seen from one of the pair's ends; it verifies itself within `guard`. */
  toBatch(isFlipped: boolean, guard: Guard): BaselineBatch {
    const { keys, sizes, first, second } = this.#columns;
    const [sourceTokens, targetTokens] = isFlipped ? [second, first] : [first, second];
    return new JoinedBatch({ keys, sourceTokens, targetTokens }, sizes, () => guard(() => this.verify()));
  }
}

/** The columns that a scan selects. */
interface Columns {
  readonly keys: string;
  readonly first: string;
  readonly second: string;
  readonly sizes: readonly number[];
  readonly checksums: readonly number[];
}

/** Checks sums and order of all rows. */
function verify(pairId: number, from: string, { keys, first, second, sizes, checksums }: Columns): void {
  const begun = beginRow(pairId);
  // Where the row begins in each column, and where the key before it began and ended.
  let [keyAt, firstAt, secondAt, earlierAt, earlierEnd] = [0, 0, 0, 0, 0];
  for (let i = 0; i < sizes.length; i += 1) {
    const size = sizes[i] as number;
    if (keyAt > keys.length || firstAt > first.length || secondAt > second.length) throw lostPart();
    const keyEnd = endOf(keys, KEY_SEPARATOR, keyAt);
    const firstEnd = endOf(first, TOKEN_SEPARATOR, firstAt);
    const secondEnd = endOf(second, TOKEN_SEPARATOR, secondAt);
    let sum = mixPart(begun, keys, keyAt, keyEnd);
    sum = mixPart(mixPart(sum, first, firstAt, firstEnd), second, secondAt, secondEnd);
    if (endRow(sum, size) !== checksums[i] || !Number.isSafeInteger(size)) throw new DamageError('the checksum of a baseline row does not match');
    const isInOrder =
      i === 0 ? compareParts(from, 0, from.length, 0, keyEnd, keys) <= 0 : compareParts(keys, earlierAt, earlierEnd, keyAt, keyEnd) < 0;
    if (!isInOrder) throw new DamageError('the baseline is out of order');
    [earlierAt, earlierEnd] = [keyAt, keyEnd];
    keyAt = keyEnd + KEY_SEPARATOR.length;
    firstAt = firstEnd + TOKEN_SEPARATOR.length;
    secondAt = secondEnd + TOKEN_SEPARATOR.length;
  }
  // Behind the last row stands no separator.
  const isWhole = keyAt === keys.length + KEY_SEPARATOR.length && firstAt === first.length + 1 && secondAt === second.length + 1;
  if (!isWhole) throw lostPart();
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
  readonly #verify: () => void;
  readonly #sizes: readonly number[];
  #isVerified = false;
  #keys: readonly string[] | undefined;
  #sourceTokens: readonly string[] | undefined;
  #targetTokens: readonly string[] | undefined;

  constructor(texts: JoinedBaseline, sizes: readonly number[], verify: () => void) {
    this.#texts = texts;
    this.#sizes = sizes;
    this.#verify = verify;
    // What was stored in another form is compared token by token.
    if (!holdsMarks(texts.sourceTokens) && !holdsMarks(texts.targetTokens)) this.joined = texts;
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
    if (!this.#isVerified) this.#verify();
    this.#isVerified = true;
    return this.#texts;
  }
}

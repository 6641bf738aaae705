/**
 * Reading position in the baseline, one of the sorted streams that a pass merges. It hides batches.
 *
 * INV-11: a row that is taken out of joined texts is verified before; rows that are passed over as
 * text equal what both listings show, and are not (ADR 0015).
 */

import type { Token } from '@wl/domain';
import { KEY_SEPARATOR, TOKEN_SEPARATOR, type BaselineBatch, type BaselineScan, type JoinedBaseline } from '@wl/ports';

import { JoinedColumn, ListColumn, NO_COLUMN, type Column } from './column.js';
import type { BaselineColumns, Stretch } from './settled-stretch.js';

/** A position in the baseline; before the first `fetch` and behind a batch it is nowhere. */
export class BaselineCursor {
  /** `undefined` at the end. */
  key: string | undefined;
  readonly #rows: BaselineScan;
  #batch: BaselineBatch | undefined;
  #keys: Column = NO_COLUMN;
  #sourceTokens: Column = NO_COLUMN;
  #targetTokens: Column = NO_COLUMN;
  #index = -1;
  #whole: JoinedBaseline | undefined;
  #columns: BaselineColumns | undefined;
  #isSpent = true;

  constructor(rows: BaselineScan) {
    this.#rows = rows;
  }

  /** Whether `fetch` is needed. */
  get isSpent(): boolean {
    return this.#isSpent;
  }

  /** As of a `ListingCursor`; then only `isSpent` is known besides. */
  get whole(): JoinedBaseline | undefined {
    return this.#whole;
  }

  /** As of a `ListingCursor`. */
  get columns(): BaselineColumns | undefined {
    return this.#columns;
  }

  /** Moves on to the next batch, which should end with the key `through`. */
  fetch(through: string | undefined): void {
    const next = this.#rows.next(through);
    this.#isSpent = false;
    if (next.done === true) {
      this.key = undefined;
      return;
    }
    this.#batch = next.value;
    this.#whole = next.value.joined;
    if (this.#whole === undefined) {
      const { keys, sourceTokens, targetTokens } = next.value;
      this.#open(new ListColumn(keys), new ListColumn(sourceTokens), new ListColumn(targetTokens));
    }
  }

  /** Passes over a whole batch. */
  skipWhole(): void {
    this.#whole = undefined;
    this.#isSpent = true;
  }

  /** Goes from a whole batch to its rows, the first of which is the one at hand. */
  unfold(): void {
    if (this.#whole === undefined) return;
    const { keys, sourceTokens, targetTokens } = this.#whole;
    this.#whole = undefined;
    this.#columns = {
      keys: new JoinedColumn(keys, KEY_SEPARATOR),
      sourceTokens: new JoinedColumn(sourceTokens, TOKEN_SEPARATOR),
      targetTokens: new JoinedColumn(targetTokens, TOKEN_SEPARATOR),
    };
    this.#open(this.#columns.keys, this.#columns.sourceTokens, this.#columns.targetTokens);
  }

  /** Moves to the next row; throws when that is not what was written. */
  step(): void {
    this.#index += 1;
    this.#isSpent = !this.#keys.next();
    this.#sourceTokens.next();
    this.#targetTokens.next();
    if (this.#columns !== undefined) {
      const { keys, sourceTokens, targetTokens } = this.#columns;
      this.#batch!.verify?.({ index: this.#index, key: keys.start, sourceToken: sourceTokens.start, targetToken: targetTokens.start });
    }
    this.key = this.#isSpent ? undefined : this.#keys.value;
    if (this.#isSpent) this.#columns = undefined;
  }

  /** Passes over rows of `columns`, which are not verified, and moves to the one behind them. */
  passOver({ rows, keys: keysLength, sourceTokens: sourceLength, targetTokens: targetLength }: Stretch): void {
    const { keys, sourceTokens, targetTokens } = this.#columns!;
    keys.passOver(keysLength);
    sourceTokens.passOver(sourceLength);
    targetTokens.passOver(targetLength);
    this.#index += rows - 1;
    this.step();
  }

  get sourceToken(): Token {
    return this.#sourceTokens.value as Token;
  }

  get targetToken(): Token {
    return this.#targetTokens.value as Token;
  }

  close(): void {
    this.#rows.return();
  }

  #open(keys: Column, sourceTokens: Column, targetTokens: Column): void {
    this.#keys = keys;
    this.#sourceTokens = sourceTokens;
    this.#targetTokens = targetTokens;
    this.#index = -1;
    this.step();
  }
}

/**
 * How many deletions were carried out when, per end of a pair (INV-39). Kept by the minute, and
 * by the hour once they are two days old: what is asked for is a sum over hours or days.
 */

import type { SideName } from '@wl/domain';

import { checksumOf } from './checksums.js';
import type { Database } from './database.js';
import { DamageError } from './sqlite-errors.js';
import type { SqliteRow } from './sqlite-module.js';

const MINUTE_MS = 60_000;
const KEPT_BY_MINUTE = 2 * 24 * 60;

const SELECT_SINCE = 'SELECT * FROM deletions WHERE pair_id = ? AND side = ? AND minute >= ?';
const SELECT = 'SELECT * FROM deletions WHERE pair_id = ? AND side = ? AND minute = ?';
// A whole hour is kept under its last minute, so that a sum since a time within it counts it.
const SELECT_OLD = 'SELECT * FROM deletions WHERE pair_id = ? AND side = ? AND minute < ? AND minute % 60 <> 59';
const REPLACE = 'INSERT OR REPLACE INTO deletions VALUES (?, ?, ?, ?, ?)';
const DELETE = 'DELETE FROM deletions WHERE pair_id = ? AND side = ? AND minute = ?';
const CLEAR = 'DELETE FROM deletions WHERE pair_id = ?';

/** The deletion counts of one pair; `source` is its first end. Its methods are called within `Database.attempt`. */
export class DeletionTable {
  constructor(
    private readonly database: Database,
    private readonly pairId: number,
  ) {}

  /** Within a transaction. */
  add(side: SideName, count: number, timeMs: number): void {
    const minute = Math.floor(timeMs / MINUTE_MS);
    this.#addTo(side, minute, count);
    for (const old of this.database.statement(SELECT_OLD).all(this.pairId, side, minute - KEPT_BY_MINUTE)) {
      const oldMinute = old['minute'] as number;
      this.#addTo(side, oldMinute - (oldMinute % 60) + 59, this.#countOf(old));
      this.database.statement(DELETE).run(this.pairId, side, oldMinute);
    }
  }

  /** The sum since a time, rounded down to the minute. */
  since(side: SideName, timeMs: number): number {
    const rows = this.database.statement(SELECT_SINCE).all(this.pairId, side, Math.floor(timeMs / MINUTE_MS));
    return rows.reduce((sum, row) => sum + this.#countOf(row), 0);
  }

  clear(): void {
    this.database.statement(CLEAR).run(this.pairId);
  }

  #addTo(side: SideName, minute: number, added: number): void {
    const row = this.database.statement(SELECT).get(this.pairId, side, minute);
    const count = (row === undefined ? 0 : this.#countOf(row)) + added;
    this.database.statement(REPLACE).run(this.pairId, side, minute, count, checksumOf(this.pairId, side, minute, count));
  }

  #countOf(row: SqliteRow): number {
    const { side, minute, count } = row;
    if (row['checksum'] !== checksumOf(this.pairId, String(side), Number(minute), Number(count))) {
      throw new DamageError('the checksum of a count of deletions does not match');
    }
    return count as number;
  }
}

/**
 * The rows of `baseline` of one pair, told from its first end: sizes and tokens in key order
 * for a pass, single rows, and changes.
 *
 * A scan asks for one run of rows after the other, each by the key behind the last one, and
 * gets each run as a single row of joined columns: crossing from SQLite into JavaScript once
 * per run instead of once per row halves the time (see baseline-run.ts). No cursor stays open in between, so commits may come at any time.
 */

import { compareKeys, directoryKey, invariant, isDirectoryKey, isWithin, pathOfKey, type Key, type RelativePath, type Sha256, type Token } from '@wl/domain';
import { FINDABLE_BYTES, flipRow, KEY_SEPARATOR, type BaselineChange, type BaselineRow } from '@wl/ports';

import { BaselineRun } from './baseline-run.js';
import { hashChecksum, rowChecksum } from './checksums.js';
import type { Database } from './database.js';
import type { Totals } from './pair-table.js';
import { DamageError } from './sqlite-errors.js';
import type { SqliteRow, SqliteValue } from './sqlite-module.js';
import { fromStored, toStored } from './stored-text.js';

/** Rows in a run whose end nobody asked for: half a millisecond of work. */
const RUN_ROWS = 1000;

/** Rows in a run at most: as many as a listing has in one. */
const MAX_RUN_ROWS = 4096;

const SELECT_RUN = `SELECT count(*) AS count, group_concat(key, '${KEY_SEPARATOR}') AS keys,
  json_group_array(size_bytes) AS sizes, group_concat(first_token, char(10)) AS first_tokens,
  group_concat(second_token, char(10)) AS second_tokens, json_group_array(checksum) AS checksums
  FROM (SELECT key, size_bytes, first_token, second_token, checksum FROM baseline WHERE pair_id = ? AND key >= ? AND key < ? ORDER BY key LIMIT ?)`;
const COLUMNS = 'size_bytes, lower(hex(hash)) AS hash, first_token, second_token, checksum, hash_checksum';
const SELECT_ROW = `SELECT ${COLUMNS} FROM baseline WHERE pair_id = ? AND key = ?`;
/** The second bound of the size is what lets SQLite use the index; naming the index makes a plan without it an error. */
const SELECT_OF_SIZE = `SELECT key, ${COLUMNS} FROM baseline INDEXED BY baseline_by_size
  WHERE pair_id = ? AND size_bytes = ? AND size_bytes >= ${String(FINDABLE_BYTES)} LIMIT ?`;
const INSERT = 'INSERT INTO baseline VALUES (?, ?, ?, unhex(?), ?, ?, ?, ?) ON CONFLICT DO NOTHING';
const UPDATE = `UPDATE baseline SET size_bytes = ?, hash = unhex(?), first_token = ?, second_token = ?, checksum = ?, hash_checksum = ?
  WHERE pair_id = ? AND key = ?`;
/** Of a row that keeps its size, the index need not be touched: most changes are of tokens. */
const UPDATE_SAME_SIZE = `UPDATE baseline SET hash = unhex(?), first_token = ?, second_token = ?, checksum = ?, hash_checksum = ?
  WHERE pair_id = ? AND key = ?`;
const DELETE = 'DELETE FROM baseline WHERE pair_id = ? AND key = ?';
const DELETE_RANGE = 'DELETE FROM baseline WHERE pair_id = ? AND key >= ? AND key < ?';

type FileRow = Extract<BaselineRow, { kind: 'file' }>;

/** Sorts behind every text. */
const BEHIND_ALL = new Uint8Array(0);

/** The baseline of one pair. Its methods are called within `Database.attempt` and throw `DamageError` on a row that is not what was written. */
export class BaselineTable {
  constructor(
    private readonly database: Database,
    private readonly pairId: number,
  ) {}

  /**
   * The first rows at or behind `from` that are within a directory, or `undefined` when there are
   * none; up to and with the key `through`, unless there are none so far or too many.
   */
  readRun(directory: RelativePath, from: string, through?: string): BaselineRun | undefined {
    const end = endOf(directory);
    if (through !== undefined && isWithin(pathOfKey(through as Key), directory)) {
      const run = this.#read(from, behind(through), MAX_RUN_ROWS);
      if (run !== undefined) return run;
    }
    return this.#read(from, end, RUN_ROWS);
  }

  #read(from: string, end: SqliteValue, limit: number): BaselineRun | undefined {
    const columns = this.database.statement(SELECT_RUN).get(this.pairId, from, end, limit);
    return columns === undefined || columns['count'] === 0 ? undefined : new BaselineRun(this.pairId, from, columns);
  }

  /** Where to read on after a run. */
  positionAfter(run: BaselineRun): string {
    return behind(run.lastKey);
  }

  get(key: Key): BaselineRow | undefined {
    const row = this.database.statement(SELECT_ROW).get(this.pairId, key);
    return row === undefined ? undefined : this.#verified(key, row);
  }

  /** Files of a size, at most so many; none of less than `FINDABLE_BYTES`. */
  filesOfSize(sizeBytes: number, limit: number): { readonly key: Key; readonly row: FileRow }[] {
    const found: { key: Key; row: FileRow }[] = [];
    for (const values of this.database.statement(SELECT_OF_SIZE).all(this.pairId, sizeBytes, limit)) {
      const key = String(values['key']) as Key;
      const row = this.#verified(key, values);
      if (row.kind !== 'file' || row.sizeBytes !== sizeBytes) throw new DamageError('the index of sizes does not match the baseline');
      found.push({ key, row });
    }
    return found;
  }

  /** Applies changes in their order, keeping count in `totals`; within a transaction. */
  apply(changes: readonly BaselineChange[], isFlipped: boolean, totals: Totals): void {
    for (const change of inKeyOrder(changes)) {
      if (change.kind === 'put') this.#put(change.key, isFlipped ? flipRow(change.row) : change.row, totals);
      else if (change.kind === 'delete-subtree' && isDirectoryKey(change.key)) this.#deleteBelow(change.key, totals);
      else this.#delete(change.key, totals);
    }
  }

  /** Deletes all rows without looking at them; within a transaction. */
  clear(): void {
    this.database.statement(DELETE_RANGE).run(this.pairId, '', BEHIND_ALL);
  }

  #put(key: Key, row: BaselineRow, totals: Totals): void {
    invariant(isDirectoryKey(key) === (row.kind === 'directory'), 'INV-11: the key of a baseline row tells what it is');
    const size = row.kind === 'file' ? row.sizeBytes : 0;
    invariant(Number.isSafeInteger(size) && size >= 0, 'INV-11: a size is a whole number of bytes');
    const hash = row.kind === 'file' ? row.hash : '';
    const first = row.kind === 'file' ? toStored(row.sourceToken) : '';
    const second = row.kind === 'file' ? toStored(row.targetToken) : '';
    const values: SqliteValue[] = [size, hash, first, second, rowChecksum(this.pairId, key, size, first, second), hashChecksum(this.pairId, key, hash)];
    const { changes } = this.database.statement(INSERT).run(this.pairId, key, ...values);
    if (Number(changes) === 0) {
      const old = this.get(key);
      count(totals, key, old, -1);
      const keepsSize = old?.kind === 'directory' || old?.sizeBytes === size;
      if (keepsSize) this.database.statement(UPDATE_SAME_SIZE).run(...values.slice(1), this.pairId, key);
      else this.database.statement(UPDATE).run(...values, this.pairId, key);
    }
    count(totals, key, row, 1);
  }

  #delete(key: Key, totals: Totals): void {
    const row = this.get(key);
    if (row === undefined) return;
    count(totals, key, row, -1);
    this.database.statement(DELETE).run(this.pairId, key);
  }

  #deleteBelow(key: Key, totals: Totals): void {
    const directory = key.slice(0, -1) as RelativePath;
    for (let run = this.readRun(directory, key); run !== undefined; run = this.readRun(directory, this.positionAfter(run))) {
      run.verify();
      addTotals(totals, run.totals, -1);
    }
    this.database.statement(DELETE_RANGE).run(this.pairId, key, endOf(directory));
  }

  #verified(key: Key, values: SqliteRow): BaselineRow {
    const { size_bytes: size, hash, first_token: first, second_token: second } = values;
    const isIntact =
      typeof size === 'number' &&
      values['checksum'] === rowChecksum(this.pairId, key, size, String(first), String(second)) &&
      values['hash_checksum'] === hashChecksum(this.pairId, key, String(hash));
    if (!isIntact) throw new DamageError('the checksum of a baseline row does not match');
    if (isDirectoryKey(key)) return { kind: 'directory' };
    return {
      kind: 'file',
      hash: hash as Sha256,
      sizeBytes: size,
      sourceToken: fromStored(first as string) as Token,
      targetToken: fromStored(second as string) as Token,
    };
  }
}

/** Adds to totals, or with -1 takes away. */
export function addTotals(totals: Totals, other: Totals, sign: 1 | -1): void {
  totals.files += sign * other.files;
  totals.directories += sign * other.directories;
  totals.bytes += sign * other.bytes;
}

function count(totals: Totals, key: Key, row: BaselineRow | undefined, sign: 1 | -1): void {
  if (row === undefined) throw new DamageError(`a row of the baseline is there and is not (${JSON.stringify(key)})`);
  if (row.kind === 'directory') totals.directories += sign;
  else {
    totals.files += sign;
    totals.bytes += sign * row.sizeBytes;
  }
}

/** The first text behind a key: keys hold no NUL, so nothing sorts between a key and itself with the lowest other character. */
function behind(key: string): string {
  return `${key}\u0001`;
}

/** The first text behind all keys of a directory: `/` is followed by `0`. */
function endOf(directory: RelativePath): SqliteValue {
  const key = directoryKey(directory);
  return key === '' ? BEHIND_ALL : `${key.slice(0, -1)}0`;
}

/** Sorted keys are written several times faster. A subtree's deletion meets other keys than its own, so there the given order stays. */
function inKeyOrder(changes: readonly BaselineChange[]): readonly BaselineChange[] {
  if (changes.some((change) => change.kind === 'delete-subtree')) return changes;
  return [...changes].sort((a, b) => compareKeys(a.key, b.key));
}

/**
 * `PairState` over the tables, seen from one of the pair's ends.
 *
 * INV-11: when anything of a pair is found damaged, all of it is distrusted, durably: every
 * method but `reset` and `forgetBaseline` throws from then on, and the next `openPair` begins
 * it anew. What was damaged is one row; what else is wrong beside it nobody can tell. Only the
 * roots are kept if their row is whole: they say what not to touch (INV-10).
 */

import { directoryKey, ROOT, type Key, type RelativePath, type SideName } from '@wl/domain';
import { StateError, type BaselineChange, type BaselineRow, type BaselineScan, type ConflictRecord, type FoundFile, type PairState, type PairSummary, flipConflict, flipRow, flipSide, type OrientedPair } from '@wl/ports';

import type { Guard } from './baseline-run.js';
import { addTotals, BaselineTable } from './baseline-table.js';
import { ConflictTable } from './conflict-table.js';
import type { Database } from './database.js';
import { DeletionTable } from './deletion-table.js';
import { emptyPair, PairTable, type PairRow, type Totals } from './pair-table.js';
import { DamageError } from './sqlite-errors.js';

/** What all views of one pair share. */
export interface SharedPair {
  readonly id: number;
  /** Counts commits, so that a scan can tell whether one came in between. */
  commits: number;
  /** Why the pair is distrusted. */
  distrust: StateError | undefined;
}

/** One pair of a `SqliteState`. */
export class SqlitePair implements PairState {
  readonly #database: Database;
  readonly #pair: OrientedPair;
  readonly #shared: SharedPair;
  readonly #isFlipped: boolean;
  readonly #pairs: PairTable;
  readonly #baseline: BaselineTable;
  readonly #conflicts: ConflictTable;
  readonly #deletions: DeletionTable;

  constructor(database: Database, pair: OrientedPair, shared: SharedPair) {
    this.#database = database;
    this.#pair = pair;
    this.#shared = shared;
    this.#isFlipped = pair.isFlipped;
    this.#pairs = new PairTable(database);
    this.#baseline = new BaselineTable(database, shared.id);
    this.#conflicts = new ConflictTable(database, shared.id);
    this.#deletions = new DeletionTable(database, shared.id);
  }

  summary(): PairSummary {
    const { firstRootIds, secondRootIds, areRootsLost } = this.#read('read the pair', () => this.#row());
    return this.#isFlipped
      ? { sourceRootIds: secondRootIds, targetRootIds: firstRootIds, areRootsLost }
      : { sourceRootIds: firstRootIds, targetRootIds: secondRootIds, areRootsLost };
  }

  setRoots(sourceIds: readonly string[], targetIds: readonly string[]): void {
    this.#write('store the roots', () => {
      const row = this.#row();
      row.firstRootIds = this.#isFlipped ? targetIds : sourceIds;
      row.secondRootIds = this.#isFlipped ? sourceIds : targetIds;
      row.areRootsLost = false;
      this.#pairs.write(this.#pair, row);
    });
  }

  reset(): void {
    this.#beginAnew(() => emptyPair(this.#shared.id));
  }

  forgetBaseline(): void {
    this.#beginAnew(() => this.#onlyRoots());
  }

  *scan(directory: RelativePath): BaselineScan {
    const commitsBefore = this.#shared.commits;
    const seen: Totals = { files: 0, directories: 0, bytes: 0 };
    const guard: Guard = (action) => this.#read('read the baseline', action);
    let position: string = directoryKey(directory);
    for (let through: string | undefined; ; ) {
      const [from, to] = [position, through];
      const run = this.#read('read the baseline', () => this.#baseline.readRun(directory, from, to));
      if (run === undefined) break;
      addTotals(seen, run.totals, 1);
      through = yield run.toBatch(this.#isFlipped, guard);
      position = this.#baseline.positionAfter(run);
    }
    if (directory === ROOT && this.#shared.commits === commitsBefore) this.#read('read the baseline', () => this.#expectTotals(seen));
  }

  get(key: Key): BaselineRow | undefined {
    const row = this.#read('read the baseline', () => this.#baseline.get(key));
    return row !== undefined && this.#isFlipped ? flipRow(row) : row;
  }

  filesOfSize(sizeBytes: number, limit: number): readonly FoundFile[] {
    const found = this.#read('read the baseline', () => this.#baseline.filesOfSize(sizeBytes, limit));
    return this.#isFlipped ? found.map(({ key, row }) => ({ key, row: flipRow(row) })) : found;
  }

  totals(): { readonly files: number; readonly bytes: number } {
    const { files, bytes } = this.#read('read the pair', () => this.#row());
    return { files, bytes };
  }

  commit(changes: readonly BaselineChange[]): void {
    if (changes.length === 0) return;
    this.#write('write the baseline', () => {
      const row = this.#row();
      this.#baseline.apply(changes, this.#isFlipped, row);
      this.#pairs.write(this.#pair, row);
    });
    this.#shared.commits += 1;
  }

  conflict(path: RelativePath): ConflictRecord | undefined {
    const record = this.#read('read the conflicts', () => this.#conflicts.get(path));
    return record !== undefined && this.#isFlipped ? flipConflict(record) : record;
  }

  conflicts(): readonly ConflictRecord[] {
    const records = this.#read('read the conflicts', () => this.#conflicts.all());
    return this.#isFlipped ? records.map(flipConflict) : records;
  }

  putConflicts(records: readonly ConflictRecord[]): void {
    if (records.length === 0) return;
    this.#write('write the conflicts', () => {
      for (const record of records) this.#conflicts.put(this.#isFlipped ? flipConflict(record) : record);
    });
  }

  deleteConflicts(paths: readonly RelativePath[]): void {
    if (paths.length === 0) return;
    this.#write('write the conflicts', () => {
      for (const path of paths) this.#conflicts.delete(path);
    });
  }

  addDeletions(side: SideName, count: number, timeMs: number): void {
    this.#write('count deletions', () => {
      this.#deletions.add(flipSide(side, this.#isFlipped), count, timeMs);
    });
  }

  deletionsSince(side: SideName, timeMs: number): number {
    return this.#read('count deletions', () => this.#deletions.since(flipSide(side, this.#isFlipped), timeMs));
  }

  clearDeletions(): void {
    this.#write('count deletions', () => {
      this.#deletions.clear();
    });
  }

  #beginAnew(row: () => PairRow): void {
    const { distrust } = this.#shared;
    this.#database.transaction('forget the baseline', () => {
      this.#baseline.clear();
      this.#conflicts.clear();
      // The counts are none of the baseline's, but what is damaged may be among them.
      if (distrust !== undefined) this.#deletions.clear();
      this.#pairs.write(this.#pair, row());
    });
    this.#shared.distrust = undefined;
    this.#shared.commits += 1;
  }

  /** The pair as it is once nothing but its roots is believed. */
  #onlyRoots(): PairRow {
    const { id } = this.#shared;
    return { ...emptyPair(id), ...this.#pairs.rootsLeft(this.#pair, id) };
  }

  #row(): PairRow {
    return this.#pairs.read(this.#pair, this.#shared.id);
  }

  /** A row can also be lost without a trace: then the rows that were read are not those that were counted. */
  #expectTotals(seen: Totals): void {
    const { files, directories, bytes } = this.#row();
    if (files !== seen.files || directories !== seen.directories || bytes !== seen.bytes) {
      throw new DamageError('rows of the baseline are missing');
    }
  }

  #read<T>(operation: string, body: () => T): T {
    return this.#distrusting(() => this.#database.attempt(operation, body));
  }

  #write(operation: string, body: () => void): void {
    this.#distrusting(() => {
      this.#database.transaction(operation, body);
    });
  }

  #distrusting<T>(action: () => T): T {
    if (this.#shared.distrust !== undefined) throw this.#shared.distrust;
    try {
      return action();
    } catch (error) {
      if (error instanceof StateError && error.code === 'damaged') this.#distrust(error);
      throw error;
    }
  }

  #distrust(reason: StateError): void {
    this.#shared.distrust = reason;
    try {
      this.#database.transaction('distrust the baseline', () => {
        this.#pairs.write(this.#pair, { ...this.#onlyRoots(), isDistrusted: true });
      });
    } catch {
      // Then the damage is met again after the next start: it is still there.
    }
  }
}

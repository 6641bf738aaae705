/** `PairState` over a `PairData`, seen from one of its ends. */

import { compareKeys, directoryKey, type Key, type RelativePath, type SideName } from '@wl/domain';
import { flipBatch, flipConflict, flipRow, flipSide, type BaselineBatch, type BaselineChange, type BaselineRow, type BaselineScan, type ConflictRecord, type FoundFile, type PairState, type PairSummary, withJoinedBaseline } from '@wl/ports';

import type { Entry, PairData } from './pair-data.js';

/** Rows in one batch of a scan. */
const BATCH_ROWS = 1000;

/** Called with the name of the method before it does anything; may throw. */
export type BeforeOperation = (operation: keyof PairState) => void;

/** One pair of a `MemoryState`. */
export class MemoryPair implements PairState {
  constructor(
    private readonly data: PairData,
    private readonly isFlipped: boolean,
    private readonly before: BeforeOperation,
  ) {}

  summary(): PairSummary {
    this.before('summary');
    const { firstRootIds, secondRootIds, areRootsLost } = this.data;
    return this.isFlipped
      ? { sourceRootIds: secondRootIds, targetRootIds: firstRootIds, areRootsLost }
      : { sourceRootIds: firstRootIds, targetRootIds: secondRootIds, areRootsLost };
  }

  setRoots(sourceIds: readonly string[], targetIds: readonly string[]): void {
    this.before('setRoots');
    if (this.isFlipped) this.data.setRoots(targetIds, sourceIds);
    else this.data.setRoots(sourceIds, targetIds);
  }

  reset(): void {
    this.before('reset');
    this.data.reset();
  }

  forgetBaseline(): void {
    this.before('forgetBaseline');
    this.data.forgetBaseline();
  }

  *scan(directory: RelativePath): BaselineScan {
    this.before('scan');
    const prefix = directoryKey(directory);
    const entries = this.data.ordered();
    for (let start = firstWithin(entries, prefix), through: string | undefined; start < entries.length; ) {
      this.before('scan');
      const end = through === undefined ? start : Math.min(firstWithin(entries, `${through}\u0001` as Key), start + BATCH_ROWS);
      const rows = entries.slice(start, end > start ? end : start + BATCH_ROWS).filter(([key]) => key.startsWith(prefix));
      // Keys with one prefix stand together, so the first batch without any is behind them.
      if (rows.length === 0) return;
      const batch = batchOf(rows);
      through = yield withJoinedBaseline(this.isFlipped ? flipBatch(batch) : batch);
      start += rows.length;
    }
  }

  get(key: Key): BaselineRow | undefined {
    this.before('get');
    const row = this.data.get(key);
    return row !== undefined && this.isFlipped ? flipRow(row) : row;
  }

  filesOfSize(sizeBytes: number, limit: number): readonly FoundFile[] {
    this.before('filesOfSize');
    const found = this.data.filesOfSize(sizeBytes, limit);
    return this.isFlipped ? found.map(({ key, row }) => ({ key, row: flipRow(row) })) : found;
  }

  totals(): { readonly files: number; readonly bytes: number } {
    this.before('totals');
    return this.data.totals();
  }

  commit(changes: readonly BaselineChange[]): void {
    this.before('commit');
    this.data.apply(
      this.isFlipped
        ? changes.map((change) => (change.kind === 'put' ? { kind: 'put', key: change.key, row: flipRow(change.row) } : change))
        : changes,
    );
  }

  conflict(path: RelativePath): ConflictRecord | undefined {
    this.before('conflict');
    const record = this.data.conflicts.get(path);
    return record !== undefined && this.isFlipped ? flipConflict(record) : record;
  }

  conflicts(): readonly ConflictRecord[] {
    this.before('conflicts');
    const records = [...this.data.conflicts.values()].sort((a, b) => compareKeys(a.path, b.path));
    return this.isFlipped ? records.map(flipConflict) : records;
  }

  putConflicts(records: readonly ConflictRecord[]): void {
    this.before('putConflicts');
    for (const record of records) {
      const sinceMs = this.data.conflicts.get(record.path)?.sinceMs ?? record.sinceMs;
      this.data.conflicts.set(record.path, { ...(this.isFlipped ? flipConflict(record) : record), sinceMs });
    }
  }

  deleteConflicts(paths: readonly RelativePath[]): void {
    this.before('deleteConflicts');
    for (const path of paths) this.data.conflicts.delete(path);
  }

  addDeletions(side: SideName, count: number, timeMs: number): void {
    this.before('addDeletions');
    this.data.deletions.push({ side: flipSide(side, this.isFlipped), count, timeMs });
  }

  deletionsSince(side: SideName, timeMs: number): number {
    this.before('deletionsSince');
    const stored = flipSide(side, this.isFlipped);
    return this.data.deletions
      .filter((entry) => entry.side === stored && entry.timeMs >= timeMs)
      .reduce((sum, entry) => sum + entry.count, 0);
  }

  clearDeletions(): void {
    this.before('clearDeletions');
    this.data.deletions = [];
  }
}

/** Index of the first entry that does not sort before `prefix`. */
function firstWithin(entries: readonly Entry[], prefix: Key): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const entry = entries[middle];
    if (entry !== undefined && compareKeys(entry[0], prefix) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function batchOf(entries: readonly Entry[]): BaselineBatch {
  return {
    keys: entries.map(([key]) => key),
    sizes: entries.map(([, row]) => (row.kind === 'file' ? row.sizeBytes : 0)),
    sourceTokens: entries.map(([, row]) => (row.kind === 'file' ? row.sourceToken : '')),
    targetTokens: entries.map(([, row]) => (row.kind === 'file' ? row.targetToken : '')),
  };
}

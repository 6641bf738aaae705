/** What is remembered of one pair, told from the end whose backend id sorts first. */

import { compareKeys, invariant, isDirectoryKey, type Key, type RelativePath, type SideName } from '@wl/domain';
import { FINDABLE_BYTES, type BaselineChange, type BaselineRow, type ConflictRecord, type FoundFile } from '@wl/ports';

/** A baseline row with its key. */
export type Entry = readonly [key: Key, row: BaselineRow];

/** Deletions carried out at one time. */
export interface Deletions {
  readonly side: SideName;
  readonly count: number;
  readonly timeMs: number;
}

/** One pair's memory. The baseline is changed by `apply` alone, which keeps order and totals true. */
export class PairData {
  readonly conflicts = new Map<RelativePath, ConflictRecord>();
  deletions: Deletions[] = [];
  firstRootIds: readonly string[] = [];
  secondRootIds: readonly string[] = [];
  areRootsLost = false;

  readonly #rows = new Map<Key, BaselineRow>();
  /** Keys of the files of at least `FINDABLE_BYTES`, by size. */
  readonly #bySize = new Map<number, Set<Key>>();
  #files = 0;
  #bytes = 0;
  /** All entries in key order; made anew by the first reader after a change, so that each reader keeps its snapshot. */
  #ordered: readonly Entry[] | undefined;

  get(key: Key): BaselineRow | undefined {
    return this.#rows.get(key);
  }

  totals(): { files: number; bytes: number } {
    return { files: this.#files, bytes: this.#bytes };
  }

  /** Files of a size, at most so many; none of less than `FINDABLE_BYTES`. */
  filesOfSize(sizeBytes: number, limit: number): FoundFile[] {
    const found: FoundFile[] = [];
    for (const key of this.#bySize.get(sizeBytes) ?? []) {
      if (found.length >= limit) break;
      const row = this.#rows.get(key);
      if (row?.kind === 'file') found.push({ key, row });
    }
    return found;
  }

  /** A snapshot of all entries, in key order. */
  ordered(): readonly Entry[] {
    this.#ordered ??= [...this.#rows].sort(([a], [b]) => compareKeys(a, b));
    return this.#ordered;
  }

  /** Applies all changes or, when one of them is no valid change, none. */
  apply(changes: readonly BaselineChange[]): void {
    // Everything that can fail is done before the first row is touched.
    const steps = changes.map((change): (() => void) => {
      if (change.kind !== 'put') return () => this.#remove(change.key, change.kind === 'delete-subtree');
      const { key, row } = change;
      invariant(isDirectoryKey(key) === (row.kind === 'directory'), 'INV-11: the key of a baseline row tells what it is');
      return () => {
        this.#delete(key);
        this.#rows.set(key, row);
        if (row.kind !== 'file') return;
        this.#count(1, row.sizeBytes);
        this.#index(key, row.sizeBytes);
      };
    });
    for (const step of steps) step();
    this.#ordered = undefined;
  }

  /** Forgets baseline, conflicts, roots and passes. */
  reset(): void {
    this.forgetBaseline();
    this.setRoots([], []);
  }

  /** Forgets baseline, conflicts and passes. */
  forgetBaseline(): void {
    this.#remove('' as Key, true);
    this.#ordered = undefined;
    this.conflicts.clear();
  }

  setRoots(firstIds: readonly string[], secondIds: readonly string[]): void {
    this.firstRootIds = [...firstIds];
    this.secondRootIds = [...secondIds];
    this.areRootsLost = false;
  }

  #remove(key: Key, withSubtree: boolean): void {
    if (!withSubtree || !isDirectoryKey(key)) {
      this.#delete(key);
      return;
    }
    for (const candidate of [...this.#rows.keys()]) {
      if (candidate.startsWith(key)) this.#delete(candidate);
    }
  }

  #delete(key: Key): void {
    const row = this.#rows.get(key);
    this.#rows.delete(key);
    if (row?.kind !== 'file') return;
    this.#count(-1, -row.sizeBytes);
    const same = this.#bySize.get(row.sizeBytes);
    same?.delete(key);
    if (same?.size === 0) this.#bySize.delete(row.sizeBytes);
  }

  #index(key: Key, sizeBytes: number): void {
    if (sizeBytes < FINDABLE_BYTES) return;
    const same = this.#bySize.get(sizeBytes);
    if (same === undefined) this.#bySize.set(sizeBytes, new Set([key]));
    else same.add(key);
  }

  #count(files: number, bytes: number): void {
    this.#files += files;
    this.#bytes += bytes;
  }
}

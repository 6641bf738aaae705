/**
 * The state of a pair as a simulated machine sees it: every change passes under the eyes of the
 * oracle, the store can fail, and a killed process changes nothing any more.
 */

import type { Key, RelativePath, SideName } from '@wl/domain';
import { StateError, type BaselineScan, type BaselineChange, type BaselineRow, type ConflictRecord, type PairState, type PairSummary, type StateErrorCode } from '@wl/ports';

/** Hears of what is about to be written. */
export interface PairWitness {
  committing(changes: readonly BaselineChange[]): void;
  endingConflicts(paths: readonly RelativePath[]): void;
  showing(records: readonly ConflictRecord[]): void;
  forgetting(): void;
}

/** The method that reads or writes what is stored of a pair as a whole, its roots among it: damage met there takes them too. */
const OWN_ROW = 'setRoots';

/** A pair under observation. */
export class WatchedPair implements PairState {
  isDead = false;
  #failure: { readonly operation: string; readonly code: StateErrorCode } | undefined;

  constructor(
    private readonly inner: PairState,
    private readonly witness: PairWitness,
    /** Carries out what damage to all that is stored of the pair does. */
    private readonly lose: () => void,
  ) {}

  /** Lets the next call of one method fail; one that is damaged stays so until the pair is forgotten. */
  fail(operation: string, code: StateErrorCode): void {
    this.#failure = { operation, code };
  }

  /** Ends all faults. */
  mend(): void {
    this.#failure = undefined;
  }

  summary(): PairSummary {
    return this.#on('summary').summary();
  }

  setRoots(sourceIds: readonly string[], targetIds: readonly string[]): void {
    this.#on('setRoots').setRoots(sourceIds, targetIds);
  }

  reset(): void {
    const inner = this.#on('reset');
    this.mend();
    this.witness.forgetting();
    inner.reset();
  }

  forgetBaseline(): void {
    const inner = this.#on('forgetBaseline');
    const isOwnRow = this.#failure?.operation === OWN_ROW;
    this.mend();
    this.witness.forgetting();
    if (isOwnRow) this.lose();
    else inner.forgetBaseline();
  }

  *scan(directory: RelativePath): BaselineScan {
    yield* this.#on('scan').scan(directory);
  }

  get(key: Key): BaselineRow | undefined {
    return this.#on('get').get(key);
  }

  filesOfSize(sizeBytes: number, limit: number): ReturnType<PairState['filesOfSize']> {
    return this.#on('filesOfSize').filesOfSize(sizeBytes, limit);
  }

  totals(): { readonly files: number; readonly bytes: number } {
    return this.#on('totals').totals();
  }

  commit(changes: readonly BaselineChange[]): void {
    const inner = this.#on('commit');
    this.witness.committing(changes);
    inner.commit(changes);
  }

  conflict(path: RelativePath): ConflictRecord | undefined {
    return this.#on('conflict').conflict(path);
  }

  conflicts(): readonly ConflictRecord[] {
    return this.#on('conflicts').conflicts();
  }

  putConflicts(records: readonly ConflictRecord[]): void {
    const inner = this.#on('putConflicts');
    this.witness.showing(records);
    inner.putConflicts(records);
  }

  deleteConflicts(paths: readonly RelativePath[]): void {
    const inner = this.#on('deleteConflicts');
    this.witness.endingConflicts(paths);
    inner.deleteConflicts(paths);
  }

  addDeletions(side: SideName, count: number, timeMs: number): void {
    this.#on('addDeletions').addDeletions(side, count, timeMs);
  }

  deletionsSince(side: SideName, timeMs: number): number {
    return this.#on('deletionsSince').deletionsSince(side, timeMs);
  }

  clearDeletions(): void {
    this.#on('clearDeletions').clearDeletions();
  }

  #on(operation: string): PairState {
    if (this.isDead) throw new DeadProcessError();
    if (this.#failure?.operation === operation) {
      const { code } = this.#failure;
      if (code !== 'damaged') this.#failure = undefined;
      throw new StateError(code, `injected fault: ${operation}`);
    }
    return this.inner;
  }
}

/** What a killed process would have done next. */
export class DeadProcessError extends Error {
  constructor() {
    super('this process was killed');
  }
}

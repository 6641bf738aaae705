/**
 * What the parts of one pass share: the two storages, the state, and the report that
 * grows while the pass goes on.
 */

import { ancestorsOf, DELETION_WINDOW_MS, type FileNode, type Key, type RelativePath, type SideName, type Unsynced } from '@wl/domain';
import {
  isBackendError,
  type BackendError,
  type BaselineChange,
  type Clock,
  type HashCache,
  type PairState,
  type PassReport,
  type PathFilter,
  type PlannedOperation,
  type Problem,
  type StorageBackend,
  type SyncerEvents,
} from '@wl/ports';

import { agreedTotals } from './agreed-totals.js';

/** What a pass works on. */
export interface PassContext {
  readonly source: StorageBackend;
  readonly target: StorageBackend;
  readonly pair: PairState;
  readonly cache: HashCache;
  readonly clock: Clock;
  readonly filter: PathFilter | undefined;
  readonly events: SyncerEvents;
  readonly isUnidirectional: boolean;
  readonly isDryRun: boolean;
  readonly signal: AbortSignal | undefined;
}

/** The storage at one end. */
export function storageAt(context: Pick<PassContext, SideName>, side: SideName): StorageBackend {
  return side === 'source' ? context.source : context.target;
}

/** Problems and skipped places that a report lists at most; more are only counted. */
export const REPORT_LIMIT = 10_000;

/** Lines of a dry run's plan that a report lists at most. */
export const PLAN_LIMIT = 100_000;

/** Collects what a pass has to tell, with bounded lists (INV-40). */
export class PassLog {
  readonly problems: Problem[] = [];
  readonly skipped: Unsynced[] = [];
  readonly plan: PlannedOperation[] = [];
  planTotal = 0;
  copiedFiles = 0;
  copiedBytes = 0;
  deletedFiles = 0;
  madeDirectories = 0;
  deletedDirectories = 0;
  permissions = 0;
  /** Paths to look at again, because what the plan saw no longer holds, or because trying again may help. */
  readonly retry = new Set<RelativePath>();
  /** Why the latter failed. */
  readonly #lastFailures = new Map<RelativePath, { readonly side: SideName; readonly error: BackendError }>();
  /** Paths whose step failed: their recorded conflicts stay. */
  readonly unfinished = new Set<RelativePath>();

  readonly #context: PassContext;
  #filesTotal = 0;
  #bytesTotal = 0;
  #entriesSeen = 0;
  #isTotalFinal = false;
  #lastProgressMs = -Infinity;

  constructor(context: PassContext) {
    this.#context = context;
  }

  /** A step on this path, and with it whatever is below, has not come to its end. */
  problem(path: string, side: SideName, reason: string, message: string): void {
    this.unfinished.add(path as RelativePath);
    this.remark(path, side, reason, message);
  }

  /** Something that a person should know, though all was looked at and decided (INV-36: conflicts below end). */
  remark(path: string, side: SideName, reason: string, message: string): void {
    if (this.problems.length < REPORT_LIMIT) this.problems.push({ path, side, reason, message });
  }

  skip(unsynced: Unsynced): void {
    if (this.skipped.length < REPORT_LIMIT) this.skipped.push(unsynced);
  }

  /** Records a failed step on one path; what concerns the whole storage is thrown on. */
  failure(path: RelativePath, side: SideName, error: unknown): void {
    if (!isBackendError(error) || concernsWholeStorage(error)) throw error;
    if (!error.details.retryable) {
      this.problem(path, side, error.code, this.#withAdvice(side, error));
      return;
    }
    this.retry.add(path);
    this.#lastFailures.set(path, { side, error });
  }

  /** Storages do not know what they are called; a person has to know which disk is meant (T52). */
  #withAdvice(side: SideName, { code, message }: BackendError): string {
    return code === 'no-space' ? `${message}; free some space on ${storageAt(this.#context, side).displayLocation}` : message;
  }

  /** Hands out the paths to look at again. */
  takeRetries(): RelativePath[] {
    const paths = [...this.retry];
    this.retry.clear();
    this.#lastFailures.clear();
    return paths;
  }

  /** What still is to be looked at again is left to a later pass: tells why. */
  giveUpRetries(): void {
    for (const path of this.retry) {
      const failure = this.#lastFailures.get(path);
      if (failure !== undefined) this.problem(path, failure.side, failure.error.code, failure.error.message);
      else this.problem(path, 'source', 'changing', 'keeps changing; it is synced once it is quiet for a moment');
    }
  }

  /** Whether a step on this path, or on a directory above it, did not come to its end. */
  isUnfinished(path: RelativePath): boolean {
    return [path, ...ancestorsOf(path)].some((place) => this.unfinished.has(place) || this.retry.has(place));
  }

  planned(operation: PlannedOperation): void {
    this.planTotal += 1;
    if (this.plan.length < PLAN_LIMIT) this.plan.push(operation);
  }

  seen(entries: number): void {
    this.#entriesSeen += entries;
    this.#tell();
  }

  toCopy(node: FileNode): void {
    this.#filesTotal += 1;
    this.#bytesTotal += node.sizeBytes;
  }

  copied(sizeBytes: number): void {
    this.copiedFiles += 1;
    this.copiedBytes += sizeBytes;
    this.#tell();
  }

  totalsAreFinal(): void {
    this.#isTotalFinal = true;
    this.#tell(true);
  }

  report(conflicts: number, isComplete: boolean, halt: PassReport['halt']): PassReport {
    this.#tell(true);
    const { files, bytes } = agreedTotals(this.#context.pair);
    return {
      isComplete,
      halt,
      files,
      bytes,
      copiedFiles: this.copiedFiles,
      copiedBytes: this.copiedBytes,
      deletedFiles: this.deletedFiles,
      madeDirectories: this.madeDirectories,
      deletedDirectories: this.deletedDirectories,
      ...(this.permissions > 0 && { permissions: this.permissions }),
      conflicts,
      problems: this.problems,
      skipped: this.skipped,
      plan: this.plan,
      planTotal: this.planTotal,
    };
  }

  #tell(isForced = false): void {
    const now = this.#context.clock.monotonicMs();
    if (!isForced && now - this.#lastProgressMs < PROGRESS_INTERVAL_MS) return;
    this.#lastProgressMs = now;
    this.#context.events.progress({
      filesDone: this.copiedFiles,
      bytesDone: this.copiedBytes,
      filesTotal: this.#filesTotal,
      bytesTotal: this.#bytesTotal,
      isTotalFinal: this.#isTotalFinal,
      entriesSeen: this.#entriesSeen,
    });
  }
}

/** Whether an error will meet every further path of the storage as well. */
export function concernsWholeStorage(error: BackendError): boolean {
  return CONCERNS_ALL.has(error.code);
}

const CONCERNS_ALL: ReadonlySet<string> = new Set(['unreachable', 'unauthorized', 'cancelled']);

const PROGRESS_INTERVAL_MS = 100;

/**
 * Baseline changes on their way to the store. INV-15: they are written only after both
 * storages say that what they stand for survives a power loss.
 */
export class BaselineWriter {
  readonly #context: PassContext;
  readonly #assertRoots: () => Promise<void>;
  #changes: BaselineChange[] = [];
  #deletions: Record<SideName, number> = { source: 0, target: 0 };
  #creations: Record<SideName, number> = { source: 0, target: 0 };
  /** The latest flush, ended or not. */
  #latest: Promise<unknown> = Promise.resolve();

  /** `assertRoots` rejects when a root is not any more what it was when the pass began. */
  constructor(context: PassContext, assertRoots: () => Promise<void>) {
    this.#context = context;
    this.#assertRoots = assertRoots;
  }

  add(change: BaselineChange): void {
    this.#changes.push(change);
  }

  /** Notes a file deleted on a side, with the row to forget. What only moved counts for no safety rule. */
  deleted(key: Key, on: SideName, isMoved: boolean): void {
    this.#changes.push({ kind: 'delete', key });
    // What moved was made under another name in this pass: neither counts.
    if (isMoved) this.#creations[on] -= 1;
    else this.#deletions[on] += 1;
  }

  /** Notes that a file was made where there was none; its row is added by itself. */
  created(on: SideName): void {
    this.#creations[on] += 1;
  }

  /** Writes what has come together, if it is worth a transaction or `isForced`; what was added first is written first. */
  async flush(isForced: boolean): Promise<void> {
    if (!isForced && this.#changes.length < BATCH_CHANGES) return;
    const flushed = this.#latest.then(() => this.#flush());
    this.#latest = flushed.catch(() => undefined);
    await flushed;
  }

  async #flush(): Promise<void> {
    if (this.#changes.length === 0) return;
    const changes = this.#changes;
    const deletions = this.#deletions;
    this.#changes = [];
    this.#deletions = { source: 0, target: 0 };
    if (this.#context.isDryRun) return;
    const { source, target, pair, clock, isUnidirectional } = this.#context;
    await Promise.all([isUnidirectional ? undefined : source.flush(), target.flush()]);
    // A disk that was pulled meanwhile does not hold what was written to its mount point (T05).
    await this.#assertRoots();
    pair.commit(changes);
    for (const side of ['source', 'target'] as const) {
      if (deletions[side] > 0) pair.addDeletions(side, deletions[side], clock.nowMs());
    }
  }

  /**
   * At the end of a pass: files that came make up for files that went. A folder where short-lived
   * files come and go all day does not shrink. They make up for deletions of the past only.
   */
  settleCreations(): void {
    const { pair, clock, isDryRun } = this.#context;
    if (isDryRun) return;
    for (const side of ['source', 'target'] as const) {
      const recent = pair.deletionsSince(side, clock.nowMs() - DELETION_WINDOW_MS);
      const taken = Math.min(this.#creations[side], recent);
      if (taken > 0) pair.addDeletions(side, -taken, clock.nowMs());
    }
    this.#creations = { source: 0, target: 0 };
  }
}

/** Changes that are worth a transaction of their own while a pass goes on. */
const BATCH_CHANGES = 4096;

/** "the target storage (usb)" for messages. */
export function describeSide(context: Pick<PassContext, SideName>, side: SideName): string {
  const storage = storageAt(context, side);
  return `the ${side} storage '${storage.type}'(backend_id=${storage.backendId}) at ${storage.displayLocation}`;
}


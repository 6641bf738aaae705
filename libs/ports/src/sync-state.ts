/**
 * The port of the durable state: baselines, conflicts, roots, jobs.
 *
 * The baseline is a database with invariants, not a cache (INV-11, INV-15): it is
 * written in transactions, refused or set aside when it cannot be trusted, and a path
 * that is not in it is never a reason to delete (INV-12). Methods are synchronous: the
 * store is embedded and local, callers batch. All throw `StateError` when the store
 * fails (disk full, damaged); nothing of the failed call is then in it.
 */

import type { BaselineNode, ConflictCause, Key, RelativePath, Sha256, SideName, Token, Version } from '@wl/domain';

import type { JoinedBaseline, JoinedPlace } from './joined-rows.js';

/** Why the state could not be used or written; append-only. */
export type StateErrorCode = 'damaged' | 'newer-version' | 'locked' | 'no-space' | 'io-error';

/** The state store failed. */
export class StateError extends Error {
  override readonly name = 'StateError';

  constructor(
    readonly code: StateErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** Identifies a pair of storages; the same whichever is called source. */
export interface PairIdentity {
  /** What the pair belongs to, e.g. `owner|uuid` of the container. */
  readonly scope: string;
  readonly sourceBackendId: string;
  readonly targetBackendId: string;
}

/** One baseline row with everything. Directories have neither hash nor tokens. */
export type BaselineRow =
  | {
      readonly kind: 'file';
      readonly hash: Sha256;
      readonly sizeBytes: number;
      /** Tokens under which each side held this content; `NO_TOKEN` = look again. */
      readonly sourceToken: Token;
      readonly targetToken: Token;
    }
  | { readonly kind: 'directory' };

/** A run of baseline rows in key order, as parallel arrays. Hashes are left out: `get` has them. */
export interface BaselineBatch {
  readonly keys: readonly string[];
  /** Sizes in bytes; 0 for directories. */
  readonly sizes: readonly number[] | Float64Array;
  readonly sourceTokens: readonly string[];
  readonly targetTokens: readonly string[];
  /** Keys and tokens once more, joined, where no token holds a line break; the arrays may then be made when they are asked for. */
  readonly joined?: JoinedBaseline;
  /**
   * Throws unless the row at a place in `joined` is what was written, and behind the one before it; of the place
   * behind the last row, unless that was the last. Whoever takes a row out of the texts asks before relying on
   * it; equal texts need no asking. Left out where rows cannot be damaged.
   */
  verify?(place: JoinedPlace): void;
}

/**
 * A scan of the baseline. `next(through)` asks for a run that ends with this key or the last one
 * before it, so that it can be compared as a whole; a wish that a store may leave unheard, and
 * does for the first run.
 */
export type BaselineScan = Generator<BaselineBatch, void, string | undefined>;

/** One change of the baseline. */
export type BaselineChange =
  | { readonly kind: 'put'; readonly key: Key; readonly row: BaselineRow }
  | { readonly kind: 'delete'; readonly key: Key }
  /** Forgets a key and, for a directory's, everything below. */
  | { readonly kind: 'delete-subtree'; readonly key: Key };

/** Why a path is in conflict, as the domain decides it. */
export type ConflictReason = ConflictCause;

/** A conflict as it is kept and shown (INV-36). */
export interface ConflictRecord {
  readonly path: RelativePath;
  readonly reason: ConflictReason;
  readonly source: Version;
  readonly target: Version;
  /** When it was first seen, milliseconds since the epoch; for people only. */
  readonly sinceMs: number;
}

/** What the pair has been through; for the safety rules and for status. */
export interface PairSummary {
  /** Root ids stored with the baseline; empty before the first pass, and when they are lost. */
  readonly sourceRootIds: readonly string[];
  readonly targetRootIds: readonly string[];
  /** The pair was synced before, but what was stored of its roots was damaged; until roots are set again. */
  readonly areRootsLost: boolean;
}

/** Smaller files are not worth an index: writing one anew costs no more than finding it. */
export const FINDABLE_BYTES = 128 * 1024;

/** A file of the baseline, as `filesOfSize` finds it. */
export interface FoundFile {
  readonly key: Key;
  readonly row: Extract<BaselineRow, { kind: 'file' }>;
}

/** The durable state of one pair, seen from one orientation. */
export interface PairState {
  summary(): PairSummary;
  /** Stores the identity of both roots; together with the first rows they make the baseline usable. */
  setRoots(sourceIds: readonly string[], targetIds: readonly string[]): void;
  /** Forgets baseline, conflicts and roots: the next pass is a first sync (deletes nothing). */
  reset(): void;
  /**
   * Forgets baseline and conflicts, because something of the pair was damaged (INV-11): the next pass deletes
   * nothing. The roots stay if what is stored of them is itself whole, else they count as lost: an unmounted
   * disk must not be taken for a new one because of damage elsewhere (INV-10).
   */
  forgetBaseline(): void;

  /** Rows at or below a directory (its own row included), in key order; `ROOT` = all. Reads a snapshot or live rows; rows behind the reading position may change. */
  scan(directory: RelativePath): BaselineScan;
  get(key: Key): BaselineRow | undefined;
  /**
   * Files of exactly this size, at most `limit`, in any order: where to look for content that a
   * side may hold already. Rows of less than `FINDABLE_BYTES` are not found.
   */
  filesOfSize(sizeBytes: number, limit: number): readonly FoundFile[];
  /** Number of file rows and their bytes. */
  totals(): { readonly files: number; readonly bytes: number };
  /** Applies all changes in one durable transaction, or none. */
  commit(changes: readonly BaselineChange[]): void;

  conflict(path: RelativePath): ConflictRecord | undefined;
  /** In key order. */
  conflicts(): readonly ConflictRecord[];
  /** Inserts or replaces by path, durable. `sinceMs` of an existing record of the same path is kept. */
  putConflicts(records: readonly ConflictRecord[]): void;
  deleteConflicts(paths: readonly RelativePath[]): void;

  /** Adds to the count of deletions carried out on a side at a time (INV-39: slow drip); less than 0 takes back earlier ones. */
  addDeletions(side: SideName, count: number, timeMs: number): void;
  /** Deletions carried out on a side since a time. */
  deletionsSince(side: SideName, timeMs: number): number;
  /** Forgets the counts: the user has accepted them. */
  clearDeletions(): void;
}

/** A continuous job as it is resumed after a restart. `request` is the validated `start` request, as JSON. */
export interface SavedJob {
  readonly jobId: string;
  readonly request: string;
}

/** The durable state of one base directory. */
export interface SyncState {
  openPair(identity: PairIdentity): PairState;
  jobs(): readonly SavedJob[];
  saveJob(job: SavedJob): void;
  deleteJob(jobId: string): void;
  close(): void;
}

/** What is known of a row at name level, for `reconcile`. */
export function baselineNodeOf(row: BaselineRow | undefined): BaselineNode {
  if (row === undefined) return { kind: 'absent' };
  return row.kind === 'directory' ? { kind: 'directory' } : { kind: 'file', hash: row.hash, sizeBytes: row.sizeBytes };
}

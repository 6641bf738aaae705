/**
 * The port of a syncer: the algorithm of one job. The generic syncer ("*" ↔ "*") is
 * the engine's pass and continuous loop; a dedicated one, built in or from a plugin,
 * is another implementation chosen by its traits.
 */

import type { SideName, SyncerTraits, Unsynced } from '@wl/domain';

import type { CopyFrom, PathFilter, StorageBackend } from './storage-backend.js';
import type { ConflictRecord, PairState } from './sync-state.js';

/** States of a job, as the control protocol names them. */
export type JobStateName = 'STOPPED' | 'RUNNING' | 'SYNCED' | 'ONE_SHOT' | 'ERROR';

/** Why a job stopped itself before touching anything further, and how to go on. */
export interface Halt {
  readonly reason:
    | 'root-missing'
    | 'root-unreadable'
    | 'root-changed'
    | 'side-emptied'
    | 'mass-deletion'
    | 'overlapping-roots'
    | 'state-unusable';
  readonly side?: SideName;
  /** One or two sentences: what was found, what was left alone. */
  readonly message: string;
  /** Option of `wl container sync` that goes on, e.g. `--allow-mass-delete`; absent when the cause must be mended first. */
  readonly option?: string;
}

/** One path that could not be handled; the pass went on. */
export interface Problem {
  readonly path: string;
  readonly side: SideName;
  /** A `BackendErrorCode`, an `UnknownReason`, or one of the engine's own words. */
  readonly reason: string;
  readonly message: string;
}

/** What one pass did, or, in a dry run, would do. */
export interface PassReport {
  /** Whether both sides were listed to the end. */
  readonly isComplete: boolean;
  readonly halt: Halt | undefined;
  /** Files and bytes in sync at the end (both sides hold them, the baseline knows). */
  readonly files: number;
  readonly bytes: number;
  readonly copiedFiles: number;
  readonly copiedBytes: number;
  readonly deletedFiles: number;
  readonly madeDirectories: number;
  readonly deletedDirectories: number;
  /** Files that were made executable, or no longer so, as they are on the other side; absent: none. */
  readonly permissions?: number;
  readonly conflicts: number;
  readonly problems: readonly Problem[];
  readonly skipped: readonly Unsynced[];
  /** Dry run: what would be done, in order; empty otherwise. At most `PLAN_LIMIT` lines, `planTotal` counts all. */
  readonly plan: readonly PlannedOperation[];
  readonly planTotal: number;
  /** The paths that were looked at, with all below them; absent when it was everything. */
  readonly scope?: readonly string[];
  /** Continuous jobs: from the first hint to the end of this pass, in milliseconds. */
  readonly lagMs?: number;
}

/** One line of a dry run. */
export interface PlannedOperation {
  readonly operation: 'CREATE' | 'MODIFY' | 'DELETE' | 'CONFLICT';
  readonly side: SideName | 'both';
  readonly path: string;
  readonly isDirectory: boolean;
  readonly sizeBytes: number;
  /** The content stays: the file only becomes executable, or is no longer so. */
  readonly isExecutable?: boolean;
}

/** Numbers while a pass runs. Totals are known only once both listings ended. */
export interface Progress {
  readonly filesDone: number;
  readonly bytesDone: number;
  /** What has been found to copy so far; final when `isTotalFinal`. */
  readonly filesTotal: number;
  readonly bytesTotal: number;
  readonly isTotalFinal: boolean;
  /** Entries compared so far. */
  readonly entriesSeen: number;
}

/** What a syncer tells while it works. None of these throws. */
export interface SyncerEvents {
  state(state: JobStateName): void;
  operation(operation: 'CREATE' | 'MODIFY' | 'DELETE', path: string): void;
  progress(progress: Progress): void;
  /** A conflict that was not there before. */
  conflict(record: ConflictRecord): void;
  /** A conflict that ended. */
  conflictResolved(path: string): void;
  report(report: PassReport): void;
  halt(halt: Halt): void;
  error(error: Error): void;
  /** Something to know about this pair; it is shown until it ends. */
  note(message: string): void;
  /** What was noted does not hold any more. */
  noteEnded(message: string): void;
}

/** Everything a syncer is given. */
export interface SyncerContext {
  readonly source: StorageBackend;
  readonly target: StorageBackend;
  readonly pair: PairState;
  readonly isUnidirectional: boolean;
  readonly filter: PathFilter | undefined;
  readonly events: SyncerEvents;
  /** File-system paths of both storages; given when the syncer's traits ask for a mount. */
  readonly mounts?: { readonly source: string; readonly target: string };
  /**
   * Makes the generic syncer for this job: it plans, keeps the baseline, the conflicts and the
   * safety rules, and has content carried by `carriers` where a dedicated syncer knows a better
   * way. Given to every syncer but the generic one itself.
   */
  readonly generic?: (carriers?: Carriers) => Syncer;
}

/**
 * Ways to carry content to a side, in place of the storage's own `copyFrom` and under its
 * contract (conditions, verification, each index once). One that answers `undefined` leaves it
 * to the storage.
 */
export interface Carriers {
  readonly toSource?: CopyFrom;
  readonly toTarget?: CopyFrom;
  /**
   * They verify what they copy as a storage's own `copyFrom` does, so that the storages need not be
   * asked again. Believed of syncers that are built in and whose tests show it, not of plugins.
   */
  readonly areVerified?: boolean;
}

/** Options of one run. */
export interface SyncOptions {
  readonly dryRun?: boolean;
  readonly allowMassDelete?: boolean;
  /** Take a root that is not the one the baseline knows as new: first sync, nothing is deleted. */
  readonly acceptNewRoot?: boolean;
  readonly signal?: AbortSignal;
}

/** One job's algorithm. */
export interface Syncer {
  /** Runs to the end once. Rejects on failure of a whole storage or of the state; halts are in the report. */
  oneShotSync(options: SyncOptions): Promise<PassReport>;
  /** Starts keeping both in sync; resolves when watching, the first pass running. */
  startSync(options: SyncOptions): Promise<void>;
  /** Stops at a point where every file is whole; resolves when nothing runs any more. */
  stopSync(): Promise<void>;
  isRunning(): boolean;
  /** Problems of the last pass, per path. */
  iterErrors(): Iterable<Problem>;
}

/** A syncer that can be chosen: its traits and how to make one. */
export interface SyncerDefinition {
  readonly traits: SyncerTraits;
  /** The plugin it comes from, `name@version`; absent: built in. */
  readonly origin?: string;
  /** What traits cannot say: why it cannot serve this job here and now, as the end of a sentence that begins with its name. Nothing is opened for it. */
  readonly unfit?: (job: Pick<SyncerContext, 'source' | 'target' | 'isUnidirectional'>) => string | undefined;
  create(context: SyncerContext): Syncer;
}

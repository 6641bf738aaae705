/**
 * For implementers of `SyncState`. Which end of a pair is called source differs from job to job, the pair does not (INV-2): what
 * is stored is told from the end whose backend id sorts first, and turned round for who calls
 * the other end source.
 */

import { invariant, otherSide, type SideName } from '@wl/domain';

import type { BaselineBatch, BaselineRow, ConflictRecord, PairIdentity } from './sync-state.js';

/** A pair as it is stored, and whether its owner looks at it from the other end. */
export interface OrientedPair {
  readonly scope: string;
  /** The backend ids; `first` sorts before `second`. */
  readonly first: string;
  readonly second: string;
  /** Whether `first` is the target. */
  readonly isFlipped: boolean;
}

/** The stored pair behind an identity. */
export function orient(identity: PairIdentity): OrientedPair {
  const { scope, sourceBackendId: source, targetBackendId: target } = identity;
  invariant(source !== target, 'INV-23: a pair has two different storages');
  const isFlipped = source > target;
  return isFlipped ? { scope, first: target, second: source, isFlipped } : { scope, first: source, second: target, isFlipped };
}

/** The row with its tokens exchanged. */
export function flipRow<Row extends BaselineRow>(row: Row): Row {
  return row.kind === 'directory' ? row : { ...row, sourceToken: row.targetToken, targetToken: row.sourceToken };
}

/** The batch with its tokens exchanged. */
export function flipBatch(batch: BaselineBatch): BaselineBatch {
  return { ...batch, sourceTokens: batch.targetTokens, targetTokens: batch.sourceTokens };
}

/** The record with its versions exchanged. */
export function flipConflict(record: ConflictRecord): ConflictRecord {
  return { ...record, source: record.target, target: record.source };
}

/** The side, seen from the other end. */
export function flipSide(side: SideName, isFlipped: boolean): SideName {
  return isFlipped ? otherSide(side) : side;
}

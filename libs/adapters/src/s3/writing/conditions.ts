/** The condition that a single `PUT` is sent with, as far as the endpoint was proved to obey it (INV-17, INV-26). */

import type { S3Abilities } from '../abilities.js';
import type { Condition } from '../s3-api.js';

import type { Sizes } from './sizes.js';

/** A condition, and whether the server compares and writes in one step. */
export interface CheckedCondition {
  readonly condition: Condition;
  /** `false`: nothing is compared; the caller has to look before and after. */
  readonly isChecked: boolean;
}

/** Sent where the server compares nothing. */
export const UNCHECKED: CheckedCondition = { condition: { kind: 'none', isOnce: true }, isChecked: false };

/** How to ask that `expected` (an ETag, or nothing) be what a `PUT` replaces. */
export function conditionFor(expected: string | undefined, abilities: S3Abilities): CheckedCondition {
  if (expected === undefined) return abilities.createsIfAbsent ? { condition: { kind: 'absent' }, isChecked: true } : UNCHECKED;
  if (abilities.replacesIfMatch === 'no') return UNCHECKED;
  return { condition: { kind: 'etag', etag: expected, isBare: abilities.replacesIfMatch === 'bare' }, isChecked: true };
}

/** The same for completing an upload in parts, which servers may obey less than a `PUT`. */
export function conditionForComplete(expected: string | undefined, abilities: S3Abilities): CheckedCondition {
  return abilities.completesConditionally ? conditionFor(expected, abilities) : UNCHECKED;
}

/** The same for the target of a copy on the server. */
export function conditionForCopy(expected: string | undefined, abilities: S3Abilities): CheckedCondition {
  return abilities.copiesConditionally ? conditionFor(expected, abilities) : UNCHECKED;
}

/**
 * Whether a large object is written in parts, or by one request: in parts where that is as safe, or where it does not fit into one.
 * `sizeBytes`: `undefined` where it is not known beforehand.
 */
export function isWrittenInParts(sizeBytes: number | undefined, expected: string | undefined, abilities: S3Abilities, sizes: Pick<Sizes, 'single'>): boolean {
  if (!abilities.uploadsInParts) return false;
  const fitsInOne = sizeBytes !== undefined && sizeBytes <= sizes.single;
  return !fitsInOne || abilities.completesConditionally || !conditionFor(expected, abilities).isChecked;
}

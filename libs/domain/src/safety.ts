/**
 * Safety rules over a finished plan: when a job must halt before it deletes anything
 * (DESIGN §6, INV-10, INV-39). Pure; the engine passes the facts in.
 */

/** What a plan is about to delete on one side, after move detection. */
export interface DeletionFacts {
  /** Files the baseline knows on this side before the plan. */
  readonly knownFiles: number;
  /** Files the plan would delete here, less those whose content arrives elsewhere in the same plan (moves). */
  readonly deletions: number;
  /** Deletions already carried out here within `DELETION_WINDOW_MS`, less the files that were made here since. */
  readonly recentDeletions: number;
  /** Whether the side the deletions come from holds no file at all any more. */
  readonly isOtherSideEmpty: boolean;
}

/** Fewer deletions than this never halt a job (unless they empty a side). */
export const HANDFUL = 10;

/** Share of the files known whose deletion halts a job. */
export const MASS_DELETION_SHARE = 0.5;

/** How long deletions are added up, in milliseconds: a slow drip counts like a flood (T85). */
export const DELETION_WINDOW_MS = 24 * 60 * 60 * 1000;

/** Whether deletions may be carried out, or which rule forbids it. */
export function judgeDeletions(facts: DeletionFacts): 'allowed' | 'side-emptied' | 'mass-deletion' {
  if (facts.deletions <= 0) return 'allowed';
  if (facts.isOtherSideEmpty) return 'side-emptied';
  const total = facts.deletions + facts.recentDeletions;
  // What was deleted within the window was known at its start.
  const known = facts.knownFiles + facts.recentDeletions;
  return total > HANDFUL && total > known * MASS_DELETION_SHARE ? 'mass-deletion' : 'allowed';
}

/** Ids that begin so say where a root is, not which one it is: another bucket can be given the same name. */
export const PLACE_PREFIX = 'place:';

/**
 * Whether a root is the one stored with the baseline: the two share an id. One that only names
 * the place counts as long as nothing better was stored (T10: a bucket made anew under the old
 * name has lost its marker). Nothing stored yet means nothing to compare with.
 */
export function isSameRoot(storedIds: readonly string[], seenIds: readonly string[]): boolean {
  const proving = storedIds.filter((id) => !id.startsWith(PLACE_PREFIX));
  const decisive = proving.length > 0 ? proving : storedIds;
  return decisive.length === 0 || decisive.some((id) => seenIds.includes(id));
}

/** How two places of one medium lie to each other; overlapping ones cannot be synced with each other (INV-23). */
export function rootOverlap(a: string, b: string): 'same' | 'nested' | 'apart' {
  if (a === b) return 'same';
  const below = (inner: string, outer: string): boolean => inner.startsWith(outer.endsWith('/') ? outer : `${outer}/`);
  return below(a, b) || below(b, a) ? 'nested' : 'apart';
}

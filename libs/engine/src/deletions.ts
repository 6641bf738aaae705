/**
 * Carries out the deletions of a pass, last of all: after both listings ended, both roots
 * were looked at again and the safety rules have seen the whole plan (DESIGN §2, §6).
 *
 * INV-8/INV-9: each file is removed only if it still is the version the baseline knows and
 * is still missing on the other side; a directory only when it is empty.
 */

import {
  ancestorsOf,
  DELETION_WINDOW_MS,
  directoryKey,
  fileKey,
  isWithin,
  judgeDeletions,
  otherSide,
  ROOT,
  type PlanItem,
  type RelativePath,
  type SideName,
} from '@wl/domain';
import type { Halt } from '@wl/ports';

import type { Arrivals } from './arrivals.js';
import { reportLeftover } from './copier.js';
import { ListingCursor } from './cursors.js';
import { describeSide, storageAt, type BaselineWriter, type PassContext, type PassLog } from './pass-context.js';
import { settleAll, type Stop } from './run-all.js';

/** A deletion waiting for the end of the pass. */
export type PlannedDeletion = Extract<PlanItem, { kind: 'delete-file' | 'delete-directory' }>;

type FileDeletion = Extract<PlanItem, { kind: 'delete-file' }>;

/**
 * Files removed at the same time, after one look at the roots: as many as a server is asked for at once. With a quarter
 * of them a deletion costs a quarter more CPU, for looks at the roots and ways there and back.
 */
const BATCH_FILES = 64;

const SIDES = ['source', 'target'] as const;

/** What the listings of a full pass showed; `undefined` in a pass over parts. */
export interface SideCounts {
  readonly files: number;
  readonly unknown: number;
}

/** The deletions of a pass as they are to be taken. */
export interface DeletionPlan {
  /** In their order; children come before their directories. */
  readonly deletions: readonly PlannedDeletion[];
  /** Those among them that are half of a move. */
  readonly moved: ReadonlySet<PlannedDeletion>;
  /** Left out, because the content has not arrived under its new name. */
  readonly keptBack: readonly FileDeletion[];
  /** The directories that hold such files. */
  readonly keptIn: Readonly<Record<SideName, ReadonlySet<RelativePath>>>;
}

/** Sorts deletions by what is to become of them. */
export async function planDeletions(all: readonly PlannedDeletion[], arrivals: Arrivals, context: PassContext): Promise<DeletionPlan> {
  const moved = new Set<PlannedDeletion>();
  const keptBack = new Set<PlannedDeletion>();
  const emptied = { source: new Set<RelativePath>(), target: new Set<RelativePath>() };
  const keptIn = { source: new Set<RelativePath>(), target: new Set<RelativePath>() };
  for (const on of SIDES) {
    const files = filesOf(all, on);
    const sorted = await arrivals.sort(on, files);
    for (const file of sorted.moved) moved.add(file);
    for (const file of sorted.keptBack) keptBack.add(file);
    for (const { path } of sorted.keptBack) for (const above of ancestorsOf(path)) keptIn[on].add(above);
    for (const { path } of files) for (const above of ancestorsOf(path)) emptied[on].add(above);
  }
  // Where directories are not kept by themselves, the absence of an empty one means nothing.
  const isMeant = (item: PlannedDeletion): boolean =>
    item.kind === 'delete-file' || storageAt(context, otherSide(item.on)).capabilities.keepsEmptyDirectories || emptied[item.on].has(item.path);
  return {
    deletions: all.filter((item) => !keptBack.has(item) && isMeant(item)),
    moved,
    keptBack: all.filter((item): item is FileDeletion => keptBack.has(item)),
    keptIn,
  };
}

/**
 * The rule that forbids these deletions, as a halt, or `undefined` (INV-39). `knownFiles`:
 * files that the baseline knew before the plan; what the pass itself brought counts for nothing.
 */
export async function deletionHalt(
  { deletions, moved }: DeletionPlan,
  knownFiles: number,
  counts: Record<SideName, SideCounts> | undefined,
  context: PassContext,
): Promise<Halt | undefined> {
  for (const on of SIDES) {
    const files = filesOf(deletions, on);
    if (files.length === 0) continue;
    const from = otherSide(on);
    const recentDeletions = context.pair.deletionsSince(on, context.clock.nowMs() - DELETION_WINDOW_MS);
    const verdict = judgeDeletions({
      knownFiles,
      deletions: files.filter((file) => !moved.has(file)).length,
      recentDeletions,
      isOtherSideEmpty: await isEmpty(from, counts, context),
    });
    if (verdict !== 'allowed') return haltFor(verdict, from, { deletions: files.length, recentDeletions, knownFiles }, context);
  }
  return undefined;
}

/** What carrying out deletions takes. */
export interface Deleting {
  readonly context: PassContext;
  readonly log: PassLog;
  readonly baseline: BaselineWriter;
  /** The places above a path that are, or a moment ago were, in conflict. */
  readonly disputedAbove: (path: RelativePath) => readonly RelativePath[];
  /** Throws where nothing may be concluded from what the roots hold. */
  readonly assertRoots: () => Promise<void>;
  /** Set by what goes on beside: nothing more is removed then. */
  readonly stop: Stop;
  /** Told of a directory that is still there because files in it were kept back. */
  readonly onHeldBack: (directory: PlannedDeletion) => void;
}

/**
 * Carries out all deletions in their order: while some are removed, the next files are looked at. Whatever happens,
 * nothing runs on afterwards.
 */
export async function deleteAll(plan: DeletionPlan, deleting: Deleting): Promise<void> {
  const { context, baseline, stop } = deleting;
  const batches = batchesOf(plan.deletions);
  let looking: Promise<readonly PlannedDeletion[]> | undefined;
  try {
    for (const [index, batch] of batches.entries()) {
      const gone = await (looking ?? stillGone(batch, deleting));
      context.signal?.throwIfAborted();
      if (stop.isStopped) return;
      const next = batches[index + 1];
      const removing = deleteThese(gone, plan, deleting);
      // One that was made again while the files in it were removed stays: directories are few, and looked at one by one.
      looking = next?.[0]?.kind === 'delete-file' ? stillGone(next, deleting) : undefined;
      // A failure is met where it is waited for; until then it must not count as unhandled.
      looking?.catch(() => undefined);
      await removing;
      await baseline.flush(false);
    }
  } finally {
    await Promise.allSettled([looking]);
  }
}

/** Files that follow each other, or one directory: what is in it comes before it, and what it is in behind it. */
function batchesOf(deletions: readonly PlannedDeletion[]): readonly (readonly PlannedDeletion[])[] {
  const batches: PlannedDeletion[][] = [];
  let last: PlannedDeletion[] = [];
  for (const deletion of deletions) {
    const isOneMore = deletion.kind === 'delete-file' && last[0]?.kind === 'delete-file' && last.length < BATCH_FILES;
    if (isOneMore) last.push(deletion);
    else batches.push((last = [deletion]));
  }
  return batches;
}

/** Those whose reason still holds. */
async function stillGone(batch: readonly PlannedDeletion[], deleting: Deleting): Promise<readonly PlannedDeletion[]> {
  const gone: PlannedDeletion[] = [];
  await settleAll(
    batch.map(async (deletion) => {
      if (await isStillGone(deletion, deleting)) gone.push(deletion);
    }),
  );
  return gone;
}

/** The roots are looked at after the last look at the other side: where its disk was pulled before, nothing is there, and that means nothing (INV-10). */
async function deleteThese(gone: readonly PlannedDeletion[], { moved, keptIn }: DeletionPlan, deleting: Deleting): Promise<void> {
  if (gone.length === 0) return;
  await deleting.assertRoots();
  await settleAll(gone.map((deletion) => (deletion.kind === 'delete-file' ? deleteFile(deletion, moved.has(deletion), deleting) : deleteDirectory(deletion, keptIn, deleting))));
}

/**
 * Whether the reason to delete still holds now, and not only when the pass saw it (T39, T55). Below a file nothing is;
 * but where that file is in conflict with the directory, nothing is removed (INV-7).
 */
async function isStillGone({ on, path }: PlannedDeletion, { context, log, disputedAbove }: Deleting): Promise<boolean> {
  const other = storageAt(context, otherSide(on));
  try {
    if ((await other.stat(path)).kind !== 'absent') {
      log.retry.add(path);
      return false;
    }
    for (const disputed of disputedAbove(path)) {
      const { kind } = await other.stat(disputed);
      if (kind === 'absent' || kind === 'directory') continue;
      log.retry.add(disputed);
      return false;
    }
    return true;
  } catch (error) {
    log.failure(path, on, error);
    return false;
  }
}

async function deleteFile({ on, path, node }: FileDeletion, isMoved: boolean, { context, log, baseline }: Deleting): Promise<void> {
  try {
    const removed = await storageAt(context, on).remove(path, node.token);
    if (!removed.ok) {
      log.retry.add(path);
      reportLeftover(path, on, removed.error.leftover, log);
      return;
    }
    baseline.deleted(fileKey(path), on, isMoved);
    log.deletedFiles += 1;
    context.events.operation('DELETE', path);
  } catch (error) {
    log.failure(path, on, error);
  }
}

async function deleteDirectory(deletion: PlannedDeletion, keptIn: DeletionPlan['keptIn'], { context, log, baseline, onHeldBack }: Deleting): Promise<void> {
  const { on, path } = deletion;
  try {
    const removed = await storageAt(context, on).removeDirectory(path);
    if (removed.ok) {
      baseline.add({ kind: 'delete', key: directoryKey(path) });
      log.deletedDirectories += 1;
      context.events.operation('DELETE', path);
    } else if (removed.error === 'not-empty' && keptIn[on].has(path)) {
      onHeldBack(deletion);
    } else if (removed.error === 'not-empty' && ![...log.retry].some((waiting) => isWithin(waiting, path))) {
      keepDirectory(path, on, log);
    } else {
      log.retry.add(path);
    }
  } catch (error) {
    log.failure(path, on, error);
  }
}

/** Reports a directory that was deleted on one side and stays on the other (T66). */
export function keepDirectory(path: RelativePath, on: SideName, log: PassLog): void {
  log.remark(path, on, 'directory-kept', 'deleted on the other side, but kept here: it still holds what is not synced');
}

async function isEmpty(
  side: SideName,
  counts: Record<SideName, SideCounts> | undefined,
  context: PassContext,
): Promise<boolean> {
  if (counts !== undefined) return counts[side].files === 0 && counts[side].unknown === 0;
  // A pass over parts has not seen the rest. The first file that a listing shows is answer enough.
  const { filter, signal } = context;
  const cursor = new ListingCursor(storageAt(context, side).list(ROOT, { ...(signal && { signal }), ...(filter && { prune: filter }) }), filter);
  try {
    for (await cursor.fill(); cursor.key !== undefined; ) {
      if (cursor.filesSeen > 0 || cursor.unknownSeen > 0) return false;
      if (!cursor.step()) await cursor.fill();
    }
  } finally {
    await cursor.close();
  }
  return true;
}

function filesOf(deletions: readonly PlannedDeletion[], on: SideName): FileDeletion[] {
  return deletions.filter((item): item is FileDeletion => item.kind === 'delete-file' && item.on === on);
}

function haltFor(
  verdict: 'side-emptied' | 'mass-deletion',
  from: SideName,
  { deletions, recentDeletions, knownFiles }: { readonly deletions: number; readonly recentDeletions: number; readonly knownFiles: number },
  context: PassContext,
): Halt {
  // Without it "1 of 10 files" would be no reason.
  const earlier = recentDeletions === 0 ? '' : `, after ${String(recentDeletions)} within the last day`;
  const found =
    verdict === 'side-emptied'
      ? `${describeSide(context, from)} holds no files any more`
      : `${deletions} of ${knownFiles} files are gone from ${describeSide(context, from)}${earlier}`;
  return {
    reason: verdict,
    side: from,
    message: `${found}. Nothing was deleted on the ${otherSide(from)}. If the deletion is meant, go on with --allow-mass-delete; otherwise put the files back.`,
    option: '--allow-mass-delete',
  };
}

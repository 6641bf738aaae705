/**
 * Carries out the deletions of a pass, last of all: after both listings ended, both roots
 * were looked at again and the safety rules have seen the whole plan (DESIGN §2, §6).
 *
 * INV-8/INV-9: each file is removed only if it still is the version the baseline knows and
 * is still missing on the other side; a directory only when it is empty.
 */

import {
  DELETION_WINDOW_MS,
  directoryKey,
  fileKey,
  judgeDeletions,
  otherSide,
  ROOT,
  type PlanItem,
  type RelativePath,
  type SideName,
} from '@wl/domain';
import type { Halt } from '@wl/ports';

import { reportLeftover, type PlannedCopy } from './copier.js';
import { describeSide, storageAt, type BaselineWriter, type PassContext, type PassLog } from './pass-context.js';

/** A deletion waiting for the end of the pass. */
export type PlannedDeletion = Extract<PlanItem, { kind: 'delete-file' | 'delete-directory' }>;

type FileDeletion = Extract<PlanItem, { kind: 'delete-file' }>;

/** Files removed at the same time. */
const CONCURRENCY = 16;

/** What the listings of a full pass showed; `undefined` in a pass over parts. */
export interface SideCounts {
  readonly files: number;
  readonly unknown: number;
}

/**
 * The rule that forbids these deletions, as a halt, or `undefined` (INV-39). A file whose
 * content arrives elsewhere on its side in the same pass has moved and does not count.
 */
export async function deletionHalt(
  deletions: readonly PlannedDeletion[],
  copies: readonly PlannedCopy[],
  counts: Record<SideName, SideCounts> | undefined,
  context: PassContext,
): Promise<Halt | undefined> {
  for (const on of ['source', 'target'] as const) {
    const files = deletions.filter((item): item is FileDeletion => item.kind === 'delete-file' && item.on === on);
    if (files.length === 0) continue;
    const from = otherSide(on);
    const facts = {
      knownFiles: context.pair.totals().files,
      recentDeletions: context.pair.deletionsSince(on, context.clock.nowMs() - DELETION_WINDOW_MS),
      isOtherSideEmpty: await isEmpty(from, counts, files.length, context),
    };
    let verdict = judgeDeletions({ ...facts, deletions: files.length });
    // Looking for moves reads rows; only a plan that would halt is worth it.
    if (verdict === 'mass-deletion') {
      verdict = judgeDeletions({ ...facts, deletions: files.length - countMoved(files, copies, context) });
    }
    if (verdict !== 'allowed') return haltFor(verdict, from, files.length, facts.knownFiles, context);
  }
  return undefined;
}

/** Carries out all deletions in their order; children come before their directories. */
export async function deleteAll(
  deletions: readonly PlannedDeletion[],
  context: PassContext,
  log: PassLog,
  baseline: BaselineWriter,
): Promise<void> {
  let running: Promise<void>[] = [];
  for (const deletion of deletions) {
    context.signal?.throwIfAborted();
    if (deletion.kind === 'delete-directory') {
      await Promise.all(running);
      running = [];
      await deleteDirectory(deletion.on, deletion.path, context, log, baseline);
      continue;
    }
    running.push(deleteFile(deletion, context, log, baseline));
    if (running.length >= CONCURRENCY) {
      await Promise.all(running);
      running = [];
      await baseline.flush(false);
    }
  }
  await Promise.all(running);
}

async function deleteFile(
  { on, path, node }: FileDeletion,
  context: PassContext,
  log: PassLog,
  baseline: BaselineWriter,
): Promise<void> {
  try {
    // The reason to delete must still hold now, not only when the pass saw it (T39, T55).
    const other = await storageAt(context, otherSide(on)).stat(path);
    if (other.kind !== 'absent') {
      log.retry.add(path);
      return;
    }
    const removed = await storageAt(context, on).remove(path, node.token);
    if (!removed.ok) {
      log.retry.add(path);
      reportLeftover(path, on, removed.error.leftover, log);
      return;
    }
    baseline.deleted(fileKey(path), on);
    log.deletedFiles += 1;
    context.events.operation('DELETE', path);
  } catch (error) {
    log.failure(path, on, error);
  }
}

async function deleteDirectory(
  on: SideName,
  path: RelativePath,
  context: PassContext,
  log: PassLog,
  baseline: BaselineWriter,
): Promise<void> {
  try {
    const other = await storageAt(context, otherSide(on)).stat(path);
    if (other.kind !== 'absent') {
      log.retry.add(path);
      return;
    }
    const removed = await storageAt(context, on).removeDirectory(path);
    if (removed.ok) {
      baseline.add({ kind: 'delete', key: directoryKey(path) });
      log.deletedDirectories += 1;
      context.events.operation('DELETE', path);
    } else if (removed.error === 'not-empty') {
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
  log.problem(path, on, 'directory-kept', 'deleted on the other side, but kept here: it still holds what is not synced');
}

async function isEmpty(
  side: SideName,
  counts: Record<SideName, SideCounts> | undefined,
  deletions: number,
  context: PassContext,
): Promise<boolean> {
  if (counts !== undefined) return counts[side].files === 0 && counts[side].unknown === 0;
  // A pass over parts has not seen the rest: look, but only if these deletions could leave nothing.
  if (deletions < context.pair.totals().files) return false;
  for await (const batch of storageAt(context, side).list(ROOT)) {
    if (batch.tokens.some((token) => token !== '')) return false;
  }
  return true;
}

/** How many of the deleted files' contents arrive on the same side under other names in this pass. */
function countMoved(files: readonly FileDeletion[], copies: readonly PlannedCopy[], context: PassContext): number {
  const deleted = new Map<string, number>();
  for (const { path } of files) {
    const row = context.pair.get(fileKey(path));
    if (row?.kind === 'file') deleted.set(row.hash, (deleted.get(row.hash) ?? 0) + 1);
  }
  let moved = 0;
  for (const copy of copies) {
    if (copy.to !== files[0]!.on || copy.replaces !== undefined) continue;
    // Copies are done by now, so the baseline has their hashes; in a dry run only hashes known before count.
    const row = context.pair.get(fileKey(copy.path));
    const hash = row?.kind === 'file' ? row.hash : copy.from.hash;
    const left = hash === undefined ? 0 : (deleted.get(hash) ?? 0);
    if (hash !== undefined && left > 0) {
      deleted.set(hash, left - 1);
      moved += 1;
    }
  }
  return moved;
}

function haltFor(
  verdict: 'side-emptied' | 'mass-deletion',
  from: SideName,
  deletions: number,
  known: number,
  context: PassContext,
): Halt {
  const found =
    verdict === 'side-emptied'
      ? `${describeSide(context, from)} holds no files any more`
      : `${deletions} of ${known} files are gone from ${describeSide(context, from)}`;
  return {
    reason: verdict,
    side: from,
    message: `${found}. Nothing was deleted on the ${otherSide(from)}. If the deletion is meant, go on with --allow-mass-delete; otherwise put the files back.`,
    option: '--allow-mass-delete',
  };
}

/**
 * Ends one conflict by keeping the version of one side. The choice is carried out only
 * against the versions that were shown (INV-36, T82); what gives way goes to the trash.
 * The next pass finds both sides equal and closes the record.
 */

import { ancestorsOf, otherSide, SKIP_REASONS, type FileNode, type Node, type RelativePath, type SideName, type UnknownReason, type Version } from '@wl/domain';
import { isBackendError, type PairState, type PathFilter, type StorageBackend } from '@wl/ports';

import { isLeftOut } from './conflict-book.js';
import { copyThrough } from './copier.js';
import { adviceOnRoot, checkRoots } from './root-guard.js';
import { WildlandError } from './wildland-error.js';

/** A choice. */
export interface Choice {
  readonly source: StorageBackend;
  readonly target: StorageBackend;
  readonly pair: PairState;
  /** The rules of the job. A record outlives a change of them until the next pass. */
  readonly filter: PathFilter | undefined;
  readonly path: RelativePath;
  readonly keep: SideName;
}

/** Carries a choice out, or rejects with `WildlandError` and has then changed nothing. */
export async function resolveConflict({ source, target, pair, filter, path, keep }: Choice): Promise<void> {
  const record = pair.conflict(path);
  if (record === undefined) throw new WildlandError(`${path} is not in conflict`);
  if (isLeftOut(record, filter)) throw new WildlandError(`${path} is left out by the rules of this job, so nothing is changed there; change the rules, then choose`);
  if (record.reason === 'name-collision') {
    throw new WildlandError(`${path} and another name differ only in case, and one storage cannot hold both; rename one of them`);
  }
  const storages = { source, target };
  await openBoth(storages);
  const give = otherSide(keep);
  const kept = await shown(storages[keep], keep, path, record[keep]);
  const given = await shown(storages[give], give, path, record[give]);
  if (kept === undefined || given === undefined) {
    throw new WildlandError(`${path} has changed since the conflict was listed; look at it again and choose then`);
  }
  if (given.kind === 'directory') {
    throw new WildlandError(`${path} is a directory on the ${give}; move it away yourself, then the file is brought over`);
  }
  // An empty mount point may look just like what was shown (INV-10). Whether the job is one-way matters only to marking.
  const roots = await checkRoots({ source, target, pair, isUnidirectional: false }, { isOpen: true });
  if (!roots.ok) throw new WildlandError(roots.halt.message);
  try {
    await carryOut(path, kept, given, storages[keep], storages[give]);
  } catch (error) {
    if (!isBackendError(error)) throw error;
    throw new WildlandError(`${path} could not be changed on the ${give}: ${error.message}. Nothing was lost; mend that and choose again`, { cause: error });
  }
}

/** A job that was resumed a moment ago may not have come to open its storages. */
async function openBoth(storages: Readonly<Record<SideName, StorageBackend>>): Promise<void> {
  for (const side of ['source', 'target'] as const) {
    try {
      await storages[side].open();
    } catch (error) {
      if (!isBackendError(error)) throw error;
      throw new WildlandError(`the ${side} cannot be used: ${error.message}. ${adviceOnRoot(error)}, then choose again`, { cause: error });
    }
  }
}

async function carryOut(path: RelativePath, kept: Shown, given: Exclude<Shown, { kind: 'directory' }>, from: StorageBackend, to: StorageBackend): Promise<void> {
  if (kept.kind === 'directory' && given.kind === 'absent') {
    if (!to.capabilities.keepsEmptyDirectories) throw new WildlandError(`${path} is a directory, and the other storage cannot hold it empty; copy a file of it there, then the rest is brought over`);
    // Nothing gives way: with the directory on both sides, what is in it is news to the pass.
    await makeDirectories(from, to, [...ancestorsOf(path), path]);
  } else if (kept.kind === 'directory' || kept.kind === 'absent') {
    // Removing the other version is the gesture that decides a known conflict; the pass does the rest.
    if (given.kind !== 'file') return;
    const removed = await to.remove(path, given.token);
    if (!removed.ok) throw changedMeanwhile(path);
  } else {
    const replaces = given.kind === 'file' ? given : undefined;
    // What was removed may have been removed with the directories around it.
    if (replaces === undefined) await makeDirectories(from, to, ancestorsOf(path));
    const outcome = await copyThrough(from, to, { path, from: kept, replaces }, undefined);
    if (outcome.kind === 'failed') throw outcome.error;
    if (outcome.kind !== 'copied') throw changedMeanwhile(path);
  }
  await to.flush();
}

async function makeDirectories(from: StorageBackend, to: StorageBackend, directories: Iterable<RelativePath>): Promise<void> {
  for (const directory of directories) {
    const made = await to.makeDirectory(directory, from);
    if (!made.ok) throw changedMeanwhile(directory);
  }
}

type Shown = Extract<Node, { kind: 'absent' | 'directory' }> | FileNode;

/** What a side holds now, if it still is the recorded version. Rejects where that cannot be seen. */
async function shown(storage: StorageBackend, side: SideName, path: RelativePath, version: Version): Promise<Shown | undefined> {
  try {
    const node = await storage.stat(path);
    if (node.kind === 'unknown' && isUnseen(node.reason)) throw unreadable(path, side, node.reason);
    if (node.kind !== version.kind) return undefined;
    if (version.kind !== 'file') return node;
    const [outcome] = await storage.getHashes([path]);
    if (outcome?.kind === 'unknown' && isUnseen(outcome.reason)) throw unreadable(path, side, outcome.message);
    return outcome?.kind === 'hashed' && outcome.node.hash === version.sha256 ? outcome.node : undefined;
  } catch (error) {
    throw isBackendError(error) ? unreadable(path, side, error.message) : error;
  }
}

/** Whether a reason says that nobody could look, not that something else is there. */
function isUnseen(reason: UnknownReason): boolean {
  return reason !== 'vanished' && reason !== 'changing' && !SKIP_REASONS.has(reason);
}

function unreadable(path: string, side: SideName, why: string): WildlandError {
  return new WildlandError(`${path} cannot be read on the ${side} (${why}); make it readable, then choose again`);
}

function changedMeanwhile(path: string): WildlandError {
  return new WildlandError(`${path} changed at this moment; nothing was lost. Look at it again and choose then`);
}

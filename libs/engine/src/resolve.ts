/**
 * Ends one conflict by keeping the version of one side. The choice is carried out only
 * against the versions that were shown (INV-36, T82); what gives way goes to the trash.
 * The next pass finds both sides equal and closes the record.
 */

import { otherSide, type FileNode, type Node, type RelativePath, type SideName, type Version } from '@wl/domain';
import type { PairState, StorageBackend } from '@wl/ports';

import { copyThrough } from './copier.js';
import { WildlandError } from './wildland-error.js';

/** A choice. */
export interface Choice {
  readonly source: StorageBackend;
  readonly target: StorageBackend;
  readonly pair: PairState;
  readonly path: RelativePath;
  readonly keep: SideName;
}

/** Carries a choice out, or rejects with `WildlandError` and has then changed nothing. */
export async function resolveConflict({ source, target, pair, path, keep }: Choice): Promise<void> {
  const record = pair.conflict(path);
  if (record === undefined) throw new WildlandError(`${path} is not in conflict`);
  const storages = { source, target };
  const give = otherSide(keep);
  const kept = await shown(storages[keep], path, record[keep]);
  const given = await shown(storages[give], path, record[give]);
  if (kept === undefined || given === undefined) {
    throw new WildlandError(`${path} has changed since the conflict was listed; look at it again and choose then`);
  }
  if (given.kind === 'directory') {
    throw new WildlandError(`${path} is a directory on the ${give}; move it away yourself, then the file is brought over`);
  }
  if (kept.kind === 'directory' || kept.kind === 'absent') {
    // Removing the other version is the gesture that decides a known conflict; the pass does the rest.
    if (given.kind !== 'file') return;
    const removed = await storages[give].remove(path, given.token);
    if (!removed.ok) throw changedMeanwhile(path);
  } else {
    const replaces = given.kind === 'file' ? given : undefined;
    const outcome = await copyThrough(storages[keep], storages[give], { path, from: kept, replaces }, undefined);
    if (outcome.kind === 'failed') throw outcome.error;
    if (outcome.kind !== 'copied') throw changedMeanwhile(path);
  }
  await storages[give].flush();
}

type Shown = Extract<Node, { kind: 'absent' | 'directory' }> | FileNode;

/** What a side holds now, if it still is the recorded version. */
async function shown(storage: StorageBackend, path: RelativePath, version: Version): Promise<Shown | undefined> {
  const node = await storage.stat(path);
  if (version.kind !== 'file') return node.kind === version.kind ? node : undefined;
  const [outcome] = await storage.getHashes([path]);
  if (outcome?.kind !== 'hashed' || outcome.node.hash !== version.sha256) return undefined;
  return outcome.node;
}

function changedMeanwhile(path: string): WildlandError {
  return new WildlandError(`${path} changed at this moment; nothing was lost. Look at it again and choose then`);
}

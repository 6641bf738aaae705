/**
 * What is left of a memory tree after a power loss. What was flushed is there; each later change of
 * a name survives or not, whatever became of earlier ones, as on a file system that writes
 * in an order of its own (T50, INV-15). Still a tree: what was made in a lost directory is lost with
 * it, and a directory that is not empty after all was not removed.
 */

import type { FileVersion, MemoryEntry } from './memory-entry.js';

/** One name as it is on the disk. */
export type DurableEntry =
  | { readonly kind: 'file'; readonly inode: number; readonly version: FileVersion }
  | { readonly kind: 'directory' }
  | Extract<MemoryEntry, { kind: 'symlink' | 'special' }>;

/** Entries by path. */
export type DurableState = Map<string, DurableEntry>;

/** Takes down what is there now; versions are immutable, so nothing is copied. */
export function durableState(entries: Iterable<readonly [string, MemoryEntry]>): DurableState {
  const state: DurableState = new Map();
  for (const [path, entry] of entries) {
    if (entry.kind === 'file') state.set(path, { kind: 'file', inode: entry.inode, version: entry.version });
    else state.set(path, entry.kind === 'directory' ? { kind: 'directory' } : entry);
  }
  return state;
}

/** The state that is found when the power is back, parents before what they hold, and the names whose last change is lost. */
export function afterPowerLoss(
  durable: DurableState,
  current: DurableState,
  survives: (path: string) => boolean,
): { readonly kept: DurableState; readonly lost: string[] } {
  const paths = [...new Set([...durable.keys(), ...current.keys()])].sort();
  const chosen: DurableState = new Map();
  const lost: string[] = [];
  for (const path of paths) {
    const [before, now] = [durable.get(path), current.get(path)];
    const isLost = !isSame(before, now) && !survives(path);
    if (isLost) lost.push(path);
    const entry = isLost ? before : now;
    if (entry === undefined) continue;
    if (entry === before) restoreParents(path, durable, chosen);
    else if (!hasParent(path, chosen)) {
      // It was made in a directory that is not there any more.
      if (!isLost) lost.push(path);
      continue;
    }
    if (hasParent(path, chosen)) chosen.set(path, entry);
  }
  const kept: DurableState = new Map([...chosen].sort(([a], [b]) => (a < b ? -1 : 1)));
  return { kept, lost };
}

function isSame(a: DurableEntry | undefined, b: DurableEntry | undefined): boolean {
  if (a?.kind !== b?.kind) return false;
  return a?.kind !== 'file' || b?.kind !== 'file' || (a.inode === b.inode && a.version === b.version);
}

/** A directory whose entry is back was not removed either. */
function restoreParents(path: string, durable: DurableState, chosen: DurableState): void {
  for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
    const above = path.slice(0, slash);
    if (!chosen.has(above) && hasParent(above, chosen) && durable.get(above)?.kind === 'directory') chosen.set(above, { kind: 'directory' });
  }
}

function hasParent(path: string, chosen: DurableState): boolean {
  const slash = path.lastIndexOf('/');
  return slash < 0 || chosen.get(path.slice(0, slash))?.kind === 'directory';
}

/**
 * Carries out a plan on in-memory sides and baseline, refusing every step that its side is not
 * ready for. INV-4: a step needs its parent directory, the version it replaces or deletes
 * (INV-17), and for a directory's deletion that nothing is in it; so after every prefix each
 * side is a tree, or a step is refused.
 */

import { otherSide, type FileNode, type SideName } from '../content.js';
import { isDirectoryKey, parentOf, pathOfKey, ROOT, type Key, type RelativePath } from '../path.js';
import type { PlanItem } from '../plan.js';
import { contentOfNode, dir, file, type Flat } from './trees.js';

/** What a plan is carried out on. The baseline is kept by path too: no test gives a name two rows. */
export interface State {
  readonly baseline: Flat;
  readonly source: Flat;
  readonly target: Flat;
}

/** An operation: what writes to a side. */
export type Operation = Extract<PlanItem, { kind: 'make-directory' | 'copy-file' | 'delete-file' | 'delete-directory' }>;

/** Whether an item writes to a side. */
export function isOperation(item: PlanItem): item is Operation {
  return ['make-directory', 'copy-file', 'delete-file', 'delete-directory'].includes(item.kind);
}

/** Whether an item deletes. */
export function isDeletion(item: PlanItem): item is Extract<PlanItem, { kind: 'delete-file' | 'delete-directory' }> {
  return item.kind === 'delete-file' || item.kind === 'delete-directory';
}

/** The side an operation writes to. */
export function sideWritten(operation: Operation): SideName {
  return operation.kind === 'copy-file' ? operation.to : operation.on;
}

/** A state that can be changed without changing the one it was made from. */
export function copyOf(state: State): State {
  return { baseline: new Map(state.baseline), source: new Map(state.source), target: new Map(state.target) };
}

/** The order in which the engine works: everything that deletes waits for the end (DESIGN §2). */
export function deletionsLast(items: readonly PlanItem[]): PlanItem[] {
  return [...items.filter((item) => !isDeletion(item)), ...items.filter(isDeletion)];
}

/** Carries out items in the order given; throws at the first step that cannot be done. */
export function applyPlan(items: readonly PlanItem[], state: State): void {
  for (const item of items) applyItem(item, state);
}

function applyItem(item: PlanItem, state: State): void {
  switch (item.kind) {
    case 'make-directory': {
      const side = state[item.on];
      demand(isDirectory(side, parentOf(item.path)), item, 'its parent is not there');
      demand(!side.has(item.path), item, 'something is there');
      demand(isDirectory(state[otherSide(item.on)], item.path), item, 'the other side has no such directory');
      side.set(item.path, dir());
      state.baseline.set(item.path, dir());
      return;
    }
    case 'copy-file': {
      const side = state[item.to];
      demand(isDirectory(side, parentOf(item.path)), item, 'its parent is not there');
      demand(isFile(state[otherSide(item.to)], item.path, item.from), item, 'the other side has another version');
      demand(
        item.replaces === undefined ? !side.has(item.path) : isFile(side, item.path, item.replaces),
        item,
        'what is there is not what it replaces',
      );
      side.set(item.path, file(contentOfNode(item.from)));
      state.baseline.set(item.path, file(contentOfNode(item.from)));
      return;
    }
    case 'delete-file': {
      const side = state[item.on];
      demand(isFile(side, item.path, item.node), item, 'another version is there');
      side.delete(item.path);
      state.baseline.delete(item.path);
      return;
    }
    case 'delete-directory': {
      const side = state[item.on];
      demand(isDirectory(side, item.path), item, 'no directory is there');
      demand(![...side.keys()].some((path) => path.startsWith(`${item.path}/`)), item, 'it is not empty');
      side.delete(item.path);
      state.baseline.delete(item.path);
      return;
    }
    case 'adopt':
      state.baseline.set(item.path, item.source.kind === 'file' ? file(contentOfNode(item.source)) : dir());
      return;
    case 'forget':
      forget(item.key, state.baseline);
      return;
    case 'in-sync':
    case 'keep-directory':
    case 'conflict':
    case 'blocked':
      return;
  }
}

/** A row is known by its key: forgetting the directory `a/` drops what is below, and leaves a row of the file `a` alone. */
function forget(key: Key, baseline: Flat): void {
  const path = pathOfKey(key);
  const isDirectoryRow = baseline.get(path)?.kind === 'directory';
  if (isDirectoryRow === isDirectoryKey(key)) baseline.delete(path);
  if (!isDirectoryKey(key)) return;
  for (const other of [...baseline.keys()]) {
    if (other.startsWith(key)) baseline.delete(other);
  }
}

function isDirectory(side: Flat, path: RelativePath): boolean {
  return path === ROOT || side.get(path)?.kind === 'directory';
}

function isFile(side: Flat, path: RelativePath, node: FileNode): boolean {
  const found = side.get(path);
  return found?.kind === 'file' && found.content === contentOfNode(node);
}

function demand(condition: boolean, item: PlanItem, why: string): asserts condition {
  if (!condition) throw new Error(`INV-4: ${JSON.stringify(item)}: ${why}`);
}

/** Runs the planner over in-memory sides, and prints its plans as comparable lines. */

import { otherSide, versionOf, type Node, type SideName } from '../content.js';
import { ROOT } from '../path.js';
import type { PlanItem, Triple } from '../plan.js';
import type { KnownConflict } from '../reconcile.js';
import { TreePlanner } from '../tree-planner.js';
import type { State } from './apply-plan.js';
import { merge } from './trees.js';

/** How a planner is run. */
export interface Run {
  readonly isUnidirectional?: boolean;
  /** Recorded conflicts by path. */
  readonly known?: ReadonlyMap<string, KnownConflict>;
  readonly fold?: (name: string) => string;
  /** Leaves out keys on which all three agree, as the engine does. */
  readonly isSparse?: boolean;
}

/** Plans a pass over a state, its root included. */
export function planOf(state: State, run: Run = {}): PlanItem[] {
  const planner = new TreePlanner(ROOT, {
    isUnidirectional: run.isUnidirectional ?? false,
    known: (path) => run.known?.get(path),
    ...(run.fold === undefined ? {} : { fold: run.fold }),
  });
  const out: PlanItem[] = [];
  for (const triple of merge(state.baseline, state.source, state.target)) {
    if (run.isSparse !== true || !agrees(triple)) planner.visit(triple, out);
  }
  planner.finish(out);
  return out;
}

/** The conflicts of a plan as they are recorded and handed to the next pass. */
export function recordConflicts(items: readonly PlanItem[]): Map<string, KnownConflict> {
  const known = new Map<string, KnownConflict>();
  for (const item of items) {
    if (item.kind !== 'conflict') continue;
    const [source, target] = [versionOf(item.source), versionOf(item.target)];
    if (source !== undefined && target !== undefined) known.set(item.path, { source, target });
  }
  return known;
}

/** Plan items as sorted lines: equal for equal sets of items. `isMirrored` exchanges the sides. */
export function describePlan(items: readonly PlanItem[], isMirrored = false): string[] {
  return items.map((item) => describeItem(item, isMirrored)).sort();
}

/** One item as a line. */
export function describeItem(item: PlanItem, isMirrored = false): string {
  const side = (name: SideName): SideName => (isMirrored ? otherSide(name) : name);
  const both = ({ source, target }: { source: Node; target: Node }): string =>
    isMirrored ? `${describeNode(target)} ${describeNode(source)}` : `${describeNode(source)} ${describeNode(target)}`;
  switch (item.kind) {
    case 'in-sync':
    case 'adopt':
      return `${item.kind} ${item.path} ${both(item)}`;
    case 'forget':
      return `forget ${item.key}`;
    case 'make-directory':
    case 'delete-directory':
      return `${item.kind} ${item.path} on ${side(item.on)}`;
    case 'keep-directory':
      return `keep-directory ${item.path} on ${side(item.on)} because ${item.because}`;
    case 'copy-file':
      return `copy-file ${item.path} to ${side(item.to)} ${describeNode(item.from)} over ${item.replaces ? describeNode(item.replaces) : 'nothing'}`;
    case 'delete-file':
      return `delete-file ${item.path} on ${side(item.on)} ${describeNode(item.node)}`;
    case 'conflict':
      return `conflict ${item.path} ${item.cause} ${both(item)}`;
    case 'blocked':
      return `blocked ${item.path} on ${side(item.side)} ${item.reason}`;
  }
}

function describeNode(node: Node): string {
  if (node.kind === 'file') return node.token;
  return node.kind === 'directory' && node.unlisted !== undefined ? 'unlisted' : node.kind;
}

/** Whether a pass needs no decision at a key: what the engine finds by comparing tokens. */
function agrees({ baseline, source, target }: Triple): boolean {
  if (baseline.kind === 'directory') {
    return [source, target].every((node) => node.kind === 'directory' && node.unlisted === undefined);
  }
  if (baseline.kind !== 'file') return false;
  return [source, target].every((node) => node.kind === 'file' && node.hash === baseline.hash);
}

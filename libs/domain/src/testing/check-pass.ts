/**
 * One pass over three small trees, checked against the oracle and against the invariants that
 * can be seen in a plan and its effect. Says what is wrong as lines; an empty list is a pass
 * that keeps them all.
 */

import { applyPlan, copyOf, deletionsLast, isDeletion, isOperation, sideWritten, type State } from './apply-plan.js';
import { expectedOutcome, type Roots } from './oracle.js';
import { describeItem, describePlan, planOf, recordConflicts } from './run-planner.js';
import { flatten, show, type Flat, type Tree } from './trees.js';
import type { PlanItem } from '../plan.js';

const SIDES = ['source', 'target'] as const;
const ALL = ['baseline', 'source', 'target'] as const;

/** Everything a check looks at. */
interface Pass {
  readonly before: State;
  readonly items: readonly PlanItem[];
  readonly after: State;
  readonly conflicts: ReadonlySet<string>;
  readonly isUnidirectional: boolean;
}

/** Plans and carries out a pass; returns what breaks an invariant or differs from the oracle. */
export function violationsOf(roots: Roots, isUnidirectional: boolean): string[] {
  const before = stateOf(roots);
  const items = planOf(before, { isUnidirectional });
  const after = copyOf(before);
  try {
    applyPlan(deletionsLast(items), after);
    if (items.some(isDeletion)) applyPlan(items, copyOf(before));
  } catch (error) {
    return [(error as Error).message];
  }
  const conflicts = new Set(items.flatMap((item) => (item.kind === 'conflict' ? [item.path as string] : [])));
  const pass: Pass = { before, items, after, conflicts, isUnidirectional };
  return CHECKS.flatMap((check) => [...check(pass)]).concat([...differencesFromOracle(pass, roots)]);
}

/** The case and its plan, for a person to read. */
export function describeCase(roots: Roots, isUnidirectional: boolean): string {
  const state = stateOf(roots);
  const plan = planOf(state, { isUnidirectional }).map((item) => `    ${describeItem(item)}`);
  const sides = ALL.map((side) => `  ${side.padEnd(8)} ${show(state[side])}`);
  return [isUnidirectional ? 'one-way' : 'two-way', ...sides, '  plan', ...plan].join('\n');
}

/** The roots of a case by path. */
export function stateOf(roots: Roots): State {
  return { baseline: flatten(roots.baseline), source: flatten(roots.source), target: flatten(roots.target) };
}

function* differencesFromOracle({ items, after, conflicts, isUnidirectional }: Pass, roots: Roots): Generator<string> {
  const expected = expectedOutcome(roots, isUnidirectional);
  for (const side of ALL) {
    const wanted = flatten(expected[side]);
    if (!sameFlat(after[side], wanted)) yield `INV-41: ${side} ends as ${show(after[side])}, the oracle says ${show(wanted)}`;
  }
  const reported = items.flatMap((item) => (item.kind === 'blocked' ? [`${item.side} ${item.path}`] : []));
  yield* sameSet('conflicts', [...conflicts], expected.conflicts);
  yield* sameSet('blocked', reported, expected.blocked);
  const paths = items.flatMap((item) => (item.kind === 'conflict' ? [item.path] : []));
  if (paths.length !== conflicts.size) yield `a conflict is reported twice: ${paths.join(' ')}`;
}

function* sameSet(what: string, got: readonly string[], wanted: ReadonlySet<string>): Generator<string> {
  const [a, b] = [[...got].sort().join(', '), [...wanted].sort().join(', ')];
  if (a !== b) yield `${what}: ${a || 'none'}, the oracle says ${b || 'none'}`;
}

/** One check per invariant. */
const CHECKS: readonly ((pass: Pass) => Iterable<string>)[] = [
  function* mirror({ before, items, isUnidirectional }) {
    if (isUnidirectional) return;
    const swapped = { baseline: before.baseline, source: before.target, target: before.source };
    const [plan, mirrored] = [describePlan(items), describePlan(planOf(swapped), true)];
    if (plan.join() !== mirrored.join()) yield `INV-2: mirrored plan is ${mirrored.join('; ')}`;
  },

  function* noLostVersion({ before, after }) {
    for (const side of SIDES) {
      for (const [path, tree] of before[side]) {
        if (tree.kind !== 'file' || same(tree, before.baseline.get(path))) continue;
        if (!same(tree, after[side].get(path))) yield `INV-5: ${path} of the ${side} is lost`;
      }
    }
  },

  function* conflictsAreIsolated({ before, after, conflicts }) {
    for (const path of conflicts) {
      for (const side of ALL) {
        if (!sameBelow(before[side], after[side], path)) yield `INV-7: ${side} of ${path} changed`;
      }
    }
  },

  function* unknownIsNotAbsent({ before, after }) {
    for (const side of SIDES) {
      for (const [path, tree] of before[side]) {
        if (!isUnobservable(tree)) continue;
        const place = tree.kind === 'directory' ? `${path}/` : path;
        const mayForget = isBelow(path, before, (other) => other.kind === 'ignored');
        for (const one of mayForget ? SIDES : ALL) {
          if (!sameBelow(before[one], after[one], place)) yield `INV-8: ${one} changed at ${place}`;
        }
      }
    }
  },

  function* deletionsNeedKnowledge({ before, items }) {
    for (const item of items) {
      if (!isDeletion(item)) continue;
      for (const [path, tree] of before[item.on]) {
        if (path !== item.path && !path.startsWith(`${item.path}/`)) continue;
        if (!same(tree, before.baseline.get(path))) yield `INV-9, INV-12: ${item.path} is deleted with ${path}`;
        if (isUnobservable(tree)) yield `INV-9: ${item.path} is deleted with ${path}, which was not looked at`;
      }
    }
  },

  function* filtersAreNeutral({ before, after, conflicts }) {
    for (const side of SIDES) {
      for (const [path, tree] of before[side]) {
        if (tree.kind !== 'ignored') continue;
        for (const one of SIDES) {
          if (!sameBelow(before[one], after[one], path)) yield `INV-14: ${one} changed at ${path}`;
        }
        const isHeld = isBelow(path, before, isUnobservable) || [...conflicts].some((other) => isWithin(path, other));
        if (!isHeld && !sameBelow(after.baseline, NOTHING, path)) yield `INV-14: ${path} stays in the baseline`;
      }
    }
  },

  function* agreementIsAdopted({ before, after }) {
    for (const [path, tree] of before.source) {
      if (!same(tree, before.target.get(path)) || (tree.kind !== 'file' && tree.kind !== 'directory')) continue;
      const above = path.slice(0, Math.max(0, path.lastIndexOf('/')));
      if (above !== '' && isBelow(above, before, isUnobservable)) continue;
      if (!same(tree, after.baseline.get(path))) yield `INV-19: ${path} is not adopted`;
    }
  },

  function* comesToRest({ items, after, conflicts, isUnidirectional }) {
    const again = planOf(after, { isUnidirectional, known: recordConflicts(items) });
    const busy = again.filter((item) => !['in-sync', 'conflict', 'blocked', 'keep-directory'].includes(item.kind));
    if (busy.length > 0) yield `INV-31, INV-32: the next round plans ${describePlan(busy).join('; ')}`;
    yield* sameSet('INV-36: conflicts of the next round', again.flatMap((item) => (item.kind === 'conflict' ? [item.path] : [])), conflicts);
  },

  function* agreesOutsideConflicts({ before, items, after, conflicts, isUnidirectional }) {
    const kept = new Set(items.flatMap((item) => (item.kind === 'keep-directory' ? [item.path as string] : [])));
    for (const path of new Set(ALL.flatMap((side) => [...after[side].keys()]))) {
      if (kept.has(path) || [...conflicts].some((conflict) => isWithin(path, conflict))) continue;
      if (isBelow(path, before, (tree) => isUnobservable(tree) || tree.kind === 'ignored')) continue;
      const [baseline, source, target] = ALL.map((side) => after[side].get(path));
      if (isUnidirectional && source === undefined && baseline === undefined) continue;
      if (!same(source, target) || !same(source, baseline)) yield `INV-32: ${path} does not come to agree`;
    }
  },

  function* oneWayNeverWritesToTheSource({ items, isUnidirectional }) {
    if (!isUnidirectional) return;
    for (const item of items.filter(isOperation)) {
      if (sideWritten(item) === 'source') yield `INV-37: ${describeItem(item)}`;
    }
  },

  function* agreedKeysMayBeLeftOut({ before, items, isUnidirectional }) {
    // A file beside an agreed directory of its name cannot be seen then; the storage has to say so.
    if (SIDES.some((side) => [...before[side].values()].some((tree) => tree.kind === 'double'))) return;
    const withoutInSync = (plan: readonly PlanItem[]): string =>
      plan.filter((item) => item.kind !== 'in-sync').map((item) => describeItem(item)).join('; ');
    const sparse = withoutInSync(planOf(before, { isUnidirectional, isSparse: true }));
    if (sparse !== withoutInSync(items)) yield `without the keys that agree the plan is ${sparse}`;
  },
];

function isUnobservable(tree: Tree): boolean {
  return tree.kind === 'unknown' || tree.kind === 'double' || isUnlisted(tree);
}

function same(a: Tree | undefined, b: Tree | undefined): boolean {
  if (a?.kind === 'file' && b?.kind === 'file') return a.content === b.content;
  return a?.kind === b?.kind;
}

function sameFlat(a: Flat, b: Flat): boolean {
  if (a.size !== b.size) return false;
  for (const [path, tree] of a) {
    const other = b.get(path);
    if (!same(tree, other) || isUnlisted(tree) !== (other !== undefined && isUnlisted(other))) return false;
  }
  return true;
}

function isUnlisted(tree: Tree): boolean {
  return tree.kind === 'directory' && tree.isUnlisted;
}

/** Whether something of a sort stands, on either side, at a path or above it. */
function isBelow(path: string, { source, target }: State, sort: (tree: Tree) => boolean): boolean {
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
    const place = path.slice(0, end);
    for (const side of [source, target]) {
      const tree = side.get(place);
      if (tree !== undefined && sort(tree)) return true;
    }
  }
  return false;
}

function isWithin(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`);
}

const NOTHING: Flat = new Map();

/** Whether the same stands at a path and below it; a path that ends in `/` leaves out the place itself. */
function sameBelow(a: Flat, b: Flat, path: string): boolean {
  const below = path.endsWith('/') ? path : `${path}/`;
  let count = 0;
  for (const [other, tree] of a) {
    if (other !== path && !other.startsWith(below)) continue;
    count += 1;
    if (!same(tree, b.get(other))) return false;
  }
  for (const other of b.keys()) {
    if (other === path || other.startsWith(below)) count -= 1;
  }
  return count === 0;
}

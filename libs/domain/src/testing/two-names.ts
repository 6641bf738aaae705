/**
 * The space of two names: every triple of small trees at one name beside every triple at another,
 * 24,389² = 594,823,321 cases. Two facts, each checked by itself, leave few of them to look at:
 *
 * - The planner compares files of one path only, and for equality only: exchanging contents at a
 *   path exchanges them in the plan. So one triple stands for all that differ by that
 *   (`representatives`; `renamingFaults` checks it for all 24,389).
 * - INV-2: two-way, the mirrored case has the mirrored plan (checked by `violationsOf` itself).
 *
 * That plans of names do not influence each other (INV-42) is what is to be shown, so it is not
 * made use of. The names matter: `d.txt` lies between the keys `d` and `d/`.
 */

import { isDeletion, type State } from './apply-plan.js';
import { stateOf, violationsOf } from './check-pass.js';
import type { Three } from './oracle.js';
import { describePlan, planOf } from './run-planner.js';
import { PLAIN_TREES } from './small-trees.js';
import { dir, file, type Children, type Tree } from './trees.js';

/** All triples of small trees at one name: 24,389. */
export function triples(): Three[] {
  return PLAIN_TREES.flatMap((baseline) => PLAIN_TREES.flatMap((source) => PLAIN_TREES.map((target) => ({ baseline, source, target }))));
}

/** One triple for all that differ only in which contents they name. */
export function representatives(): Three[] {
  return triples().filter((triple) => keyOf(triple) === keyOf(canonical(triple)));
}

/** The triples whose plan is not the plan of their representative with the contents exchanged; none, if the first fact holds. */
export function renamingFaults(isUnidirectional: boolean): string[] {
  return triples().flatMap((triple) => {
    const plain = shape(triple, isUnidirectional);
    const wanted = shape(canonical(triple), isUnidirectional);
    return plain === wanted ? [] : [`${keyOf(triple)} plans ${plain}, its representative ${wanted}`];
  });
}

/** What is wrong with a pass over both names at once, two-way or one-way. */
export function pairFaults(names: readonly [string, string], a: Three, b: Three, isUnidirectional: boolean): string[] {
  const side = (name: keyof Three): Children => ({ [names[0]]: a[name], [names[1]]: b[name] });
  return violationsOf({ baseline: side('baseline'), source: side('source'), target: side('target') }, isUnidirectional);
}

/** The triple seen from the other side. */
export function mirrored({ baseline, source, target }: Three): Three {
  return { baseline, source: target, target: source };
}

/** A line that tells a triple from all others that are not exchanged contents of it. */
export function canonicalKey(triple: Three): string {
  return keyOf(canonical(triple));
}

/** Contents numbered in the order in which baseline, source and target show them, path by path. */
function canonical({ baseline, source, target }: Three): Three {
  const numbers = new Map<string, Map<number, number>>();
  const number = (tree: Tree, path: string): Tree => {
    if (tree.kind === 'file') {
      let at = numbers.get(path);
      if (at === undefined) numbers.set(path, (at = new Map<number, number>()));
      let renamed = at.get(tree.content);
      if (renamed === undefined) at.set(tree.content, (renamed = at.size + 1));
      return file(renamed);
    }
    if (tree.kind !== 'directory') return tree;
    return dir(Object.fromEntries(Object.entries(tree.children).map(([name, child]) => [name, number(child, `${path}/${name}`)])));
  };
  return { baseline: number(baseline, ''), source: number(source, ''), target: number(target, '') };
}

function keyOf({ baseline, source, target }: Three): string {
  return [baseline, source, target].map(textOf).join(' | ');
}

function textOf(tree: Tree): string {
  if (tree.kind === 'file') return String(tree.content);
  if (tree.kind !== 'directory') return tree.kind;
  return `{${Object.entries(tree.children).map(([name, child]) => `${name}:${textOf(child)}`).join(' ')}}`;
}

/** A plan without the names of contents. */
function shape({ baseline, source, target }: Three, isUnidirectional: boolean): string {
  const state: State = stateOf({ baseline: { d: baseline }, source: { d: source }, target: { d: target } });
  const items = planOf(state, { isUnidirectional });
  return [...describePlan(items).map((line) => line.replaceAll(/\bt\d\b/g, 't')), `deletions: ${String(items.filter(isDeletion).length)}`].join('; ');
}

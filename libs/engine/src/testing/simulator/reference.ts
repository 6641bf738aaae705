/**
 * The second opinion: what an undisturbed pass must come to, by the recursive reconciler of
 * the domain's tests, which knows no streams, keys or plans (INV-13, INV-19, INV-32, INV-41).
 * Recorded conflicts, which it does not know, are told to it as baselines.
 */

import { ancestorsOf, isDirectoryKey, pathOfKey, ROOT, type Key } from '@wl/domain';
import { dir, expectedOutcome, file, flatten, ignored, ignoredDirectory, show as showFlat, unknown, type Flat, type Roots, type Tree } from '@wl/domain/testing';

import { FOLDER, isText } from './ledger.js';
import { hashOf, isIgnored, isShown, type Suspect } from './oracle.js';
import { isNear } from './world.js';

const SIDES = ['source', 'target'] as const;

/** What a pass must come to; compare it after the pass. `undefined` where the reference does not know the world's ways. */
export function expectation(who: Suspect): ((who: Suspect) => string[]) | undefined {
  if (SIDES.some((side) => !who.ledgers[side].tree.isCaseSensitive || !who.ledgers[side].tree.keepsEmptyDirectories)) return undefined;
  if (SIDES.some((side) => who.ledgers[side].repeated.size > 0)) return undefined;
  // A conflict inside another one's place is a story of its own, which the reference cannot be told.
  const records = who.pair.conflicts();
  if (records.some((record) => records.some(({ path }) => record.path.startsWith(`${path}/`)))) return undefined;
  const numbers = new Numbers();
  const baseline = baselineOf(who, numbers);
  if (baseline === undefined) return undefined;
  const sides = { source: sideOf(who, 'source', numbers), target: sideOf(who, 'target', numbers) };
  if (!applyRecords(who, baseline, sides)) return undefined;
  const roots: Roots = { baseline: treeOf(baseline), source: treeOf(sides.source), target: treeOf(sides.target) };
  const expected = expectedOutcome(roots, who.isUnidirectional);
  const wanted = { source: flatten(expected.source), target: flatten(expected.target) };
  const isOpen = (path: string): boolean => [...expected.blocked].some((place) => isNear(path, place.slice(place.indexOf(' ') + 1)));
  return (now) => {
    const faults: string[] = [];
    for (const side of SIDES) {
      const after = sideOf(now, side, numbers);
      if (showFlat(after) !== showFlat(wanted[side])) {
        faults.push(`INV-41: ${side} ends as ${showFlat(after)}, the reference says ${showFlat(wanted[side])}`);
      }
    }
    const recorded = now.pair.conflicts().map(({ path }): string => path);
    for (const path of expected.conflicts) if (!recorded.includes(path)) faults.push(`INV-36: the conflict of ${path} is not on record`);
    for (const path of recorded) {
      const isNested = [...expected.conflicts].some((conflict) => path !== conflict && path.startsWith(`${conflict}/`));
      if (!expected.conflicts.has(path) && !isNested && !isOpen(path)) faults.push(`INV-36: ${path} is on record as a conflict, and is none`);
    }
    return faults;
  };
}

/** Contents as the numbers of the reference. */
class Numbers {
  readonly #numbers = new Map<string, number>();

  of(hash: string): number {
    let number = this.#numbers.get(hash);
    if (number === undefined) this.#numbers.set(hash, (number = this.#numbers.size + 1));
    return number;
  }
}

/** The rows by path; `undefined` when an interruption left rows that stand for nothing. */
function baselineOf(who: Suspect, numbers: Numbers): Flat | undefined {
  const flat: Flat = new Map();
  for (const batch of who.pair.scan(ROOT)) {
    for (const key of batch.keys as readonly Key[]) {
      const path = pathOfKey(key);
      if (path === ROOT) continue;
      const slash = path.lastIndexOf('/');
      if (flat.has(path) || (slash > 0 && flat.get(path.slice(0, slash))?.kind !== 'directory')) return undefined;
      const row = who.pair.get(key);
      flat.set(path, isDirectoryKey(key) || row?.kind !== 'file' ? dir() : file(numbers.of(row.hash)));
    }
  }
  return flat;
}

function sideOf(who: Suspect, side: 'source' | 'target', numbers: Numbers): Flat {
  const flat: Flat = new Map();
  for (const [path, state] of who.ledgers[side].now) {
    const slash = path.lastIndexOf('/');
    if (slash > 0 && isIgnored(path.slice(0, slash), who.ignored)) continue;
    if (isIgnored(path, who.ignored)) flat.set(path, state === FOLDER ? ignoredDirectory : ignored);
    else if (state === FOLDER) flat.set(path, dir());
    else flat.set(path, isText(state) ? file(numbers.of(hashOf(state))) : unknown);
  }
  return new Map([...flat].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * SPEC.md §4, known conflicts: a choice is as if nothing had been agreed, a dispute as if something else had.
 * `false` where that cannot be told: with the directory around it forgotten, nothing can have been agreed in it.
 */
function applyRecords(who: Suspect, baseline: Flat, sides: Readonly<Record<'source' | 'target', Flat>>): boolean {
  if (who.isUnidirectional) return true;
  for (const record of who.pair.conflicts()) {
    const { path } = record;
    const states = { source: who.ledgers.source.now.get(path), target: who.ledgers.target.now.get(path) };
    const absent = SIDES.filter((side) => states[side] === undefined);
    if (absent.length !== 1) continue;
    const removed = absent[0]!;
    const left = removed === 'source' ? 'target' : 'source';
    if (sides[left].get(path)?.kind === 'unknown') continue;
    const isChoice = record[removed].kind !== 'absent' && isShown(record[left], states[left]);
    for (const other of [...baseline.keys()]) if (other === path || other.startsWith(`${path}/`)) baseline.delete(other);
    if (isChoice) continue;
    if (ancestorsOf(path).some((above) => baseline.get(above)?.kind !== 'directory')) return false;
    baseline.set(path, states[left] === FOLDER ? file(0) : dir());
  }
  return true;
}

function treeOf(flat: Flat): Readonly<Record<string, Tree>> {
  const root: Record<string, Tree> = {};
  const folders = new Map<string, Record<string, Tree>>([['', root]]);
  for (const [path, tree] of [...flat].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const slash = path.lastIndexOf('/');
    const parent = folders.get(slash < 0 ? '' : path.slice(0, slash));
    if (parent === undefined) continue;
    if (tree.kind === 'directory') {
      const children: Record<string, Tree> = {};
      folders.set(path, children);
      parent[path.slice(slash + 1)] = { kind: 'directory', children, isUnlisted: false };
    } else parent[path.slice(slash + 1)] = tree;
  }
  return root;
}

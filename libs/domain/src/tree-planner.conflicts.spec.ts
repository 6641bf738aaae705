/**
 * The life of a conflict (INV-36), for every conflict that any small triple of trees comes to:
 * it is recorded, and ends by the gestures of DESIGN §4 and by nothing else. INV-16: a pass that
 * is interrupted after any step is finished by the next one, choices included.
 */
import { describe, expect, it } from '@jest/globals';

import { otherSide, type SideName } from './content.js';
import { applyPlan, copyOf, deletionsLast, type State } from './testing/apply-plan.js';
import { planOf, recordConflicts } from './testing/run-planner.js';
import { directories, PLAIN_TREES, rootOf } from './testing/small-trees.js';
import { file, flatten, none, show, type Flat, type Tree } from './testing/trees.js';
import type { KnownConflict } from './reconcile.js';

const SIDES = ['source', 'target'] as const;

type Known = ReadonlyMap<string, KnownConflict>;

/** A pass over a state; what it leaves and what it records. */
function pass(state: State, known: Known): { after: State; known: Known } {
  const items = planOf(state, { known });
  const after = copyOf(state);
  applyPlan(deletionsLast(items), after);
  return { after, known: recordConflicts(items) };
}

/** One conflict among those that a first pass recorded, with the state that the pass left. */
interface Conflict {
  readonly state: State;
  readonly known: Known;
  readonly path: string;
}

/** Every conflict of every triple of these trees. */
function* conflictsOf(trees: readonly Tree[]): Generator<Conflict> {
  for (const baseline of trees) {
    for (const source of trees) {
      for (const target of trees) {
        const [b, s, t] = [baseline, source, target].map((tree) => flatten(rootOf(tree)));
        const first = pass({ baseline: b!, source: s!, target: t! }, new Map());
        for (const path of first.known.keys()) yield { state: first.after, known: first.known, path };
      }
    }
  }
}

/** The first failures of a check over conflicts, from both ends. */
function failing(conflicts: readonly Conflict[], check: (conflict: Conflict, side: SideName) => string | undefined): string[] {
  const failures: string[] = [];
  for (const conflict of conflicts) {
    for (const side of SIDES) {
      const failure = check(conflict, side);
      if (failure !== undefined) failures.push(`${describeState(conflict.state)}\n${conflict.path} on ${side}: ${failure}`);
      if (failures.length > 2) return failures;
    }
  }
  return failures;
}

function describeState(state: State): string {
  return (['baseline', 'source', 'target'] as const).map((side) => `${side} ${show(state[side])}`).join('\n');
}

function below(flat: Flat, path: string): string {
  return show(new Map([...flat].filter(([other]) => other === path || other.startsWith(`${path}/`))));
}

function without(flat: Flat, path: string): Flat {
  return new Map([...flat].filter(([other]) => other !== path && !other.startsWith(`${path}/`)));
}

describe('INV-36: the life of a conflict', () => {
  const conflicts = [...conflictsOf(PLAIN_TREES)];

  it('is looked at in every conflict of the 24,389 triples', () => {
    expect(conflicts).toHaveLength(26_424);
  });

  it('ends by removing one of the two versions: the other is brought back whole, and a removed only version is forgotten', () => {
    const failures = failing(conflicts, ({ state, known, path }, side) => {
      if (!state[side].has(path)) return undefined;
      const chosen = { ...copyOf(state), [side]: without(state[side], path) };
      const { after, known: left } = pass(chosen, known);
      if (left.has(path)) return 'is still in conflict';
      const wanted = below(state[otherSide(side)], path);
      const got = (['source', 'target', 'baseline'] as const).map((one) => below(after[one], path));
      return got.every((one) => one === wanted) ? undefined : `ends as ${got.join(' / ')}, not as ${wanted}`;
    });
    expect(failures).toEqual([]);
  });

  it('INV-16, T88: a choice that is interrupted after any step is carried out by the next pass', () => {
    const failures = failing(conflicts, ({ state, known, path }, side) => {
      if (!state[side].has(path)) return undefined;
      const chosen: State = { ...copyOf(state), [side]: without(state[side], path) };
      const items = deletionsLast(planOf(chosen, { known }));
      const wanted = describeState(pass(chosen, known).after);
      for (let steps = 1; steps < items.length; steps += 1) {
        const interrupted = copyOf(chosen);
        applyPlan(items.slice(0, steps), interrupted);
        // Records are dropped at the end of a pass, so an interrupted one leaves them.
        const got = describeState(pass(interrupted, known).after);
        if (got !== wanted) return `after ${steps} steps ends as\n${got}\nnot as\n${wanted}`;
      }
      return undefined;
    });
    expect(failures).toEqual([]);
  });

  it('ends when the sides become equal: the user copied one version over the other', () => {
    const failures = failing(conflicts, ({ state, known, path }, side) => {
      const other = otherSide(side);
      // A version can be copied where its directory is, or the directory comes along with it.
      const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')));
      const copied = without(state[other], path);
      if (parent !== '' && state[side].has(path)) copied.set(parent, state[side].get(parent)!);
      for (const [place, tree] of state[side]) if (place === path || place.startsWith(`${path}/`)) copied.set(place, tree);
      const { after, known: left } = pass({ ...copyOf(state), [other]: copied }, known);
      if (left.has(path)) return 'is still in conflict';
      const got = (['source', 'target', 'baseline'] as const).map((one) => below(after[one], path));
      return got.every((one) => one === below(state[side], path)) ? undefined : `ends as ${got.join(' / ')}`;
    });
    expect(failures).toEqual([]);
  });

  it('T82: stays when one version is removed while the other is no longer the one shown', () => {
    const failures = failing(conflicts, ({ state, known, path }, side) => {
      const other = otherSide(side);
      if (!state[side].has(path) || state[other].get(path)?.kind !== 'file') return undefined;
      const changed = new Map(state[other]).set(path, file(4));
      const now: State = { ...copyOf(state), [side]: without(state[side], path), [other]: changed };
      const { after, known: left } = pass(now, known);
      if (!left.has(path)) return 'is no conflict any more';
      return describeState(after) === describeState(now) ? undefined : `changed to ${describeState(after)}`;
    });
    expect(failures).toEqual([]);
  });

  it('T81: is found again by every further pass while nobody touches it', () => {
    const failures = failing(conflicts, ({ state, known, path }) => {
      const { after, known: again } = pass(state, known);
      if (JSON.stringify([...again]) !== JSON.stringify([...known])) return `${path}: the records changed`;
      return describeState(after) === describeState(state) ? undefined : `changed to ${describeState(after)}`;
    });
    expect(failures).toEqual([]);
  });
});

describe('INV-16, T88: an interrupted pass', () => {
  it.each([
    ['two-way', false],
    ['one-way', true],
  ])('is finished by the next one after any step (%s)', (_name, isUnidirectional) => {
    const trees = [none, file(1), file(2), ...directories([none, file(1), file(2)])];
    const failures: string[] = [];
    const run = (state: State): string => {
      const after = copyOf(state);
      applyPlan(deletionsLast(planOf(state, { isUnidirectional })), after);
      return describeState(after);
    };
    for (const baseline of trees) {
      for (const source of trees) {
        for (const target of trees) {
          const [b, s, t] = [baseline, source, target].map((tree) => flatten(rootOf(tree)));
          const state: State = { baseline: b!, source: s!, target: t! };
          const items = deletionsLast(planOf(state, { isUnidirectional }));
          for (let steps = 1; steps < items.length; steps += 1) {
            const interrupted = copyOf(state);
            applyPlan(items.slice(0, steps), interrupted);
            if (run(interrupted) !== run(state) && failures.length < 3) {
              failures.push(`${describeState(state)}\nafter ${steps} steps: ${run(interrupted)}`);
            }
          }
        }
      }
    }
    expect(failures).toEqual([]);
  });
});

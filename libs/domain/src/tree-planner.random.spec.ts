/**
 * The planner on random trees, three levels deep, over names that stress the key order: between
 * a file `d` and a directory `d/` lie `d!`, `d-`, `d.txt` and all they hold. `WL_SEED` repeats a
 * run; a failing one prints its seed.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { directoryKey, type RelativePath } from './path.js';
import type { PlanItem } from './plan.js';
import { describeCase, stateOf, violationsOf } from './testing/check-pass.js';
import type { Roots } from './testing/oracle.js';
import { NAMES, propertySettings, rootsArbitrary } from './testing/random-trees.js';
import { describeItem, describePlan, planOf } from './testing/run-planner.js';
import { dir, merge, type Children } from './testing/trees.js';
import { TreePlanner } from './tree-planner.js';

const MODES: [string, boolean][] = [
  ['two-way', false],
  ['one-way', true],
];

describe.each(MODES)('the planner on random trees, %s', (_name, isUnidirectional) => {
  it.each(['plain', 'odd'] as const)('keeps the invariants and agrees with the oracle (%s trees)', (oddity) => {
    fc.assert(
      fc.property(rootsArbitrary(3, oddity), (roots) => {
        const violations = violationsOf(roots, isUnidirectional);
        if (violations.length > 0) throw new Error([describeCase(roots, isUnidirectional), ...violations].join('\n'));
      }),
      propertySettings(1000),
    );
  });

  it('INV-1: plans the same again, item by item', () => {
    fc.assert(
      fc.property(rootsArbitrary(2, 'odd'), (roots) => {
        const state = stateOf(roots);
        const lines = (items: readonly PlanItem[]): string[] => items.map((item) => describeItem(item));
        expect(lines(planOf(state, { isUnidirectional }))).toEqual(lines(planOf(state, { isUnidirectional })));
      }),
      propertySettings(300),
    );
  });

  it('INV-42: plans a tree as it plans its top-level names one by one', () => {
    fc.assert(
      fc.property(rootsArbitrary(2, 'odd'), (roots) => {
        const whole = planOf(stateOf(roots), { isUnidirectional });
        const parts = NAMES.flatMap((name) => planOf(stateOf(only(roots, name)), { isUnidirectional }));
        expect(describePlan(whole)).toEqual(describePlan(parts));
      }),
      propertySettings(500),
    );
  });

  it('INV-42: plans a directory alone as it plans it within the whole', () => {
    fc.assert(
      fc.property(rootsArbitrary(2, 'odd'), (entries) => {
        const inside = { baseline: dir(entries.baseline), source: dir(entries.source), target: dir(entries.target) };
        const state = stateOf({ baseline: { d: inside.baseline }, source: { d: inside.source }, target: { d: inside.target } });
        const planner = new TreePlanner('d' as RelativePath, { isUnidirectional, known: () => undefined });
        const out: PlanItem[] = [];
        for (const triple of merge(state.baseline, state.source, state.target)) {
          if (triple.key !== directoryKey('d' as RelativePath)) planner.visit(triple, out);
        }
        planner.finish(out);
        expect(describePlan(out)).toEqual(describePlan(planOf(state, { isUnidirectional })));
      }),
      propertySettings(300),
    );
  });
});

describe('random trees', () => {
  it('hold every kind of entry and reach every kind of item', () => {
    const kinds = new Set<string>();
    const items = new Set<string>();
    for (const roots of fc.sample(rootsArbitrary(2, 'odd'), { numRuns: 600, seed: 1 })) {
      const { baseline, source, target } = stateOf(roots);
      for (const tree of [...baseline.values(), ...source.values(), ...target.values()]) kinds.add(tree.kind);
      for (const item of planOf({ baseline, source, target })) items.add(item.kind);
    }
    expect([...kinds].sort()).toEqual(['directory', 'double', 'file', 'ignored', 'unknown']);
    expect(items.size).toBe(10);
  });
});

function only(roots: Roots, name: string): Roots {
  const pick = (children: Children): Children => {
    const tree = children[name];
    return tree === undefined ? {} : { [name]: tree };
  };
  return { baseline: pick(roots.baseline), source: pick(roots.source), target: pick(roots.target) };
}

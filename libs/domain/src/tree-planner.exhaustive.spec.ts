/**
 * Every small triple of trees against the oracle and the invariants (DESIGN §10): one name `d`
 * that is absent, a file of one of three contents, or a directory with the children `a` and
 * `b`, each absent, one of the three files or an empty directory. That is 29 trees, 24,389
 * triples; two contents besides the baseline's are enough for every way in which three
 * versions can agree and differ, two children for every way in which siblings can matter to
 * each other. With what could not be observed, or is left out by the rules, added on both
 * observed sides: 29 baselines, 80 trees a side, 185,600 triples.
 */
import { describe, expect, it } from '@jest/globals';

import { describeCase, violationsOf } from './testing/check-pass.js';
import type { Roots } from './testing/oracle.js';
import { dir, file, ignored, ignoredDirectory, none, unknown, unlisted, type Tree } from './testing/trees.js';

const FILES: readonly Tree[] = [file(1), file(2), file(3)];
const PLAIN_CHILDREN: readonly Tree[] = [none, ...FILES, dir()];

const PLAIN: readonly Tree[] = [none, ...FILES, ...directories(PLAIN_CHILDREN, dir)];
const OBSERVED: readonly Tree[] = [
  none,
  ...FILES,
  unknown,
  ignored,
  ...directories([...PLAIN_CHILDREN, unknown, ignored], dir),
];
const ALSO_OBSERVED: readonly Tree[] = [...directories(PLAIN_CHILDREN, unlisted), ignoredDirectory];

function directories(children: readonly Tree[], make: (children: { a: Tree; b: Tree }) => Tree): Tree[] {
  return children.flatMap((a) => children.map((b) => make({ a, b })));
}

/** Checks every triple; plain loops, since a test apiece would cost more than the checks. */
function checkAll(sides: readonly Tree[], isUnidirectional: boolean): { count: number; failures: string[] } {
  const failures: string[] = [];
  let count = 0;
  for (const baseline of PLAIN) {
    for (const source of sides) {
      for (const target of sides) {
        count += 1;
        const roots: Roots = { baseline: root(baseline), source: root(source), target: root(target) };
        const violations = violationsOf(roots, isUnidirectional);
        if (violations.length > 0 && failures.length < 5) {
          failures.push([describeCase(roots, isUnidirectional), ...violations].join('\n  '));
        }
      }
    }
  }
  return { count, failures };
}

function root(tree: Tree): Roots['source'] {
  return tree.kind === 'absent' ? {} : { d: tree };
}

describe.each([
  ['two-way', false],
  ['one-way', true],
])('every small triple, %s', (_name, isUnidirectional) => {
  it('keeps the invariants and agrees with the oracle where all is observed', () => {
    expect(PLAIN).toHaveLength(29);
    expect(checkAll(PLAIN, isUnidirectional)).toEqual({ count: 24_389, failures: [] });
  });

  it('keeps the invariants and agrees with the oracle where places are unknown or ignored', () => {
    expect(OBSERVED).toHaveLength(55);
    expect(checkAll(OBSERVED, isUnidirectional)).toEqual({ count: 87_725, failures: [] });
  });

  it('keeps the invariants and agrees with the oracle where directories are not listed to the end', () => {
    // Against the trees of the first test: the odd ones against each other are in the second.
    const sides = [...PLAIN, ...ALSO_OBSERVED];
    expect(checkAll(sides, isUnidirectional)).toEqual({ count: 29 * 55 * 55, failures: [] });
  });
});

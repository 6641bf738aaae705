/**
 * Every small triple of trees against the oracle and the invariants (DESIGN §10): one name `d`
 * that is absent, a file of one of three contents, or a directory with the children `a` and
 * `b`, each absent, one of the three files or an empty directory. That is 29 trees, 24,389
 * triples; two contents besides the baseline's are enough for every way in which three
 * versions can agree and differ, two children for every way in which siblings can matter to
 * each other. Then with what could not be observed, or is left out by the rules, added on both
 * observed sides: 29 baselines, 55 trees a side, 87,725 triples; and 44,109 with
 * directories that could not be listed to the end. Both contain the 24,389, which are checked once.
 */
import { describe, expect, it } from '@jest/globals';

import { describeCase, violationsOf } from './testing/check-pass.js';
import type { Roots } from './testing/oracle.js';
import { directories, PLAIN_CHILDREN, PLAIN_TREES, rootOf } from './testing/small-trees.js';
import { childrenOf, file, ignored, ignoredDirectory, none, unknown, unlisted, type Tree } from './testing/trees.js';

const HIDDEN: readonly Tree[] = [unknown, ignored];
const WITH_UNKNOWN_AND_IGNORED: readonly Tree[] = [
  ...PLAIN_TREES,
  ...HIDDEN,
  ...directories([...PLAIN_CHILDREN, ...HIDDEN]).filter((tree) => Object.values(childrenOf(tree)).some((child) => HIDDEN.includes(child))),
];
const WITH_UNLISTED: readonly Tree[] = [
  ...PLAIN_TREES,
  ignoredDirectory,
  ...directories([none, file(1), file(2)], unlisted),
];

/** Checks every triple but those with both sides in `checked`; plain loops, since a test apiece would cost more than the checks. */
function checkAll(sides: readonly Tree[], isUnidirectional: boolean, checked: ReadonlySet<Tree> = new Set()): { count: number; failures: string[] } {
  const failures: string[] = [];
  let count = 0;
  for (const baseline of PLAIN_TREES) {
    for (const source of sides) {
      for (const target of sides) {
        if (checked.has(source) && checked.has(target)) continue;
        count += 1;
        const roots: Roots = { baseline: rootOf(baseline), source: rootOf(source), target: rootOf(target) };
        const violations = violationsOf(roots, isUnidirectional);
        if (violations.length > 0 && failures.length < 5) {
          failures.push([describeCase(roots, isUnidirectional), ...violations].join('\n  '));
        }
      }
    }
  }
  return { count, failures };
}

describe.each([
  ['two-way', false],
  ['one-way', true],
])('every small triple, %s', (_name, isUnidirectional) => {
  const plain = new Set(PLAIN_TREES);

  it('keeps the invariants and agrees with the oracle where all is observed', () => {
    expect(PLAIN_TREES).toHaveLength(29);
    expect(checkAll(PLAIN_TREES, isUnidirectional)).toEqual({ count: 24_389, failures: [] });
  });

  it('keeps the invariants and agrees with the oracle where places are unknown or ignored', () => {
    expect(WITH_UNKNOWN_AND_IGNORED).toHaveLength(55);
    expect(checkAll(WITH_UNKNOWN_AND_IGNORED, isUnidirectional, plain)).toEqual({ count: 87_725 - 24_389, failures: [] });
  });

  it('keeps the invariants and agrees with the oracle where directories are not listed to the end', () => {
    expect(WITH_UNLISTED).toHaveLength(39);
    expect(checkAll(WITH_UNLISTED, isUnidirectional, plain)).toEqual({ count: 44_109 - 24_389, failures: [] });
  });
});

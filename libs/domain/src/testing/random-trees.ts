/** Random triples of trees over names that stress the key order, and the settings of a property. */

import fc from 'fast-check';

import type { Roots } from './oracle.js';
import { dir, double, file, ignored, ignoredDirectory, none, unknown, unlisted, type Children, type Tree } from './trees.js';

/** Between `d` and `d/` lie `d!`, `d-`, `d.txt` with all they hold; `d0` and `dé` lie behind. */
export const NAMES = ['d', 'd!', 'd-', 'd.txt', 'd0', 'dé'] as const;

/** Settings of a property: a seed from the environment (`WL_SEED`) repeats a run; a failure prints its own. */
export function propertySettings(numRuns: number): { numRuns: number; seed?: number } {
  const seed = process.env['WL_SEED'];
  return seed === undefined ? { numRuns } : { numRuns, seed: Number(seed) };
}

type Kind = 'absent' | 'file' | 'directory' | 'unknown' | 'ignored' | 'ignored-directory' | 'unlisted' | 'double';

/** One name on all three sides at once: drawing them together makes them agree often enough to be interesting. */
interface Joint {
  readonly baseline: Kind;
  readonly source: Kind;
  readonly target: Kind;
  readonly contents: readonly [number, number, number];
  readonly children: Readonly<Record<string, Joint>>;
}

/** How odd an observed side may be. */
export type Oddity = 'plain' | 'odd';

/** Three roots, `depth` levels of directories. */
export function rootsArbitrary(depth: number, oddity: Oddity): fc.Arbitrary<Roots> {
  return entries(depth, oddity).map((joint) => ({
    baseline: project(joint, 'baseline'),
    source: project(joint, 'source'),
    target: project(joint, 'target'),
  }));
}

function entries(depth: number, oddity: Oddity): fc.Arbitrary<Record<string, Joint>> {
  return fc.dictionary(fc.constantFrom(...NAMES), joint(depth, oddity), { maxKeys: 4, noNullPrototype: true });
}

function joint(depth: number, oddity: Oddity): fc.Arbitrary<Joint> {
  const content = fc.integer({ min: 1, max: 3 });
  return fc.record({
    baseline: fc.oneof(...weights('plain')),
    source: fc.oneof(...weights(oddity)),
    target: fc.oneof(...weights(oddity)),
    contents: fc.tuple(content, content, content),
    children: depth === 0 ? fc.constant({}) : entries(depth - 1, oddity),
  });
}

function weights(oddity: Oddity): fc.WeightedArbitrary<Kind>[] {
  const plain: fc.WeightedArbitrary<Kind>[] = [
    { arbitrary: fc.constant('directory'), weight: 6 },
    { arbitrary: fc.constant('file'), weight: 3 },
    { arbitrary: fc.constant('absent'), weight: 3 },
  ];
  if (oddity === 'plain') return plain;
  const odd = (['unknown', 'ignored', 'ignored-directory', 'unlisted', 'double'] as const).map((kind) => ({
    arbitrary: fc.constant(kind),
    weight: 0.3,
  }));
  // Weights are whole numbers.
  return [...plain, ...odd].map(({ arbitrary, weight }) => ({ arbitrary, weight: weight * 10 }));
}

const SIDES = ['baseline', 'source', 'target'] as const;

function project(joints: Readonly<Record<string, Joint>>, side: (typeof SIDES)[number]): Children {
  return Object.fromEntries(
    Object.entries(joints)
      .map(([name, one]) => [name, tree(one, side)] as const)
      .filter(([, projected]) => projected.kind !== 'absent'),
  );
}

function tree(one: Joint, side: (typeof SIDES)[number]): Tree {
  const content = one.contents[SIDES.indexOf(side)] ?? 1;
  const children = (): Children => project(one.children, side);
  switch (one[side]) {
    case 'absent':
      return none;
    case 'file':
      return file(content);
    case 'directory':
      return dir(children());
    case 'unlisted':
      return unlisted(children());
    case 'double':
      return double(content, children());
    case 'unknown':
      return unknown;
    case 'ignored':
      return ignored;
    case 'ignored-directory':
      return ignoredDirectory;
  }
}

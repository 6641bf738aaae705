/** A dose of the space of two names (`npm run exhaustive` goes through all of it), and what reduces it. */

import { describe, expect, it } from '@jest/globals';

import { mirrored, pairFaults, renamingFaults, representatives, canonicalKey } from './testing/two-names.js';

describe('two names beside each other', () => {
  const all = representatives();

  it('INV-1: exchanging contents at a path exchanges them in the plan, for all 24,389 triples', () => {
    expect(all).toHaveLength(2119);
    expect(renamingFaults(false)).toEqual([]);
    expect(renamingFaults(true)).toEqual([]);
  });

  it('INV-2: the mirrored triple of a representative has one as well', () => {
    const keys = new Set(all.map(canonicalKey));
    expect(all.filter((triple) => !keys.has(canonicalKey(mirrored(triple))))).toEqual([]);
  });

  it.each([
    ['d', 'd.txt'],
    ['d', 'e'],
  ] as const)('INV-42: %s and %s do not influence each other (every 1,777th pair)', (first, second) => {
    const faults: string[] = [];
    // A step that has no factor in common with the number of triples meets each of them often.
    for (let at = 0; at < all.length ** 2 && faults.length < 5; at += 1777) {
      const [a, b] = [all[Math.floor(at / all.length)]!, all[at % all.length]!];
      faults.push(...pairFaults([first, second], a, b, at % 2 === 1));
    }
    expect(faults).toEqual([]);
  });
});

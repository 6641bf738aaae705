/** INV-2: which side is given the other's executable bit. */

import { describe, expect, it } from '@jest/globals';

import { behindInExecutability } from './executable.js';

const VALUES = [true, false, undefined];
const PAIRS = VALUES.flatMap((source) => VALUES.map((target) => ({ source, target })));

describe('behindInExecutability', () => {
  it.each([
    { agreed: false, source: true, target: false, behind: 'target' },
    { agreed: false, source: false, target: true, behind: 'source' },
    { agreed: true, source: false, target: true, behind: 'target' },
    { agreed: true, source: true, target: false, behind: 'source' },
  ] as const)('of $agreed, now $source and $target: gives the $behind the change of the other', ({ agreed, source, target, behind }) => {
    expect(behindInExecutability({ source: agreed, target: agreed }, { source, target })).toBe(behind);
  });

  it('says nothing where both are alike, or a side does not tell', () => {
    const silent = PAIRS.filter(({ source, target }) => source === target || source === undefined || target === undefined);
    for (const now of silent) for (const agreed of [undefined, ...PAIRS]) expect(behindInExecutability(agreed, now)).toBeUndefined();
  });

  it('says nothing where they never agreed: nobody knows which of them is the change', () => {
    const never = [undefined, ...PAIRS.filter(({ source, target }) => source !== target || source === undefined)];
    for (const now of PAIRS) for (const agreed of never) expect(behindInExecutability(agreed, now)).toBeUndefined();
  });

  it('INV-2: is mirrored when the sides are', () => {
    const mirrored = { source: 'target', target: 'source' } as const;
    const flip = ({ source, target }: (typeof PAIRS)[number]) => ({ source: target, target: source });
    for (const agreed of PAIRS) {
      for (const now of PAIRS) {
        const behind = behindInExecutability(agreed, now);
        expect(behindInExecutability(flip(agreed), flip(now))).toBe(behind && mirrored[behind]);
      }
    }
  });
});

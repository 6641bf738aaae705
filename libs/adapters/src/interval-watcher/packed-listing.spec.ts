import { describe, expect, it } from '@jest/globals';
import { compareKeys } from '@wl/domain';

import { fingerprintOf, PackedListing, RACY } from './packed-listing.js';

describe('PackedListing', () => {
  it('gives back the keys and fingerprints it was given, over many blocks', () => {
    const keys = Array.from({ length: 5_000 }, (_, i) => `dir${String(i % 13)}/sub "${String(i % 7)}"\n/\u{1f600}${String(i)}`).sort(compareKeys);
    const packed = new PackedListing();
    for (const [i, key] of keys.entries()) packed.append(key, i + 1, i * 2);
    packed.finish();
    expect([...packed.entries()]).toEqual(keys.map((key, i) => ({ key, high: i + 1, low: i * 2 })));
  });

  it('does not cut a character in two where keys differ in its second half only', () => {
    const keys = ['a\u{1f600}', 'a\u{1f601}', 'a\u{1f601}b', 'a\u{1f602}'];
    const packed = new PackedListing();
    for (const key of keys) packed.append(key, 1, 1);
    packed.finish();
    expect([...packed.entries()].map(({ key }) => key)).toEqual(keys);
  });

  it('is empty when nothing was added', () => {
    const packed = new PackedListing();
    packed.finish();
    expect([...packed.entries()]).toEqual([]);
  });
});

describe('fingerprintOf', () => {
  it('tells twenty thousand tokens apart, and none from a racy one', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 20_000; i += 1) {
      const { high, low } = fingerprintOf(`f${String(i * 7919)}-${String(i % 17)}-1700000000123.${String(i)}`);
      if (high !== RACY) seen.add(`${String(high)}/${String(low)}`);
    }
    expect(seen.size).toBe(20_000);
  });
});

import { describe, expect, it } from '@jest/globals';

import { toSize } from '../wire/listing.js';
import { growingPartBytes, isPartSize, partBytesFor, SIZES } from './sizes.js';

const TIB = 1024 ** 4;
/** What S3 allows an upload. */
const MOST_PARTS = 10_000;
const LARGEST_PART = 5 * 1024 ** 3;

describe('T89: an object as large as S3 holds', () => {
  it.each([5 * TIB, 5 * TIB - 1, 72 * 1024 ** 3, 72 * 1024 ** 3 + 1])('of %i bytes fits into the parts that there may be', (sizeBytes) => {
    const part = partBytesFor(sizeBytes, SIZES);
    expect(Math.ceil(sizeBytes / part)).toBeLessThanOrEqual(MOST_PARTS);
    expect(part).toBeLessThanOrEqual(LARGEST_PART);
    expect(part % SIZES.step).toBe(0);
  });

  it('fits as well when nobody knows beforehand how large it is', () => {
    const parts = Array.from({ length: MOST_PARTS }, (_, index) => growingPartBytes(index + 1, SIZES));
    expect(parts.reduce((sum, bytes) => sum + bytes, 0)).toBeGreaterThanOrEqual(5 * TIB);
    expect(Math.max(...parts)).toBeLessThanOrEqual(LARGEST_PART);
  });

  it('is listed with its exact size, and one that no number holds exactly is no size', () => {
    expect(toSize(String(5 * TIB))).toBe(5 * TIB);
    expect(toSize('999999999999999')).toBe(999_999_999_999_999);
    expect(() => toSize('9007199254740993')).toThrow();
  });
});

describe('the part size of an earlier version', () => {
  const MIB = 1024 * 1024;

  it.each([
    ['is kept', 8 * MIB, 1024 * MIB, true],
    ['is kept by a file that outgrew it by little', 8 * MIB, 10_000 * 8 * MIB, true],
    ['is not kept where that would be more than 10,000 parts', 8 * MIB, 10_000 * 8 * MIB + 1, false],
    ['is not kept where it is smaller than S3 takes', 4 * MIB, 1024 * MIB, false],
    ['is not kept where it is larger than memory was reckoned with', 9 * MIB, 1024 * MIB, false],
  ])('%s', (_what, partBytes, sizeBytes, isKept) => {
    expect(isPartSize(partBytes, sizeBytes, SIZES)).toBe(isKept);
  });
});

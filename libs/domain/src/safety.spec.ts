import { describe, expect, it } from '@jest/globals';

import { HANDFUL, isSameRoot, judgeDeletions, rootOverlap, type DeletionFacts } from './safety.js';

describe('judgeDeletions (INV-39)', () => {
  const facts = (known: number, deletions: number, more: Partial<DeletionFacts> = {}): DeletionFacts => ({
    knownFiles: known,
    deletions,
    recentDeletions: 0,
    isOtherSideEmpty: false,
    ...more,
  });

  it.each<[string, DeletionFacts, ReturnType<typeof judgeDeletions>]>([
    ['a plan that deletes nothing', facts(100, 0), 'allowed'],
    ['a plan that deletes nothing although the other side is empty', facts(0, 0, { isOtherSideEmpty: true }), 'allowed'],
    ['T04: everything gone from a side', facts(1000, 1000, { isOtherSideEmpty: true }), 'side-emptied'],
    ['T85: the last file of a small tree gone', facts(1, 1, { isOtherSideEmpty: true }), 'side-emptied'],
    ['T85: three files of three gone', facts(3, 3, { isOtherSideEmpty: true }), 'side-emptied'],
    ['T85: two of three files deleted', facts(3, 2), 'allowed'],
    ['a handful, whatever its share', facts(HANDFUL, HANDFUL), 'allowed'],
    ['one more than a handful, and all of them', facts(HANDFUL + 1, HANDFUL + 1), 'mass-deletion'],
    ['exactly half', facts(100, 50), 'allowed'],
    ['one more than half', facts(100, 51), 'mass-deletion'],
    ['half of an odd number, rounded up', facts(21, 11), 'mass-deletion'],
    ['T85: a renamed top directory, whose files count as moved', facts(100, 0), 'allowed'],
    ['T85: a slow drip that stays below half', facts(60, 10, { recentDeletions: 40 }), 'allowed'],
    ['T85: a slow drip that goes beyond half', facts(60, 11, { recentDeletions: 40 }), 'mass-deletion'],
    ['T85: the last drop of a drip, alone no more than a handful', facts(49, 1, { recentDeletions: 51 }), 'mass-deletion'],
    ['a drip that is no more than a handful altogether', facts(4, 4, { recentDeletions: 6 }), 'allowed'],
  ])('judges %s', (_name, given, verdict) => {
    expect(judgeDeletions(given)).toBe(verdict);
  });
});

describe('isSameRoot (INV-10)', () => {
  it.each<[string, string[], string[], boolean]>([
    ['nothing is stored yet', [], ['marker:1'], true],
    ['the marker is the one stored', ['marker:1', 'inode:7'], ['marker:1', 'inode:9'], true],
    ['the marker was lost but the place is the one stored', ['marker:1', 'inode:7'], ['inode:7'], true],
    ['T05: another tree stands in its place', ['marker:1', 'inode:7'], ['marker:2', 'inode:8'], false],
    ['T04: an empty mount point stands in its place', ['marker:1', 'inode:7'], ['inode:2'], false],
    ['only its place was known so far, and a marker has come', ['place:s3://b'], ['marker:1', 'place:s3://b'], true],
    ['T10: the bucket was made anew under the old name', ['marker:1', 'place:s3://b'], ['place:s3://b'], false],
    ['nothing is known of what is there', ['marker:1'], [], false],
  ])('when %s', (_name, stored, seen, expected) => {
    expect(isSameRoot(stored, seen)).toBe(expected);
  });
});

describe('rootOverlap (INV-23, T29)', () => {
  it.each<[string, string, ReturnType<typeof rootOverlap>]>([
    ['/a', '/a', 'same'],
    ['/a', '/a/b', 'nested'],
    ['/a/b', '/a', 'nested'],
    ['/', '/a', 'nested'],
    ['/a/', '/a/b', 'nested'],
    ['/a', '/ab', 'apart'],
    ['/a/b', '/a/c', 'apart'],
  ])('%s and %s are %s', (a, b, expected) => {
    expect(rootOverlap(a, b)).toBe(expected);
  });
});

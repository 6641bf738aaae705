/** When a token may deceive. */

import type { BigIntStats } from 'node:fs';

import { describe, expect, it } from '@jest/globals';

import { statsOf, type FileStats } from './file-stats.js';
import { hasIdentity, isRacy, isRacyByMtime, isSameVersion, mtimeMsOf, tokenOf } from './token.js';

const NOW = 1_700_000_000_000;

/** Stats of a file with times in nanoseconds. */
function stats(mtimeNs: bigint, ctimeNs: bigint, size = 1n, ino = 7n): FileStats {
  return statsOf({ mtimeNs, ctimeNs, size, ino, mode: 0o100644n, nlink: 1n, blocks: 8n } as BigIntStats);
}

/** Nanoseconds of so many milliseconds before now, with a fraction of a second unless it is whole. */
function before(ms: number, fractionNs = 123n): bigint {
  return BigInt(NOW - ms) * 1_000_000n + fractionNs;
}

const LONG_AGO = before(1e9);

describe('a token', () => {
  it('differs whenever size, one of the times or the inode does, to the nanosecond', () => {
    const base = stats(LONG_AGO, LONG_AGO);
    const others = [stats(LONG_AGO + 1n, LONG_AGO), stats(LONG_AGO, LONG_AGO + 1n), stats(LONG_AGO, LONG_AGO, 2n), stats(LONG_AGO, LONG_AGO, 1n, 8n)];
    expect(new Set([base, ...others].map(tokenOf)).size).toBe(5);
    for (const other of others) expect(isSameVersion(base, other)).toBe(false);
    expect(isSameVersion(base, stats(LONG_AGO, LONG_AGO))).toBe(true);
  });

  it('T34: has a form for every time', () => {
    const times = [0n, -1n, -5_500_000_000n, 3_344_444_444_000_000_000n, 2n ** 62n];
    const tokens = times.map((time) => tokenOf(stats(time, LONG_AGO)));
    expect(tokens).toEqual(times.map((time) => `1.${String(time)}.${String(LONG_AGO)}.7`));
    expect(mtimeMsOf(stats(-5_500_000_000n, LONG_AGO))).toBe(-5500);
    expect(mtimeMsOf(stats(1_600_000_000_123_000_000n, LONG_AGO))).toBe(1_600_000_000_123);
    expect(mtimeMsOf(stats(1_600_000_000_123_456_789n, LONG_AGO))).toBeCloseTo(1_600_000_000_123.457, 2);
  });

  it('tells inode numbers apart that no double holds', () => {
    const inodes = [2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 64n - 1n];
    const seen = inodes.map((ino) => stats(LONG_AGO, LONG_AGO, 1n, ino));
    expect(seen.map(tokenOf)).toEqual(inodes.map((ino) => `1.${String(LONG_AGO)}.${String(LONG_AGO)}.${String(ino)}`));
    for (const [i, one] of seen.entries()) expect(seen.filter((other) => hasIdentity(other, one))).toEqual([seen[i]]);
  });

  it('is racy while the clock of the file system may not have moved on', () => {
    expect(isRacy(stats(before(0), before(0)), NOW)).toBe(true);
    expect(isRacy(stats(before(15), before(15)), NOW)).toBe(true);
    expect(isRacy(stats(before(25), before(25)), NOW)).toBe(false);
    // A restored modification time does not hide a change.
    expect(isRacy(stats(LONG_AGO, before(5)), NOW)).toBe(true);
    expect(isRacy(stats(LONG_AGO, LONG_AGO), NOW)).toBe(false);
  });

  it('T32: is racy for two seconds where times are whole seconds', () => {
    const second = (ms: number): bigint => (before(ms, 0n) / 1_000_000_000n) * 1_000_000_000n;
    expect(isRacy(stats(second(1500), second(1500)), NOW)).toBe(true);
    expect(isRacy(stats(second(3000), second(3000)), NOW)).toBe(false);
    // One of the times with a fraction: the file system keeps them.
    expect(isRacy(stats(second(1500), before(1500)), NOW)).toBe(false);
  });

  it('is racy when its change lies in the future: another clock made it', () => {
    expect(isRacy(stats(LONG_AGO, before(-60_000)), NOW)).toBe(true);
    // A modification time is anybody's to set; far from now it cannot come again by itself.
    expect(isRacy(stats(before(-1e9), LONG_AGO), NOW)).toBe(false);
  });

  it('of a file we have just shown is racy by its modification time alone', () => {
    expect(isRacyByMtime(stats(LONG_AGO, before(0)), NOW)).toBe(false);
    expect(isRacyByMtime(stats(before(10), before(0)), NOW)).toBe(true);
    expect(isRacyByMtime(stats(before(-10), before(0)), NOW)).toBe(true);
  });

  it('stands for a version that a rename does not change', () => {
    const identity = stats(LONG_AGO, LONG_AGO);
    expect(hasIdentity(stats(LONG_AGO, before(0)), identity)).toBe(true);
    expect(hasIdentity(stats(LONG_AGO + 1n, LONG_AGO), identity)).toBe(false);
    expect(hasIdentity(undefined, identity)).toBe(false);
  });
});

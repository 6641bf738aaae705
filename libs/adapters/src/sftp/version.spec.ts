/** When a version told in whole seconds may deceive (T32, T34, INV-22). */

import { describe, expect, it } from '@jest/globals';
import type { Token } from '@wl/domain';
import { ManualClock } from '@wl/ports/testing/manual-clock';

import { tellingMtime, tokenOf, VersionClock } from './version.js';

/** A second of the server, far from that of the machine. */
const SERVER_S = 1_500_000_000;

function clocks(): { readonly clock: ManualClock; readonly versions: VersionClock } {
  const clock = new ManualClock();
  return { clock, versions: new VersionClock(clock) };
}

describe('a version that is told in whole seconds', () => {
  it("T32, INV-22: is racy until the server's clock has moved on by two seconds, whatever this machine's shows", async () => {
    const { clock, versions } = clocks();
    versions.learn(SERVER_S);
    const isRacy = (mtimeS: number): boolean => versions.isRacy('a', tokenOf(1, mtimeS), mtimeS);
    expect([SERVER_S, SERVER_S - 1, SERVER_S - 2].map(isRacy)).toEqual([true, true, false]);
    await clock.advance(1999);
    expect(isRacy(SERVER_S)).toBe(true);
    await clock.advance(1);
    expect(isRacy(SERVER_S)).toBe(false);
  });

  it('T34: is racy when it comes from a little later, as another clock may have dated it, and not when from another age', () => {
    const { versions } = clocks();
    versions.learn(SERVER_S);
    expect(versions.isRacy('a', tokenOf(1, SERVER_S + 60), SERVER_S + 60)).toBe(true);
    expect(versions.isRacy('a', tokenOf(1, SERVER_S + 1e8), SERVER_S + 1e8)).toBe(false);
  });

  it("is settled where the server's time is not known once it was seen for two seconds; another version begins anew", async () => {
    const { clock, versions } = clocks();
    const nowS = Math.floor(clock.nowMs() / 1000);
    const isRacy = (sizeBytes: number): boolean => versions.isRacy('a', tokenOf(sizeBytes, nowS), nowS);
    expect(isRacy(1)).toBe(true);
    await clock.advance(2000);
    expect(isRacy(1)).toBe(false);
    expect(isRacy(2)).toBe(true);
    expect(isRacy(1)).toBe(true);
    // One of long ago is settled at first sight, or every file would be read twice.
    expect(versions.isRacy('old', tokenOf(1, nowS - 100_000), nowS - 100_000)).toBe(false);
  });

  it("INV-40: remembers only so many, and forgets none into trust", async () => {
    const { clock, versions } = clocks();
    const nowS = Math.floor(clock.nowMs() / 1000);
    const isRacy = (path: string): boolean => versions.isRacy(path, tokenOf(1, nowS), nowS);
    for (let i = 0; i <= 20_000; i += 1) isRacy(`f${String(i)}`);
    await clock.advance(3000);
    expect(isRacy('f20000')).toBe(false);
    expect(isRacy('f0')).toBe(true);
  });

  it.each([
    ['another second', 5, 200, '5:100', 200],
    ['the same second and size', 5, 100, '5:100', 101],
    ['the second before, which a version before it may have had', 5, 100, '5:101', 102],
    ['a date from long before', 5, 100, '5:100000', 100],
    ['another size', 5, 100, '6:100', 100],
    ['nothing to replace', 5, 100, undefined, 100],
    ['a token of another kind', 5, 100, 'no such token', 100],
    ['the last second there is', 5, 0xffff_ffff, '5:4294967295', 0xffff_fffe],
  ])('INV-25: a new version with %s is dated so that it passes for none before it', (_name, sizeBytes, wantedS, replaced, mtimeS) => {
    expect(tellingMtime(sizeBytes, wantedS, replaced as Token | undefined)).toBe(mtimeS);
  });

  it('has one token for each size and second', () => {
    const tokens = [[1, 11], [11, 1], [1, 1], [0, 111]].map(([size, mtime]) => tokenOf(size!, mtime!));
    expect(new Set(tokens).size).toBe(4);
  });
});

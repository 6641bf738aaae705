/**
 * The token of a local file and when it may deceive.
 *
 * A token is size, modification time, change time and inode number, all in full
 * precision, and whether it is a program (`programToken`). Every write gives a file a new change time, taken from a clock that
 * moves in ticks (up to 10 ms on Linux; 2 s and 1 s on file systems that keep no
 * fractions). A file whose change time is still the current tick can change once
 * more and keep its token: such a token is *racy* (git: "racily clean").
 *
 * A file we have just written ourselves always has a change time of now, since
 * renaming it into place sets it. There the modification time decides alone: it is
 * the source's, and any later write replaces it by the current time, which differs
 * unless the source's time is of this very moment. Kernels from 6.13 on give a file
 * a new time after every look at it, which makes racy tokens harmless there; we do
 * not rely on it, network file systems do not.
 */

import type { Token } from '@wl/domain';
import { programToken } from '@wl/ports';

import { isExecutable, isSameTime, millisecondsOf, nanosecondsOf, type FileStats } from './file-stats.js';

/** Longest tick of file systems that keep fractions of seconds, with room for coarse kernels; milliseconds. */
const FINE_TICK_MS = 20;
/** Longest tick of file systems that keep whole seconds (FAT: two); milliseconds. */
const COARSE_TICK_MS = 2_100;

/** What of a version survives a rename; the change time does not. */
export type FileIdentity = Pick<FileStats, 'inode' | 'sizeBytes' | 'mtime'>;

/** What tells whether a version is the same. */
export type FileVersion = FileIdentity & Pick<FileStats, 'ctime'>;

/** The token of the version that `stats` show. */
export function tokenOf({ sizeBytes, mtime, ctime, inode, mode }: FileVersion & Pick<FileStats, 'mode'>): Token {
  return programToken(`${String(sizeBytes)}.${nanosecondsOf(mtime)}.${nanosecondsOf(ctime)}.${String(inode)}`, isExecutable(mode));
}

/** Whether both show one version: their tokens are equal. */
export function isSameVersion(a: FileVersion, b: FileVersion): boolean {
  return isSameTime(a.ctime, b.ctime) && isSameIdentity(a, b);
}

/** Whether `stats` show a regular file of that identity. */
export function hasIdentity(stats: FileStats | undefined, identity: FileIdentity): stats is FileStats {
  return stats !== undefined && isSameIdentity(stats, identity);
}

/** Modification time in milliseconds, with fraction. */
export function mtimeMsOf({ mtime }: Pick<FileStats, 'mtime'>): number {
  // Whole milliseconds and the rest apart: nanoseconds since 1970 exceed 2^53.
  return millisecondsOf(mtime) + (mtime.nanoseconds % 1_000_000) / 1e6;
}

/** The times that tell whether a token may deceive, in whole milliseconds. */
export interface FileTimes {
  readonly ctimeMs: number;
  readonly mtimeMs: number;
  /** Whole seconds in both times mean a file system that keeps no fractions (or one chance in a billion). */
  readonly keepsFractions: boolean;
}

/** Whether a file seen at `nowMs` (taken before the look) may change and keep this token. */
export function isRacy(stats: Pick<FileStats, 'mtime' | 'ctime'>, nowMs: number): boolean {
  return isRacyAt(timesOf(stats), nowMs);
}

/** The same for a file that only our own rename has just changed. */
export function isRacyByMtime(stats: Pick<FileStats, 'mtime' | 'ctime'>, nowMs: number): boolean {
  return isRacyByMtimeAt(timesOf(stats), nowMs);
}

/** `isRacy` of a file with these times. */
export function isRacyAt(times: FileTimes, nowMs: number): boolean {
  const { ctimeMs } = times;
  // A change time in the future comes from another clock: no telling how far away its "now" is.
  if (ctimeMs >= nowMs - COARSE_TICK_MS) return ctimeMs >= nowMs - tickMs(times);
  return isRacyByMtimeAt(times, nowMs);
}

function isRacyByMtimeAt(times: FileTimes, nowMs: number): boolean {
  const distanceMs = Math.abs(times.mtimeMs - nowMs);
  return distanceMs <= COARSE_TICK_MS && distanceMs <= tickMs(times);
}

function timesOf({ mtime, ctime }: Pick<FileStats, 'mtime' | 'ctime'>): FileTimes {
  return { ctimeMs: millisecondsOf(ctime), mtimeMs: millisecondsOf(mtime), keepsFractions: ctime.nanoseconds !== 0 || mtime.nanoseconds !== 0 };
}

function isSameIdentity(a: FileIdentity, b: FileIdentity): boolean {
  return a.inode === b.inode && a.sizeBytes === b.sizeBytes && isSameTime(a.mtime, b.mtime);
}

function tickMs({ keepsFractions }: FileTimes): number {
  return keepsFractions ? FINE_TICK_MS : COARSE_TICK_MS;
}

/**
 * What the system tells of a file, in plain numbers. Node's own answer with nanoseconds is made
 * of eighteen big integers and four dates, which takes longer than asking the system.
 */

import type { BigIntStats } from 'node:fs';

/** A time since 1970: seconds, and nanoseconds of the same sign. */
export interface FileTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** One look at something; mostly a regular file. */
export interface FileStats {
  readonly sizeBytes: number;
  /** Type and permissions. */
  readonly mode: number;
  readonly nameCount: number;
  /** What it takes on the medium; less than its size where it has holes. */
  readonly allocatedBytes: number;
  /** A big integer only where a number cannot hold it. */
  readonly inode: number | bigint;
  readonly mtime: FileTime;
  readonly ctime: FileTime;
}

const NS_PER_SECOND = 1_000_000_000n;
const BLOCK_BYTES = 512;

/** The same from what Node tells. */
export function statsOf({ size, mode, nlink, blocks, ino, mtimeNs, ctimeNs }: BigIntStats): FileStats {
  return {
    sizeBytes: Number(size),
    mode: Number(mode),
    nameCount: Number(nlink),
    allocatedBytes: Number(blocks) * BLOCK_BYTES,
    inode: ino <= Number.MAX_SAFE_INTEGER ? Number(ino) : ino,
    mtime: timeOf(mtimeNs),
    ctime: timeOf(ctimeNs),
  };
}

/** The same, `undefined` where nothing or no regular file was seen. */
export function fileStatsOf(stats: BigIntStats | undefined): FileStats | undefined {
  return stats?.isFile() === true ? statsOf(stats) : undefined;
}

/** All permissions: of the owner, the group and all others. */
export const PERMISSIONS = 0o777;
/** Those to execute. */
export const EXECUTE = 0o111;

/** Whether anybody may execute a file of that mode. */
export function isExecutable(mode: number): boolean {
  return (mode & EXECUTE) !== 0;
}

/** Whole nanoseconds since 1970, in decimal. */
export function nanosecondsOf({ seconds, nanoseconds }: FileTime): string {
  if (seconds > 0) return String(seconds) + String(1e9 + nanoseconds).slice(1);
  return String(BigInt(seconds) * NS_PER_SECOND + BigInt(nanoseconds));
}

/** Whole milliseconds since 1970. */
export function millisecondsOf({ seconds, nanoseconds }: FileTime): number {
  return seconds * 1000 + Math.trunc(nanoseconds / 1e6);
}

/** Whether both are the same moment. */
export function isSameTime(a: FileTime, b: FileTime): boolean {
  return a.nanoseconds === b.nanoseconds && a.seconds === b.seconds;
}

function timeOf(nanoseconds: bigint): FileTime {
  return { seconds: Number(nanoseconds / NS_PER_SECOND), nanoseconds: Number(nanoseconds % NS_PER_SECOND) };
}

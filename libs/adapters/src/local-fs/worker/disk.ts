/**
 * The system calls this adapter makes, behind one object: what the kernel offers beyond
 * `node:fs` is optional here, and tests put faults and other writers between two calls.
 * All but the flush of a whole file system is synchronous: in a worker thread that is several times faster than promises.
 */

import * as fs from 'node:fs';
import { constants as osConstants } from 'node:os';

import { fileStatsOf, type FileStats } from './file-stats.js';
import type { Native } from './native.js';
import { createQuickLook, type QuickLook } from './quick-look.js';

/** What a name in a directory is, as the directory says it. */
export interface DirectoryEntry {
  readonly name: string;
  isDirectory(): boolean;
}

/** Renames that never overwrite, and exchanges; between two open directories. */
export interface SafeRenames {
  /** `rename` that fails with `EEXIST` when the new name is taken. */
  renameNoReplace(fromDirectory: number, from: string, toDirectory: number, to: string): void;
  /** Exchanges two existing names in one step. */
  exchange(fromDirectory: number, from: string, toDirectory: number, to: string): void;
}

/** The system calls. All throw `NodeJS.ErrnoException`. */
export interface Disk {
  open(path: string, flags: number, mode?: number): number;
  close(fd: number): void;
  fstat(fd: number): fs.BigIntStats;
  /** `undefined` when the name is not there. */
  lstat(path: string): fs.BigIntStats | undefined;
  readDirectory(path: string): readonly DirectoryEntry[];
  /** The names as bytes: for those that are no UTF-8. */
  readDirectoryBytes(path: string): readonly Uint8Array[];
  read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number;
  write(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number;
  /** Sets access and modification time. */
  futimes(fd: number, mtimeMs: number): void;
  fchmod(fd: number, mode: number): void;
  ftruncate(fd: number, sizeBytes: number): void;
  fsync(fd: number): void;
  rename(from: string, to: string): void;
  link(existing: string, path: string): void;
  unlink(path: string): void;
  mkdir(path: string, mode: number): void;
  rmdir(path: string): void;
  realpath(path: string): string;
  /** The kernel's number for the kind of file system at `path` (statfs(2)). */
  fileSystemType(path: string): number;
  /** Absent where the kernel or the optional package does not offer them. */
  readonly safeRenames: SafeRenames | undefined;
  /** Flushes the whole file system that holds an open file, while the calling thread goes on; absent where it is not reachable. */
  readonly syncfs: ((fd: number) => Promise<void>) | undefined;
  /** Tells the kernel to start writing a range to the medium; absent where it is not reachable. */
  readonly startWriting: ((fd: number, offset: number, length: number) => void) | undefined;
  /** Makes an empty file share the blocks of another; `false` where that is not possible between the two. */
  readonly clone: ((from: number, to: number) => boolean) | undefined;
  /** Makes a directory the one that relative paths of this thread start from; absent where threads cannot have their own. */
  readonly enterDirectory: ((fd: number) => void) | undefined;
  /** Whether anybody has the file open or mapped for writing, `undefined` where that cannot be told; absent where it is not reachable. */
  readonly isOpenForWriting: ((fd: number) => boolean | undefined) | undefined;
  /** Looks at regular files at less cost than `lstat`; absent where it is not reachable. */
  readonly quickLook: QuickLook | undefined;
}

/** What an open file is; `undefined` where it is no regular file. */
export function fstatFile(disk: Disk, fd: number): FileStats | undefined {
  return disk.quickLook?.statsOfOpen(fd) ?? fileStatsOf(disk.fstat(fd));
}

/** The largest modification time that every common file system and `Date` take, in milliseconds (year 2262 in nanoseconds). */
const LATEST_MTIME_MS = 9_223_372_036_000;

/** Whether a modification time can be given to a file (T34). */
export function isSettableMtime(mtimeMs: number): boolean {
  return Number.isFinite(mtimeMs) && Math.abs(mtimeMs) <= LATEST_MTIME_MS;
}

/** The disk of this machine. */
export function createDisk(native: Native | undefined): Disk {
  const noThrow = { bigint: true, throwIfNoEntry: false } as const;
  const big = { bigint: true } as const;
  const withTypes = { withFileTypes: true } as const;
  return {
    open: (path, flags, mode) => fs.openSync(path, flags, mode),
    close: (fd) => fs.closeSync(fd),
    fstat: (fd) => fs.fstatSync(fd, big),
    lstat: (path) => fs.lstatSync(path, noThrow),
    readDirectory: (path) => fs.readdirSync(path, withTypes),
    readDirectoryBytes: (path) => fs.readdirSync(path, 'buffer'),
    read: (fd, buffer, offset, length, position) => fs.readSync(fd, buffer, offset, length, position),
    write: (fd, buffer, offset, length, position) => fs.writeSync(fd, buffer, offset, length, position),
    // Node takes a negative number for "now" but a Date before 1970 for what it is.
    futimes: (fd, mtimeMs) => {
      const time = mtimeMs < 0 ? new Date(mtimeMs) : mtimeMs / 1000;
      fs.futimesSync(fd, time, time);
    },
    fchmod: (fd, mode) => fs.fchmodSync(fd, mode),
    ftruncate: (fd, sizeBytes) => fs.ftruncateSync(fd, sizeBytes),
    fsync: (fd) => fs.fsyncSync(fd),
    rename: (from, to) => fs.renameSync(from, to),
    link: (existing, path) => fs.linkSync(existing, path),
    unlink: (path) => fs.unlinkSync(path),
    mkdir: (path, mode) => fs.mkdirSync(path, mode),
    rmdir: (path) => fs.rmdirSync(path),
    realpath: (path) => fs.realpathSync.native(path),
    fileSystemType: (path) => fs.statfsSync(path).type >>> 0,
    safeRenames: native?.renameat2 === undefined ? undefined : safeRenames(native.renameat2),
    syncfs: native?.syncfs && flushing(native.syncfs),
    startWriting: native?.startWriting,
    clone: native?.clone && ((from, to) => native.clone?.(from, to) === 0),
    enterDirectory: native?.fchdir === undefined ? undefined : checked('fchdir', native.fchdir),
    isOpenForWriting: native?.isOpenForWriting,
    quickLook: createQuickLook(native?.statx),
  };
}

const RENAME_NOREPLACE = 1;
const RENAME_EXCHANGE = 2;

function safeRenames(renameat2: NonNullable<Native['renameat2']>): SafeRenames {
  const run = (flags: number) => (fromDirectory: number, from: string, toDirectory: number, to: string) => {
    const errno = renameat2(fromDirectory, from, toDirectory, to, flags);
    if (errno !== 0) throw errnoException('renameat2', errno);
  };
  return { renameNoReplace: run(RENAME_NOREPLACE), exchange: run(RENAME_EXCHANGE) };
}

function checked(syscall: string, call: (fd: number) => number): (fd: number) => void {
  return (fd) => {
    const errno = call(fd);
    if (errno !== 0) throw errnoException(syscall, errno);
  };
}

/**
 * One flush at a time: each takes one of the few threads that all of the process shares for what it
 * waits for. Each by the descriptor given: what went wrong is told to those that were open by then.
 */
function flushing(syncfs: NonNullable<Native['syncfs']>): (fd: number) => Promise<void> {
  let latest: Promise<unknown> = Promise.resolve();
  return async (fd) => {
    const flushed = latest.then(() => syncfs(fd));
    latest = flushed.catch(() => undefined);
    const errno = await flushed;
    if (errno !== 0) throw errnoException('syncfs', errno);
  };
}

/** An error as `node:fs` throws it, for calls made past it. */
export function errnoException(syscall: string, errno: number): NodeJS.ErrnoException {
  const name = Object.entries(osConstants.errno).find(([, value]) => value === errno)?.[0] ?? `E${String(errno)}`;
  return Object.assign(new Error(`${name}: ${syscall}`), { code: name, errno: -errno, syscall });
}

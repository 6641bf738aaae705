/** Opening a file of the user's for reading: no link, no device, nothing that could block. */

import { constants } from 'node:fs';

import { isWithin, nameOf, parentOf, RESERVED_NAME, type RelativePath, type UnknownReason } from '@wl/domain';

import type { Directory } from './anchor.js';
import { NoDirectory, oddityOf, type DirectoryTree } from './directory-tree.js';
import { fstatFile, type Disk } from './disk.js';
import { errnoOf, unknownReasonOf } from './failure.js';
import { isExecutable, type FileStats } from './file-stats.js';
import { isRacy, isSameVersion } from './token.js';

/** An open file, or why there is none. */
export type OpenedFile =
  | { readonly kind: 'file'; readonly fd: number; readonly stats: FileStats; readonly isRacy: boolean }
  | { readonly kind: 'absent' }
  | { readonly kind: 'directory' }
  /** `cause` is missing where looking was no failure: a link, a device. */
  | { readonly kind: 'unknown'; readonly reason: UnknownReason; readonly cause?: unknown };

/** Whether a path lies in our own area; nothing a caller asks for does. */
export function isReserved(path: RelativePath): boolean {
  return isWithin(path, RESERVED_NAME as RelativePath);
}

/** Without O_NONBLOCK, opening a FIFO waits for a writer, for ever. */
const OPEN_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Opens the regular file at `path`; the caller closes it. */
export function openFile(tree: DirectoryTree, path: RelativePath): OpenedFile {
  if (isReserved(path)) return { kind: 'absent' };
  const { disk, anchor } = tree;
  let fd: number;
  try {
    fd = disk.open(anchor.at(tree.open(parentOf(path)), nameOf(path)), OPEN_FILE);
  } catch (error) {
    return whyNot(error);
  }
  const seenMs = Date.now();
  let stats: FileStats | undefined;
  try {
    stats = fstatFile(disk, fd);
    if (stats !== undefined) return { kind: 'file', fd, stats, isRacy: mayKeepToken(tree, fd, stats, seenMs) };
    const other = disk.fstat(fd);
    return other.isDirectory() ? { kind: 'directory' } : { kind: 'unknown', reason: oddityOf(other) };
  } finally {
    if (stats === undefined) disk.close(fd);
  }
}

/**
 * Whether the file may change and keep its token. Through a mapping it may as long as anybody has one: the kernel gives
 * a new time for the first write to a page only, on tmpfs once for all. Asked before the first byte is read: who comes
 * later has to begin with such a first write.
 */
function mayKeepToken({ disk }: DirectoryTree, fd: number, stats: FileStats, seenMs: number): boolean {
  return isRacy(stats, seenMs) || disk.isOpenForWriting?.(fd) === true;
}

/** Whether a file of that mode is executable, where permissions mean anything. */
export function executability({ keepsPermissions }: DirectoryTree, mode: number): boolean | undefined {
  return keepsPermissions ? isExecutable(mode) : undefined;
}

/** Whether an open file still is the version that was seen. */
export function isUnchanged(disk: Disk, fd: number, seen: FileStats): boolean {
  const now = fstatFile(disk, fd);
  return now !== undefined && isSameVersion(now, seen);
}

/** Whether anybody has the file of that name open or mapped for writing; `false` where that cannot be told. */
export function isInUse({ disk, anchor }: DirectoryTree, directory: Directory, name: string): boolean {
  if (disk.isOpenForWriting === undefined) return false;
  let fd: number;
  try {
    fd = disk.open(anchor.at(directory, name), OPEN_FILE);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    // Gone, or not readable for us: nothing can be asked.
    return false;
  }
  try {
    return disk.isOpenForWriting(fd) === true;
  } finally {
    disk.close(fd);
  }
}

function whyNot(error: unknown): OpenedFile {
  if (error instanceof NoDirectory) {
    const { reason } = error;
    return reason === 'absent' || reason === 'file' ? { kind: 'absent' } : { kind: 'unknown', reason, cause: error.cause };
  }
  switch (errnoOf(error)) {
    case undefined:
      throw error;
    case 'ENOENT':
      return { kind: 'absent' };
    case 'ELOOP':
      return { kind: 'unknown', reason: 'symlink' };
    // A socket, or a device without a driver, cannot be opened.
    case 'ENXIO':
    case 'ENODEV':
      return { kind: 'unknown', reason: 'special-file' };
    default:
      return { kind: 'unknown', reason: unknownReasonOf(error), cause: error };
  }
}

/**
 * System calls that `node:fs` does not have, through the optional package koffi: renames
 * that never overwrite, exchanges, flushing a whole file system, sharing blocks between
 * files, whether a file is open for writing, a working directory and umask of one thread, and
 * a look at a file that leaves plain numbers. Without the package (or on another system) the adapter
 * falls back to `link`, `fsync` and longer paths.
 */

import { createRequire } from 'node:module';
import { constants } from 'node:os';

import type { Statx } from './quick-look.js';

/** Each answers 0 or an errno, `syncfs` later. A call the C library does not have is left out. */
export interface Native {
  readonly renameat2?: (fromDirectory: number, from: string, toDirectory: number, to: string, flags: number) => number;
  /** Runs beside the calling thread. */
  readonly syncfs?: (fd: number) => Promise<number>;
  readonly startWriting?: (fd: number, offset: number, length: number) => void;
  /** Makes a file share the blocks of another, where the file system can. */
  readonly clone?: (from: number, to: number) => number;
  /** Only offered after the calling thread was given a working directory of its own. */
  readonly fchdir?: (fd: number) => number;
  /** Whether anybody has the file open or mapped for writing; `undefined` where the system does not say. */
  readonly isOpenForWriting?: (fd: number) => boolean | undefined;
  readonly statx?: Statx;
}

/** From `linux/sched.h`: do not share working directory, root and umask with the other threads. */
const CLONE_FS = 0x200;
/** From `linux/fs.h`: start writing the range, do not wait. */
const SYNC_FILE_RANGE_WRITE = 2;
/** From `linux/fs.h`, as most architectures number it; the others answer that they do not know the request. */
const FICLONE = 0x40049409;
/** From `fcntl.h`. */
const [F_SETSIG, F_SETLEASE, F_RDLCK, F_UNLCK] = [10, 1024, 0, 2];

/** A function of the C library, as koffi gives it. */
interface CFunction {
  (...values: unknown[]): number;
  /** Runs on another thread; `errno` is that of the call while the callback runs. */
  async(...values: [...unknown[], (error: Error | null, result: number) => void]): void;
}

/** How to call into C. */
export interface NativeOptions {
  /**
   * Whether the calling thread belongs to this adapter, so that its working directory may
   * be moved. Never on the main thread.
   */
  readonly ownsThread: boolean;
  /** What new files and directories of a thread of our own are not permitted; that of the process where it is missing, or threads cannot have their own. */
  readonly umask?: number | undefined;
}

/** Loads what this system offers; `undefined` when nothing can be loaded. */
export function loadNative({ ownsThread, umask }: NativeOptions): Native | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    // Not by `import()`, which makes each thread load all of what Node.js has for modules: a quarter of its start.
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
    const library = koffi.load(null);
    const find = (signature: string): CFunction | undefined => {
      try {
        return library.func(signature);
      } catch {
        return undefined;
      }
    };
    const answer = (result: number): number => (result === 0 ? 0 : koffi.errno());

    const renameat2 = find('int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags)');
    const syncfs = find('int syncfs(int fd)');
    const syncFileRange = find('int sync_file_range(int fd, int64_t offset, int64_t length, unsigned int flags)');
    const ioctl = find('int ioctl(int fd, unsigned long request, int argument)');
    const fcntl = find('int fcntl(int fd, int command, int argument)');
    const statx = find('int statx(int directory, const char *name, int flags, unsigned int mask, void *buffer)');
    const unshare = ownsThread ? find('int unshare(int flags)') : undefined;
    const isApart = unshare?.(CLONE_FS) === 0;
    const fchdir = isApart ? find('int fchdir(int fd)') : undefined;
    if (isApart && umask !== undefined) find('unsigned int umask(unsigned int mask)')?.(umask);
    return {
      ...(renameat2 && {
        renameat2: (fromDirectory, from, toDirectory, to, flags) => answer(renameat2(fromDirectory, from, toDirectory, to, flags)),
      }),
      ...(syncfs && {
        syncfs: (fd) =>
          new Promise((resolve, reject) => {
            syncfs.async(fd, (error: Error | null, result: number) => (error === null ? resolve(answer(result)) : reject(error)));
          }),
      }),
      // A hint: whether it worked shows when the file is flushed.
      ...(syncFileRange && { startWriting: (fd, offset, length) => void syncFileRange(fd, offset, length, SYNC_FILE_RANGE_WRITE) }),
      ...(ioctl && { clone: (from, to) => answer(ioctl(to, FICLONE, from)) }),
      ...(fchdir && { fchdir: (fd) => answer(fchdir(fd)) }),
      ...(fcntl && { isOpenForWriting: (fd) => isOpenForWriting(fcntl, koffi.errno, fd) }),
      ...(statx && { statx: (directory, name, flags, mask, buffer) => statx(directory, name, flags, mask, buffer) }),
    };
  } catch {
    return undefined;
  }
}

/**
 * Asks for a read lease, which the kernel refuses while anybody has the file open or mapped for
 * writing, and gives it back at once. Who opens the file for writing in between waits for these
 * microseconds. Only the owner of a file may ask.
 */
function isOpenForWriting(fcntl: (...values: unknown[]) => number, errno: () => number, fd: number): boolean | undefined {
  // The kernel tells the holder of a lease by a signal; SIGIO, the usual one, would end the process. This one is ignored unless somebody listens.
  if (fcntl(fd, F_SETSIG, constants.signals.SIGURG) !== 0) return undefined;
  if (fcntl(fd, F_SETLEASE, F_RDLCK) === 0) {
    fcntl(fd, F_SETLEASE, F_UNLCK);
    return false;
  }
  return errno() === constants.errno.EAGAIN ? true : undefined;
}

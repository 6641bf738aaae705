/**
 * A disk on which somebody else acts between two system calls: the hook is called before
 * each call with its number and name. It may change the disk, or throw in the call's place.
 */

import type { Disk, SafeRenames } from '../worker/disk.js';

/** Called before a system call. `path` is the first path the call is given. */
export type BeforeCall = (call: { readonly index: number; readonly name: keyof Disk | keyof SafeRenames; readonly path: string }) => void;

/** A disk that can be watched; `watch(undefined)` lets it alone. */
export interface InstrumentedDisk {
  readonly disk: Disk;
  /** Starts counting calls at 0. Answers how many the last watch has seen. */
  watch(before: BeforeCall | undefined): number;
}

/** Instruments a disk. */
export function instrument(disk: Disk): InstrumentedDisk {
  let before: BeforeCall | undefined;
  let index = 0;
  let isActing = false;
  const wrap = <A extends unknown[], R>(name: keyof Disk | keyof SafeRenames, call: (...values: A) => R): ((...values: A) => R) => {
    return (...values) => {
      // What the hook itself does to the disk is not counted.
      if (before !== undefined && !isActing) {
        isActing = true;
        try {
          before({ index, name, path: values.find((value) => typeof value === 'string') ?? '' });
        } finally {
          isActing = false;
          index += 1;
        }
      }
      return call(...values);
    };
  };
  const { safeRenames, syncfs, isOpenForWriting } = disk;
  return {
    disk: {
      open: wrap('open', disk.open),
      close: wrap('close', disk.close),
      fstat: wrap('fstat', disk.fstat),
      lstat: wrap('lstat', disk.lstat),
      readDirectory: wrap('readDirectory', disk.readDirectory),
      readDirectoryBytes: wrap('readDirectoryBytes', disk.readDirectoryBytes),
      read: wrap('read', disk.read),
      write: wrap('write', disk.write),
      futimes: wrap('futimes', disk.futimes),
      fchmod: wrap('fchmod', disk.fchmod),
      ftruncate: wrap('ftruncate', disk.ftruncate),
      fsync: wrap('fsync', disk.fsync),
      rename: wrap('rename', disk.rename),
      link: wrap('link', disk.link),
      unlink: wrap('unlink', disk.unlink),
      mkdir: wrap('mkdir', disk.mkdir),
      rmdir: wrap('rmdir', disk.rmdir),
      realpath: wrap('realpath', disk.realpath),
      fileSystemType: disk.fileSystemType,
      safeRenames: safeRenames && {
        renameNoReplace: wrap('renameNoReplace', safeRenames.renameNoReplace),
        exchange: wrap('exchange', safeRenames.exchange),
      },
      syncfs: syncfs && wrap('syncfs', syncfs),
      startWriting: undefined,
      clone: disk.clone,
      enterDirectory: undefined,
      isOpenForWriting: isOpenForWriting && wrap('isOpenForWriting', isOpenForWriting),
      // So that every look at a file is one that the hook sees.
      quickLook: undefined,
    },
    watch: (hook) => {
      const seen = index;
      before = hook;
      index = 0;
      return seen;
    },
  };
}

/**
 * INV-34: a name is only ever resolved inside a directory that is held open, so that a
 * path whose parents turn into links meanwhile leads nowhere (T71). `node:fs` has no
 * `openat`; three ways stand in for it, fastest first:
 *
 * - `working-directory`: a thread of our own enters the directory and uses the bare name;
 * - `descriptor`: `/proc/self/fd/<n>/<name>`, the same directory by its descriptor;
 * - `checked-path`: without /proc, the absolute path, after making sure that it still leads
 *   to the directory held open. A swap within the microseconds between check and use is not
 *   seen; `capabilities.notes` says so.
 */

import { existsSync } from 'node:fs';

import type { Disk } from './disk.js';
import { failure } from './failure.js';

/** A directory at or below the root, held open. */
export interface Directory {
  readonly fd: number;
  /** Absolute path of the root it belongs to. */
  readonly rootPath: string;
  /** Relative to the root, `''` for the root itself. */
  readonly path: string;
  readonly device: bigint;
  readonly inode: bigint;
}

/** How names are resolved. */
export type AnchorKind = 'working-directory' | 'descriptor' | 'checked-path';

/** Turns a name in an open directory into a path for a system call. */
export interface Anchor {
  readonly kind: AnchorKind;
  /** The path of `name` in the directory; good for the next system call only. */
  at(directory: Directory, name: string): string;
  /** The path of the directory itself; good for the next system call only. */
  self(directory: Directory): string;
  /** Like `at`, but still good beside an `at` of another directory: for calls that take two paths. */
  far(directory: Directory, name: string): string;
  /** Lets go of the directory used last, so that its file system can be unmounted. */
  release(): void;
}

/** The fastest way that this thread and system offer. */
export function createAnchor(disk: Disk, kind: AnchorKind = bestKind(disk)): Anchor {
  switch (kind) {
    case 'working-directory':
      return new WorkingDirectoryAnchor(disk);
    case 'descriptor':
      return {
        kind,
        at: byDescriptor,
        self: (directory) => `/proc/self/fd/${String(directory.fd)}`,
        far: byDescriptor,
        release: () => undefined,
      };
    case 'checked-path': {
      const byPath = (directory: Directory, name: string): string => `${checkedPath(disk, directory)}/${name}`;
      return { kind, at: byPath, self: (directory) => checkedPath(disk, directory), far: byPath, release: () => undefined };
    }
  }
}

function bestKind(disk: Disk): AnchorKind {
  if (!existsSync('/proc/self/fd')) return 'checked-path';
  return disk.enterDirectory === undefined ? 'descriptor' : 'working-directory';
}

function byDescriptor(directory: Directory, name: string): string {
  return `/proc/self/fd/${String(directory.fd)}/${name}`;
}

class WorkingDirectoryAnchor implements Anchor {
  readonly kind = 'working-directory';
  private current: Directory | undefined;

  constructor(private readonly disk: Disk) {}

  at(directory: Directory, name: string): string {
    // The object is compared, not its descriptor: the number is given again after close.
    if (directory !== this.current) this.enter(directory);
    return name;
  }

  self(directory: Directory): string {
    return this.at(directory, '.');
  }

  far(directory: Directory, name: string): string {
    return byDescriptor(directory, name);
  }

  release(): void {
    if (this.current === undefined) return;
    this.current = undefined;
    let fd: number | undefined;
    try {
      fd = this.disk.open('/', 0);
      this.disk.enterDirectory?.(fd);
    } catch {
      // No descriptor is free: the directory stays in use until the next one is entered, and nothing else depends on it.
    } finally {
      if (fd !== undefined) this.disk.close(fd);
    }
  }

  private enter(directory: Directory): void {
    this.current = undefined;
    this.disk.enterDirectory?.(directory.fd);
    this.current = directory;
  }
}

function checkedPath(disk: Disk, directory: Directory): string {
  const path = directory.path === '' ? directory.rootPath : `${directory.rootPath}/${directory.path}`;
  const stats = disk.lstat(`${path}/.`);
  if (stats?.ino !== directory.inode || stats.dev !== directory.device) {
    throw failure('not-found', 'reach', directory.path, 'the directory was moved or replaced meanwhile', true);
  }
  return path;
}

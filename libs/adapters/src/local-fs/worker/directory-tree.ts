/**
 * Open directories below one root, for one task: walks down component by component, follows
 * no link, stays on the root's file system, and keeps what it opened until the task ends.
 */

import { constants, readFileSync, type BigIntStats } from 'node:fs';

import type { UnknownReason } from '@wl/domain';

import type { Anchor, Directory } from './anchor.js';
import type { Disk } from './disk.js';
import { errnoOf, failure, unknownReasonOf } from './failure.js';
import { fileStatsOf, type FileStats } from './file-stats.js';

/** A root and the directory that is expected there. */
export interface RootSpec {
  /** Absolute path. Links in it are followed: it is what the user wrote. */
  readonly path: string;
  /** Device and inode number of the directory that was checked; another one is refused (T04, T05). */
  readonly device?: bigint;
  readonly inode?: bigint;
  /** Whether names that differ in case only are different there; assumed until found out. */
  readonly isCaseSensitive?: boolean;
  /** Whether permissions there mean anything; assumed until it was found out that all files are alike. */
  readonly keepsPermissions?: boolean;
}

/** Why no directory could be entered at a path below the root. */
export class NoDirectory extends Error {
  constructor(
    /** Where the walk ended. */
    readonly path: string,
    /** `absent`: nothing there. `file`: a regular file. Otherwise it cannot be known what lies below. */
    readonly reason: 'absent' | 'file' | UnknownReason,
    options?: { cause?: unknown },
  ) {
    super(`no directory at ${path}: ${reason}`, options);
  }
}

const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Directories that a task keeps open: enough for the siblings of a batch, and few where few open files
 * are allowed, since two trees in each of four threads share them with everything else.
 */
export const MAX_OPEN = Math.max(8, Math.min(128, Math.floor(allowedOpenFiles() / 8)));

/** How many files this process may have open, as far as the system tells. */
function allowedOpenFiles(): number {
  try {
    return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1] ?? Infinity);
  } catch {
    return Infinity;
  }
}

/** The directories of one root, opened on demand. `close` must be called. */
export class DirectoryTree {
  readonly root: Directory;
  readonly isCaseSensitive: boolean;
  readonly keepsPermissions: boolean;
  private readonly opened = new Map<string, Directory>();
  private latest: Directory;

  /** Opens the root. Throws `BackendError` when it is missing, no directory, or another one than expected. */
  constructor(
    readonly disk: Disk,
    readonly anchor: Anchor,
    spec: RootSpec,
  ) {
    this.isCaseSensitive = spec.isCaseSensitive ?? true;
    this.keepsPermissions = spec.keepsPermissions ?? true;
    const fd = disk.open(spec.path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      const { dev, ino } = disk.fstat(fd);
      if ((spec.device !== undefined && dev !== spec.device) || (spec.inode !== undefined && ino !== spec.inode)) {
        throw failure('not-found', 'use the root', undefined, 'another directory is in its place now; is a disk not mounted?');
      }
      this.root = { fd, rootPath: spec.path, path: '', device: dev, inode: ino };
    } catch (error) {
      disk.close(fd);
      throw error;
    }
    this.latest = this.root;
  }

  /** The directory at `path`, `''` for the root. Throws `NoDirectory`. */
  open(path: string): Directory {
    if (path === this.latest.path) return this.latest;
    return (this.latest = path === '' ? this.root : this.find(path));
  }

  /** The same; `undefined` where nothing is, for paths that mostly are absent: telling so costs a look, not an error with its stack. */
  openUnlessAbsent(path: string): Directory | undefined {
    if (path !== '' && path !== this.latest.path && !this.opened.has(path)) {
      const slash = path.lastIndexOf('/');
      const parent = slash < 0 ? this.root : this.openUnlessAbsent(path.slice(0, slash));
      if (parent === undefined || this.lstat(parent, path.slice(slash + 1)) === undefined) return undefined;
    }
    return this.open(path);
  }

  /** What `name` is in `directory`, `undefined` when it is not there. Links are not followed. */
  lstat(directory: Directory, name: string): BigIntStats | undefined {
    return this.disk.lstat(this.anchor.at(directory, name));
  }

  /** The same of a regular file; `undefined` also when something else is there. */
  lstatFile(directory: Directory, name: string): FileStats | undefined {
    return this.disk.quickLook?.statsAt(directory.fd, name) ?? fileStatsOf(this.lstat(directory, name));
  }

  /** Whether `name` is in `directory` in exactly this spelling, where the file system would take another one too (T73). */
  isSpelled(directory: Directory, name: string): boolean {
    return this.disk.readDirectory(this.anchor.self(directory)).some((entry) => entry.name === name);
  }

  /** Opens `name` in `directory`; the caller closes it. Throws `NoDirectory`. */
  openChild(directory: Directory, name: string): Directory {
    return openDirectory(this.disk, this.anchor, directory, name);
  }

  /** The root once more, for a caller that closes it. */
  openRoot(): Directory {
    return { ...this.root, fd: this.disk.open(this.anchor.self(this.root), OPEN_DIRECTORY & ~constants.O_NOFOLLOW) };
  }

  /** Lets go of the directory at `path` and those below: they are no more. */
  forget(path: string): void {
    for (const [key, directory] of this.opened) {
      if (key === path || key.startsWith(`${path}/`)) this.evict(key, directory);
    }
  }

  /** Closes everything. */
  close(): void {
    for (const directory of this.opened.values()) this.disk.close(directory.fd);
    this.opened.clear();
    this.disk.close(this.root.fd);
    this.anchor.release();
  }

  /**
   * Closes directories not used for longest when many are open. To be called between two
   * files: within one, every directory stays open, so that no descriptor in use is given again.
   */
  trim(): void {
    if (this.opened.size <= MAX_OPEN) return;
    for (const [path, directory] of this.opened) {
      if (this.opened.size <= MAX_OPEN / 2) return;
      this.evict(path, directory);
    }
  }

  private find(path: string): Directory {
    const known = this.opened.get(path);
    if (known !== undefined) {
      // A map keeps insertion order: the longest unused directory comes first. Of a few none is closed before there are many.
      if (this.opened.size > MAX_OPEN / 2) {
        this.opened.delete(path);
        this.opened.set(path, known);
      }
      return known;
    }
    const slash = path.lastIndexOf('/');
    const parent = slash < 0 ? this.root : this.open(path.slice(0, slash));
    const name = path.slice(slash + 1);
    const directory = this.openChild(parent, name);
    this.opened.set(path, directory);
    if (!this.isCaseSensitive && !this.isSpelled(parent, name)) throw new NoDirectory(path, 'name-collision');
    return directory;
  }

  private evict(path: string, directory: Directory): void {
    this.opened.delete(path);
    if (directory === this.latest) this.latest = this.root;
    this.disk.close(directory.fd);
  }
}

/** Opens the directory `name` in `parent`, no link, on the same file system. Throws `NoDirectory`. */
export function openDirectory(disk: Disk, anchor: Anchor, parent: Directory, name: string): Directory {
  const path = parent.path === '' ? name : `${parent.path}/${name}`;
  let fd: number;
  try {
    fd = disk.open(anchor.at(parent, name), OPEN_DIRECTORY);
  } catch (error) {
    throw explain(disk, anchor, parent, name, path, error);
  }
  try {
    const { dev, ino } = disk.fstat(fd);
    if (dev !== parent.device) throw new NoDirectory(path, 'other-file-system');
    return { fd, rootPath: parent.rootPath, path, device: dev, inode: ino };
  } catch (error) {
    disk.close(fd);
    throw error;
  }
}

/** The reason why a place is unknown, from what was thrown while looking; `undefined` for what is no failure to look. */
export function whyUnknown(error: unknown): UnknownReason | undefined {
  if (error instanceof NoDirectory) return error.reason === 'absent' || error.reason === 'file' ? 'vanished' : error.reason;
  return errnoOf(error) === undefined ? undefined : unknownReasonOf(error);
}

/** What `stats` show that is neither file nor directory. */
export function oddityOf(stats: BigIntStats): 'symlink' | 'special-file' {
  return stats.isSymbolicLink() ? 'symlink' : 'special-file';
}

function explain(disk: Disk, anchor: Anchor, parent: Directory, name: string, path: string, error: unknown): unknown {
  const errno = errnoOf(error);
  if (errno === 'ENOENT') return new NoDirectory(path, 'absent');
  if (errno === undefined) return error;
  if (errno !== 'ENOTDIR' && errno !== 'ELOOP') return new NoDirectory(path, unknownReasonOf(error), { cause: error });
  const stats = disk.lstat(anchor.at(parent, name));
  if (stats === undefined) return new NoDirectory(path, 'absent');
  if (stats.isFile()) return new NoDirectory(path, 'file');
  // A directory now, something else a moment ago.
  return new NoDirectory(path, stats.isDirectory() ? 'changing' : oddityOf(stats));
}

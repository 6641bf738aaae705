/**
 * Walks a tree in key order and yields it in batches, on demand. Memory is bound by the
 * largest directory and the depth, not by the tree (INV-40).
 *
 * Only what was seen counts (INV-8): a directory whose names could not be read is listed
 * with the reason, and so is one that vanished between its parent's names and its own.
 */

import { MAX_PATH_BYTES, RESERVED_NAME, ROOT, utf8Length, type RelativePath, type UnknownReason } from '@wl/domain';
import { endsRun, runHash } from '@wl/ports';
import ignore, { type Ignore } from 'ignore';

import type { Directory } from './anchor.js';
import type { Checkpoint } from './cancellation.js';
import { MAX_OPEN, NoDirectory, oddityOf, whyUnknown, type DirectoryTree } from './directory-tree.js';
import { errnoOf, failure, toBackendError } from './failure.js';
import { statsOf } from './file-stats.js';
import { RowCollector, type PackedRows } from './listing-rows.js';
import { readNames } from './names.js';

/** What to walk. */
export interface ScanRequest {
  readonly directory: RelativePath;
  /** gitignore patterns; what lies below an ignored directory is not listed. */
  readonly prune: readonly string[];
}

/** Levels above the reading position that stay open; those further up are found again from below. */
const MAX_OPEN_LEVELS = Math.floor(MAX_OPEN / 2);
/** The first batch is small, so that the other end has something to do early. */
const FIRST_BATCH_ROWS = 256;
const BATCH_ROWS = 4096;

/** A directory on the way to the reading position. */
interface Level {
  /** `undefined` while it is closed to save descriptors, or once it cannot be found any more. */
  directory: Directory | undefined;
  readonly device: bigint;
  readonly inode: bigint;
  /** `''` for the root, else with a trailing `/`. */
  readonly prefix: string;
  /** `runHash` of the prefix. */
  readonly hash: number;
  readonly keys: readonly string[];
  next: number;
}

/** One walk, which owns `tree`. `close` must be called. */
export class Scan {
  private readonly levels: Level[] = [];
  private readonly pruned: Ignore | undefined;
  private readonly rows = new RowCollector(FIRST_BATCH_ROWS);

  /** Opens the directory to be walked. Throws `BackendError` when it cannot be enumerated. */
  constructor(
    private readonly tree: DirectoryTree,
    { directory, prune }: ScanRequest,
    private readonly checkpoint: Checkpoint,
  ) {
    this.pruned = prune.length === 0 ? undefined : ignore({ ignorecase: false }).add([...prune]);
    try {
      this.enter(this.openStart(directory), directory === ROOT ? '' : `${directory}/`);
    } catch (error) {
      throw toListError(error, directory);
    }
  }

  /** The next batch, `undefined` after the last. */
  next(): PackedRows | undefined {
    while (!this.rows.isFull && this.levels.length > 0) {
      this.checkpoint();
      this.step();
    }
    return this.rows.isEmpty && this.levels.length === 0 ? undefined : this.rows.pack(BATCH_ROWS);
  }

  /** Lets go of everything. */
  close(): void {
    for (const { directory } of this.levels.splice(0)) if (directory !== undefined) this.closeDirectory(directory);
    this.tree.close();
  }

  private step(): void {
    const level = this.levels.at(-1) as Level;
    const key = level.keys[level.next];
    level.next += 1;
    if (key === undefined) this.leave();
    else if (key.endsWith('/')) this.visitDirectory(level, key.slice(0, -1));
    else {
      this.visitOther(level, key);
      // Runs end where their keys say so, that those of both storages and the baseline can be compared.
      if (endsRun(runHash(key, level.hash))) this.rows.endRun();
    }
  }

  private visitDirectory(level: Level, name: string): void {
    if (this.isHidden(level, name)) return;
    const key = `${level.prefix}${name}/`;
    // The reason says "below is unknown" should the caller's rules, after all, not leave this directory out.
    if (this.pruned?.ignores(key) === true) return this.rows.addDirectory(key, 'listing-incomplete');
    if (level.directory === undefined) return this.rows.addDirectory(key, 'vanished');
    let reason: UnknownReason | undefined;
    try {
      this.enter(this.tree.openChild(level.directory, name), key);
    } catch (error) {
      reason = whyUnknown(error);
      if (reason === undefined) throw error;
    }
    this.rows.addDirectory(key, reason);
  }

  private visitOther(level: Level, name: string): void {
    if (this.isHidden(level, name)) return;
    const key = level.prefix + name;
    if (level.directory === undefined) return this.rows.addUnknown(key, 'vanished');
    try {
      const nowMs = Date.now();
      const look = this.tree.disk.quickLook;
      if (look?.seesFile(level.directory.fd, name) === true) return this.rows.addSeenFile(key, look, nowMs);
      const stats = this.tree.lstat(level.directory, name);
      if (stats === undefined) return;
      if (stats.isFile()) this.rows.addFile(key, statsOf(stats), nowMs);
      // A directory that was something else when the names were read belongs elsewhere in the order.
      else this.rows.addUnknown(key, stats.isDirectory() ? 'changing' : oddityOf(stats));
    } catch (error) {
      const reason = whyUnknown(error);
      if (reason === undefined) throw error;
      this.rows.addUnknown(key, reason);
    }
  }

  /** Our own area, and names whose path would be too long for a `RelativePath`. */
  private isHidden({ prefix }: Level, name: string): boolean {
    if (prefix === '' && name === RESERVED_NAME) return true;
    // A UTF-16 unit takes three bytes at most.
    if ((prefix.length + name.length) * 3 <= MAX_PATH_BYTES || utf8Length(prefix) + utf8Length(name) <= MAX_PATH_BYTES) return false;
    this.rows.addUnrepresentable({ directory: prefix.slice(0, -1) as RelativePath, display: name });
    return true;
  }

  /** Reads the names of a directory and goes down into it; closes it when they cannot be read. */
  private enter(directory: Directory, prefix: string): void {
    try {
      const { keys, unrepresentable } = readNames(this.tree, directory);
      const { device, inode } = directory;
      this.levels.push({ directory, device, inode, prefix, hash: runHash(prefix), keys, next: 0 });
      for (const display of unrepresentable) this.rows.addUnrepresentable({ directory: directory.path as RelativePath, display });
    } catch (error) {
      this.closeDirectory(directory);
      throw error;
    }
    const far = this.levels.at(-1 - MAX_OPEN_LEVELS);
    if (far?.directory === undefined) return;
    this.closeDirectory(far.directory);
    far.directory = undefined;
  }

  private leave(): void {
    const { directory } = this.levels.pop() as Level;
    const parent = this.levels.at(-1);
    if (parent !== undefined && parent.directory === undefined) parent.directory = this.reopen(parent, directory);
    if (directory !== undefined) this.closeDirectory(directory);
  }

  /** Opens a level again: the same directory, or none. */
  private reopen(level: Level, child: Directory | undefined): Directory | undefined {
    const path = level.prefix.slice(0, -1);
    const isSame = (found: Directory): boolean => found.inode === level.inode && found.device === level.device;
    try {
      if (child !== undefined) {
        const above = this.tree.openChild(child, '..');
        if (isSame(above)) return { ...above, path };
        this.closeDirectory(above);
      }
      const walked = this.openStart(path as RelativePath);
      if (isSame(walked)) return walked;
      this.closeDirectory(walked);
    } catch (error) {
      if (whyUnknown(error) === undefined) throw error;
    }
    return undefined;
  }

  /** Walks down to a directory with two descriptors at most, owned by this walk. */
  private openStart(path: RelativePath): Directory {
    let directory = this.tree.openRoot();
    for (const name of path === ROOT ? [] : path.split('/')) {
      const parent = directory;
      try {
        directory = this.tree.openChild(parent, name);
      } finally {
        this.closeDirectory(parent);
      }
    }
    return directory;
  }

  private closeDirectory({ fd }: Directory): void {
    this.tree.disk.close(fd);
  }
}

function toListError(error: unknown, directory: RelativePath): Error {
  const path = directory === ROOT ? undefined : directory;
  if (!(error instanceof NoDirectory)) return toBackendError(error, 'list', path);
  if (error.reason === 'absent') return failure('not-found', 'list', path, 'no such directory');
  if (error.cause !== undefined && errnoOf(error.cause) !== undefined) return toBackendError(error.cause, 'list', path);
  return failure(error.reason === 'other-file-system' ? error.reason : 'not-a-directory', 'list', path, error.reason);
}

/** Making, removing and flushing directories. */

import { err, nameOf, ok, parentOf, ROOT, type RelativePath, type Result } from '@wl/domain';

import { isUnreadable, parentFailure } from './commit.js';
import type { Anchor, Directory } from './anchor.js';
import { DirectoryTree, NoDirectory, type RootSpec } from './directory-tree.js';
import type { Disk } from './disk.js';
import { errnoOf, failure } from './failure.js';
import { PERMISSIONS } from './file-stats.js';

/** What its owner needs to put files into a directory. */
const OWNER = 0o700;
/** What a directory has of the one above it: set-group-ID, mostly. */
const HANDED_DOWN = 0o7000;

/** Directories of other roots, for new ones to be like. Each root is opened once; `close` must be called. */
export class Models {
  readonly #trees = new Map<RootSpec, DirectoryTree>();

  constructor(
    private readonly disk: Disk,
    private readonly anchor: Anchor,
  ) {}

  /** Permissions for a directory like the one at `path`: the same, and what its owner needs; `undefined` where none can be seen. */
  permissionsAt(root: RootSpec, path: RelativePath): number | undefined {
    try {
      const tree = this.#tree(root);
      if (!tree.keepsPermissions) return undefined;
      const stats = tree.lstat(tree.open(parentOf(path)), nameOf(path));
      tree.trim();
      return stats?.isDirectory() === true ? (Number(stats.mode) & PERMISSIONS) | OWNER : undefined;
    } catch {
      return undefined;
    }
  }

  close(): void {
    for (const tree of this.#trees.values()) tree.close();
  }

  #tree(root: RootSpec): DirectoryTree {
    let tree = this.#trees.get(root);
    if (tree === undefined) this.#trees.set(root, (tree = new DirectoryTree(this.disk, this.anchor, root)));
    return tree;
  }
}

/** Makes the directory `path`, with exactly these permissions; without them the umask applies. */
export function makeDirectory(tree: DirectoryTree, path: RelativePath, permissions: number | undefined): Result<void, 'exists' | 'parent-missing'> {
  const parent = openParent(tree, path, 'make');
  if (parent === undefined) return err('parent-missing');
  try {
    tree.disk.mkdir(tree.anchor.at(parent, nameOf(path)), permissions ?? PERMISSIONS);
    if (permissions !== undefined) givePermissions(tree, parent, path, permissions);
    return ok(undefined);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return err('parent-missing');
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  if (tree.lstat(parent, nameOf(path))?.isDirectory() !== true) return err('exists');
  return tree.isCaseSensitive || tree.isSpelled(parent, nameOf(path)) ? ok(undefined) : err('exists');
}

/** The umask may have taken some away, a default access list of the parent may have added some. They are a courtesy: the directory counts. */
function givePermissions(tree: DirectoryTree, parent: Directory, path: RelativePath, permissions: number): void {
  const mode = Number(tree.lstat(parent, nameOf(path))?.mode ?? permissions);
  if ((mode & PERMISSIONS) === permissions) return;
  try {
    tree.disk.fchmod(tree.open(path).fd, (mode & HANDED_DOWN) | permissions);
  } catch (error) {
    if (!(error instanceof NoDirectory) && errnoOf(error) === undefined) throw error;
  }
}

/** Removes the directory `path` if it is empty. */
export function removeDirectory(tree: DirectoryTree, path: RelativePath): Result<void, 'not-empty' | 'not-a-directory'> {
  const parent = openParent(tree, path, 'remove');
  if (parent === undefined) return ok(undefined);
  try {
    tree.disk.rmdir(tree.anchor.at(parent, nameOf(path)));
    tree.forget(path);
    return ok(undefined);
  } catch (error) {
    switch (errnoOf(error)) {
      case 'ENOENT':
        return ok(undefined);
      case 'ENOTEMPTY':
      case 'EEXIST':
        return err('not-empty');
      case 'ENOTDIR':
        return err('not-a-directory');
      default:
        throw error;
    }
  }
}

/** Makes changes of names in these directories survive a power loss. A directory that is gone has nothing to flush. */
export function flushDirectories(tree: DirectoryTree, paths: readonly RelativePath[]): void {
  for (const path of paths) {
    try {
      tree.disk.fsync(tree.open(path).fd);
    } catch (error) {
      if (!(error instanceof NoDirectory) || isUnreadable(error)) throw error;
    }
    tree.trim();
  }
}

/** Flushes the whole file system; answers whether that was possible. */
export async function flushFileSystem({ disk, root }: DirectoryTree): Promise<boolean> {
  if (disk.syncfs === undefined) return false;
  await disk.syncfs(root.fd);
  return true;
}

function openParent(tree: DirectoryTree, path: RelativePath, operation: string): Directory | undefined {
  if (path === ROOT) throw failure('unsupported', operation, undefined, 'the root itself is not touched');
  try {
    return tree.open(parentOf(path));
  } catch (error) {
    if (!(error instanceof NoDirectory)) throw error;
    if (isUnreadable(error)) throw parentFailure(error, operation, path);
    return undefined;
  }
}

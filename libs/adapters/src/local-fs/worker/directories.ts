/** Making, removing and flushing directories. */

import { err, nameOf, ok, parentOf, ROOT, type RelativePath, type Result } from '@wl/domain';

import { isUnreadable, parentFailure } from './commit.js';
import type { Directory } from './anchor.js';
import { NoDirectory, type DirectoryTree } from './directory-tree.js';
import { errnoOf, failure } from './failure.js';

/** What its owner needs to put files into a directory. */
const OWNER = 0o700;
const PERMISSIONS = 0o777;

/** Permissions of the directory `path`; `undefined` where it cannot be looked at. */
export function directoryPermissions(tree: DirectoryTree, path: RelativePath): number | undefined {
  const stats = tree.lstat(tree.open(parentOf(path)), nameOf(path));
  return stats?.isDirectory() === true ? Number(stats.mode) & PERMISSIONS : undefined;
}

/** Makes the directory `path`, with exactly these permissions and those its owner needs; without them the umask applies. */
export function makeDirectory(tree: DirectoryTree, path: RelativePath, permissions: number | undefined): Result<void, 'exists' | 'parent-missing'> {
  const parent = openParent(tree, path, 'make');
  if (parent === undefined) return err('parent-missing');
  try {
    tree.disk.mkdir(tree.anchor.at(parent, nameOf(path)), permissions === undefined ? PERMISSIONS : permissions | OWNER);
    if (permissions !== undefined) givePermissions(tree, parent, path, permissions | OWNER);
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
  const { disk } = tree;
  const mode = tree.lstat(parent, nameOf(path))?.mode;
  if (mode === undefined || (Number(mode) & PERMISSIONS) === permissions) return;
  try {
    const { fd } = tree.open(path);
    // What the parent hands down (set-group-ID) stays.
    disk.fchmod(fd, (Number(disk.fstat(fd).mode) & ~PERMISSIONS & 0o7777) | permissions);
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

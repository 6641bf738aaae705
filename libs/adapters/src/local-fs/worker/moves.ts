/** Moving a name from one open directory to another with the best the file system offers. */

import type { Abilities } from './abilities.js';
import type { Directory } from './anchor.js';
import type { DirectoryTree } from './directory-tree.js';
import { failure } from './failure.js';

/** A name in an open directory. */
export interface Place {
  readonly directory: Directory;
  readonly name: string;
}

/** Moves `from` to `to`; throws `EEXIST` when `to` is taken, whatever by. */
export function moveNoReplace(tree: DirectoryTree, abilities: Abilities, from: Place, to: Place): void {
  const { disk, anchor } = tree;
  if (abilities.canRenameNoReplace && disk.safeRenames !== undefined) {
    disk.safeRenames.renameNoReplace(from.directory.fd, from.name, to.directory.fd, to.name);
    return;
  }
  if (!abilities.canLink) throw noSafeWay(to.name);
  disk.link(anchor.far(from.directory, from.name), anchor.at(to.directory, to.name));
  disk.unlink(anchor.at(from.directory, from.name));
}

/** Moves `from` to `to`, a name in our own area that nobody else uses. */
export function moveIntoArea(tree: DirectoryTree, abilities: Abilities, from: Place, to: Place): void {
  // One system call where there is one; else a rename, which no link has to stand in for.
  if (abilities.canRenameNoReplace) moveNoReplace(tree, abilities, from, to);
  else rename(tree, from, to);
}

/** Plain rename: replaces what has the new name. */
export function rename({ disk, anchor }: DirectoryTree, from: Place, to: Place): void {
  disk.rename(anchor.far(from.directory, from.name), anchor.at(to.directory, to.name));
}

/** Why nothing can be written on a file system that offers neither of the safe ways. */
export function noSafeWay(path: string): Error {
  return failure(
    'unsupported',
    'write',
    path,
    'this file system has no hard links; install the optional package koffi, which offers another safe way',
  );
}

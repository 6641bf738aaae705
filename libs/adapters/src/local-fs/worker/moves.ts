/**
 * Moving a name from one open directory to another, with the best that the file system
 * offers: never over something that is there.
 */

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
  if (!abilities.canLink) {
    throw failure(
      'unsupported',
      'move',
      to.name,
      'this file system has no hard links, and the optional package koffi, which offers another safe way, is not installed',
    );
  }
  disk.link(anchor.far(from.directory, from.name), anchor.at(to.directory, to.name));
  disk.unlink(anchor.at(from.directory, from.name));
}

/** Moves `from` to `to`, which must be a name that nobody else uses. */
export function move(tree: DirectoryTree, from: Place, to: Place): void {
  tree.disk.rename(tree.anchor.far(from.directory, from.name), tree.anchor.at(to.directory, to.name));
}

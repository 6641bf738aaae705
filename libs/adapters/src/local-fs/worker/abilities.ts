/**
 * INV-26: which renames a file system really offers, and whether it tells of writers, tried
 * out with two empty files in staging and remembered per thread and file system.
 */

import { constants } from 'node:fs';

import type { Directory } from './anchor.js';
import type { DirectoryTree } from './directory-tree.js';
import type { Disk } from './disk.js';

/** What commits can rely on. */
export interface Abilities {
  /** A rename that fails when the new name is taken. */
  readonly canRenameNoReplace: boolean;
  /** Two names exchanged in one step. */
  readonly canExchange: boolean;
  /** A second name for a file. */
  readonly canLink: boolean;
  /** Whether anybody has a file open for writing. */
  readonly canSeeWriters: boolean;
}

const remembered = new WeakMap<Disk, Map<bigint, Abilities>>();

/** Tries the renames in `staging`, once per file system. */
export function probeAbilities(tree: DirectoryTree, staging: Directory, nextName: () => string): Abilities {
  const { disk } = tree;
  let perDevice = remembered.get(disk);
  if (perDevice === undefined) remembered.set(disk, (perDevice = new Map<bigint, Abilities>()));
  let abilities = perDevice.get(staging.device);
  if (abilities === undefined) perDevice.set(staging.device, (abilities = probe(tree, staging, nextName)));
  return abilities;
}

function probe({ disk, anchor }: DirectoryTree, staging: Directory, nextName: () => string): Abilities {
  const [a, b, c] = [nextName(), nextName(), nextName()];
  const inodeOf = (name: string): bigint | undefined => disk.lstat(anchor.at(staging, name))?.ino;
  const works = (attempt: () => void): boolean => {
    try {
      attempt();
      return true;
    } catch {
      return false;
    }
  };
  for (const name of [a, b]) {
    disk.close(disk.open(anchor.at(staging, name), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600));
  }
  const { safeRenames } = disk;
  try {
    const [inodeA, inodeB] = [inodeOf(a), inodeOf(b)];
    const canRenameNoReplace =
      safeRenames !== undefined &&
      !works(() => safeRenames.renameNoReplace(staging.fd, a, staging.fd, b)) &&
      works(() => safeRenames.renameNoReplace(staging.fd, a, staging.fd, c)) &&
      works(() => safeRenames.renameNoReplace(staging.fd, c, staging.fd, a));
    const canExchange =
      safeRenames !== undefined &&
      works(() => safeRenames.exchange(staging.fd, a, staging.fd, b)) &&
      inodeOf(a) === inodeB &&
      inodeOf(b) === inodeA;
    const canLink = works(() => {
      disk.link(anchor.at(staging, a), anchor.at(staging, c));
      disk.unlink(anchor.at(staging, c));
    });
    return { canRenameNoReplace, canExchange, canLink, canSeeWriters: seesWriters(disk, anchor.at(staging, a)) };
  } finally {
    for (const name of [a, b, c]) works(() => disk.unlink(anchor.at(staging, name)));
  }
}

function seesWriters(disk: Disk, path: string): boolean {
  const reader = disk.open(path, constants.O_RDONLY);
  try {
    const writer = disk.open(path, constants.O_WRONLY);
    const whileWriting = disk.isOpenForWriting?.(reader);
    disk.close(writer);
    return whileWriting === true && disk.isOpenForWriting?.(reader) === false;
  } finally {
    disk.close(reader);
  }
}

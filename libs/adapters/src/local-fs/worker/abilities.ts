/**
 * INV-26: which renames a file system really offers, whether it tells of writers and keeps who may execute, tried out
 * with two empty files in staging and remembered per thread and file system.
 *
 * A call that fails says either that there is no such thing here, or that something was wrong
 * just now (T53). Only the former is an ability that is missing: taken for one, a hiccup would
 * take the safe ways away for as long as the process lives.
 */

import { constants } from 'node:fs';

import type { Directory } from './anchor.js';
import type { DirectoryTree } from './directory-tree.js';
import type { Disk } from './disk.js';
import { errnoOf } from './failure.js';
import { isExecutable } from './file-stats.js';

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
  /** Whether it is kept that a file is executable, or is not. */
  readonly keepsExecutable: boolean;
}

/** What systems answer where there is no such thing; the name that is taken is part of the trial. */
const MISSING: ReadonlySet<string | undefined> = new Set(['ENOSYS', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EPERM', 'EXDEV', 'EMLINK', 'EEXIST']);
/** What they answer where it might work the next time. Whatever else they may say leaves it open and is asked again. */
const HICCUPS: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'ENOMEM', 'EMFILE', 'ENFILE', 'EINTR', 'EAGAIN', 'EBUSY', 'ESTALE', 'ETIMEDOUT']);

const remembered = new WeakMap<Disk, Map<bigint, Abilities>>();

/** Tries the renames in `staging`, once per file system. Throws the system's error where that fails for a passing reason. */
export function probeAbilities(tree: DirectoryTree, staging: Directory, nextName: () => string): Abilities {
  const known = knownAbilities(tree.disk, staging.device);
  if (known !== undefined) return known;
  const { abilities, isCertain } = probe(tree, staging, nextName);
  if (isCertain) {
    const perDevice = remembered.get(tree.disk) ?? new Map<bigint, Abilities>();
    remembered.set(tree.disk, perDevice.set(staging.device, abilities));
  }
  return abilities;
}

/** What was found out about a file system before; `undefined` where it has to be tried. */
export function knownAbilities(disk: Disk, device: bigint): Abilities | undefined {
  return remembered.get(disk)?.get(device);
}

function probe({ disk, anchor }: DirectoryTree, staging: Directory, nextName: () => string): { readonly abilities: Abilities; readonly isCertain: boolean } {
  const [a, b, c] = [nextName(), nextName(), nextName()];
  const inodeOf = (name: string): bigint | undefined => disk.lstat(anchor.at(staging, name))?.ino;
  let isCertain = true;
  const works = (attempt: () => void): boolean => {
    try {
      attempt();
      return true;
    } catch (error) {
      if (HICCUPS.has(errnoOf(error))) throw error;
      if (!MISSING.has(errnoOf(error))) isCertain = false;
      return false;
    }
  };
  const { safeRenames } = disk;
  try {
    for (const name of [a, b]) {
      disk.close(disk.open(anchor.at(staging, name), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600));
    }
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
    const place = anchor.at(staging, a);
    const keepsExecutable = [0o700, 0o600].every((mode) => {
      works(() => changeMode(disk, place, mode));
      return isExecutable(Number(disk.lstat(place)?.mode ?? 0)) === isExecutable(mode);
    });
    return { abilities: { canRenameNoReplace, canExchange, canLink, canSeeWriters: seesWriters(disk, place), keepsExecutable }, isCertain };
  } finally {
    for (const name of [a, b, c]) removeQuietly(disk, anchor.at(staging, name));
  }
}

function changeMode(disk: Disk, path: string, mode: number): void {
  const fd = disk.open(path, constants.O_RDONLY);
  try {
    disk.fchmod(fd, mode);
  } finally {
    disk.close(fd);
  }
}

/** What stays is in staging, which is swept. */
function removeQuietly(disk: Disk, path: string): void {
  try {
    disk.unlink(path);
  } catch {
    // Most often it is not there.
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

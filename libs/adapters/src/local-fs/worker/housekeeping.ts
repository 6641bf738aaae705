/**
 * Cleaning up the reserved area: staging of processes that died, when a storage is opened, and
 * what the trash's end (`purge-trash.ts`) needs. Whatever cannot be removed stays for next time.
 */

import type { Directory } from './anchor.js';
import { STAGING } from './area.js';
import { NoDirectory, type DirectoryTree } from './directory-tree.js';
import { errnoOf } from './failure.js';
import { isAbandoned } from './instance.js';

/** Name of the trash directory of an hour, `2026-11-22T21Z-…`: sorts by time, and no file system minds it. */
export function trashRunOf(nowMs: number, suffix: string): string {
  return `${new Date(nowMs).toISOString().slice(0, 13)}Z-${suffix}`;
}

/** Removes staging directories that nobody will use again. */
export function sweepStaging(tree: DirectoryTree, nowMs: number): void {
  const staging = openIfThere(tree, STAGING);
  if (staging === undefined) return;
  for (const name of directoriesIn(tree, staging)) {
    quietly(() => {
      if (isAbandoned(name, newestChange(tree, staging, name), nowMs)) removeTree(tree, staging, name);
    });
  }
}

/** Removes this instance's staging directory when it is empty, as it should be at the end. */
export function removeStaging(tree: DirectoryTree, instance: string): void {
  const staging = openIfThere(tree, STAGING);
  if (staging !== undefined) quietly(() => removeTree(tree, staging, instance));
}

/** The directory at `path`, `undefined` where there is none. */
export function openIfThere(tree: DirectoryTree, path: string): Directory | undefined {
  try {
    return tree.open(path);
  } catch (error) {
    if (error instanceof NoDirectory) return undefined;
    throw error;
  }
}

/** Names of the directories in a directory. */
export function directoriesIn({ disk, anchor }: DirectoryTree, directory: Directory): string[] {
  return disk.readDirectory(anchor.self(directory)).filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/** When anything in a directory last changed, in milliseconds. */
function newestChange(tree: DirectoryTree, parent: Directory, name: string): number {
  const { disk, anchor } = tree;
  const directory = tree.openChild(parent, name);
  try {
    const times = [disk.fstat(directory.fd), ...disk.readDirectory(anchor.self(directory)).map((entry) => tree.lstat(directory, entry.name))];
    return Math.max(...times.map((stats) => Number(stats?.ctimeMs ?? 0n)));
  } finally {
    disk.close(directory.fd);
  }
}

/** Removes the directory `name` with everything in it; links are removed, not followed. */
export function removeTree(tree: DirectoryTree, parent: Directory, name: string): void {
  const { disk, anchor } = tree;
  const directory = tree.openChild(parent, name);
  try {
    for (const entry of disk.readDirectory(anchor.self(directory))) {
      if (entry.isDirectory()) removeTree(tree, directory, entry.name);
      else disk.unlink(anchor.at(directory, entry.name));
    }
  } finally {
    disk.close(directory.fd);
  }
  disk.rmdir(anchor.at(parent, name));
}

/** Takes a step that the system may refuse. */
export function quietly(step: () => void): void {
  try {
    step();
  } catch (error) {
    if (errnoOf(error) === undefined && !(error instanceof NoDirectory)) throw error;
  }
}

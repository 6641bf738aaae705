/** Removes what has been in the trash for long enough (INV-5), by the trash's own clock (`trash-age.ts`). */

import { constants } from 'node:fs';

import { RESERVED_NAME } from '@wl/domain';

import type { Directory } from './anchor.js';
import { ensureDirectory, type StorageArea, TRASH } from './area.js';
import type { DirectoryTree } from './directory-tree.js';
import { directoriesIn, openIfThere, quietly, removeTree } from './housekeeping.js';
import { rename } from './moves.js';
import { formatTrashAge, grown, isNews, parseTrashAge, type Moment, type TrashAge } from './trash-age.js';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Name of the file in the reserved area. */
const AGE_FILE = 'trash-age';
/** A file that is larger was not written by us: that many runs are in no trash. */
const LARGEST_BYTES = 64 << 20;
/** Names of our runs (`trashRunOf`); whatever else lies in the trash is not ours to remove. */
const RUN = /^\d{4}-\d{2}-\d{2}T\d{2}Z/;

/** For how long runs are kept, and whether those that are older are removed now. */
export interface PurgeLimits {
  readonly retentionDays: number;
  readonly mayRemove: boolean;
}

/**
 * Removes the runs that have been seen in the trash for longer than `retentionDays`, and notes the age of the
 * others. Nothing is written where there is no trash. What cannot be removed or noted waits for next time. Unless it
 * `mayRemove`, which may take long, it answers `false` and has done nothing where there is something to remove.
 */
export function purgeTrash(tree: DirectoryTree, area: StorageArea, now: Moment, { retentionDays, mayRemove }: PurgeLimits): boolean {
  const trash = openIfThere(tree, TRASH);
  if (trash === undefined) return true;
  const known = readAge(tree);
  const age = grown(known, now, directoriesIn(tree, trash).filter((name) => RUN.test(name)), (run) => area.isInUse(run));
  const kept = new Map(age.since);
  const due = [...age.since].filter(([, sinceMs]) => age.ageMs - sinceMs > retentionDays * DAY_MS);
  if (due.length > 0 && !mayRemove) return false;
  for (const [run] of due) {
    quietly(() => {
      removeTree(tree, trash, run);
      kept.delete(run);
    });
  }
  const next = { ...age, since: kept };
  if (isNews(known, next)) quietly(() => writeAge(tree, area, next));
  return true;
}

/** What was noted, `undefined` where nothing can be read: then the trash begins anew and nothing in it is old. */
function readAge(tree: DirectoryTree): TrashAge | undefined {
  const { disk, anchor } = tree;
  let text: string | undefined;
  quietly(() => {
    const fd = disk.open(anchor.at(tree.open(RESERVED_NAME), AGE_FILE), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stats = disk.fstat(fd);
      if (!stats.isFile() || stats.size > BigInt(LARGEST_BYTES)) return;
      const buffer = Buffer.alloc(Number(stats.size));
      text = buffer.toString('utf8', 0, disk.read(fd, buffer, 0, buffer.length, 0));
    } finally {
      disk.close(fd);
    }
  });
  return text === undefined ? undefined : parseTrashAge(text);
}

/** Old or new, whatever happens in between (INV-6). */
function writeAge(tree: DirectoryTree, area: StorageArea, age: TrashAge): void {
  const { disk, anchor } = tree;
  const staging = area.staging();
  const staged = { directory: staging, name: area.nextName() };
  const bytes = Buffer.from(formatTrashAge(age));
  try {
    writeNew(tree, staged, bytes);
    rename(tree, staged, { directory: ensureDirectory(tree, RESERVED_NAME, 0o700), name: AGE_FILE });
  } catch (error) {
    quietly(() => disk.unlink(anchor.at(staging, staged.name)));
    throw error;
  }
}

function writeNew({ disk, anchor }: DirectoryTree, { directory, name }: { readonly directory: Directory; readonly name: string }, bytes: Uint8Array): void {
  const fd = disk.open(anchor.at(directory, name), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    for (let at = 0; at < bytes.length; ) at += disk.write(fd, bytes, at, bytes.length - at, at);
    disk.fsync(fd);
  } finally {
    disk.close(fd);
  }
}

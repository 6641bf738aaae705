/**
 * Files that another program has put into a directory of staging (`Inbox` of the port): looked for
 * without following a link, hashed as they lie there (INV-27), and shown like any other staged file.
 */

import { constants } from 'node:fs';

import { nameOf, parentOf, type Sha256 } from '@wl/domain';

import type { Directory } from './anchor.js';
import { ensureDirectory, STAGING, type StorageArea } from './area.js';
import type { Checkpoint } from './cancellation.js';
import type { ContentReader } from './content.js';
import { NoDirectory, type DirectoryTree } from './directory-tree.js';
import { fstatFile } from './disk.js';
import { errnoOf, failure } from './failure.js';
import { openIfThere, quietly, removeTree } from './housekeeping.js';
import { rename } from './moves.js';
import { StagedBatch, type BatchItem, type BatchOutcome, type NotShown } from './staged-batch.js';
import { permissionsFor, type Staged } from './stager.js';
import { mtimeMsOf } from './token.js';

/** One file to take. */
export interface TakenItem extends BatchItem {
  readonly sha256: Sha256;
  readonly sizeBytes: number;
}

/** Where files are taken to, and what the thread has at hand. */
export interface TakeContext {
  readonly target: DirectoryTree;
  readonly area: StorageArea;
  readonly content: ContentReader;
  readonly checkpoint: Checkpoint;
  /** The inbox, relative to the root. */
  readonly inbox: string;
}

const OPEN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const PRIVATE = 0o700;

/** The inbox of that name, relative to the root. */
export function inboxPath(instance: string, name: string): string {
  return `${STAGING}/${instance}/${name}`;
}

/** Makes an inbox. */
export function makeInbox(tree: DirectoryTree, inbox: string): void {
  ensureDirectory(tree, inbox, PRIVATE);
}

/** Removes an inbox with all that is in it. */
export function dropInbox(tree: DirectoryTree, inbox: string): void {
  const slash = inbox.lastIndexOf('/');
  const parent = openIfThere(tree, inbox.slice(0, slash));
  if (parent !== undefined) quietly(() => removeTree(tree, parent, inbox.slice(slash + 1)));
}

/**
 * Takes a batch. The result has one entry an item, `undefined` for those not reached when the
 * checkpoint threw; `source-changed` stands for: it is not in the inbox.
 */
export function takeFromInbox(context: TakeContext, items: readonly TakenItem[]): Promise<(BatchOutcome | undefined)[]> {
  const { target, area, checkpoint } = context;
  const batch = new StagedBatch(target, area, checkpoint, items, 'replace');
  return batch.run((item) => {
    const replaced = batch.lookAtTarget(item);
    return replaced === 'changed' ? { kind: 'target-changed' } : stage(context, batch, item, replaced?.mode);
  });
}

function stage({ target, area, content, checkpoint, inbox }: TakeContext, batch: StagedBatch<TakenItem>, { path, sha256, sizeBytes }: TakenItem, replacedMode: number | undefined): Staged | NotShown {
  const { disk, anchor } = target;
  const parent = parentOf(path);
  let directory: Directory;
  let fd: number;
  try {
    directory = target.open(parent === '' ? inbox : `${inbox}/${parent}`);
    fd = disk.open(anchor.at(directory, nameOf(path)), OPEN);
  } catch (error) {
    if (error instanceof NoDirectory || errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ELOOP') return { kind: 'source-changed' };
    throw error;
  }
  const name = area.nextName();
  let isStaged = false;
  try {
    const stats = fstatFile(disk, fd);
    if (stats === undefined) return { kind: 'source-changed' };
    if (stats.sizeBytes !== sizeBytes || content.hash(fd, sizeBytes, checkpoint) !== sha256) {
      throw failure('damaged', 'replace', path, 'what was brought is not what the source holds');
    }
    rename(target, { directory, name: nameOf(path) }, { directory: area.staging(name), name });
    const mode = permissionsFor(stats.mode, replacedMode);
    const staged = batch.stager.complete({ name, fd }, { mtimeMs: mtimeMsOf(stats), mode }, batch.flushesEach);
    isStaged = true;
    return staged;
  } finally {
    disk.close(fd);
    if (!isStaged) batch.stager.drop(name);
  }
}

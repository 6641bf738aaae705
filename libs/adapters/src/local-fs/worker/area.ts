/**
 * The reserved area `.wl` at the root: `staging/<instance>/<thread>/` for files being written,
 * `trash/<run>/<path>` for versions that were replaced or removed, `trash-age` for how long they
 * have been there, `root-id` for the marker.
 *
 * Staging holds only our own unfinished files, never somebody else's bytes: a version that
 * comes out of an exchange comes out into the trash. So staging can be emptied after a crash
 * without a second thought.
 */

import { threadId } from 'node:worker_threads';

import { parentOf, RESERVED_NAME, type RelativePath } from '@wl/domain';

import { knownAbilities, probeAbilities, type Abilities } from './abilities.js';
import type { Directory } from './anchor.js';
import { NoDirectory, type DirectoryTree } from './directory-tree.js';
import { errnoOf, failure, toBackendError } from './failure.js';

/** Directory of staged files, relative to the root; one directory an instance below it. */
export const STAGING = `${RESERVED_NAME}/staging`;
/** Directory of replaced and removed versions, relative to the root; one directory a run below it. */
export const TRASH = `${RESERVED_NAME}/trash`;

/** Only the user that runs `wl` looks into the area: it holds copies of private files. */
const PRIVATE = 0o700;
/** A path replaced more often than this within one run is a sign of something wrong. */
const MAX_COLLISIONS = 10_000;

/** What a task needs to know to use the area. */
export interface AreaSpec {
  /** Name of this instance's directory in staging; unique among all running processes. */
  readonly instance: string;
  /** Name of the directory in the trash that versions go to now. */
  readonly trashRun: string;
}

/** A free place in the trash. */
export interface TrashPlace {
  readonly directory: Directory;
  readonly name: string;
  /** Relative to the root. */
  readonly path: string;
}

/** The area of one root during one task. */
export class StorageArea {
  private known: Abilities | undefined;
  private readonly ownStaging: string;

  constructor(
    private readonly tree: DirectoryTree,
    private readonly spec: AreaSpec,
  ) {
    this.ownStaging = `${STAGING}/${spec.instance}/${THREAD}`;
  }

  /**
   * The directory of a staged file by its name, made if missing: one for each thread of this
   * instance, because two threads that make files in one directory wait for each other in the
   * kernel (three times slower on ext4).
   */
  staging(name = OWN_PREFIX): Directory {
    const path = name.startsWith(OWN_PREFIX) ? this.ownStaging : `${STAGING}/${this.spec.instance}/${name.slice(0, name.indexOf('-'))}`;
    const directory = this.ensure(path);
    this.known ??= probeAbilities(this.tree, directory, nextName);
    return directory;
  }

  /** What renames this file system offers. Nothing is made for that where it was tried before: a pass that finds no news leaves no trace. */
  abilities(): Abilities {
    // Never another one than that of the root: no other is entered.
    this.known ??= knownAbilities(this.tree.disk, this.tree.root.device);
    if (this.known === undefined) this.staging();
    return this.known as Abilities;
  }

  /** A name in staging that was never used before. */
  nextName(): string {
    return nextName();
  }

  /** Whether versions may be put into a run of the trash now. */
  isInUse(run: string): boolean {
    return run === this.spec.trashRun || run.startsWith(`${this.spec.trashRun}~`);
  }

  /** A free place for the version at `path`; the directories above it are made. */
  trashPlace(path: RelativePath): TrashPlace {
    const parent = parentOf(path);
    const name = path.slice(parent === '' ? 0 : parent.length + 1);
    for (let attempt = 1; attempt <= MAX_COLLISIONS; attempt += 1) {
      const run = `${TRASH}/${this.spec.trashRun}${attempt === 1 ? '' : `~${String(attempt)}`}`;
      const directory = this.tryEnsure(parent === '' ? run : `${run}/${parent}`);
      if (directory === undefined || this.tree.lstat(directory, name) !== undefined) continue;
      return { directory, name, path: `${directory.path}/${name}` };
    }
    throw failure('io-error', 'keep the old version of', path, `more than ${String(MAX_COLLISIONS)} versions of it are in the trash of this hour`);
  }

  /** Like `ensure`, but `undefined` where a file stands in the way. */
  private tryEnsure(path: string): Directory | undefined {
    try {
      return ensureDirectory(this.tree, path, PRIVATE);
    } catch (error) {
      if (error instanceof NoDirectory && error.reason === 'file' && error.path.startsWith(`${TRASH}/`)) return undefined;
      throw explainArea(error);
    }
  }

  private ensure(path: string): Directory {
    try {
      return ensureDirectory(this.tree, path, PRIVATE);
    } catch (error) {
      throw explainArea(error);
    }
  }
}

/** Opens the directory at `path`, making it and those above it if missing. Throws `NoDirectory` or what `mkdir` throws. */
export function ensureDirectory(tree: DirectoryTree, path: string, mode: number): Directory {
  const there = tree.openUnlessAbsent(path);
  if (there !== undefined) return there;
  const slash = path.lastIndexOf('/');
  const parent = slash < 0 ? tree.root : ensureDirectory(tree, path.slice(0, slash), mode);
  try {
    tree.disk.mkdir(tree.anchor.at(parent, path.slice(slash + 1)), mode);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  return tree.open(path);
}

/** What stands in the way of using the area, in words for the user; other errors stay what they are. */
export function explainArea(error: unknown): unknown {
  if (!(error instanceof NoDirectory)) return error;
  const { path, reason } = error;
  if (reason === 'permission-denied') return failure('permission-denied', 'use', path, 'this directory belongs to wl, but the user it runs as may not enter it; check its owner');
  if (reason === 'read-error') return toBackendError(error.cause, 'use', path);
  return failure('not-a-directory', 'use', path, `this directory belongs to wl, but something else is there (${reason}); move it away`);
}

let counter = 0;

/** This thread in the names of its staged files; another thread of the pool may show or drop them. */
const THREAD = threadId.toString(36);
const OWN_PREFIX = `${THREAD}-`;

/** Unique within the process: the directory is unique to the instance, the prefix to the thread. */
function nextName(): string {
  counter += 1;
  return OWN_PREFIX + counter.toString(36);
}

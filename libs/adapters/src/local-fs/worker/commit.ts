/**
 * Showing a staged file, and removing one, so that no version of anybody is lost
 * (INV-5, INV-17) and every visible path is whole at every instant (INV-6).
 *
 * Create: a rename that fails when the name is taken.
 *
 * Replace, where names can be exchanged:
 * 1. look: the path must hold the expected version, and nobody may have it open for writing;
 * 2. put the staged file into the trash, under the place of the old version;
 * 3. exchange the two: the old version is in the trash, the new one visible;
 * 4. look at what came out. Not the expected version: somebody saved between 1 and 3.
 *    Exchange back, and look again: what comes out now must be our file. If not, a third
 *    version came in between; it stays in the trash and is reported as leftover.
 * 5. At the end of the batch look at the old version once more: a program that still had
 *    it open may have written to it. Then exchange back as well, and also while anybody has
 *    it open or mapped for writing: in the trash nobody can open it any more, so that once
 *    nobody has, it stays as it is. Where the system does not tell (`capabilities` say so),
 *    a program that writes later still writes into the trash.
 * A crash at any point leaves whole versions only, in place and in the trash.
 *
 * Replace, elsewhere: link the old version into the trash, look at it, rename over it. A
 * save by rename within the microseconds between look and rename is lost; `capabilities`
 * say so (`replace: 'window'`). A save in place is not: the link is the same file.
 *
 * Remove: look, move to the trash, look at what came out, move back if it is not the expected one,
 * and look once more at the end of the batch.
 */

import { nameOf, NO_TOKEN, parentOf, type RelativePath, type Token } from '@wl/domain';

import type { Directory } from './anchor.js';
import type { StorageArea, TrashPlace } from './area.js';
import { NoDirectory, type DirectoryTree } from './directory-tree.js';
import { errnoOf, failure } from './failure.js';
import { fileStatsOf, isSameTime, type FileTime } from './file-stats.js';
import { moveIntoArea, moveNoReplace, noSafeWay, rename, type Place } from './moves.js';
import { isInUse } from './open-file.js';
import type { Staged } from './stager.js';
import { hasIdentity, isRacyByMtime, tokenOf, type FileIdentity } from './token.js';

/** What became of a commit or removal. */
export type CommitOutcome =
  | { readonly kind: 'committed'; readonly token: Token; readonly isRacy: boolean; readonly replaced?: Replaced }
  | { readonly kind: 'stale'; readonly leftover?: string };

/** An old version in the trash, to be looked at once more. */
export interface Replaced {
  readonly path: RelativePath;
  /** Its place in the trash, relative to the root. */
  readonly trashPath: string;
  readonly old: FileIdentity;
  readonly ctime: FileTime;
  /** What is visible in its place; nothing when it was removed. */
  readonly ours: FileIdentity | undefined;
}

const STALE: CommitOutcome = { kind: 'stale' };

/** Commits and removals below one root during one task. */
export class Committer {
  constructor(
    private readonly tree: DirectoryTree,
    private readonly area: StorageArea,
  ) {}

  /** Shows a staged file at `path`. The staged file is gone afterwards, whatever the outcome. */
  commit(path: RelativePath, staged: Staged, expected: Token | undefined): CommitOutcome {
    const from: Place = { directory: this.area.staging(staged.name), name: staged.name };
    let outcome: CommitOutcome | undefined;
    try {
      const to: Place = { directory: this.openParent(path), name: nameOf(path) };
      outcome = expected === undefined ? this.create(from, to, staged) : this.replace(path, from, to, staged, expected);
      return outcome;
    } finally {
      if (outcome?.kind !== 'committed') this.drop(from);
    }
  }

  /** Moves the file at `path` to the trash if it is version `expected`. */
  remove(path: RelativePath, expected: Token): CommitOutcome {
    let directory: Directory;
    try {
      directory = this.tree.open(parentOf(path));
    } catch (error) {
      if (!(error instanceof NoDirectory)) throw error;
      if (isUnreadable(error)) throw parentFailure(error, 'remove', path);
      return STALE;
    }
    const to: Place = { directory, name: nameOf(path) };
    const seen = this.tree.lstatFile(to.directory, to.name);
    if (seen === undefined || tokenOf(seen) !== expected || isInUse(this.tree, directory, to.name)) return STALE;
    const place = this.area.trashPlace(path);
    try {
      moveIntoArea(this.tree, this.area.abilities(), to, place);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return STALE;
      throw error;
    }
    const out = this.tree.lstatFile(place.directory, place.name);
    if (!hasIdentity(out, seen)) return this.moveBack(place, to);
    const replaced = { path, trashPath: place.path, old: seen, ctime: out.ctime, ours: undefined };
    return { kind: 'committed', token: NO_TOKEN, isRacy: false, replaced };
  }

  /** The last look at a version that was replaced: `undefined` when it still is what it was. */
  settle(replaced: Replaced): CommitOutcome | undefined {
    try {
      return this.lookAgain(replaced);
    } catch (error) {
      if (error instanceof NoDirectory) return undefined;
      return { kind: 'stale', leftover: replaced.trashPath };
    }
  }

  private lookAgain(replaced: Replaced): CommitOutcome | undefined {
    const slash = replaced.trashPath.lastIndexOf('/');
    const place: TrashPlace = {
      directory: this.tree.open(replaced.trashPath.slice(0, slash)),
      name: replaced.trashPath.slice(slash + 1),
      path: replaced.trashPath,
    };
    // In this order: who has closed it by the time of the question has written before the look.
    const isWritten = isInUse(this.tree, place.directory, place.name);
    const now = this.tree.lstatFile(place.directory, place.name);
    if (now === undefined || (!isWritten && hasIdentity(now, replaced.old) && isSameTime(now.ctime, replaced.ctime))) return undefined;
    const to = { directory: this.tree.open(parentOf(replaced.path)), name: nameOf(replaced.path) };
    const { ours } = replaced;
    if (ours === undefined) return this.moveBack(place, to);
    const { safeRenames } = this.tree.disk;
    if (this.area.abilities().canExchange && safeRenames !== undefined) {
      const swap = (): void => safeRenames.exchange(place.directory.fd, place.name, to.directory.fd, to.name);
      swap();
      if (this.dropIf(place, ours)) return STALE;
      // Somebody replaced our file as well: theirs is the latest, it stays in place.
      swap();
    }
    return { kind: 'stale', leftover: replaced.trashPath };
  }

  private create(from: Place, to: Place, staged: Staged): CommitOutcome {
    try {
      moveNoReplace(this.tree, this.area.abilities(), from, to);
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return STALE;
      throw error;
    }
    return this.committed(to, staged);
  }

  private replace(path: RelativePath, from: Place, to: Place, staged: Staged, expected: Token): CommitOutcome {
    const seen = this.tree.lstatFile(to.directory, to.name);
    if (seen === undefined || tokenOf(seen) !== expected || isInUse(this.tree, to.directory, to.name)) return STALE;
    const place = this.area.trashPlace(path);
    const abilities = this.area.abilities();
    if (!abilities.canExchange) return this.replaceByLink(path, from, to, staged, seen, place);

    moveIntoArea(this.tree, abilities, from, place);
    try {
      this.tree.disk.safeRenames?.exchange(place.directory.fd, place.name, to.directory.fd, to.name);
    } catch (error) {
      this.dropIf(place, staged.stats);
      if (errnoOf(error) === 'ENOENT') return STALE;
      throw error;
    }
    const out = this.tree.lstatFile(place.directory, place.name);
    if (!hasIdentity(out, seen)) return this.exchangeBack(place, to, staged);
    const replaced = { path, trashPath: place.path, old: seen, ctime: out.ctime, ours: staged.stats };
    return { ...this.committed(to, staged), replaced };
  }

  /** Step 4 went wrong: an unexpected version is in the trash, ours is visible. */
  private exchangeBack(place: TrashPlace, to: Place, staged: Staged): CommitOutcome {
    try {
      this.tree.disk.safeRenames?.exchange(place.directory.fd, place.name, to.directory.fd, to.name);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') return { kind: 'stale', leftover: place.path };
      // Somebody removed our file meanwhile: what we took away takes its place again.
      return this.moveBack(place, to);
    }
    return this.dropIf(place, staged.stats) ? STALE : { kind: 'stale', leftover: place.path };
  }

  private replaceByLink(path: RelativePath, from: Place, to: Place, staged: Staged, old: FileIdentity, place: TrashPlace): CommitOutcome {
    if (!this.area.abilities().canLink) throw noSafeWay(path);
    const { disk, anchor } = this.tree;
    try {
      disk.link(anchor.far(to.directory, to.name), anchor.at(place.directory, place.name));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return STALE;
      throw error;
    }
    const linked = this.tree.lstat(place.directory, place.name);
    if (!hasIdentity(fileStatsOf(linked), old)) {
      // The link is dropped only while the version has another name.
      if ((linked?.nlink ?? 0n) <= 1n) return { kind: 'stale', leftover: place.path };
      this.drop(place);
      return STALE;
    }
    // Once more, as late as can be: a save by rename from now on is lost. One before leaves the link the old version's only name: it stays.
    if (!hasIdentity(this.tree.lstatFile(to.directory, to.name), old)) return STALE;
    rename(this.tree, from, to);
    const out = this.tree.lstatFile(place.directory, place.name);
    const replaced = { path, trashPath: place.path, old, ctime: out?.ctime ?? { seconds: 0, nanoseconds: 0 }, ours: staged.stats };
    return { ...this.committed(to, staged), replaced };
  }

  /** Puts a version back where it was; when its name is taken again it stays in the trash. */
  private moveBack(place: TrashPlace, to: Place): CommitOutcome {
    try {
      moveNoReplace(this.tree, this.area.abilities(), place, to);
      return STALE;
    } catch {
      // Whatever stands in the way: the version is safe where it is, and reported.
      return { kind: 'stale', leftover: place.path };
    }
  }

  /** The token of what was just shown. Somebody may have been faster than this look: then no token, look again. */
  private committed(to: Place, staged: Staged): { kind: 'committed'; token: Token; isRacy: boolean } {
    const nowMs = Date.now();
    const stats = this.tree.lstatFile(to.directory, to.name);
    if (!hasIdentity(stats, staged.stats)) return { kind: 'committed', token: NO_TOKEN, isRacy: true };
    return { kind: 'committed', token: tokenOf(stats), isRacy: isRacyByMtime(stats, nowMs) };
  }

  private openParent(path: RelativePath): Directory {
    try {
      return this.tree.open(parentOf(path));
    } catch (error) {
      throw error instanceof NoDirectory ? parentFailure(error, 'replace', path) : error;
    }
  }

  /** Removes a file of ours from the trash; leaves anything else there. */
  private dropIf(place: Place, ours: FileIdentity): boolean {
    if (!hasIdentity(this.tree.lstatFile(place.directory, place.name), ours)) return false;
    this.drop(place);
    return true;
  }

  private drop({ directory, name }: Place): void {
    try {
      this.tree.disk.unlink(this.tree.anchor.at(directory, name));
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
}

/** Whether nothing can be said of what lies below. */
export function isUnreadable({ reason }: NoDirectory): boolean {
  return reason === 'permission-denied' || reason === 'read-error' || reason === 'other-file-system' || reason === 'name-not-representable';
}

/** A directory on the way to `path` could not be entered. */
export function parentFailure(error: NoDirectory, operation: string, path: RelativePath): Error {
  switch (error.reason) {
    case 'absent':
      return failure('not-found', operation, path, 'its directory is not there', true);
    case 'permission-denied':
      return failure('permission-denied', operation, path, `the user this runs as may not enter ${error.path}`);
    case 'other-file-system':
      return failure('other-file-system', operation, path, `another file system is mounted at ${error.path}`);
    case 'read-error':
      return failure('io-error', operation, path, `${error.path} could not be read, ${errnoOf(error.cause) ?? 'unknown error'}`);
    default:
      return failure('not-a-directory', operation, path, `${error.path} is no directory (${error.reason})`, true);
  }
}

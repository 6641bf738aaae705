/**
 * Files in staging: made under a name of our own, filled, given their attributes, made
 * durable, and only then shown by a `Committer`.
 */

import { constants } from 'node:fs';

import { invariant } from '@wl/domain';

import type { StorageArea } from './area.js';
import type { DirectoryTree } from './directory-tree.js';
import { fstatFile, isSettableMtime } from './disk.js';
import { errnoOf } from './failure.js';
import { EXECUTE, isExecutable, PERMISSIONS, type FileStats } from './file-stats.js';

/** A file in staging that is being written. */
export interface OpenStaged {
  readonly name: string;
  readonly fd: number;
}

/** A file in staging, complete. */
export interface Staged {
  readonly name: string;
  readonly stats: FileStats;
}

const CREATE = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Makes and completes staged files of one root. */
export class Stager {
  constructor(
    private readonly tree: DirectoryTree,
    private readonly area: StorageArea,
  ) {}

  /** Makes an empty file, in a directory that nobody but its owner may enter. The umask applies. */
  create(mode: number): OpenStaged {
    const { disk, anchor } = this.tree;
    const name = this.area.nextName();
    const fd = disk.open(anchor.at(this.area.staging(name), name), CREATE, mode);
    return { name, fd };
  }

  /**
   * Gives the file its modification time and, where given, exactly `mode`; makes it durable
   * where asked. It stays open.
   */
  complete(file: OpenStaged, attributes: { readonly mtimeMs: number; readonly mode?: number }, isDurable: boolean): Staged {
    const { disk } = this.tree;
    const { name, fd } = file;
    const { mtimeMs, mode } = attributes;
    // Times that this file system cannot hold: the content counts, they are a courtesy.
    if (isSettableMtime(mtimeMs)) attempt(() => disk.futimes(fd, mtimeMs));
    const stats = fstatFile(disk, fd);
    invariant(stats !== undefined, 'INV-17: what is staged is a regular file');
    if (mode !== undefined && (stats.mode & PERMISSIONS) !== mode) this.givePermissions(file, mode);
    if (isDurable) disk.fsync(fd);
    return { name, stats };
  }

  /** Gives a file exactly `mode`; what this file system cannot hold is a courtesy, too. */
  givePermissions({ fd }: OpenStaged, mode: number): void {
    attempt(() => this.tree.disk.fchmod(fd, mode));
  }

  /** Removes a staged file, if it is still there. */
  drop(name: string): void {
    const { disk, anchor } = this.tree;
    try {
      disk.unlink(anchor.at(this.area.staging(name), name));
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
}

/**
 * Permissions for a file that comes from a local one: the source's for a new file; for one
 * that is replaced its own, since somebody chose them, with the source's choice of whether
 * it is a program.
 */
export function permissionsFor(sourceMode: number, replacedMode: number | undefined): number {
  const source = sourceMode & PERMISSIONS;
  return replacedMode === undefined ? source : withExecute(replacedMode & PERMISSIONS, isExecutable(source));
}

/** Permissions for a file of which only is known whether it is a program. The umask still applies to new ones. */
export function permissionsOf(isProgram: boolean | undefined, replacedMode: number | undefined): number {
  if (replacedMode === undefined) return isProgram === true ? 0o777 : 0o666;
  const mode = replacedMode & PERMISSIONS;
  return isProgram === undefined ? mode : withExecute(mode, isProgram);
}

function attempt(step: () => void): void {
  try {
    step();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}

/** Who may read may also execute. */
export function withExecute(mode: number, isProgram: boolean): number {
  if (!isProgram) return mode & ~EXECUTE;
  return mode | ((mode & 0o444) >> 2);
}

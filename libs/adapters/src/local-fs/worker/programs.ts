/**
 * Making files executable, or no longer so (`Programs.setExecutable` of the port): on the open file,
 * so that no other one is met, and only while its name leads to it (INV-17).
 */

import { err, nameOf, ok, parentOf, type RelativePath, type Result, type Token } from '@wl/domain';
import type { Committed, NotKept, StaleToken } from '@wl/ports';

import type { DirectoryTree } from './directory-tree.js';
import { fstatFile } from './disk.js';
import { errnoOf, toBackendError } from './failure.js';
import { isExecutable } from './file-stats.js';
import { openFile } from './open-file.js';
import { withExecute } from './stager.js';
import { hasIdentity, isRacyByMtime, tokenOf } from './token.js';

/** One file. */
export interface ProgramStep {
  readonly path: RelativePath;
  readonly expected: Token;
  readonly isExecutable: boolean;
}

/** The port's answer. */
export type ProgramAnswer = Result<Committed, StaleToken | NotKept>;

/**
 * Carries out one step. `flushes`: made durable here; otherwise the caller flushes the file system
 * before anybody is told. Throws the system's errors.
 */
export function setExecutable(tree: DirectoryTree, { path, expected, isExecutable: wanted }: ProgramStep, flushes: boolean): ProgramAnswer {
  const opened = openFile(tree, path);
  if (opened.kind === 'unknown' && opened.cause !== undefined) throw toBackendError(opened.cause, 'set permissions', path);
  if (opened.kind !== 'file') return err({ kind: 'stale-token' });
  const { fd, stats } = opened;
  const { disk } = tree;
  try {
    if (tokenOf(stats) !== expected) return err({ kind: 'stale-token' });
    const refusal = give(tree, fd, withExecute(stats.mode & PERMISSIONS_AND_MORE, wanted));
    if (refusal !== undefined) return err({ kind: 'not-kept', message: refusal });
    const nowMs = Date.now();
    const now = fstatFile(disk, fd);
    if (!hasIdentity(now, stats) || !hasIdentity(tree.lstatFile(tree.open(parentOf(path)), nameOf(path)), stats)) return err({ kind: 'stale-token' });
    if (isExecutable(now.mode) !== wanted) return err({ kind: 'not-kept', message: 'its file system does not keep it' });
    if (flushes) disk.fsync(fd);
    return ok({ token: tokenOf(now), isRacy: opened.isRacy || isRacyByMtime(now, nowMs) });
  } finally {
    disk.close(fd);
  }
}

/** What a file has of permissions and of what goes with them: set-user-ID and the like stay. */
const PERMISSIONS_AND_MORE = 0o7777;

/** Gives an open file permissions; answers why that was refused for good. */
function give({ disk }: DirectoryTree, fd: number, mode: number): string | undefined {
  try {
    disk.fchmod(fd, mode);
    return undefined;
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'EPERM') return 'it belongs to another user, or its file system does not keep it';
    if (code === 'ENOTSUP' || code === 'EOPNOTSUPP' || code === 'ENOSYS' || code === 'EINVAL') return 'its file system does not keep it';
    throw error;
  }
}

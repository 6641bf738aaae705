/** Hashes files, each hash belonging to the one version whose node is returned with it. */

import type { RelativePath } from '@wl/domain';
import type { HashOutcome } from '@wl/ports';

import { Cancelled, type Checkpoint } from './cancellation.js';
import type { ContentReader } from './content.js';
import type { DirectoryTree } from './directory-tree.js';
import { toBackendError, unknownReasonOf } from './failure.js';
import { isUnchanged, openFile } from './open-file.js';
import { mtimeMsOf, tokenOf } from './token.js';

/** How often a file that changes while it is read is read again. */
const ATTEMPTS = 3;

/** Hashes the file at `path`. */
export function hashFile(tree: DirectoryTree, content: ContentReader, path: RelativePath, checkpoint: Checkpoint): HashOutcome {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    checkpoint();
    const opened = openFile(tree, path);
    if (opened.kind === 'absent') return { kind: 'absent' };
    // No file any more, but something is there: whoever asked has to look again.
    if (opened.kind === 'directory') return { kind: 'changing' };
    if (opened.kind === 'unknown') {
      const { reason, cause } = opened;
      return { kind: 'unknown', reason, message: cause === undefined ? reason : toBackendError(cause, 'read', path).message };
    }
    const { fd, stats, isRacy } = opened;
    try {
      const { sizeBytes } = stats;
      const hash = content.hash(fd, sizeBytes, checkpoint);
      if (hash === undefined || !isUnchanged(tree.disk, fd, stats)) continue;
      return { kind: 'hashed', node: { kind: 'file', token: tokenOf(stats), sizeBytes, mtimeMs: mtimeMsOf(stats), hash, isRacy } };
    } catch (error) {
      if (error instanceof Cancelled) throw error;
      return { kind: 'unknown', reason: unknownReasonOf(error), message: toBackendError(error, 'read', path).message };
    } finally {
      tree.disk.close(fd);
    }
  }
  return { kind: 'changing' };
}

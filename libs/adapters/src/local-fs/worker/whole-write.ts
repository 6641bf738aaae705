/**
 * Writes a batch of small files whose bytes are at hand. The same conditions hold as for
 * `openForSafeReplace`; INV-27: what was stored is read back and hashed before it is shown.
 */

import type { Sha256 } from '@wl/domain';

import type { StorageArea } from './area.js';
import type { Checkpoint } from './cancellation.js';
import type { ContentReader } from './content.js';
import type { DirectoryTree } from './directory-tree.js';
import { failure } from './failure.js';
import { StagedBatch, type BatchItem, type BatchOutcome, type NotShown } from './staged-batch.js';
import { permissionsOf, type Staged } from './stager.js';

/** One file to write; its bytes begin at `offset` of the batch. */
export interface WholeWriteItem extends BatchItem {
  readonly offset: number;
  readonly sizeBytes: number;
  readonly sha256: Sha256;
  readonly mtimeMs: number;
  readonly isExecutable: boolean | undefined;
}

/** Where a batch goes and what its thread has at hand. */
export interface WholeWriteContext {
  readonly target: DirectoryTree;
  readonly area: StorageArea;
  readonly content: ContentReader;
  readonly checkpoint: Checkpoint;
}

/**
 * Writes a batch. The result has one entry an item, `undefined` for those not reached when
 * the checkpoint threw: of these nothing is left.
 */
export function writeWhole({ target, area, content, checkpoint }: WholeWriteContext, items: readonly WholeWriteItem[], bytes: ArrayBuffer): Promise<(BatchOutcome | undefined)[]> {
  const batch = new StagedBatch(target, area, checkpoint, items, 'replace');
  const { stager } = batch;
  return batch.run((item): Staged | NotShown => {
    const replaced = batch.lookAtTarget(item);
    if (replaced === 'changed') return { kind: 'target-changed' };
    const { path, offset, sizeBytes, sha256, mtimeMs, isExecutable } = item;
    const mode = permissionsOf(isExecutable, replaced?.mode);
    const file = stager.create(mode);
    let staged: Staged | undefined;
    try {
      if (content.storeFrom(file.fd, new Uint8Array(bytes, offset, sizeBytes), checkpoint) !== sha256) {
        throw failure('damaged', 'replace', path, 'the stored bytes are not the declared ones');
      }
      // The permissions of a file that is replaced are kept to the bit; a new one is under the umask.
      staged = stager.complete(file, replaced === undefined ? { mtimeMs } : { mtimeMs, mode }, batch.flushesEach);
      return staged;
    } finally {
      target.disk.close(file.fd);
      if (staged === undefined) stager.drop(file.name);
    }
  });
}

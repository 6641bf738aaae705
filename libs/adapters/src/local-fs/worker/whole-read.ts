/**
 * Reads a batch of small files whole, into one buffer that is handed over. INV-27: each is
 * read in one version; a version that could change and keep its token is read twice.
 */

import type { RelativePath, Sha256, Token } from '@wl/domain';

import { Cancelled, type Checkpoint } from './cancellation.js';
import type { ContentReader } from './content.js';
import type { DirectoryTree } from './directory-tree.js';
import { toWireError, type WireError } from './failure.js';
import { executability, isUnchanged, openFile } from './open-file.js';
import { mtimeMsOf, tokenOf } from './token.js';

/** One file to read. */
export interface WholeReadItem {
  readonly path: RelativePath;
  readonly expected: Token;
  readonly sizeBytes: number;
}

/** A file that was read; its bytes begin at `offset` of the batch. */
export interface WholeFileRead {
  readonly kind: 'read';
  readonly offset: number;
  readonly sha256: Sha256;
  readonly mtimeMs: number;
  readonly isExecutable: boolean | undefined;
  readonly isRacy: boolean;
}

/** What became of one; a `WholeReadOutcome` that can cross a thread. */
export type WholeReadAnswer = WholeFileRead | { readonly kind: 'changed' } | { readonly kind: 'failed'; readonly error: WireError };

/** One answer an item, in order, and the bytes of those that were read. */
export interface WholeReadBatch {
  readonly answers: readonly WholeReadAnswer[];
  readonly bytes: ArrayBuffer;
}

const CHANGED: WholeReadAnswer = { kind: 'changed' };

/** Reads a batch. Throws `Cancelled` when the checkpoint does. */
export function readWhole(tree: DirectoryTree, content: ContentReader, items: readonly WholeReadItem[], checkpoint: Checkpoint): WholeReadBatch {
  let sizeBytes = 0;
  for (const item of items) sizeBytes += item.sizeBytes;
  // Memory of its own, so that it can be handed over; not cleared, since nobody looks at what is not filled.
  const bytes = Buffer.allocUnsafeSlow(sizeBytes);
  let offset = 0;
  const answers = items.map((item): WholeReadAnswer => {
    checkpoint();
    const answer = readOne(tree, content, item, bytes.subarray(offset, offset + item.sizeBytes), offset, checkpoint);
    if (answer.kind === 'read') offset += item.sizeBytes;
    tree.trim();
    return answer;
  });
  return { answers, bytes: bytes.buffer };
}

function readOne(
  tree: DirectoryTree,
  content: ContentReader,
  { path, expected, sizeBytes }: WholeReadItem,
  bytes: Uint8Array,
  offset: number,
  checkpoint: Checkpoint,
): WholeReadAnswer {
  try {
    const opened = openFile(tree, path);
    if (opened.kind === 'unknown' && opened.cause !== undefined) return { kind: 'failed', error: toWireError(opened.cause, 'read', path) };
    if (opened.kind !== 'file') return CHANGED;
    const { fd, stats, isRacy } = opened;
    try {
      if (stats.sizeBytes !== sizeBytes || tokenOf(stats) !== expected) return CHANGED;
      const sha256 = content.loadInto(fd, bytes);
      // A write within the tick of the one before shows in no token, only in the bytes.
      if (sha256 === undefined || (isRacy && content.hash(fd, sizeBytes, checkpoint) !== sha256)) return CHANGED;
      if (!isUnchanged(tree.disk, fd, stats)) return CHANGED;
      return { kind: 'read', offset, sha256, mtimeMs: mtimeMsOf(stats), isExecutable: executability(tree, stats.mode), isRacy };
    } finally {
      tree.disk.close(fd);
    }
  } catch (error) {
    if (error instanceof Cancelled) throw error;
    return { kind: 'failed', error: toWireError(error, 'read', path) };
  }
}

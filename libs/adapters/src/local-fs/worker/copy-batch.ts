/**
 * Copies a batch of files from one local root to another. The same conditions hold as for a
 * file that is read through `read` and written through `openForSafeReplace`.
 */

import { createHash } from 'node:crypto';

import type { RelativePath, Sha256, Token } from '@wl/domain';
import type { FileAttributes } from '@wl/ports';

import type { StorageArea } from './area.js';
import type { Checkpoint } from './cancellation.js';
import type { ContentReader } from './content.js';
import type { DirectoryTree } from './directory-tree.js';
import { toWireError, type WireError } from './failure.js';
import type { FileStats } from './file-stats.js';
import { isUnchanged, openFile } from './open-file.js';
import type { SharedHash } from './shared-hash.js';
import { StagedBatch, type BatchItem, type NotShown, type Shown } from './staged-batch.js';
import { permissionsFor, permissionsOf, type Staged } from './stager.js';
import { mtimeMsOf, tokenOf } from './token.js';

/** One file to copy. */
export interface CopyItem extends BatchItem {
  /** Where in the source its content is. */
  readonly sourcePath: RelativePath;
  readonly sourceToken: Token;
  /** `''` where it is not known. */
  readonly sourceHash: Sha256 | '';
  /** Size of the source, for planning only. */
  readonly sizeBytes: number;
  /** What to give the copy; `undefined`: what the source has. */
  readonly attributes: FileAttributes | undefined;
}

/** What became of it; a `CopyOutcome` that can cross a thread. */
export type CopyItemOutcome =
  | {
      readonly kind: 'copied';
      readonly sha256: Sha256;
      readonly sizeBytes: number;
      readonly isSourceRacy: boolean;
      readonly targetToken: Token;
      readonly isTargetRacy: boolean;
    }
  | { readonly kind: 'source-changed' }
  | { readonly kind: 'target-changed'; readonly leftover?: string }
  | { readonly kind: 'failed'; readonly error: WireError };

/** Measured on XFS: of 8 KiB a clone takes up to 1.5 times as long as a write with its flush, of 64 KiB six tenths. */
export const SHARE_FROM_BYTES = 64 << 10;

const SOURCE_CHANGED = { kind: 'source-changed' } as const;

/** Both ends of a batch and what its thread has at hand. */
export interface CopyContext {
  readonly source: DirectoryTree;
  readonly target: DirectoryTree;
  readonly area: StorageArea;
  readonly content: ContentReader;
  readonly checkpoint: Checkpoint;
  /** Hash of the only file of the batch, which another thread may be computing. */
  readonly besideHash: SharedHash | undefined;
  /** Files of at least so many bytes share their blocks with the source, where the file system can do that. */
  readonly shareFromBytes: number;
}

/** What was found out about a source that is staged. */
interface Copied {
  readonly sha256: Sha256;
  readonly isSourceRacy: boolean;
}

/**
 * Copies a batch. The result has one entry an item, `undefined` for those not reached when
 * the checkpoint threw: of these nothing is left.
 */
export function copyBatch(context: CopyContext, items: readonly CopyItem[]): Promise<(CopyItemOutcome | undefined)[]> {
  return new CopyBatch(context, items).run();
}

class CopyBatch {
  private readonly copied: (Copied | undefined)[] = [];
  private readonly batch: StagedBatch<CopyItem>;
  /** Whether this batch has met a file whose blocks could not be shared: small ones are not worth asking again. */
  private mayShare = true;

  constructor(
    private readonly context: CopyContext,
    items: readonly CopyItem[],
  ) {
    const { target, area, checkpoint } = context;
    this.batch = new StagedBatch(target, area, checkpoint, items, 'copy');
  }

  async run(): Promise<(CopyItemOutcome | undefined)[]> {
    const outcomes = await this.batch.run((item, index) => {
      this.context.source.trim();
      return this.stage(index, item);
    });
    return outcomes.map((outcome, index) => (outcome?.kind === 'shown' ? this.copyOutcome(outcome, index) : outcome));
  }

  private copyOutcome({ sizeBytes, token, isRacy: isTargetRacy }: Shown, index: number): CopyItemOutcome {
    return { kind: 'copied', ...(this.copied[index] as Copied), sizeBytes, targetToken: token, isTargetRacy };
  }

  private stage(index: number, item: CopyItem): Staged | NotShown {
    const replaced = this.batch.lookAtTarget(item);
    if (replaced === 'changed') return { kind: 'target-changed' };
    const opened = openFile(this.context.source, item.sourcePath);
    if (opened.kind === 'unknown' && opened.cause !== undefined) return { kind: 'failed', error: toWireError(opened.cause, 'read', item.path) };
    if (opened.kind !== 'file') return SOURCE_CHANGED;
    try {
      if (tokenOf(opened.stats) !== item.sourceToken) return SOURCE_CHANGED;
      const { isRacy: isSourceRacy } = opened;
      const copied = this.copyContent(opened.fd, opened.stats, isSourceRacy, shapeOf(item, this.context.source, opened.stats, replaced), item.sourceHash);
      if (copied === undefined) return SOURCE_CHANGED;
      this.copied[index] = { sha256: copied.sha256, isSourceRacy };
      return copied.staged;
    } finally {
      this.context.source.disk.close(opened.fd);
    }
  }

  /** Stages the content of an open source; `undefined` when it turns out to be another version than expected. */
  private copyContent(
    from: number,
    before: FileStats,
    isSourceRacy: boolean,
    shape: Shape,
    expectedHash: Sha256 | '',
  ): { readonly staged: Staged; readonly sha256: Sha256 } | undefined {
    const { source, target, content, checkpoint } = this.context;
    const { sizeBytes } = before;
    const isExpected = (sha256: Sha256 | undefined): sha256 is Sha256 =>
      sha256 !== undefined &&
      (expectedHash === '' || sha256 === expectedHash) &&
      // A write within the tick of the one before shows in no token, only in the bytes.
      (!isSourceRacy || content.hash(from, sizeBytes, checkpoint) === sha256) &&
      isUnchanged(source.disk, from, before);

    // A small file is read as a whole before anything is written.
    const isSmall = content.fits(sizeBytes) && !this.isShared(sizeBytes);
    const loaded = isSmall ? content.load(from, sizeBytes) : undefined;
    if (isSmall && !isExpected(loaded)) return undefined;
    const file = this.batch.stager.create(shape.createMode);
    let staged: Staged | undefined;
    try {
      if (isSmall) content.store(file.fd, sizeBytes);
      const sha256 = isSmall ? loaded : this.copyLarge(from, file.fd, sizeBytes, hasHoles(before), isSourceRacy);
      if (sha256 === undefined || (!isSmall && !isExpected(sha256))) return undefined;
      staged = this.batch.stager.complete(file, shape, this.batch.flushesEach);
      return { staged, sha256 };
    } finally {
      target.disk.close(file.fd);
      if (staged === undefined) this.batch.stager.drop(file.name);
    }
  }

  /** Whether to try, before reading a file, to have the target share its blocks. */
  private isShared(sizeBytes: number): boolean {
    const { shareFromBytes, target } = this.context;
    return this.mayShare && sizeBytes > 0 && sizeBytes >= shareFromBytes && target.disk.clone !== undefined;
  }

  /**
   * Copies, and answers the hash of what was copied, `undefined` when the source is shorter.
   * Where another thread hashes the source meanwhile, both read the same version: the caller
   * checks the token after the last byte.
   */
  private copyLarge(from: number, to: number, sizeBytes: number, isSparse: boolean, isSourceRacy: boolean): Sha256 | undefined {
    const { content, checkpoint, besideHash, target } = this.context;
    const isHashedBeside = besideHash?.isUnderWay(sizeBytes) === true;
    // Shared blocks cannot differ from what they are shared with: there is nothing to read back.
    if (target.disk.clone?.(from, to) === true) {
      // Unless the source was written to since, and its token would not show it: what was cloned speaks for itself then.
      if (isSourceRacy) return content.hash(to, sizeBytes, checkpoint);
      return (isHashedBeside ? besideHash.result(checkpoint) : undefined) ?? content.hash(from, sizeBytes, checkpoint);
    }
    this.mayShare = false;
    // With its length set beforehand, what is not written stays a hole.
    if (isSparse) target.disk.ftruncate(to, sizeBytes);
    if (isHashedBeside) {
      if (!content.copy(from, to, sizeBytes, isSparse, checkpoint, undefined)) return undefined;
      // It has to be done anyway, and the other thread needs longer than the copy took.
      target.disk.fsync(to);
      return besideHash.result(checkpoint) ?? content.hash(to, sizeBytes, checkpoint);
    }
    const hasher = createHash('sha256');
    return content.copy(from, to, sizeBytes, isSparse, checkpoint, hasher) ? (hasher.digest('hex') as Sha256) : undefined;
  }
}

/** Time and permissions of a copy. */
interface Shape {
  readonly createMode: number;
  readonly mtimeMs: number;
  /** Missing where the umask has its say, as for a file that comes from elsewhere. */
  readonly mode?: number;
}

function shapeOf({ attributes }: CopyItem, { keepsPermissions }: DirectoryTree, source: FileStats, replaced: FileStats | undefined): Shape {
  if (attributes !== undefined) return { createMode: permissionsOf(attributes.isExecutable, replaced?.mode), mtimeMs: attributes.mtimeMs };
  const mode = keepsPermissions ? permissionsFor(source.mode, replaced?.mode) : permissionsOf(undefined, replaced?.mode);
  const isExact = keepsPermissions || replaced !== undefined;
  return { createMode: mode, mtimeMs: mtimeMsOf(source), ...(isExact && { mode }) };
}

/** Whether a file takes less room than it is long: a disk image, say, that copied byte by byte would fill the target. */
function hasHoles({ sizeBytes, allocatedBytes }: FileStats): boolean {
  return allocatedBytes < sizeBytes;
}

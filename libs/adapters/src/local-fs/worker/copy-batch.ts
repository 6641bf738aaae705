/**
 * Copies a batch of files from one local root to another: all are staged, made durable
 * together, then shown one by one. The same conditions hold as for a file that is read
 * through `read` and written through `openForSafeReplace`.
 */

import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';

import { nameOf, parentOf, RESERVED_NAME, type RelativePath, type Sha256, type Token } from '@wl/domain';
import type { FileAttributes } from '@wl/ports';

import type { StorageArea } from './area.js';
import { Cancelled, type Checkpoint } from './cancellation.js';
import { Committer, parentFailure, type CommitOutcome, type Replaced } from './commit.js';
import type { ContentReader } from './content.js';
import { NoDirectory, type DirectoryTree } from './directory-tree.js';
import { failure, toWireError, type WireError } from './failure.js';
import { isReserved, openFile } from './open-file.js';
import type { SharedHash } from './shared-hash.js';
import { permissionsFor, permissionsOf, Stager, type Staged } from './stager.js';
import { isRacy, isSameVersion, mtimeMsOf, tokenOf } from './token.js';

/** One file to copy. */
export interface CopyItem {
  readonly path: RelativePath;
  /** Where in the source its content is. */
  readonly sourcePath: RelativePath;
  readonly sourceToken: Token;
  /** `''` where it is not known. */
  readonly sourceHash: Sha256 | '';
  /** Size of the source, for planning only. */
  readonly sizeBytes: number;
  readonly replaces: Token | undefined;
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

/** Batches of so few files are flushed one by one: flushing a whole file system may mean waiting for the data of others. */
export const FEW_FILES = 4;

const SOURCE_CHANGED: CopyItemOutcome = { kind: 'source-changed' };

/** Both ends of a batch and what its thread has at hand. */
export interface CopyContext {
  readonly source: DirectoryTree;
  readonly target: DirectoryTree;
  readonly area: StorageArea;
  readonly content: ContentReader;
  readonly checkpoint: Checkpoint;
  /** Hash of the only file of the batch, which another thread may be computing. */
  readonly besideHash: SharedHash | undefined;
}

/** A file that waits to be shown. */
interface Ready {
  readonly index: number;
  readonly staged: Staged;
  readonly sha256: Sha256;
  readonly isSourceRacy: boolean;
}

/**
 * Copies a batch. The result has one entry an item, `undefined` for those not reached when
 * the checkpoint threw: of these nothing is left.
 */
export function copyBatch(context: CopyContext, items: readonly CopyItem[]): (CopyItemOutcome | undefined)[] {
  return new CopyBatch(context, items).run();
}

class CopyBatch {
  private readonly outcomes: (CopyItemOutcome | undefined)[];
  private readonly ready: Ready[] = [];
  private readonly stager: Stager;
  private readonly committer: Committer;
  private readonly flushesOnce: boolean;

  constructor(
    private readonly context: CopyContext,
    private readonly items: readonly CopyItem[],
  ) {
    const { target, area } = context;
    this.outcomes = items.map(() => undefined);
    this.stager = new Stager(target, area);
    this.committer = new Committer(target, area);
    this.flushesOnce = target.disk.syncfs !== undefined && items.length > FEW_FILES;
  }

  run(): (CopyItemOutcome | undefined)[] {
    const { source, target, area, checkpoint } = this.context;
    area.staging();
    try {
      for (const [index, item] of this.items.entries()) {
        checkpoint();
        this.attempt(index, item, () => this.stage(index, item));
        source.trim();
        target.trim();
      }
      checkpoint();
      if (this.flushesOnce) this.flush();
    } catch (error) {
      for (const { staged } of this.ready) this.stager.drop(staged.name);
      if (!(error instanceof Cancelled)) throw error;
      return this.outcomes;
    }
    this.show();
    return this.outcomes;
  }

  private attempt(index: number, item: CopyItem, step: () => CopyItemOutcome | undefined): void {
    try {
      this.outcomes[index] = step();
    } catch (error) {
      if (error instanceof Cancelled) throw error;
      this.outcomes[index] = { kind: 'failed', error: toWireError(error, 'copy', item.path) };
    }
  }

  private stage(index: number, item: CopyItem): CopyItemOutcome | undefined {
    const replaced = this.lookAtTarget(item);
    if (replaced === 'changed') return { kind: 'target-changed' };
    const opened = openFile(this.context.source, item.sourcePath);
    if (opened.kind === 'unknown' && opened.cause !== undefined) return { kind: 'failed', error: toWireError(opened.cause, 'read', item.path) };
    if (opened.kind !== 'file') return SOURCE_CHANGED;
    try {
      if (tokenOf(opened.stats) !== item.sourceToken) return SOURCE_CHANGED;
      const isSourceRacy = isRacy(opened.stats, opened.seenMs);
      const copied = this.copyContent(opened.fd, opened.stats, isSourceRacy, shapeOf(item, opened.stats, replaced), item.sourceHash);
      if (copied === undefined) return SOURCE_CHANGED;
      this.ready.push({ index, isSourceRacy, ...copied });
      return undefined;
    } finally {
      this.context.source.disk.close(opened.fd);
    }
  }

  /**
   * The file to be replaced, `undefined` where none is expected, or that it is not as expected.
   * Whether a new name is free shows when it is taken; here only its directory is looked for.
   */
  private lookAtTarget({ path, replaces }: CopyItem): BigIntStats | undefined | 'changed' {
    const { target } = this.context;
    if (isReserved(path)) throw failure('name-not-representable', 'copy', path, `${RESERVED_NAME} is reserved`);
    let seen: BigIntStats | undefined;
    try {
      const parent = target.open(parentOf(path));
      if (replaces === undefined) return undefined;
      seen = target.lstat(parent, nameOf(path));
    } catch (error) {
      throw error instanceof NoDirectory ? parentFailure(error, 'copy', path) : error;
    }
    return seen?.isFile() === true && tokenOf(seen) === replaces ? seen : 'changed';
  }

  /** Stages the content of an open source; `undefined` when it turns out to be another version than expected. */
  private copyContent(
    from: number,
    before: BigIntStats,
    isSourceRacy: boolean,
    shape: Shape,
    expectedHash: Sha256 | '',
  ): { readonly staged: Staged; readonly sha256: Sha256 } | undefined {
    const { source, target, content, checkpoint } = this.context;
    const sizeBytes = Number(before.size);
    const isExpected = (sha256: Sha256 | undefined): sha256 is Sha256 =>
      sha256 !== undefined &&
      (expectedHash === '' || sha256 === expectedHash) &&
      // A write within the tick of the one before shows in no token, only in the bytes.
      (!isSourceRacy || content.hash(from, sizeBytes, checkpoint) === sha256) &&
      isSameVersion(source.disk.fstat(from), before);

    // A small file is read as a whole before anything is written.
    const isSmall = content.fits(sizeBytes);
    const loaded = isSmall ? content.load(from, sizeBytes) : undefined;
    if (isSmall && !isExpected(loaded)) return undefined;
    const file = this.stager.create(shape.createMode);
    let staged: Staged | undefined;
    try {
      if (isSmall) content.store(file.fd, sizeBytes);
      const sha256 = isSmall ? loaded : this.copyLarge(from, file.fd, sizeBytes, hasHoles(before));
      if (sha256 === undefined || (!isSmall && !isExpected(sha256))) return undefined;
      staged = this.stager.complete(file, shape, !this.flushesOnce);
      return { staged, sha256 };
    } finally {
      target.disk.close(file.fd);
      if (staged === undefined) this.stager.drop(file.name);
    }
  }

  /**
   * Copies, and answers the hash of what was copied, `undefined` when the source is shorter.
   * Where another thread hashes the source meanwhile, both read the same version: the caller
   * checks the token after the last byte.
   */
  private copyLarge(from: number, to: number, sizeBytes: number, isSparse: boolean): Sha256 | undefined {
    const { content, checkpoint, besideHash, target } = this.context;
    const isHashedBeside = besideHash?.isUnderWay() === true;
    // Shared blocks cannot differ from what they are shared with: there is nothing to read back.
    if (target.disk.clone?.(from, to) === true) {
      return (isHashedBeside ? besideHash.result(checkpoint) : undefined) ?? content.hash(from, sizeBytes, checkpoint);
    }
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

  /** One flush for all. When it fails nothing of the batch can be trusted to be stored. */
  private flush(): void {
    const { disk, root } = this.context.target;
    try {
      disk.syncfs?.(root.fd);
    } catch (error) {
      for (const { index, staged } of this.ready.splice(0)) {
        this.stager.drop(staged.name);
        this.outcomes[index] = { kind: 'failed', error: toWireError(error, 'copy', this.items[index]?.path) };
      }
    }
  }

  private show(): void {
    const replaced: { readonly index: number; readonly version: Replaced }[] = [];
    for (const { index, staged, sha256, isSourceRacy } of this.ready) {
      const item = this.items[index] as CopyItem;
      this.attempt(index, item, () => {
        const committed = this.committer.commit(item.path, staged, item.replaces);
        if (committed.kind === 'stale') return targetChanged(committed);
        if (committed.replaced !== undefined) replaced.push({ index, version: committed.replaced });
        const { token, isRacy: isTargetRacy } = committed;
        return { kind: 'copied', sha256, sizeBytes: Number(staged.sizeBytes), isSourceRacy, targetToken: token, isTargetRacy };
      });
      this.context.target.trim();
    }
    for (const { index, version } of replaced) {
      const stale = this.committer.settle(version);
      if (stale?.kind === 'stale') this.outcomes[index] = targetChanged(stale);
      this.context.target.trim();
    }
  }
}

/** Time and permissions of a copy. */
interface Shape {
  readonly createMode: number;
  readonly mtimeMs: number;
  /** Missing where the umask has its say, as for a file that comes from elsewhere. */
  readonly mode?: number;
}

function shapeOf({ attributes }: CopyItem, source: BigIntStats, replaced: BigIntStats | undefined): Shape {
  if (attributes !== undefined) return { createMode: permissionsOf(attributes.isExecutable, replaced?.mode), mtimeMs: attributes.mtimeMs };
  const mode = permissionsFor(source.mode, replaced?.mode);
  return { createMode: mode, mtimeMs: mtimeMsOf(source), mode };
}

/** Whether a file takes less room than it is long: a disk image, say, that copied byte by byte would fill the target. */
function hasHoles({ size, blocks }: BigIntStats): boolean {
  return blocks * 512n < size;
}

function targetChanged({ leftover }: Extract<CommitOutcome, { kind: 'stale' }>): CopyItemOutcome {
  return leftover === undefined ? { kind: 'target-changed' } : { kind: 'target-changed', leftover };
}

/**
 * A batch of files on their way into a root: all are staged, made durable together, then
 * shown one by one. Shared by those that copy from another root and those that are given
 * the bytes. INV-16: one that fails stops no other.
 */

import { nameOf, parentOf, RESERVED_NAME, type RelativePath, type Token } from '@wl/domain';

import type { Directory } from './anchor.js';
import type { StorageArea } from './area.js';
import { Cancelled, type Checkpoint } from './cancellation.js';
import { Committer, parentFailure, type CommitOutcome, type Replaced } from './commit.js';
import { NoDirectory, type DirectoryTree } from './directory-tree.js';
import { failure, toWireError, type WireError } from './failure.js';
import type { FileStats } from './file-stats.js';
import { isInUse, isReserved } from './open-file.js';
import { Stager, type Staged } from './stager.js';
import { tokenOf } from './token.js';

/** Where a file is to go, and what it is to replace. */
export interface BatchItem {
  readonly path: RelativePath;
  readonly replaces: Token | undefined;
}

/** A file that is visible now. */
export interface Shown {
  readonly kind: 'shown';
  readonly sizeBytes: number;
  readonly token: Token;
  readonly isRacy: boolean;
}

/** Why one is not. */
export type NotShown =
  | { readonly kind: 'source-changed' }
  | { readonly kind: 'target-changed'; readonly leftover?: string }
  | { readonly kind: 'failed'; readonly error: WireError };

/** What became of an item. */
export type BatchOutcome = Shown | NotShown;

/** Batches of so few files are flushed one by one: flushing a whole file system may mean waiting for the data of others. */
export const FEW_FILES = 4;

/** Stages one item and answers the staged file, or why it is not to be shown. */
export type StageItem<I> = (item: I, index: number) => Staged | NotShown;

/** One batch. */
export class StagedBatch<I extends BatchItem> {
  readonly stager: Stager;
  /** Whether each file has to be made durable when it is staged; otherwise one flush serves all. */
  readonly flushesEach: boolean;
  private readonly committer: Committer;
  private readonly outcomes: (BatchOutcome | undefined)[];
  private readonly ready: { readonly index: number; readonly staged: Staged }[] = [];

  constructor(
    private readonly target: DirectoryTree,
    private readonly area: StorageArea,
    private readonly checkpoint: Checkpoint,
    private readonly items: readonly I[],
    private readonly operation: 'copy' | 'replace',
  ) {
    this.outcomes = items.map(() => undefined);
    this.stager = new Stager(target, area);
    this.committer = new Committer(target, area);
    this.flushesEach = target.disk.syncfs === undefined || items.length <= FEW_FILES;
  }

  /**
   * Works through the batch; while it is flushed the thread may work on another one. The result has one entry an item, `undefined` for those not
   * reached when the checkpoint threw: of these nothing is left.
   */
  async run(stage: StageItem<I>): Promise<(BatchOutcome | undefined)[]> {
    this.area.staging();
    try {
      for (const [index, item] of this.items.entries()) {
        this.checkpoint();
        this.attempt(index, item, () => {
          const staged = stage(item, index);
          if ('kind' in staged) return staged;
          this.ready.push({ index, staged });
          return undefined;
        });
        this.target.trim();
      }
      this.checkpoint();
      if (!this.flushesEach) await this.flush();
    } catch (error) {
      for (const { staged } of this.ready) this.stager.drop(staged.name);
      if (!(error instanceof Cancelled)) throw error;
      return this.outcomes;
    }
    this.show();
    return this.outcomes;
  }

  /**
   * The file to be replaced, `undefined` where none is expected, or that it is not as expected.
   * Whether a new name is free shows when it is taken; here only its directory is looked for.
   */
  lookAtTarget({ path, replaces }: I): FileStats | undefined | 'changed' {
    if (isReserved(path)) throw failure('name-not-representable', this.operation, path, `${RESERVED_NAME} is reserved`);
    let seen: FileStats | undefined;
    let parent: Directory;
    try {
      parent = this.target.open(parentOf(path));
      if (replaces === undefined) return undefined;
      seen = this.target.lstatFile(parent, nameOf(path));
    } catch (error) {
      throw error instanceof NoDirectory ? parentFailure(error, this.operation, path) : error;
    }
    // What somebody still has open will not be replaced: nothing is copied in vain.
    return seen !== undefined && tokenOf(seen) === replaces && !isInUse(this.target, parent, nameOf(path)) ? seen : 'changed';
  }

  private attempt(index: number, item: I, step: () => BatchOutcome | undefined): void {
    try {
      this.outcomes[index] = step();
    } catch (error) {
      if (error instanceof Cancelled) throw error;
      this.outcomes[index] = { kind: 'failed', error: toWireError(error, this.operation, item.path) };
    }
  }

  /** One flush for all. When it fails nothing of the batch can be trusted to be stored. */
  private async flush(): Promise<void> {
    const { disk, root } = this.target;
    try {
      await disk.syncfs?.(root.fd);
    } catch (error) {
      for (const { index, staged } of this.ready.splice(0)) {
        this.stager.drop(staged.name);
        this.outcomes[index] = { kind: 'failed', error: toWireError(error, this.operation, this.items[index]?.path) };
      }
    }
  }

  private show(): void {
    const replaced: { readonly index: number; readonly version: Replaced }[] = [];
    for (const { index, staged } of this.ready) {
      const item = this.items[index] as I;
      this.attempt(index, item, () => {
        const committed = this.committer.commit(item.path, staged, item.replaces);
        if (committed.kind === 'stale') return targetChanged(committed);
        if (committed.replaced !== undefined) replaced.push({ index, version: committed.replaced });
        const { token, isRacy } = committed;
        return { kind: 'shown', sizeBytes: staged.stats.sizeBytes, token, isRacy };
      });
      this.target.trim();
    }
    for (const { index, version } of replaced) {
      const stale = this.committer.settle(version);
      if (stale?.kind === 'stale') this.outcomes[index] = targetChanged(stale);
      this.target.trim();
    }
  }
}

function targetChanged({ leftover }: Extract<CommitOutcome, { kind: 'stale' }>): NotShown {
  return leftover === undefined ? { kind: 'target-changed' } : { kind: 'target-changed', leftover };
}

/**
 * Everything a thread can be asked to do, as functions of plain data: they run in a worker
 * thread or, where there is none, on the calling one. A task opens the root afresh and lets go
 * of everything before it ends, so that a disk can be unmounted between two. Those that flush a
 * whole file system let the thread begin another task meanwhile; all others are synchronous.
 */

import type { Node, RelativePath, Result, Sha256, Token } from '@wl/domain';
import type { FileAttributes, HashOutcome } from '@wl/ports';

import { createAnchor, type Anchor, type AnchorKind } from './anchor.js';
import { explainArea, StorageArea, type AreaSpec } from './area.js';
import { checkpointOf, type CancelFlag } from './cancellation.js';
import { Committer, type Replaced } from './commit.js';
import { ContentReader } from './content.js';
import { copyBatch, SHARE_FROM_BYTES } from './copy-batch.js';
import { packOutcomes, unpackCopies, type PackedCopies, type PackedOutcomes } from './copy-message.js';
import { flushDirectories, flushFileSystem, makeDirectory, Models, removeDirectory } from './directories.js';
import { DirectoryTree, type RootSpec } from './directory-tree.js';
import type { Disk } from './disk.js';
import { fromWireError, toWireError, type WireError } from './failure.js';
import { statsOf } from './file-stats.js';
import { hashFile } from './hash-files.js';
import { removeStaging } from './housekeeping.js';
import { dropInbox, makeInbox, takeFromInbox, type TakenItem } from './inbox.js';
import type { PackedRows } from './listing-rows.js';
import { observe, observeToken } from './observe.js';
import { executability, openFile } from './open-file.js';
import { setExecutable, type ProgramAnswer, type ProgramStep } from './programs.js';
import type { PurgeLimits } from './purge-trash.js';
import { identify, openRoot, tidyTrash, type KnownRoot, type OpenedRoot } from './root.js';
import { Scan, type ScanRequest } from './scan.js';
import { SharedHash, type SharedHashBuffer } from './shared-hash.js';
import { FEW_FILES, type BatchOutcome } from './staged-batch.js';
import { Stager, type OpenStaged } from './stager.js';
import { mtimeMsOf, tokenOf } from './token.js';
import type { Moment } from './trash-age.js';
import { readWhole, type WholeReadBatch, type WholeReadItem } from './whole-read.js';
import { writeWhole, type WholeWriteItem } from './whole-write.js';
import { commitFiles, stageFile, type CommitItem, type CommitItemOutcome } from './write-file.js';

/** A value, or the failure in its place. */
export type Settled<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: WireError };

/** Looking at one path. */
export type LookStep = { readonly kind: 'stat'; readonly path: RelativePath } | { readonly kind: 'token'; readonly path: RelativePath };

/** Changing one path. */
export type ChangeStep =
  | { readonly kind: 'remove'; readonly path: RelativePath; readonly expected: Token }
  /** `like`: a root with a directory at that path, whose permissions a new one gets. */
  | { readonly kind: 'make-directory'; readonly path: RelativePath; readonly like: RootSpec | undefined }
  | { readonly kind: 'remove-directory'; readonly path: RelativePath };

/** What a `ChangeStep` answers: that of the port's method. */
export type ChangeAnswer = Result<void, { readonly kind: 'stale-token'; readonly leftover?: string } | string>;

/** A file opened for reading; its descriptor serves the whole process. */
export interface OpenedReader {
  readonly fd: number;
  readonly token: Token;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  /** `undefined` where all files are alike. */
  readonly isExecutable: boolean | undefined;
  readonly isRacy: boolean;
}

/** A root, its area, and what is known of both. */
export interface Writable {
  readonly root: RootSpec;
  readonly area: AreaSpec;
}

/** A batch to be copied from another root. */
export interface CopyTask extends Writable {
  readonly from: RootSpec;
  readonly items: PackedCopies;
  readonly flag: CancelFlag;
  /** See `CopyContext`; default: where it saves time as well as room. */
  readonly shareFromBytes?: number;
  /** Where `hashBeside` leaves the hash of the only item, if it was asked to. */
  readonly beside?: SharedHashBuffer;
}

/** What a thread works with. */
export interface TaskOptions {
  readonly disk: Disk;
  /** How names are resolved; the best way by default. */
  readonly anchor?: AnchorKind;
}

/** The tasks of one thread. All throw `BackendError`. */
export type Tasks = ReturnType<typeof createTasks>;

/** Makes the tasks of one thread. */
export function createTasks({ disk, anchor: kind }: TaskOptions) {
  const anchor: Anchor = createAnchor(disk, kind);
  const content = new ContentReader(disk);
  const scans = new Map<number, Scan>();
  let lastScan = 0;

  const withTree = <T>(root: RootSpec, operation: string, step: (tree: DirectoryTree) => T): T => {
    let tree: DirectoryTree | undefined;
    try {
      tree = new DirectoryTree(disk, anchor, root);
      return step(tree);
    } catch (error) {
      throw translate(error, operation);
    } finally {
      tree?.close();
    }
  };
  const withArea = <T>({ root, area }: Writable, operation: string, step: (tree: DirectoryTree, area: StorageArea) => T): T =>
    withTree(root, operation, (tree) => step(tree, new StorageArea(tree, area)));

  const withTreeLater = async <T>(root: RootSpec, operation: string, step: (tree: DirectoryTree) => Promise<T>): Promise<T> => {
    let tree: DirectoryTree | undefined;
    try {
      tree = new DirectoryTree(disk, anchor, root);
      return await step(tree);
    } catch (error) {
      throw translate(error, operation);
    } finally {
      tree?.close();
    }
  };
  const withAreaLater = <T>({ root, area }: Writable, operation: string, step: (tree: DirectoryTree, area: StorageArea) => Promise<T>): Promise<T> =>
    withTreeLater(root, operation, (tree) => step(tree, new StorageArea(tree, area)));

  return {
    open: (request: { root: RootSpec; area: AreaSpec | undefined; nowMs: number }): OpenedRoot =>
      withTree(request.root, 'open the storage', (tree) =>
        openRoot(tree, request.area && new StorageArea(tree, request.area), request.nowMs),
      ),

    identify: (request: { root: RootSpec; area: AreaSpec | undefined; mark: boolean }): KnownRoot =>
      withTree(request.root, 'look at the root', (tree) => identify(tree, request.area && new StorageArea(tree, request.area), request.mark)),

    tidyTrash: (request: Writable & { now: Moment; limits: PurgeLimits }): boolean =>
      withArea(request, 'clear the trash', (tree, area) => tidyTrash(tree, area, request.now, request.limits)),

    close: (request: Writable): void => withTree(request.root, 'close the storage', (tree) => removeStaging(tree, request.area.instance)),

    scanOpen: ({ root, scan, flag }: { root: RootSpec; scan: ScanRequest; flag: CancelFlag }): number => {
      let tree: DirectoryTree | undefined;
      try {
        tree = new DirectoryTree(disk, anchor, root);
        lastScan += 1;
        scans.set(lastScan, new Scan(tree, scan, checkpointOf(flag)));
        return lastScan;
      } catch (error) {
        tree?.close();
        throw translate(error, 'list');
      }
    },

    scanNext: ({ id }: { id: number }): PackedRows | undefined => {
      try {
        return scans.get(id)?.next();
      } catch (error) {
        throw translate(error, 'list');
      } finally {
        anchor.release();
      }
    },

    scanClose: ({ id }: { id: number }): void => {
      scans.get(id)?.close();
      scans.delete(id);
    },

    look: ({ root, steps }: { root: RootSpec; steps: readonly LookStep[] }): Settled<Node | Token | undefined>[] =>
      withTree(root, 'look at the storage', (tree) =>
        steps.map(({ kind, path }) =>
          settle('look at', path, tree, () => (kind === 'stat' ? observe(tree, path) : observeToken(tree, path))),
        ),
      ),

    change: ({ steps, ...writable }: Writable & { steps: readonly ChangeStep[] }): Settled<ChangeAnswer>[] =>
      withArea(writable, 'change the storage', (tree, area) => {
        const committer = new Committer(tree, area);
        const models = new Models(disk, anchor);
        const removed: { readonly index: number; readonly version: Replaced }[] = [];
        const answers = steps.map((step, index) =>
          settle(CHANGING[step.kind], step.path, tree, (): ChangeAnswer => {
            switch (step.kind) {
              case 'make-directory':
                return makeDirectory(tree, step.path, step.like && models.permissionsAt(step.like, step.path));
              case 'remove-directory':
                return removeDirectory(tree, step.path);
              case 'remove': {
                const outcome = committer.remove(step.path, step.expected);
                if (outcome.kind === 'stale') return staleAnswer(outcome.leftover);
                if (outcome.replaced !== undefined) removed.push({ index, version: outcome.replaced });
                return { ok: true, value: undefined };
              }
            }
          }),
        );
        models.close();
        for (const { index, version } of removed) {
          const outcome = committer.settle(version);
          if (outcome?.kind === 'stale') answers[index] = { ok: true, value: staleAnswer(outcome.leftover) };
          tree.trim();
        }
        return answers;
      }),

    setExecutable: ({ root, steps }: { root: RootSpec; steps: readonly ProgramStep[] }): Promise<Settled<ProgramAnswer>[]> =>
      withTreeLater(root, 'change the storage', async (tree) => {
        const flushesEach = steps.length <= FEW_FILES || disk.syncfs === undefined;
        const answers = steps.map((step) => settle('set permissions', step.path, tree, () => setExecutable(tree, step, flushesEach)));
        if (!flushesEach) await flushFileSystem(tree);
        return answers;
      }),

    hash: ({ root, paths, flag }: { root: RootSpec; paths: readonly RelativePath[]; flag: CancelFlag }): HashOutcome[] =>
      withTree(root, 'hash', (tree) => {
        const checkpoint = checkpointOf(flag);
        return paths.map((path) => {
          tree.trim();
          return hashFile(tree, content, path, checkpoint);
        });
      }),

    openReader: ({ root, path, expected }: { root: RootSpec; path: RelativePath; expected: Token }): OpenedReader | undefined =>
      withTree(root, 'read', (tree) => {
        const opened = openFile(tree, path);
        if (opened.kind === 'unknown' && opened.cause !== undefined) throw fromWireError(toWireError(opened.cause, 'read', path));
        if (opened.kind !== 'file') return undefined;
        const { fd, stats, isRacy } = opened;
        const token = tokenOf(stats);
        if (token !== expected) {
          disk.close(fd);
          return undefined;
        }
        return { fd, token, sizeBytes: stats.sizeBytes, mtimeMs: mtimeMsOf(stats), isExecutable: executability(tree, stats.mode), isRacy };
      }),

    tokenOfOpen: ({ fd }: { fd: number }): Token => {
      try {
        return tokenOf(statsOf(disk.fstat(fd)));
      } catch (error) {
        throw translate(error, 'read');
      }
    },

    hashOpen: ({ fd, sizeBytes, flag }: { fd: number; sizeBytes: number; flag: CancelFlag }): Sha256 | undefined => {
      try {
        return content.hash(fd, sizeBytes, checkpointOf(flag));
      } catch (error) {
        throw translate(error, 'read');
      }
    },

    stage: ({ path, isReplacing, attributes, ...writable }: Writable & { path: RelativePath; isReplacing: boolean; attributes: FileAttributes }): OpenStaged =>
      withArea(writable, 'replace', (tree, area) => {
        try {
          return stageFile(tree, area, path, isReplacing, attributes);
        } catch (error) {
          throw fromWireError(toWireError(error, 'replace', path));
        }
      }),

    drop: ({ file, ...writable }: Writable & { file: OpenStaged }): void => {
      disk.close(file.fd);
      withArea(writable, 'clean up', (tree, area) => new Stager(tree, area).drop(file.name));
    },

    commit: async ({ items, flag, ...writable }: Writable & { items: readonly CommitItem[]; flag: CancelFlag }): Promise<CommitItemOutcome[]> => {
      let isUnderWay = false;
      try {
        return await withAreaLater(writable, 'replace', (tree, area) => {
          isUnderWay = true;
          return commitFiles(tree, area, content, items, checkpointOf(flag));
        });
      } finally {
        if (!isUnderWay) for (const { file } of items) disk.close(file.fd);
      }
    },

    copy: ({ from, items, flag, beside, shareFromBytes = SHARE_FROM_BYTES, ...writable }: CopyTask): Promise<PackedOutcomes> =>
      withTreeLater(from, 'read the source', (source) =>
        withAreaLater(writable, 'copy', async (target, area) => {
          const besideHash = beside && new SharedHash(beside);
          const context = { source, target, area, content, checkpoint: checkpointOf(flag), besideHash, shareFromBytes };
          return packOutcomes(await copyBatch(context, unpackCopies(items)));
        }),
      ),

    /** The bytes are handed over, not copied. */
    readWhole: ({ root, items, flag }: { root: RootSpec; items: readonly WholeReadItem[]; flag: CancelFlag }): WholeReadBatch =>
      withTree(root, 'read', (tree) => readWhole(tree, content, items, checkpointOf(flag))),

    writeWhole: ({ items, bytes, flag, ...writable }: Writable & { items: readonly WholeWriteItem[]; bytes: ArrayBuffer; flag: CancelFlag }): Promise<(BatchOutcome | undefined)[]> =>
      withAreaLater(writable, 'replace', (target, area) => writeWhole({ target, area, content, checkpoint: checkpointOf(flag) }, items, bytes)),

    makeInbox: ({ root, inbox }: { root: RootSpec; inbox: string }): void =>
      withTree(root, 'replace', (tree) => {
        try {
          makeInbox(tree, inbox);
        } catch (error) {
          throw explainArea(error);
        }
      }),

    takeFromInbox: ({ inbox, items, flag, ...writable }: Writable & { inbox: string; items: readonly TakenItem[]; flag: CancelFlag }): Promise<(BatchOutcome | undefined)[]> =>
      withAreaLater(writable, 'replace', (target, area) => takeFromInbox({ target, area, content, checkpoint: checkpointOf(flag), inbox }, items)),

    dropInbox: ({ root, inbox }: { root: RootSpec; inbox: string }): void => withTree(root, 'clean up', (tree) => dropInbox(tree, inbox)),

    /** Hashes a file that another thread is copying. */
    hashBeside: ({ root, path, token, beside, flag }: { root: RootSpec; path: RelativePath; token: Token; beside: SharedHashBuffer; flag: CancelFlag }): void => {
      const shared = new SharedHash(beside);
      if (!shared.begin()) return;
      let hash: Sha256 | undefined;
      try {
        const checkpoint = checkpointOf(flag);
        const outcome = withTree(root, 'hash', (tree) =>
          hashFile(tree, content, path, () => {
            checkpoint();
            shared.step();
          }),
        );
        if (outcome.kind === 'hashed' && outcome.node.token === token) hash = outcome.node.hash;
      } finally {
        shared.end(hash);
      }
    },

    flush: ({ root, directories }: { root: RootSpec; directories: readonly RelativePath[] }): Promise<void> =>
      withTreeLater(root, 'flush', async (tree) => {
        if (directories.length > FEW_FILES && (await flushFileSystem(tree))) return;
        flushDirectories(tree, directories);
      }),
  };
}

const CHANGING = { remove: 'remove', 'make-directory': 'make directory', 'remove-directory': 'remove directory' } as const;

function settle<T>(operation: string, path: RelativePath, tree: DirectoryTree, step: () => T): Settled<T> {
  try {
    return { ok: true, value: step() };
  } catch (error) {
    return { ok: false, error: toWireError(error, operation, path) };
  } finally {
    tree.trim();
  }
}

function staleAnswer(leftover: string | undefined): ChangeAnswer {
  return { ok: false, error: leftover === undefined ? { kind: 'stale-token' } : { kind: 'stale-token', leftover } };
}

function translate(error: unknown, operation: string): Error {
  return fromWireError(toWireError(error, operation));
}

/**
 * The far end of a `FileWriter`: making its staged file, and committing several at once so
 * that they share one flush.
 */

import { nameOf, parentOf, type RelativePath, type Sha256, type Token } from '@wl/domain';
import type { FileAttributes } from '@wl/ports';

import type { StorageArea } from './area.js';
import type { Checkpoint } from './cancellation.js';
import { Committer, parentFailure, type CommitOutcome } from './commit.js';
import type { ContentReader } from './content.js';
import { NoDirectory, type DirectoryTree } from './directory-tree.js';
import { failure, toWireError, type WireError } from './failure.js';
import { FEW_FILES } from './staged-batch.js';
import { permissionsOf, Stager, type OpenStaged, type Staged } from './stager.js';

/** A staged file to be committed. */
export interface CommitItem {
  readonly path: RelativePath;
  readonly file: OpenStaged;
  readonly expected: Token | undefined;
  readonly attributes: FileAttributes;
  readonly sha256: Sha256;
  readonly sizeBytes: number;
}

/** What became of it. */
export type CommitItemOutcome = CommitOutcome | { readonly kind: 'failed'; readonly error: WireError };

/** Makes the staged file of a writer; it stays open, the writer writes to it. */
export function stageFile(tree: DirectoryTree, area: StorageArea, path: RelativePath, isReplacing: boolean, attributes: FileAttributes): OpenStaged {
  try {
    const parent = tree.open(parentOf(path));
    const replaced = isReplacing ? tree.lstatFile(parent, nameOf(path))?.mode : undefined;
    const mode = permissionsOf(attributes.isExecutable, replaced);
    const stager = new Stager(tree, area);
    const file = stager.create(mode);
    if (replaced !== undefined) stager.givePermissions(file, mode);
    return file;
  } catch (error) {
    throw error instanceof NoDirectory ? parentFailure(error, 'replace', path) : error;
  }
}

/** Verifies, flushes and shows staged files; closes them all. One outcome an item. */
export async function commitFiles(
  tree: DirectoryTree,
  area: StorageArea,
  content: ContentReader,
  items: readonly CommitItem[],
  checkpoint: Checkpoint,
): Promise<CommitItemOutcome[]> {
  const stager = new Stager(tree, area);
  const committer = new Committer(tree, area);
  const flushesOnce = tree.disk.syncfs !== undefined && items.length > FEW_FILES;

  const verified = items.map((item) => settle(item, () => verify(stager, tree, content, item, !flushesOnce, checkpoint)));
  const flushed = flushesOnce ? await attempt(() => tree.disk.syncfs?.(tree.root.fd)) : undefined;
  const outcomes = items.map((item, index): CommitItemOutcome => {
    const staged = verified[index] as Staged | Failed;
    const wrong = 'kind' in staged ? staged : flushed && { kind: 'failed' as const, error: toWireError(flushed.error, 'replace', item.path) };
    if (wrong !== undefined) {
      stager.drop(item.file.name);
      return wrong;
    }
    return settle(item, () => committer.commit(item.path, staged as Staged, item.expected));
  });
  return outcomes.map((outcome) => {
    if (outcome.kind !== 'committed' || outcome.replaced === undefined) return outcome;
    const { replaced, ...committed } = outcome;
    return committer.settle(replaced) ?? committed;
  });
}

type Failed = { readonly kind: 'failed'; readonly error: WireError };

/** INV-27: the stored bytes are read back and must be the declared ones. */
function verify(stager: Stager, tree: DirectoryTree, content: ContentReader, item: CommitItem, isDurable: boolean, checkpoint: Checkpoint): Staged {
  const { disk } = tree;
  const { file, path, sha256, sizeBytes, attributes } = item;
  const { content: announced } = attributes;
  try {
    if (announced !== undefined && (announced.sha256 !== sha256 || announced.sizeBytes !== sizeBytes)) {
      throw failure('damaged', 'replace', path, 'the declared bytes are not those that were announced');
    }
    const stored = Number(disk.fstat(file.fd).size);
    if (stored !== sizeBytes) throw failure('damaged', 'replace', path, `${String(stored)} bytes were stored where ${String(sizeBytes)} were declared`);
    if (content.hash(file.fd, sizeBytes, checkpoint) !== sha256) throw failure('damaged', 'replace', path, 'the stored bytes are not the declared ones');
    return stager.complete(file, attributes, isDurable);
  } finally {
    disk.close(file.fd);
  }
}

function settle<T>(item: CommitItem, step: () => T): T | Failed {
  try {
    return step();
  } catch (error) {
    return { kind: 'failed', error: toWireError(error, 'replace', item.path) };
  }
}

async function attempt(step: () => Promise<void> | undefined): Promise<{ readonly error: unknown } | undefined> {
  try {
    await step();
    return undefined;
  } catch (error) {
    return { error };
  }
}

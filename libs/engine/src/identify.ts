/**
 * Finds out which contents the files of a chunk hold, as far as deciding needs it: by the
 * token that the baseline recorded, by the hash cache, else by reading (INV-24). And says of
 * which versions one should not be sure yet.
 */

import { ABSENT, hashesNeeded, pathOfKey, type BaselineNode, type FileNode, type Node, type RelativePath, type SideName } from '@wl/domain';
import { baselineNodeOf, type BaselineRow } from '@wl/ports';

import { hashFiles } from './hashing.js';
import type { JoinedRow } from './join.js';
import { storageAt, type PassContext } from './pass-context.js';
import { settleAll } from './run-all.js';

/** A joined row with what the baseline says; the nodes gain hashes on the way. */
export interface IdentifiedRow {
  readonly key: JoinedRow['key'];
  readonly baseline: BaselineNode;
  source: Node;
  target: Node;
}

/**
 * Milliseconds for which a fresh version is not relied upon: one that was emptied is about to be
 * written (T39, INV-28), one of a racy token may change once more without showing it (T30).
 */
const SETTLE_MS = 2000;

/** Identifies the rows of one pass. */
export class Identifier {
  readonly #context: PassContext;
  readonly #isKnownConflict: (path: RelativePath) => boolean;

  /** `isKnownConflict`: whether a conflict of this path is on record; its versions are compared with those shown. */
  constructor(context: PassContext, isKnownConflict: (path: RelativePath) => boolean) {
    this.#context = context;
    this.#isKnownConflict = isKnownConflict;
  }

  /** Gives the files of a chunk the hashes that `reconcile` needs: by token where possible, else by reading. */
  async identify(chunk: readonly JoinedRow[]): Promise<IdentifiedRow[]> {
    const rows = chunk.map(({ key, source, target, isKnown }): IdentifiedRow => {
      const row = isKnown ? this.#context.pair.get(key) : undefined;
      return {
        key,
        baseline: baselineNodeOf(row),
        source: hashByToken(source, row, 'source'),
        target: hashByToken(target, row, 'target'),
      };
    });
    // A file that turns out to be another one than was listed can make a hash of the other side needed.
    for (let isMissing = true; isMissing; ) {
      const [source, target] = [this.#unhashed(rows, 'source'), this.#unhashed(rows, 'target')];
      await settleAll([this.#hash(source, 'source'), this.#hash(target, 'target')]);
      isMissing = source.length + target.length > 0;
    }
    for (const row of rows) {
      row.source = this.#settled(row.source, row.baseline);
      row.target = this.#settled(row.target, row.baseline);
    }
    return rows;
  }

  /** A file that was just emptied is most likely being saved: not yet a version to bring over. */
  #settled(node: Node, baseline: BaselineNode): Node {
    if (node.kind !== 'file' || node.sizeBytes > 0 || baseline.kind !== 'file' || baseline.sizeBytes === 0) return node;
    return this.#isFresh(node) ? { kind: 'unknown', reason: 'changing' } : node;
  }

  /** Whether a file was written a moment ago. A time in the future says nothing (INV-22). */
  #isFresh(node: FileNode): boolean {
    const ageMs = this.#context.clock.nowMs() - node.mtimeMs;
    return ageMs >= 0 && ageMs < SETTLE_MS;
  }

  /** Whether a version may be another by the time it is replaced or removed, although its token is the same (T30). */
  maySlip(node: FileNode | undefined): boolean {
    return node !== undefined && node.isRacy && this.#isFresh(node) && !this.#context.isDryRun;
  }

  /** The rows whose file on a side must be hashed and is not yet. */
  #unhashed(rows: readonly IdentifiedRow[], side: SideName): IdentifiedRow[] {
    return rows.filter((row) => {
      const node = row[side];
      if (node.kind !== 'file' || node.hash !== undefined) return false;
      return hashesNeeded(row.baseline, row.source, row.target)[side] || this.#isKnownConflict(pathOfKey(row.key));
    });
  }

  async #hash(rows: readonly IdentifiedRow[], side: SideName): Promise<void> {
    const storage = storageAt(this.#context, side);
    const unread: { row: IdentifiedRow; path: RelativePath }[] = [];
    for (const row of rows) {
      const path = pathOfKey(row.key);
      const node = row[side] as FileNode;
      const cached = node.isRacy ? undefined : this.#context.cache.get(storage.backendId, path, node.token);
      if (cached === undefined) unread.push({ row, path });
      else row[side] = { ...node, hash: cached };
    }
    const outcomes = await hashFiles(storage, unread.map(({ path }) => path), this.#context.signal);
    const learnt = [];
    for (const [i, { row, path }] of unread.entries()) {
      const outcome = outcomes[i]!;
      switch (outcome.kind) {
        case 'hashed':
          row[side] = outcome.node;
          if (!outcome.node.isRacy) learnt.push({ path, token: outcome.node.token, hash: outcome.node.hash });
          break;
        case 'absent':
          row[side] = ABSENT;
          break;
        case 'changing':
          row[side] = { kind: 'unknown', reason: 'changing' };
          break;
        case 'unknown':
          row[side] = { kind: 'unknown', reason: outcome.reason };
      }
    }
    if (!this.#context.isDryRun && learnt.length > 0) this.#context.cache.putMany(storage.backendId, learnt);
  }
}

/** A token that the baseline recorded for a side says which content it is, without reading. */
function hashByToken(node: Node, row: BaselineRow | undefined, side: SideName): Node {
  if (node.kind !== 'file' || row?.kind !== 'file' || node.hash !== undefined) return node;
  const token = side === 'source' ? row.sourceToken : row.targetToken;
  return node.token === token ? { ...node, hash: row.hash } : node;
}

/**
 * What comes anew to each side in a pass, by content. A deletion whose content arrived under
 * another name was half of a move: it is no loss and counts for no safety rule (INV-39). A
 * deletion whose content was to arrive and did not is kept back (T52): it would make room
 * for nothing but its own absence.
 */

import { fileKey, otherSide, type PlanItem, type RelativePath, type Sha256, type SideName } from '@wl/domain';

import { hashFiles } from './hashing.js';
import { storageAt, type PassContext } from './pass-context.js';

type FileDeletion = Extract<PlanItem, { kind: 'delete-file' }>;

/** A file that did not come, or in a dry run only would: its content is found out when it matters. */
interface Missing {
  readonly sizeBytes: number;
  readonly hash: Sha256 | undefined;
}

/** How the deletions of one side are to be taken. */
export interface SortedDeletions {
  readonly moved: ReadonlySet<FileDeletion>;
  readonly keptBack: ReadonlySet<FileDeletion>;
}

/** Files that did not come are remembered up to this number; with more, every deletion is kept back. */
const MISSING_LIMIT = 10_000;

/** Collects arrivals until deletions are judged. */
export class Arrivals {
  readonly #context: PassContext;
  /** Number of files that arrived, by the first 48 bits of their hash: a million of them should not weigh much (INV-40). */
  readonly #arrived: Record<SideName, Map<number, number>> = { source: new Map(), target: new Map() };
  readonly #missing: Record<SideName, Map<RelativePath, Missing>> = { source: new Map(), target: new Map() };
  /** Whether more did not come than are remembered. Whatever of it comes later, this stays: nobody knows the others. */
  readonly #hasForgotten: Record<SideName, boolean> = { source: false, target: false };

  readonly #isNeeded: boolean;

  constructor(context: PassContext) {
    this.#context = context;
    // Without a baseline nothing is ever deleted: a first sync keeps no account (INV-12, INV-40).
    this.#isNeeded = context.pair.totals().files > 0;
  }

  /** A file that was not there before is there now. */
  arrived(on: SideName, path: RelativePath, hash: Sha256): void {
    if (!this.#isNeeded) return;
    this.#missing[on].delete(path);
    add(this.#arrived[on], hash);
  }

  /** A file that should be there now is not. */
  missed(on: SideName, path: RelativePath, file: Missing): void {
    if (!this.#isNeeded) return;
    if (this.#missing[on].size < MISSING_LIMIT) this.#missing[on].set(path, file);
    else this.#hasForgotten[on] = true;
  }

  /** Whether any file did not come. */
  get hasMissing(): boolean {
    return this.#missing.source.size > 0 || this.#missing.target.size > 0;
  }

  /** Tells moves from deletions, and takes what arrived out of the account. The rows of all copies must have been written where files are missing. */
  async sort(on: SideName, deletions: readonly FileDeletion[]): Promise<SortedDeletions> {
    this.#findLateArrivals(on);
    const arrived = this.#arrived[on];
    const missing = this.#missing[on];
    const moved = new Set<FileDeletion>();
    const keptBack = new Set<FileDeletion>();
    if (arrived.size === 0 && missing.size === 0 && !this.#hasForgotten[on]) return { moved, keptBack };
    const missed = this.#context.isDryRun ? arrived : new Map<number, number>();
    await this.#identify(on, missing, deletions, missed);
    for (const deletion of deletions) {
      const row = this.#context.pair.get(fileKey(deletion.path));
      if (row?.kind !== 'file') continue;
      if (take(arrived, row.hash)) moved.add(deletion);
      else if (this.#hasForgotten[on] || take(missed, row.hash)) keptBack.add(deletion);
    }
    return { moved, keptBack };
  }

  /** What did not come at first may have come at a later look. */
  #findLateArrivals(on: SideName): void {
    for (const path of this.#missing[on].keys()) {
      const row = this.#context.pair.get(fileKey(path));
      if (row?.kind === 'file') this.arrived(on, path, row.hash);
    }
  }

  /** Finds out the content of files that did not come, as far as a deleted one may have been the same. */
  async #identify(on: SideName, missing: ReadonlyMap<RelativePath, Missing>, deletions: readonly FileDeletion[], into: Map<number, number>): Promise<void> {
    const sizes = new Set(deletions.map(({ node }) => node.sizeBytes));
    const unread: RelativePath[] = [];
    for (const [path, { sizeBytes, hash }] of missing) {
      if (!sizes.has(sizeBytes)) continue;
      if (hash === undefined) unread.push(path);
      else add(into, hash);
    }
    const storage = storageAt(this.#context, otherSide(on));
    for (const outcome of await hashFiles(storage, unread, this.#context.signal)) {
      if (outcome.kind === 'hashed') add(into, outcome.node.hash);
    }
  }
}

function add(counts: Map<number, number>, hash: Sha256): void {
  const key = keyOf(hash);
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function take(counts: Map<number, number>, hash: Sha256): boolean {
  const key = keyOf(hash);
  const left = counts.get(key) ?? 0;
  if (left === 0) return false;
  counts.set(key, left - 1);
  return true;
}

function keyOf(hash: Sha256): number {
  return Number.parseInt(hash.slice(0, 12), 16);
}

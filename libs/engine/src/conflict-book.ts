/**
 * The conflicts of a pass against those on record (INV-36): new ones are told and stored,
 * ones that ended disappear, the others stay as they are.
 */

import {
  ancestorsOf,
  isWithin,
  versionOf,
  type ConflictCause,
  type KnownConflict,
  type Node,
  type PlanItem,
  type RelativePath,
  type SideName,
  type Version,
} from '@wl/domain';
import type { ConflictRecord, PathFilter } from '@wl/ports';

import { hashFiles } from './hashing.js';
import { storageAt, type PassContext, type PassLog } from './pass-context.js';

/** A conflict as the planner found it. */
export type FoundConflict = Extract<PlanItem, { kind: 'conflict' }>;

/** Keeps the book of one pass. Conflicts on record are held in memory: they are few, or everything is in conflict anyway. */
export class ConflictBook {
  readonly #context: PassContext;
  readonly #log: PassLog;
  readonly #assertRoots: () => Promise<void>;
  readonly #known: ReadonlyMap<RelativePath, ConflictRecord>;
  readonly #confirmed = new Set<RelativePath>();
  readonly #collided = new Set<RelativePath>();
  readonly #hidden = new Set<RelativePath>();

  /**
   * `assertRoots` rejects when a root is not any more what it was when the pass began: then no conflict
   * begins or ends. What is out of sight with its disk has not changed (INV-10).
   */
  constructor(context: PassContext, log: PassLog, assertRoots: () => Promise<void>) {
    this.#context = context;
    this.#log = log;
    this.#assertRoots = assertRoots;
    this.#known = new Map(context.pair.conflicts().map((record) => [record.path, record]));
  }

  /** The record of a path, as `reconcile` takes it. */
  known(path: RelativePath): KnownConflict | undefined {
    return this.#known.get(path);
  }

  /** The places above a path that are in conflict, or were when the pass began. */
  disputedAbove(path: RelativePath): RelativePath[] {
    if (this.#known.size === 0 && this.#confirmed.size === 0) return [];
    return ancestorsOf(path).filter((above) => this.#known.has(above) || this.#confirmed.has(above));
  }

  /** Number of conflicts found by this pass. */
  get count(): number {
    return this.#confirmed.size;
  }

  /** These points are looked at again: what was in the way of deciding there is so no longer, unless it is met again. */
  lookAgain(points: readonly RelativePath[]): void {
    for (const path of this.#hidden) if (points.some((point) => isWithin(path, point))) this.#hidden.delete(path);
  }

  /** Below this place nothing was decided: what is on record there stays. */
  hide(path: RelativePath): void {
    if (this.#known.size > 0) this.#hidden.add(path);
  }

  /** Whether a path, or a directory above it, cannot stand beside another of the same folded name. */
  isCollided(path: RelativePath): boolean {
    return this.#collided.size > 0 && isAtOrBelow(path, this.#collided);
  }

  /** Records conflicts, completing the hashes of the versions shown. */
  async add(found: readonly FoundConflict[]): Promise<void> {
    if (found.length === 0) return;
    const sources = await this.#versions('source', found);
    const targets = await this.#versions('target', found);
    const records: ConflictRecord[] = [];
    found.forEach(({ path, cause }, i) => {
      // Below a conflict nothing is decided, whatever its kind.
      this.hide(path);
      if (this.#confirmed.has(path)) return;
      this.#confirmed.add(path);
      if (cause === 'name-collision') this.#collided.add(path);
      const record = this.#record(path, cause, sources[i]!, targets[i]!);
      if (record !== undefined) records.push(record);
    });
    if (records.length === 0) return;
    await this.#assertRoots();
    if (!this.#context.isDryRun) this.#context.pair.putConflicts(records);
    for (const record of records) if (!this.#known.has(record.path)) this.#context.events.conflict(record);
  }

  /** Ends conflicts that this pass looked at and did not find again. */
  async settle(isInScope: (path: RelativePath) => boolean): Promise<void> {
    if (this.#context.isDryRun || this.#known.size === 0) return;
    const ended = [...this.#known.keys()].filter(
      (path) =>
        isInScope(path) &&
        !this.#confirmed.has(path) &&
        // What the rules leave out is nobody's conflict, whatever came of the directory that holds it.
        (this.#isLeftOut(path) || (!this.#log.isUnfinished(path) && !isAtOrBelow(path, this.#hidden))),
    );
    if (ended.length === 0) return;
    await this.#assertRoots();
    this.#context.pair.deleteConflicts(ended);
    for (const path of ended) this.#context.events.conflictResolved(path);
  }

  #isLeftOut(path: RelativePath): boolean {
    const record = this.#known.get(path);
    return record !== undefined && isLeftOut(record, this.#context.filter);
  }

  /** The record to store, or `undefined` when the one on record says the same. */
  #record(path: RelativePath, reason: ConflictCause, source: Version, target: Version): ConflictRecord | undefined {
    const known = this.#known.get(path);
    if (known !== undefined && known.reason === reason && same(known.source, source) && same(known.target, target)) {
      return undefined;
    }
    return { path, reason, source, target, sinceMs: known?.sinceMs ?? this.#context.clock.nowMs() };
  }

  async #versions(side: SideName, found: readonly FoundConflict[]): Promise<Version[]> {
    const unhashed = found.filter((conflict) => needsHash(conflict[side]));
    const outcomes = await hashFiles(storageAt(this.#context, side), unhashed.map(({ path }) => path), this.#context.signal);
    const hashed = new Map<RelativePath, Node>();
    unhashed.forEach(({ path }, i) => {
      const outcome = outcomes[i];
      if (outcome?.kind === 'hashed') hashed.set(path, outcome.node);
    });
    return found.map((conflict) => versionOf(hashed.get(conflict.path) ?? conflict[side]) ?? { kind: 'absent' });
  }
}

/** Whether the rules leave out what a conflict is about: then it is nobody's any more (INV-14). */
export function isLeftOut({ path, source, target }: ConflictRecord, filter: PathFilter | undefined): boolean {
  if (filter === undefined) return false;
  const isDirectory = source.kind === 'directory' || target.kind === 'directory';
  return ancestorsOf(path).some((above) => filter.ignores(above, true)) || filter.ignores(path, isDirectory);
}

/** Whether a path is one of these places, or below one. */
export function isAtOrBelow(path: RelativePath, places: ReadonlySet<RelativePath>): boolean {
  return places.has(path) || ancestorsOf(path).some((above) => places.has(above));
}

function needsHash(node: Node): boolean {
  return node.kind === 'file' && node.hash === undefined;
}

function same(a: Version, b: Version): boolean {
  if (a.kind !== b.kind) return false;
  return a.kind !== 'file' || b.kind !== 'file' || (a.sha256 === b.sha256 && a.sizeBytes === b.sizeBytes);
}

/**
 * The durable state and the hash cache of one base directory, in memory: for tests and the
 * simulator, which crash and reopen it (`reopened`) and make it fail (`onOperation`).
 */

import { invariant, NO_TOKEN, type RelativePath, type Sha256, type Token } from '@wl/domain';
import { orient, type HashCache, type HashCacheEntry, type PairIdentity, type PairState, type SavedJob, type SyncState } from '@wl/ports';

import { MemoryPair } from './memory-pair.js';
import { PairData } from './pair-data.js';

/** Names of all methods that can be made to fail. */
export type StateOperation = keyof SyncState | keyof PairState | `cache.${keyof HashCache}`;

/** How a `MemoryState` behaves. */
export interface MemoryStateOptions {
  /**
   * Called before each method does anything, and by `scan` before each batch. What it throws
   * (usually a `StateError`) the method throws, having changed nothing; those of the hash cache
   * swallow it, as their port says.
   */
  readonly onOperation?: (operation: StateOperation) => void;
}

/** All that outlives a `MemoryState`. */
interface Stored {
  readonly pairs: Map<string, PairData>;
  readonly jobs: Map<string, SavedJob>;
  readonly hashes: Map<string, Map<RelativePath, HashCacheEntry>>;
}

/** An in-memory `SyncState` and `HashCache`. */
export class MemoryState implements SyncState, HashCache {
  readonly #options: MemoryStateOptions;
  #stored: Stored = { pairs: new Map(), jobs: new Map(), hashes: new Map() };
  #isOpen = true;

  constructor(options: MemoryStateOptions = {}) {
    this.#options = options;
  }

  /** What a process finds that opens the state after this one was closed or killed; this one is closed by it. */
  reopened(options: MemoryStateOptions = this.#options): MemoryState {
    const next = new MemoryState(options);
    next.#stored = this.#stored;
    this.#isOpen = false;
    return next;
  }

  openPair(identity: PairIdentity): PairState {
    this.#before('openPair');
    const { isFlipped } = orient(identity);
    return new MemoryPair(this.#dataOf(identity), isFlipped, (operation) => {
      this.#before(operation);
    });
  }

  /** What damage to all that is stored of a pair leaves: nothing but that it was synced before. */
  losePair(identity: PairIdentity): void {
    const data = this.#dataOf(identity);
    data.reset();
    data.areRootsLost = true;
  }

  jobs(): readonly SavedJob[] {
    this.#before('jobs');
    return [...this.#stored.jobs.values()];
  }

  saveJob(job: SavedJob): void {
    this.#before('saveJob');
    this.#stored.jobs.set(job.jobId, { ...job });
  }

  deleteJob(jobId: string): void {
    this.#before('deleteJob');
    this.#stored.jobs.delete(jobId);
  }

  close(): void {
    this.#isOpen = false;
  }

  get(backendId: string, path: RelativePath, token: Token): Sha256 | undefined {
    if (!this.#mayUseCache('cache.get') || token === NO_TOKEN) return undefined;
    const entry = this.#stored.hashes.get(backendId)?.get(path);
    return entry?.token === token ? entry.hash : undefined;
  }

  putMany(backendId: string, entries: readonly HashCacheEntry[]): void {
    if (!this.#mayUseCache('cache.putMany')) return;
    const hashes = this.#stored.hashes.get(backendId) ?? new Map<RelativePath, HashCacheEntry>();
    this.#stored.hashes.set(backendId, hashes);
    for (const entry of entries) hashes.set(entry.path, { ...entry });
  }

  drop(backendId: string): void {
    if (this.#mayUseCache('cache.drop')) this.#stored.hashes.delete(backendId);
  }

  #dataOf(identity: PairIdentity): PairData {
    const { scope, first, second } = orient(identity);
    const id = JSON.stringify([scope, first, second]);
    let data = this.#stored.pairs.get(id);
    if (data === undefined) this.#stored.pairs.set(id, (data = new PairData()));
    return data;
  }

  #before(operation: StateOperation): void {
    invariant(this.#isOpen, `${operation}: this state is closed`);
    this.#options.onOperation?.(operation);
  }

  #mayUseCache(operation: StateOperation): boolean {
    try {
      this.#before(operation);
      return true;
    } catch {
      return false;
    }
  }
}

/**
 * The naive watcher, for any storage: lists everything at an interval and tells what is
 * not as it was. INV-8, INV-30: a listing that failed or could not look everywhere tells
 * of no removals there; what it missed, passes find.
 */

import { ROOT } from '@wl/domain';
import { isBackendError, type Clock, type Hint, type PathFilter, type StorageBackend, type Watcher, type WatcherListener } from '@wl/ports';

import { ListingComparison, type UnseenDirectory } from './listing-comparison.js';
import { PackedListing } from './packed-listing.js';

/** What an interval watcher works with. */
export interface IntervalWatcherOptions {
  /** Open already. */
  readonly backend: StorageBackend;
  readonly clock: Clock;
  /** Rest between the end of one listing and the start of the next, in milliseconds; more than 0. */
  readonly intervalMs: number;
  /** What it leaves out is neither remembered nor told. */
  readonly filter?: PathFilter | undefined;
}

/** Watches a storage by listing it again and again. */
export class IntervalWatcher implements Watcher {
  readonly description: string;
  readonly #options: IntervalWatcherOptions;
  readonly #stopping = new AbortController();
  #listener: WatcherListener | undefined;
  #remembered = new PackedListing();
  #running: Promise<void> | undefined;
  /** Whether the user was told that something cannot be seen. */
  #isDegraded = false;

  constructor(options: IntervalWatcherOptions) {
    this.#options = options;
    this.description = `every ${String(options.intervalMs / 1000)} s`;
  }

  /** Lists once, to have something to compare with; rejects as `list` does when that fails (T07). */
  async start(listener: WatcherListener): Promise<void> {
    if (this.#listener !== undefined) throw new Error('an IntervalWatcher is used for one start only');
    this.#listener = listener;
    const first = await this.#list();
    this.#remembered = first.next;
    this.#report(first.unseen);
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, intervalMs } = this.#options;
    const { signal } = this.#stopping;
    for (await clock.sleep(intervalMs, signal); !signal.aborted; await clock.sleep(intervalMs, signal)) {
      try {
        const { next, gone, unseen } = await this.#list((hints) => this.#tell(hints));
        this.#remembered = next;
        this.#tell(gone);
        this.#report(unseen);
      } catch (error) {
        // The old listing stays: the next one that ends well is compared with it.
        this.#degrade(`unable to list ${this.#options.backend.displayLocation}, changes there are not noticed: ${messageOf(error)}`);
      }
    }
  }

  /** Lists everything and compares; what is certain before the end is told on the way. */
  async #list(onFound?: (hints: readonly Hint[]) => void) {
    const { backend, filter } = this.#options;
    const { signal } = this.#stopping;
    const comparison = new ListingComparison(this.#remembered, filter);
    for await (const batch of backend.list(ROOT, { signal, ...(filter === undefined ? {} : { prune: filter }) })) {
      comparison.add(batch);
      const found = comparison.takeFound();
      onFound?.(found);
    }
    return { next: comparison.next, ...comparison.finish() };
  }

  #tell(hints: readonly Hint[]): void {
    if (hints.length > 0 && !this.#stopping.signal.aborted) this.#listener?.hints(hints);
  }

  /** Says once that directories cannot be looked into, and again only after all went well. */
  #report(unseen: readonly UnseenDirectory[]): void {
    const [first] = unseen;
    if (first === undefined) {
      this.#isDegraded = false;
      return;
    }
    const others = unseen.length === 1 ? '' : ` and ${String(unseen.length - 1)} more`;
    this.#degrade(`unable to look into ${JSON.stringify(first.key)}${others} (${first.reason}): changes there are not noticed`);
  }

  #degrade(message: string): void {
    if (this.#isDegraded || this.#stopping.signal.aborted) return;
    this.#isDegraded = true;
    this.#listener?.degraded(message);
  }
}

function messageOf(error: unknown): string {
  if (isBackendError(error)) return error.message;
  // A broken invariant of ours is no reason to go blind, but the user should see that it is one.
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

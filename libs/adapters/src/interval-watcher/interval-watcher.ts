/**
 * The naive watcher, for any storage: lists everything at an interval and tells what is
 * not as it was. INV-8, INV-30: a listing that failed or could not look everywhere tells
 * of no removals there; what it missed, passes find.
 */

import { ROOT } from '@wl/domain';
import { isBackendError, type Clock, type Hint, type PathFilter, type StorageBackend, type Watcher, type WatcherListener } from '@wl/ports';

import { ListingComparison, type UnseenDirectory } from './listing-comparison.js';
import { PackedListing } from './packed-listing.js';

/** How the rests between two looks vary; without any of it they do not. */
export interface IntervalPace {
  /**
   * Numbers from 0 to below 1, evenly spread. With it the looks of many watchers at one place do
   * not fall together: each rest is up to a tenth shorter or longer, the first is any part of one.
   */
  readonly random?: () => number;
  /**
   * While nothing changes, rests grow: after `QUIET_LOOKS` looks each is half as long again as the
   * one before, up to `SLOWEST` intervals. Any difference ends that. Default: they do not.
   */
  readonly slowsDown?: boolean;
}

/** What an interval watcher works with. */
export interface IntervalWatcherOptions extends IntervalPace {
  /** Open already. */
  readonly backend: StorageBackend;
  readonly clock: Clock;
  /** Rest between the end of one listing and the start of the next, in milliseconds; more than 0. */
  readonly intervalMs: number;
  /** What it leaves out is neither remembered nor told. */
  readonly filter?: PathFilter | undefined;
}

/** Looks without a difference after which rests begin to grow. */
export const QUIET_LOOKS = 10;
/** Longest rest, in intervals. */
export const SLOWEST = 4;
const GROWTH = 1.5;
const JITTER = 0.1;

/** Watches a storage by listing it again and again. */
export class IntervalWatcher implements Watcher {
  readonly #options: IntervalWatcherOptions;
  readonly #stopping = new AbortController();
  #listener: WatcherListener | undefined;
  #remembered = new PackedListing();
  #running: Promise<void> | undefined;
  /** Whether the user was told that something cannot be seen. */
  #isDegraded = false;
  /** Looks in a row that ended well and found no difference. */
  #quietLooks = 0;

  constructor(options: IntervalWatcherOptions) {
    this.#options = options;
  }

  /** `every 30 s`, `every 68 s while nothing changes`. */
  get description(): string {
    const { intervalMs } = this.#options;
    const paceMs = this.#paceMs();
    return paceMs === intervalMs ? `every ${String(intervalMs / 1000)} s` : `every ${String(Math.round(paceMs / 1000))} s while nothing changes`;
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
    const { clock } = this.#options;
    const { signal } = this.#stopping;
    for (await clock.sleep(this.#firstRestMs(), signal); !signal.aborted; await clock.sleep(this.#restMs(), signal)) {
      try {
        const { next, gone, unseen } = await this.#list((hints) => this.#tell(hints));
        this.#remembered = next;
        this.#quietLooks += 1;
        this.#tell(gone);
        this.#report(unseen);
      } catch (error) {
        // The old listing stays: the next one that ends well is compared with it.
        this.#degrade(`unable to list ${this.#options.backend.displayLocation}, changes there are not noticed: ${messageOf(error)}`);
      }
    }
  }

  #firstRestMs(): number {
    const { intervalMs, random } = this.#options;
    return random === undefined ? intervalMs : intervalMs * random();
  }

  #restMs(): number {
    const { random } = this.#options;
    return random === undefined ? this.#paceMs() : this.#paceMs() * (1 + JITTER * (2 * random() - 1));
  }

  /** The interval as it is now, before chance. A look that failed says nothing about how quiet it is: the pace stays. */
  #paceMs(): number {
    const { intervalMs, slowsDown = false } = this.#options;
    const grown = slowsDown ? GROWTH ** Math.max(0, this.#quietLooks - QUIET_LOOKS) : 1;
    return intervalMs * Math.min(SLOWEST, grown);
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
    if (hints.length === 0 || this.#stopping.signal.aborted) return;
    this.#quietLooks = 0;
    this.#listener?.hints(hints);
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

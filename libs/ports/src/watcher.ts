/**
 * The port of a watcher: tells that something may have changed. Events are hints
 * (INV-30): one may be missing, repeated, late or wrong, at the price of time only,
 * because the engine looks for itself and makes a full pass at long intervals anyway.
 */

import type { RelativePath } from '@wl/domain';

/** Where to look again. */
export type Hint =
  /** At one path; if a directory is found there, at all of it. */
  | { readonly scope: 'entry'; readonly path: RelativePath }
  /** At everything below `path`; the root means everything. Overflow and lost watches end here. */
  | { readonly scope: 'subtree'; readonly path: RelativePath };

/** What a watcher calls back. Neither function throws. */
export interface WatcherListener {
  hints(hints: readonly Hint[]): void;
  /**
   * The watcher lost (part of) its ability and says so in one sentence for the user, e.g.
   * because inotify watches ran out. It keeps running as well as it can; what it no longer
   * sees, passes will find.
   */
  degraded(message: string): void;
}

/** Observes one storage. Used for one start/stop cycle. */
export interface Watcher {
  /** One line for status: `inotify`, `every 30 s`. */
  readonly description: string;
  /** Resolves when changes from now on are noticed. Rejects when watching is impossible (T07). */
  start(listener: WatcherListener): Promise<void>;
  /** After it resolves, no callback is made any more. Idempotent. */
  stop(): Promise<void>;
}

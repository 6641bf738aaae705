/**
 * A watcher for when the system has no more watches to give (T07, T62): it starts all the same,
 * says what it cannot do, and tells nothing. A job whose watcher does not see everything looks at
 * everything at intervals by itself, so changes arrive later, and the job does not stand still.
 *
 * Only limits are passed over. A place that is not there, or that may not be read, is no place to
 * conclude anything from.
 */

import { isBackendError, type Watcher, type WatcherListener } from '@wl/ports';

/** What a full table of watches or descriptors is told as (`chokidar-watcher/watch-error.ts`). */
const LIMITS: ReadonlySet<string> = new Set(['unsupported', 'too-many-open-files']);

/** Wraps a watcher. */
export class OrByLooking implements Watcher {
  #isBlind = false;

  constructor(private readonly watcher: Watcher) {}

  get description(): string {
    return this.#isBlind ? 'by full passes' : this.watcher.description;
  }

  async start(listener: WatcherListener): Promise<void> {
    try {
      await this.watcher.start(listener);
    } catch (error) {
      if (!isBackendError(error) || !LIMITS.has(error.code)) throw error;
      this.#isBlind = true;
      listener.degraded(error.message);
    }
  }

  stop(): Promise<void> {
    return this.watcher.stop();
  }
}

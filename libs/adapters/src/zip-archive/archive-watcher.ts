/**
 * Watches an archive by what it is as a file: only where size, time or the file itself is another
 * one is there anything to look for. INV-30: a hint at everything, and nothing else.
 */

import { ROOT } from '@wl/domain';
import type { Clock, Watcher, WatcherListener } from '@wl/ports';

import type { Archive } from './archive.js';

/** The pace of the original. */
const INTERVAL_MS = 1000;
const CONCERN = { operation: 'watch' };

/** Looks at an archive once a second. */
export class ArchiveWatcher implements Watcher {
  readonly description = 'size and time, every 1 s';
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(
    private readonly archive: Archive,
    private readonly clock: Clock,
  ) {}

  async start(listener: WatcherListener): Promise<void> {
    const stamp = await this.archive.stamp(CONCERN);
    this.#running = this.#run(listener, stamp);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(listener: WatcherListener, first: string): Promise<void> {
    const { signal } = this.#stopping;
    let [known, isDegraded] = [first, false];
    for (await this.clock.sleep(INTERVAL_MS, signal); !signal.aborted; await this.clock.sleep(INTERVAL_MS, signal)) {
      const now = await this.archive.stamp(CONCERN).catch((error: unknown) => error as Error);
      if (signal.aborted) return;
      if (typeof now !== 'string') {
        if (!isDegraded) listener.degraded(`changes of the archive are not noticed: ${now.message}`);
        isDegraded = true;
        continue;
      }
      isDegraded = false;
      if (now !== known) listener.hints([{ scope: 'subtree', path: ROOT }]);
      known = now;
    }
  }
}

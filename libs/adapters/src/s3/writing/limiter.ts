/**
 * Bounds how many requests are under way at once (INV-40). First come, first served; a fixed
 * number: what an endpoint bears is found out by its throttling, which the wire obeys (T53).
 */

import { BackendError } from '@wl/ports';

/** Requests under way at once, unless told otherwise. */
export const DEFAULT_CONCURRENCY = 32;

/** Runs tasks, at most so many at once. */
export class Limiter {
  #running = 0;
  readonly #waiting = new Set<() => void>();

  constructor(private readonly atOnce: number = DEFAULT_CONCURRENCY) {}

  /** Runs `task` when its turn comes; rejects with `cancelled`, without having started it, when stopped before. */
  async run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#enter(signal);
    try {
      return await task();
    } finally {
      this.#leave();
    }
  }

  #enter(signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(stopped());
    if (this.#running < this.atOnce) {
      this.#running += 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const start = (): void => {
        signal?.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = (): void => {
        this.#waiting.delete(start);
        reject(stopped());
      };
      this.#waiting.add(start);
      signal?.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** Hands the place to the one who waits longest; the number of those running stays. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#running -= 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}

function stopped(): BackendError {
  return new BackendError('cancelled', { operation: 'write', retryable: false }, { explanation: 'stopped on request' });
}

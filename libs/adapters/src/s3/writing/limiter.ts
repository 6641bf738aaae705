/**
 * Bounds how many requests are under way at once (INV-40). First come, first served; a fixed
 * number: what an endpoint bears is found out by its throttling, which the wire obeys (T53).
 */

import { BackendError } from '@wl/ports';

/** Requests under way at once, unless told otherwise. */
export const DEFAULT_CONCURRENCY = 64;

interface Waiter {
  readonly start: () => void;
  readonly giveUp: () => void;
  readonly signal: AbortSignal | undefined;
}

/** Runs tasks, at most so many at once. */
export class Limiter {
  #running = 0;
  readonly #waiting = new Set<Waiter>();
  /** One listener for all who wait under the same signal: there may be thousands. */
  readonly #listening = new Map<AbortSignal, { count: number; readonly stop: () => void }>();

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
      this.#waiting.add({ start: resolve, giveUp: () => reject(stopped()), signal });
      if (signal !== undefined) this.#listen(signal);
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
    if (next.signal !== undefined) this.#unlisten(next.signal);
    next.start();
  }

  #listen(signal: AbortSignal): void {
    const known = this.#listening.get(signal);
    if (known !== undefined) {
      known.count += 1;
      return;
    }
    const stop = (): void => this.#giveUp(signal);
    this.#listening.set(signal, { count: 1, stop });
    signal.addEventListener('abort', stop, { once: true });
  }

  #unlisten(signal: AbortSignal): void {
    const known = this.#listening.get(signal);
    if (known === undefined || (known.count -= 1) > 0) return;
    this.#listening.delete(signal);
    signal.removeEventListener('abort', known.stop);
  }

  #giveUp(signal: AbortSignal): void {
    this.#listening.delete(signal);
    for (const waiter of this.#waiting) {
      if (waiter.signal !== signal) continue;
      this.#waiting.delete(waiter);
      waiter.giveUp();
    }
  }
}

function stopped(): BackendError {
  return new BackendError('cancelled', { operation: 'write', retryable: false }, { explanation: 'stopped on request' });
}

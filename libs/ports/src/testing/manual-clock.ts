/**
 * A clock that stands still until a test moves it. Sleepers wake in the order of their
 * time, ties in the order they went to sleep, so a run is the same every time.
 */

import type { Clock } from '../clock.js';

interface Sleeper {
  readonly dueMs: number;
  readonly order: number;
  readonly wake: () => void;
}

/** `Clock` driven by hand. */
export class ManualClock implements Clock {
  #wallMs: number;
  #monotonicMs = 0;
  #order = 0;
  readonly #sleepers = new Set<Sleeper>();

  /** `startMs`: wall time at the beginning, milliseconds since the epoch. */
  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#wallMs = startMs;
  }

  nowMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      this.#order += 1;
      const sleeper: Sleeper = { dueMs: this.#monotonicMs + Math.max(0, ms), order: this.#order, wake };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', wake);
    });
  }

  /** How many are asleep. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  /**
   * Lets `ms` pass. Whoever wakes runs until it waits again before the next one wakes, so
   * a loop that sleeps again within the span is woken again within it.
   */
  async advance(ms: number): Promise<void> {
    await settle();
    const endMs = this.#monotonicMs + ms;
    for (let next = this.#next(); next !== undefined && next.dueMs <= endMs; next = this.#next()) {
      this.#moveTo(next.dueMs);
      next.wake();
      await settle();
    }
    this.#moveTo(endMs);
  }

  /**
   * Lets time pass from sleeper to sleeper until `promise` is settled, and returns its value.
   * Throws when nobody sleeps any more or `limitMs` have passed: then it would never end.
   */
  async runUntil<T>(promise: Promise<T>, limitMs = 24 * 3_600_000): Promise<T> {
    let isSettled = false;
    const settled = (): void => void (isSettled = true);
    promise.then(settled, settled);
    const endMs = this.#monotonicMs + limitMs;
    let idleTurns = 0;
    for (await settle(); !isSettled; await settle()) {
      const next = this.#next();
      if (next === undefined) {
        // Real I/O may be under way between two sleeps; give it some turns of the event loop.
        if ((idleTurns += 1) > 10_000) throw new Error('nobody sleeps on the clock, and what was waited for has not come');
        continue;
      }
      idleTurns = 0;
      if (next.dueMs > endMs) throw new Error(`what was waited for has not come within ${String(limitMs)} ms`);
      this.#moveTo(next.dueMs);
      next.wake();
    }
    return promise;
  }

  /** Sets the wall clock forward or back, as an administrator or NTP would; sleepers do not notice. */
  stepWall(ms: number): void {
    this.#wallMs += ms;
  }

  #next(): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      const isEarlier =
        first === undefined || sleeper.dueMs < first.dueMs || (sleeper.dueMs === first.dueMs && sleeper.order < first.order);
      if (isEarlier) first = sleeper;
    }
    return first;
  }

  #moveTo(monotonicMs: number): void {
    this.#wallMs += monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
  }
}

/** Lets everything that can run without time passing run: one turn of the event loop empties the microtask queue. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

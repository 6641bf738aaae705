/** Timers that fire when a test says so. */

import type { Schedule } from '../schedule.js';

/** A `Schedule` whose time stands still until `pass`. */
export class ManualSchedule {
  readonly #timers = new Set<{ dueMs: number; callback: () => void }>();
  #nowMs = 0;

  readonly schedule: Schedule = (delayMs, callback) => {
    const timer = { dueMs: this.#nowMs + delayMs, callback };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  };

  /** Timers set and neither fired nor cancelled. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets `ms` milliseconds pass at once. */
  pass(ms: number): void {
    this.#nowMs += ms;
    for (const timer of [...this.#timers]) {
      if (timer.dueMs <= this.#nowMs && this.#timers.delete(timer)) timer.callback();
    }
  }
}

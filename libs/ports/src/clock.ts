/**
 * The port of time. No correctness decision rests on it (INV-22); it paces watchers,
 * quiet times and retries, and dates what people read.
 */

/** A source of time that tests can drive by hand. */
export interface Clock {
  /** Wall time, milliseconds since the epoch. */
  nowMs(): number;
  /** Time that never goes back, milliseconds from an arbitrary start. */
  monotonicMs(): number;
  /** Resolves after `ms`, or at once when the signal aborts (it does not reject). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/**
 * Real time. Two clocks that differ in one thing: whether somebody asleep keeps the process
 * alive. A daemon's loops must not, a command that waits for something must.
 */

import type { Clock } from '@wl/ports';

/** Longest time a timer can hold, in milliseconds. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** For services: its timers do not keep the process alive. */
export const systemClock: Clock = clock({ keepsAlive: false });

/** For commands: its timers keep the process alive until they are over. */
export const commandClock: Clock = clock({ keepsAlive: true });

function clock({ keepsAlive }: { readonly keepsAlive: boolean }): Clock {
  return {
    nowMs: () => Date.now(),
    // Not `performance`, for which Node.js loads a module that a command needs for nothing else.
    monotonicMs: () => {
      const [seconds, nanoseconds] = process.hrtime();
      return seconds * 1000 + nanoseconds / 1e6;
    },
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) {
          resolve();
          return;
        }
        const done = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', done);
          resolve();
        };
        // Longer waits end early; who sleeps looks at the time again.
        const timer = setTimeout(done, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS));
        if (!keepsAlive) timer.unref();
        signal?.addEventListener('abort', done, { once: true });
      }),
  };
}

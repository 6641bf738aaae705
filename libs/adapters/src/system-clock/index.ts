/** The machine's own clock, as the port `Clock`. */

import type { Clock } from '@wl/ports';

/** Real time. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
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
      // Longer waits than a timer can hold end early; who sleeps looks at the time again.
      const timer = setTimeout(done, Math.min(Math.max(ms, 0), 2 ** 31 - 1));
      timer.unref();
      signal?.addEventListener('abort', done, { once: true });
    }),
};

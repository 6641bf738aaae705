/**
 * The one timer function of the control socket, passed in as a value so that
 * tests can let time pass by hand.
 */

/** Calls `callback` once after `delayMs` milliseconds; the returned function takes that back. */
export type Schedule = (delayMs: number, callback: () => void) => () => void;

/** `Schedule` on the real clock. Its timers do not keep the process alive: the sockets they guard do. */
export const realSchedule: Schedule = (delayMs, callback) => {
  const timer = setTimeout(callback, delayMs);
  timer.unref();
  return () => {
    clearTimeout(timer);
  };
};

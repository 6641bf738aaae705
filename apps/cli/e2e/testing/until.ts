/** Waiting for something to become true: by looking again and again, never by sleeping for a guessed time. */

import { setTimeout as sleep } from 'node:timers/promises';

/** Longer than the longest pause that a job makes between two tries, on a machine that is busy. */
const DEADLINE_MS = 90_000;
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 50;

/**
 * Resolves with the first value of `look` that is neither false nor undefined. Rejects after the
 * deadline, saying what was waited for; errors of `look` count as "not yet" and are shown then.
 */
export async function until<T>(look: () => T | Promise<T>, what: string | (() => string | Promise<string>), deadlineMs = DEADLINE_MS): Promise<Exclude<T, false | undefined>> {
  const end = performance.now() + deadlineMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 1.5)) {
    let failure = '';
    try {
      const value = await look();
      if (value !== false && value !== undefined) return value as Exclude<T, false | undefined>;
    } catch (error) {
      failure = ` (${error instanceof Error ? error.message : String(error)})`;
    }
    if (performance.now() > end) {
      throw new Error(`waited ${deadlineMs / 1000} s in vain for ${typeof what === 'string' ? what : await what()}${failure}`);
    }
    await sleep(pauseMs);
  }
}

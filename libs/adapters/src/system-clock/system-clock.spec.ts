import { describe, expect, it } from '@jest/globals';

import { commandClock, systemClock } from './system-clock.js';

describe.each([
  ['systemClock', systemClock],
  ['commandClock', commandClock],
])('%s', (_name, clock) => {
  it('wakes a sleeper after its time', async () => {
    const start = clock.monotonicMs();
    await clock.sleep(5);
    expect(clock.monotonicMs() - start).toBeGreaterThanOrEqual(4);
  });

  it('wakes a sleeper at once when it is told to stop', async () => {
    const abort = new AbortController();
    const asleep = clock.sleep(60_000, abort.signal);
    abort.abort();
    await asleep;
    await clock.sleep(60_000, abort.signal);
    expect(abort.signal.aborted).toBe(true);
  });

  it('takes waits of no time and of longer than a timer can hold', async () => {
    await clock.sleep(-5);
    const abort = new AbortController();
    const asleep = clock.sleep(Infinity, abort.signal);
    abort.abort();
    await asleep;
    expect(Math.abs(clock.nowMs() - Date.now())).toBeLessThan(1000);
  });
});

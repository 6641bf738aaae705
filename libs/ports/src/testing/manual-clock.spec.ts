import { describe, expect, it } from '@jest/globals';

import { ManualClock } from './manual-clock.js';

describe('ManualClock', () => {
  it('wakes sleepers in the order of their time, ties in the order they went to sleep', async () => {
    const clock = new ManualClock();
    const woken: string[] = [];
    const sleepThen = (ms: number, name: string): void => void clock.sleep(ms).then(() => woken.push(name));
    sleepThen(30, 'late');
    sleepThen(10, 'first');
    sleepThen(10, 'second');
    await clock.advance(20);
    expect(woken).toEqual(['first', 'second']);
    expect(clock.sleeping).toBe(1);
    await clock.advance(10);
    expect(woken).toEqual(['first', 'second', 'late']);
  });

  it('wakes a loop as often as it sleeps within the span', async () => {
    const clock = new ManualClock(0);
    const seen: number[] = [];
    const loop = async (): Promise<void> => {
      for (let turn = 0; turn < 5; turn += 1) {
        await clock.sleep(10);
        seen.push(clock.nowMs());
      }
    };
    const done = loop();
    await clock.advance(35);
    expect(seen).toEqual([10, 20, 30]);
    expect(clock.nowMs()).toBe(35);
    await clock.runUntil(done);
    expect(seen).toEqual([10, 20, 30, 40, 50]);
  });

  it('ends a sleep when the signal aborts, at once when it already has', async () => {
    const clock = new ManualClock();
    const abort = new AbortController();
    const sleep = clock.sleep(1_000, abort.signal);
    abort.abort();
    await sleep;
    await clock.sleep(1_000, abort.signal);
    expect(clock.sleeping).toBe(0);
    expect(clock.monotonicMs()).toBe(0);
  });

  it('leaves monotonic time alone when the wall clock is set back', async () => {
    const clock = new ManualClock(1_000_000);
    clock.stepWall(-500_000);
    await clock.advance(7);
    expect(clock.nowMs()).toBe(500_007);
    expect(clock.monotonicMs()).toBe(7);
  });

  it('says so instead of waiting for ever when nobody sleeps', async () => {
    await expect(new ManualClock().runUntil(new Promise(() => undefined))).rejects.toThrow('nobody sleeps');
  });
});

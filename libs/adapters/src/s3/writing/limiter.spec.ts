/** How many tasks run at once, and in which order. */

import { describe, expect, it } from '@jest/globals';

import { Limiter } from './limiter.js';

/** A task that runs until it is told to end. */
function gate(): { readonly task: () => Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { task: () => opened, open: () => open() };
}

describe('a limiter', () => {
  it('INV-40: runs so many at once, the others in the order they came', async () => {
    const limiter = new Limiter(2);
    const started: number[] = [];
    const gates = [gate(), gate(), gate(), gate()];
    const runs = gates.map(({ task }, index) => limiter.run(() => {
      started.push(index);
      return task();
    }));
    await Promise.resolve();
    expect(started).toEqual([0, 1]);
    gates[1]!.open();
    await runs[1];
    expect(started).toEqual([0, 1, 2]);
    for (const { open } of gates) open();
    await Promise.all(runs);
    expect(started).toEqual([0, 1, 2, 3]);
  });

  it('gives the place on when a task fails', async () => {
    const limiter = new Limiter(1);
    const failing = limiter.run(() => Promise.reject(new Error('failed')));
    const next = limiter.run(() => Promise.resolve('next'));
    await expect(failing).rejects.toThrow('failed');
    expect(await next).toBe('next');
    expect(await limiter.run(() => Promise.resolve('last'))).toBe('last');
  });

  it('lets go of those who wait when they are stopped, without starting them', async () => {
    const limiter = new Limiter(1);
    const { task, open } = gate();
    const stop = new AbortController();
    const running = limiter.run(task);
    let isStarted = false;
    const waiting = limiter.run(async () => void (isStarted = true), stop.signal);
    const behind = limiter.run(() => Promise.resolve('behind'));
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    open();
    await running;
    expect(await behind).toBe('behind');
    expect(isStarted).toBe(false);
    await expect(limiter.run(task, stop.signal)).rejects.toMatchObject({ code: 'cancelled' });
  });
});

import { describe, expect, it } from '@jest/globals';

import { Batcher } from './batcher.js';

/** A batcher whose messages end when the test says so. */
function gathering(maxUnderWay: number) {
  const messages: { readonly steps: readonly number[]; readonly answer: () => void; readonly fail: (error: Error) => void }[] = [];
  const batcher = new Batcher<number, string>(
    (steps) =>
      new Promise((resolve, reject) => {
        messages.push({ steps, answer: () => resolve(steps.map(String)), fail: reject });
      }),
    maxUnderWay,
  );
  return { batcher, messages, sizes: () => messages.map(({ steps }) => steps.length) };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a batcher', () => {
  it('answers each in order', async () => {
    const { batcher, messages } = gathering(1);
    const answers = Promise.all([1, 2, 3].map((step) => batcher.add(step)));
    await turn();
    messages[0]!.answer();
    expect(await answers).toEqual(['1', '2', '3']);
    expect(messages.map(({ steps }) => steps)).toEqual([[1, 2, 3]]);
  });

  it.each([
    [1, 64, [64]],
    [2, 64, [32, 32]],
    [2, 65, [33, 32]],
    [2, 10, [8, 2]],
    [2, 8, [8]],
    [3, 20, [8, 8, 4]],
    [2, 600, [256, 256]],
  ])('shares out what a turn asks for among %d messages: %d steps', async (maxUnderWay, count, expected) => {
    const { batcher, sizes } = gathering(maxUnderWay);
    for (let step = 0; step < count; step += 1) void batcher.add(step);
    await turn();
    expect(sizes()).toEqual(expected);
  });

  it('sends what waited once a message has ended', async () => {
    const { batcher, messages, sizes } = gathering(2);
    for (let step = 0; step < 600; step += 1) void batcher.add(step);
    await turn();
    messages[1]!.answer();
    await turn();
    expect(sizes()).toEqual([256, 256, 88]);
  });

  it('fails those of a message that failed, and no others', async () => {
    const { batcher, messages } = gathering(2);
    const steps = Array.from({ length: 16 }, (_, step) => batcher.add(step));
    const outcomes = Promise.allSettled(steps);
    await turn();
    messages[0]!.fail(new Error('the thread ended'));
    messages[1]!.answer();
    expect((await outcomes).map(({ status }) => status)).toEqual([...Array<string>(8).fill('rejected'), ...Array<string>(8).fill('fulfilled')]);
  });
});

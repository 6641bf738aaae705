/** The protocol of two threads over one hash, played by one. */

import { describe, expect, it, jest } from '@jest/globals';
import { toSha256 } from '@wl/domain';

import { Cancelled } from './cancellation.js';
import { createSharedHash, SharedHash } from './shared-hash.js';

const HASH = toSha256('0123456789abcdef'.repeat(4));
const noStop = (): void => undefined;

/** Both ends of one hash. */
function pair(stalledMs?: number): [hashing: SharedHash, copying: SharedHash] {
  const buffer = createSharedHash();
  return [new SharedHash(buffer), new SharedHash(buffer, stalledMs)];
}

describe('a shared hash', () => {
  it('goes from the thread that hashes to the one that copies', () => {
    const [hashing, copying] = pair();
    expect(hashing.begin()).toBe(true);
    expect(copying.isUnderWay(1)).toBe(true);
    hashing.step();
    hashing.end(HASH);
    expect(copying.result(noStop)).toBe(HASH);
  });

  it('is there at once when hashing ended before copying began', () => {
    const [hashing, copying] = pair();
    hashing.begin();
    hashing.end(HASH);
    expect(copying.isUnderWay(1)).toBe(true);
    expect(copying.result(noStop)).toBe(HASH);
  });

  it('is taken back for good when nobody has begun', () => {
    const [hashing, copying] = pair();
    expect(copying.isUnderWay(1)).toBe(false);
    expect(hashing.begin()).toBe(false);
  });

  it.each([
    [1, 10],
    [500_000_000, 100],
    [2 ** 40, 200],
  ])('of %d bytes is worth waiting %d ms for a thread that is being started', (sizeBytes, patienceMs) => {
    const wait = jest.spyOn(Atomics, 'wait').mockReturnValue('timed-out');
    const [, copying] = pair();
    copying.isUnderWay(sizeBytes);
    expect(wait.mock.calls.map(([, , , ms]) => ms)).toEqual([patienceMs]);
    wait.mockRestore();
  });

  it('is missing when the other thread failed, or stands still', () => {
    const [failing, copying] = pair();
    failing.begin();
    failing.end(undefined);
    expect(copying.isUnderWay(1)).toBe(false);
    expect(copying.result(noStop)).toBeUndefined();

    const [silent, waiting] = pair(0);
    silent.begin();
    expect(waiting.isUnderWay(1)).toBe(true);
    expect(waiting.result(noStop)).toBeUndefined();
  });

  it('can be waited for until the task is cancelled', () => {
    const [hashing, copying] = pair();
    hashing.begin();
    expect(() =>
      copying.result(() => {
        throw new Cancelled();
      }),
    ).toThrow(Cancelled);
  });
});

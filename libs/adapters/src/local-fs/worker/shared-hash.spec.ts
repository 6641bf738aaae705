/** The protocol of two threads over one hash, played by one. */

import { describe, expect, it } from '@jest/globals';
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
    expect(copying.isUnderWay()).toBe(true);
    hashing.step();
    hashing.end(HASH);
    expect(copying.result(noStop)).toBe(HASH);
  });

  it('is there at once when hashing ended before copying began', () => {
    const [hashing, copying] = pair();
    hashing.begin();
    hashing.end(HASH);
    expect(copying.isUnderWay()).toBe(true);
    expect(copying.result(noStop)).toBe(HASH);
  });

  it('is taken back for good when nobody has begun', () => {
    const [hashing, copying] = pair();
    expect(copying.isUnderWay()).toBe(false);
    expect(hashing.begin()).toBe(false);
  });

  it('is missing when the other thread failed, or stands still', () => {
    const [failing, copying] = pair();
    failing.begin();
    failing.end(undefined);
    expect(copying.isUnderWay()).toBe(false);
    expect(copying.result(noStop)).toBeUndefined();

    const [silent, waiting] = pair(0);
    silent.begin();
    expect(waiting.isUnderWay()).toBe(true);
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

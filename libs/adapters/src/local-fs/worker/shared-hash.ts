/**
 * The hash of a large file, computed on one thread while another copies the file: hashing
 * takes as long as copying, so two idle threads halve the time. The copying thread never
 * depends on the other: it takes the work back when that has not begun, and does it itself
 * when it does not end.
 */

import type { Sha256 } from '@wl/domain';

import type { Checkpoint } from './cancellation.js';

/** Memory that both threads see: state, progress, digest. */
export type SharedHashBuffer = SharedArrayBuffer;

const State = { waiting: 0, underWay: 1, done: 2, failed: 3, takenBack: 4 } as const;

const STATE = 0;
const PROGRESS = 1;
const DIGEST_AT = 8;
const DIGEST_BYTES = 32;

/** How long the copying thread waits for the other to begin, at least: an idle thread begins within a millisecond. */
const BEGIN_MS = 10;
/** And at most: a thread that is just being started needs some 60 ms. */
const LONGEST_BEGIN_MS = 200;
/** What is hashed in a millisecond, and four times over: waiting must cost little of what it can save. */
const WORTH_A_MS_BYTES = 5_000_000;
/** How long a computation may stand still before it is taken for lost. */
const STALLED_MS = 30_000;
const LOOK_EVERY_MS = 250;

/** Makes the memory for one hash. */
export function createSharedHash(): SharedHashBuffer {
  return new SharedArrayBuffer(DIGEST_AT + DIGEST_BYTES);
}

/** One hash, seen from either thread. */
export class SharedHash {
  private readonly words: Int32Array<SharedArrayBuffer>;

  constructor(
    private readonly buffer: SharedHashBuffer,
    private readonly stalledMs = STALLED_MS,
  ) {
    this.words = new Int32Array(buffer, 0, 2);
  }

  /** Hashing thread: takes the work, unless it was taken back. */
  begin(): boolean {
    const isOurs = Atomics.compareExchange(this.words, STATE, State.waiting, State.underWay) === State.waiting;
    Atomics.notify(this.words, STATE);
    return isOurs;
  }

  /** Hashing thread: shows that it is getting on. */
  step(): void {
    Atomics.add(this.words, PROGRESS, 1);
  }

  /** Hashing thread: hands over the result, `undefined` when there is none. */
  end(hash: Sha256 | undefined): void {
    if (hash !== undefined) Buffer.from(this.buffer, DIGEST_AT, DIGEST_BYTES).write(hash, 'hex');
    Atomics.store(this.words, STATE, hash === undefined ? State.failed : State.done);
    Atomics.notify(this.words, STATE);
  }

  /** Copying thread: whether the other has begun; if not, it will not begin any more. `sizeBytes`: of the file, for which it is worth a wait. */
  isUnderWay(sizeBytes: number): boolean {
    const patienceMs = Math.max(BEGIN_MS, Math.min(LONGEST_BEGIN_MS, sizeBytes / WORTH_A_MS_BYTES));
    Atomics.wait(this.words, STATE, State.waiting, patienceMs);
    const state = Atomics.compareExchange(this.words, STATE, State.waiting, State.takenBack);
    return state === State.underWay || state === State.done;
  }

  /** Copying thread: the result, `undefined` when the other failed or stands still. */
  result(checkpoint: Checkpoint): Sha256 | undefined {
    let progress = -1;
    let stoodStillMs = 0;
    while (Atomics.load(this.words, STATE) === State.underWay && stoodStillMs < this.stalledMs) {
      checkpoint();
      if (Atomics.wait(this.words, STATE, State.underWay, LOOK_EVERY_MS) !== 'timed-out') continue;
      const now = Atomics.load(this.words, PROGRESS);
      stoodStillMs = now === progress ? stoodStillMs + LOOK_EVERY_MS : 0;
      progress = now;
    }
    if (Atomics.load(this.words, STATE) !== State.done) return undefined;
    return Buffer.from(this.buffer, DIGEST_AT, DIGEST_BYTES).toString('hex') as Sha256;
  }
}

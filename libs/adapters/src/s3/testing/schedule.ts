/**
 * Several machines whose requests are let through one at a time, in an order drawn from a seed. A
 * request may take a moment to arrive; its answer may take minutes, during which its machine sleeps.
 */

import type { ManualClock } from '@wl/ports/testing';

import type { Call, Hook } from './memory-s3-api.js';
import { LostReply, unreachable } from './memory-s3-api.js';

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** How likely what goes wrong, each 0 to 1. */
export interface Troubles {
  /** An answer is lost. */
  readonly lost: number;
  /** Minutes pass before an answer arrives. */
  readonly asleep: number;
}

/** Lets requests through one at a time. */
export class Schedule {
  readonly #waiting: { readonly call: Call; readonly go: (error?: Error) => void }[] = [];

  constructor(
    private readonly random: () => number,
    private readonly clock: ManualClock,
    private readonly troubles: Troubles,
  ) {}

  /** For each machine. */
  readonly hook: Hook = (call) =>
    new Promise<void>((resolve, reject) => {
      this.#waiting.push({ call, go: (error) => (error === undefined ? resolve() : reject(error)) });
    });

  /** Runs until all programs have ended. */
  async run(programs: readonly Promise<unknown>[]): Promise<void> {
    let running = programs.length;
    for (const program of programs) void program.finally(() => (running -= 1)).catch(() => undefined);
    for (let idle = 0; running > 0 && idle < 1000; ) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#waiting.length === 0) {
        idle += 1;
        await this.clock.advance(100);
        continue;
      }
      idle = 0;
      await this.#step();
    }
    await Promise.all(programs);
  }

  async #step(): Promise<void> {
    // On its way a request may be for a moment; whose answer is waited for may sleep for long.
    const isOnItsWay = this.#waiting.some(({ call }) => call.moment === 'before');
    if (!isOnItsWay && this.random() < this.troubles.asleep) await this.clock.advance(this.random() * 700_000);
    else await this.clock.advance(this.random() * 300);
    const [next] = this.#waiting.splice(Math.floor(this.random() * this.#waiting.length), 1);
    const isLost = next!.call.moment === 'after' && this.random() < this.troubles.lost;
    next!.go(isLost ? (this.random() < 0.5 ? new LostReply() : unreachable()) : undefined);
  }
}

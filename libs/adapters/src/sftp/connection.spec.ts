import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '@wl/ports/testing/manual-clock';

import { Connection } from './connection.js';
import { failure } from './failure.js';
import type { Session } from './session.js';

/** A server that lets in, or fails in some way, and connections to it that can be lost. */
class FakeServer {
  readonly clock = new ManualClock();
  readonly triedMs: number[] = [];
  answer: 'lets in' | 'unreachable' | 'unauthorized' = 'lets in';
  #lose: () => void = () => undefined;
  readonly connection = new Connection(async (onLost) => {
    this.triedMs.push(this.clock.monotonicMs());
    if (this.answer !== 'lets in') throw failure(this.answer, { operation: 'connect' }, 'as the test wants it', this.answer === 'unreachable');
    const session = { isLost: false, end: () => this.#lose() };
    this.#lose = () => {
      session.isLost = true;
      onLost();
    };
    return session as unknown as Session;
  }, this.clock);

  lose(): void {
    this.#lose();
  }

  /** Times between tries, milliseconds. */
  get pauses(): number[] {
    return this.triedMs.slice(1).map((ms, index) => ms - this.triedMs[index]!);
  }

  /** Asks, and lets as much time pass as that takes; what it fails with. */
  ask(): Promise<string | undefined> {
    const asking = this.connection.session().then(
      () => undefined,
      (error: { readonly code: string }) => error.code,
    );
    return this.clock.runUntil(asking);
  }
}

describe('the connection of a storage', () => {
  it('is one, whoever asks, until it is lost', async () => {
    const server = new FakeServer();
    expect(await Promise.all([server.ask(), server.ask(), server.ask()])).toEqual([undefined, undefined, undefined]);
    await server.ask();
    expect(server.triedMs).toHaveLength(1);
    expect(server.connection.isUp).toBe(true);
    await server.clock.advance(60_000);
    server.lose();
    expect(server.connection.isUp).toBe(false);
    // It was a good one: the next is made at once.
    expect(await server.ask()).toBeUndefined();
    expect(server.triedMs).toHaveLength(2);
  });

  it('is tried again after pauses that double up to half a minute; nobody waits for the long ones', async () => {
    const server = new FakeServer();
    server.answer = 'unreachable';
    for (let i = 0; i < 4; i += 1) expect(await server.ask()).toBe('unreachable');
    expect(server.pauses).toEqual([250, 500, 1000]);
    for (const pauseMs of [2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      // Told of the failure at once, without another try.
      await server.clock.advance(pauseMs - 1500);
      const tries = server.triedMs.length;
      expect(await server.ask()).toBe('unreachable');
      expect(server.triedMs).toHaveLength(tries);
      await server.clock.advance(1500);
      expect(await server.ask()).toBe('unreachable');
      expect(server.pauses.at(-1)).toBe(pauseMs);
    }
    server.answer = 'lets in';
    await server.clock.advance(30_000);
    expect(await server.ask()).toBeUndefined();
    await server.clock.advance(60_000);
    server.lose();
    expect(await server.ask()).toBeUndefined();
    expect(server.pauses.at(-1)).toBe(60_000);
  });

  it('is not hammered when it is lost right after it was made', async () => {
    const server = new FakeServer();
    for (let i = 0; i < 4; i += 1) {
      expect(await server.ask()).toBeUndefined();
      server.lose();
    }
    expect(server.pauses).toEqual([250, 500, 1000]);
  });

  it('is not asked for again within a minute where the server does not let us in', async () => {
    const server = new FakeServer();
    server.answer = 'unauthorized';
    expect(await server.ask()).toBe('unauthorized');
    expect(await server.ask()).toBe('unauthorized');
    expect(server.triedMs).toHaveLength(1);
    await server.clock.advance(60_000);
    server.answer = 'lets in';
    expect(await server.ask()).toBeUndefined();
  });

  it('is made for nobody any more once it is closed', async () => {
    const server = new FakeServer();
    await server.ask();
    await server.connection.close();
    expect(await server.ask()).toBe('cancelled');
  });
});

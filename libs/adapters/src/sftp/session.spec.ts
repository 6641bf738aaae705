/** A server that hangs, or goes, leaves nobody waiting (INV-8: and what it did not say is nothing that is known). */

import { EventEmitter } from 'node:events';

import { describe, expect, it, jest } from '@jest/globals';
import type { Client, RawAttributes, SFTPWrapper } from 'ssh2';

import { ConnectionLost } from './failure.js';
import { Session } from './session.js';

type Answer = (error: Error | undefined, attributes: RawAttributes) => void;

/** A session whose server answers when the test says so. */
function sessionOf(silentMs?: number) {
  const asked: Answer[] = [];
  const client = Object.assign(new EventEmitter(), { end: jest.fn(), destroy: jest.fn() });
  const sftp = Object.assign(new EventEmitter(), { lstat: (_path: string, done: Answer) => void asked.push(done) });
  const onLost = jest.fn();
  const session = new Session(client as unknown as Client, sftp as unknown as SFTPWrapper, onLost, silentMs);
  return { session, asked, client, sftp, onLost };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a session', () => {
  it('is lost when the server gives no answer at all for long, and what was asked ends as lost', async () => {
    const { session, asked, onLost } = sessionOf(30);
    const asking = [session.lstat('a'), session.lstat('b')];
    // At once: a turn of the event loop can take longer than this server may be silent.
    asked[0]?.(undefined, { size: 1 });
    expect(await asking[0]).toEqual({ size: 1 });
    await expect(asking[1]).rejects.toBeInstanceOf(ConnectionLost);
    expect([session.isLost, onLost.mock.calls.length]).toEqual([true, 1]);
    await expect(session.lstat('c')).rejects.toBeInstanceOf(ConnectionLost);
  });

  it('is not lost by being of no use for a while', async () => {
    const { session, asked } = sessionOf(5);
    const asking = session.lstat('a');
    asked[0]?.(undefined, { size: 1 });
    await asking;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(session.isLost).toBe(false);
  });

  it.each(['end', 'close', 'error'])('that sees %s ends everything under way and what waits for its turn, once', async (event) => {
    const { session, asked, client, sftp, onLost } = sessionOf();
    const asking = Array.from({ length: 200 }, (_, i) => session.lstat(String(i)));
    await settle();
    // INV-40: no more than so many are under way.
    expect(asked.length).toBeLessThan(100);
    sftp.emit(event, new Error('x'));
    client.emit('close');
    const outcomes = await Promise.allSettled(asking);
    expect(outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason instanceof ConnectionLost)).toBe(true);
    expect(onLost).toHaveBeenCalledTimes(1);
    // An answer that comes late is nobody's.
    asked[0]?.(undefined, {});
  });
});

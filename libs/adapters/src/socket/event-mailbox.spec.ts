import { describe, expect, it } from '@jest/globals';

import type { ControlEvent } from './control-event.js';
import { EventMailbox } from './event-mailbox.js';

function event(value: string): ControlEvent {
  return { type: 'progress', value, jobId: 'j' };
}

describe('EventMailbox', () => {
  it('keeps events until somebody takes them, in order', async () => {
    const mailbox = new EventMailbox(10);
    mailbox.put(event('a'));
    mailbox.put(event('b'));
    expect(await mailbox.take()).toEqual(event('a'));
    expect(await mailbox.take()).toEqual(event('b'));
  });

  it('hands an event to whoever waits longest', async () => {
    const mailbox = new EventMailbox(10);
    const first = mailbox.take();
    const second = mailbox.take();
    mailbox.put(event('a'));
    mailbox.put(event('b'));
    expect([await first, await second]).toEqual([event('a'), event('b')]);
  });

  it('gives a listener first what waited, then what comes, until it leaves', () => {
    const mailbox = new EventMailbox(10);
    const heard: string[] = [];
    mailbox.put(event('a'));
    const leave = mailbox.listen(({ value }) => heard.push(value));
    mailbox.put(event('b'));
    leave();
    mailbox.put(event('c'));
    expect(heard).toEqual(['a', 'b']);
  });

  it('lets the oldest go when too many wait, and counts them', async () => {
    const mailbox = new EventMailbox(2);
    for (const value of ['a', 'b', 'c', 'd']) mailbox.put(event(value));
    expect(mailbox.dropped).toBe(2);
    expect(await mailbox.take()).toEqual(event('c'));
  });

  it('hands out what waits before it tells of the end', async () => {
    const mailbox = new EventMailbox(2);
    mailbox.put(event('a'));
    mailbox.end(undefined);
    expect(await mailbox.take()).toEqual(event('a'));
    expect(await mailbox.take()).toBeUndefined();
  });

  it('ends a waiting take, well or with the failure', async () => {
    const [well, badly] = [new EventMailbox(2), new EventMailbox(2)];
    const [first, second] = [well.take(), badly.take()];
    well.end(undefined);
    badly.end(new Error('broken'));
    expect(await first).toBeUndefined();
    await expect(second).rejects.toThrow('broken');
    await expect(badly.take()).rejects.toThrow('broken');
  });
});

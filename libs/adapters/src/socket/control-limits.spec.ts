/** Bad clients: each harms only itself, and what is held for it stays bounded. */

import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { ControlServerOptions } from './control-server.js';
import { LARGE_REQUEST_BYTES, LINGER_MS, MAX_CONNECTIONS, MAX_LINGERING, MAX_REQUEST_BYTES, REPLY_TIMEOUT_MS, REQUEST_TIMEOUT_MS } from './limits.js';
import { TestServer, turns, until } from './testing/test-server.js';
import type { RawClient } from './testing/raw-client.js';

describe('the control server under bad clients', () => {
  let test: TestServer;
  async function start(options: Partial<ControlServerOptions> = {}): Promise<void> {
    test = await TestServer.start(options);
  }
  afterEach(async () => {
    // Whatever the test did, a good client is still served.
    const good = await test.connect();
    expect(await good.send('{"cmd": "nothing", "id": 1}\n\n').take()).toBe('{\n  "result": null,\n  "id": 1\n}\n\n');
    await test.stop();
    expect(test.time.pending).toBe(0);
  });

  it('answers any garbage with errors or an end, never with silence', async () => {
    await start();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (garbage) => {
        const client = await test.connect();
        client.send(garbage).end();
        const replies = (await client.rest()).split('\n\n').slice(0, -1);
        for (const reply of replies) expect(JSON.parse(reply)).toMatchObject({ error: { class: 'ControlRequestError' } });
        expect(client.ending).toBe('end');
      }),
      { numRuns: 100 },
    );
  });

  it('refuses a request over the limit, lets the client read why, and ends', async () => {
    await start();
    const client = await test.connect();
    client.send('x'.repeat(20 * MAX_REQUEST_BYTES)).end();
    expect(JSON.parse(await client.rest())).toEqual({
      error: { class: 'ControlRequestError', desc: `the request is larger than ${MAX_REQUEST_BYTES} bytes` },
    });
    expect(client.ending).toBe('end');
  });

  it('serves the requests before one that is too large, and none behind it', async () => {
    await start({ limits: { maxRequestBytes: 50 } });
    const client = await test.connect();
    client.end(`{"cmd": "nothing", "id": 1}\n\n${'x'.repeat(51)}\n\n{"cmd": "nothing", "id": 2}\n\n`);
    const replies = (await client.rest()).trim().split('\n\n').map((reply) => JSON.parse(reply) as unknown);
    expect(replies).toEqual([{ result: null, id: 1 }, { error: expect.objectContaining({ class: 'ControlRequestError' }) as unknown }]);
  });

  it('cuts off a refused client that goes on sending', async () => {
    await start({ limits: { maxRequestBytes: 50 } });
    const client = await test.connect();
    client.send('x'.repeat(100));
    await client.take();
    client.send('y'.repeat(100));
    expect(test.server.connectionCount).toBe(1);
    test.time.pass(LINGER_MS);
    await until(() => test.server.connectionCount === 0);
  });

  it('takes a request of exactly the limit', async () => {
    await start();
    const client = await test.connect();
    const frame = '{"cmd": "picky", "args": {"job-id": 1, "pad": ""}}';
    client.send(`${frame.slice(0, -3)}${'x'.repeat(MAX_REQUEST_BYTES - frame.length)}"}}\n\n`);
    expect(await client.take()).toBe('{\n  "result": 1\n}\n\n');
  });

  it('parses nesting bombs without falling over, also when a command sends one back', async () => {
    await start();
    const client = await test.connect();
    client.send(`{"cmd": "picky", "args": {"job-id": ${'['.repeat(400_000)}${']'.repeat(400_000)}}}\n\n`);
    expect(JSON.parse(await client.take())).toMatchObject({ error: { class: 'RangeError' } });
  });

  it('serves at most its number of connections, tells the others so, and has room again later', async () => {
    await start();
    const clients = await Promise.all(Array.from({ length: 300 }, () => test.connect()));
    for (const client of clients) client.send('{"cmd": "nothing"}\n\n');
    const replies = await Promise.all(clients.map((client) => client.take()));
    const served = clients.filter((_client, index) => replies[index] === '{\n  "result": null\n}\n\n');
    const refused = clients.filter((client) => !served.includes(client));
    expect(served).toHaveLength(MAX_CONNECTIONS);
    expect(JSON.parse(replies[clients.indexOf(refused[0] as RawClient)] as string)).toMatchObject({
      error: { class: 'ControlRequestError', desc: expect.stringContaining('256 connections') as unknown },
    });
    await Promise.all(refused.map((client) => client.rest()));
    for (const client of clients) client.socket.destroy();
    await until(() => test.server.connectionCount === 0);
  });

  it('keeps few refused connections: more of them are closed without a word', async () => {
    await start({ limits: { maxConnections: 1 } });
    const clients = await Promise.all(Array.from({ length: 3 * MAX_LINGERING }, () => test.connect()));
    await until(() => clients.filter(({ ending }) => ending !== undefined).length >= 3 * MAX_LINGERING - 1);
    expect(clients.filter(({ received }) => received !== '').length).toBeLessThanOrEqual(MAX_LINGERING);
    expect(test.log.filter(({ message }) => message === 'too many connections')).toHaveLength(1);
    test.time.pass(LINGER_MS);
    for (const client of clients) client.socket.destroy();
    await until(() => test.server.connectionCount === 0);
  });

  it('reads what a refused connection sends, so that the reason reaches it', async () => {
    await start({ limits: { maxConnections: 1 } });
    const [first, refused] = [await test.connect(), await test.connect()];
    refused.send('x'.repeat(10_000_000)).end();
    expect(await refused.rest()).toContain('ControlRequestError');
    await until(() => refused.socket.writableLength === 0);
    expect(refused.ending).toBe('end');
    first.socket.destroy();
    await until(() => test.server.connectionCount === 0);
  });

  it('sends a silent client away in the end', async () => {
    await start();
    const client = await test.connect();
    await until(() => test.server.connectionCount === 1);
    test.time.pass(REQUEST_TIMEOUT_MS - 1);
    expect(client.ending).toBeUndefined();
    test.time.pass(1);
    expect(JSON.parse(await client.rest())).toMatchObject({
      error: { class: 'ControlRequestError', desc: `no complete request within ${REQUEST_TIMEOUT_MS} ms` },
    });
    client.end();
  });

  it('sends a client away that never finishes its request, however busily it drips', async () => {
    await start();
    const client = await test.connect();
    await client.send('{"cmd": "subscribe"}\n\n').take();
    client.send('{"cmd"');
    await until(() => test.time.pending === 1);
    for (let second = 0; second < REQUEST_TIMEOUT_MS / 1000; second += 1) {
      client.send(' ');
      test.time.pass(1000);
    }
    expect(JSON.parse(await client.rest())).toMatchObject({ error: { class: 'ControlRequestError' } });
    client.end();
  });

  it('lets a client that asked once wait for events for ever, also after a stray newline', async () => {
    await start();
    const client = await test.connect();
    await client.send('{"cmd": "subscribe"}\n\n\n').take();
    test.time.pass(1000 * REQUEST_TIMEOUT_MS);
    expect(test.subscribers[0]?.sendEvent({ type: 'state', value: 'SYNCED', jobId: 'j' })).toBe(true);
    expect(await client.take()).toContain('SYNCED');
  });

  it('does not count the time of a slow command against its client', async () => {
    await start();
    const client = await test.connect();
    client.send('{"cmd": "wait", "args": {"name": "w"}}\n\n{"cmd": "nothing"');
    await until(() => test.trace.length === 1);
    test.time.pass(1000 * REQUEST_TIMEOUT_MS);
    await test.openGate();
    expect(await client.take()).toBe('{\n  "result": "w"\n}\n\n');
    client.send('}\n\n');
    expect(await client.take()).toBe('{\n  "result": null\n}\n\n');
  });

  it('disconnects a reader too slow for its events, says so once, and goes on', async () => {
    await start({ limits: { maxQueuedEventBytes: 100_000 } });
    const [slow, quick] = [await test.connect(), await test.connect()];
    await slow.send('{"cmd": "subscribe"}\n\n').take();
    slow.socket.pause();
    const connection = test.subscribers[0];
    let taken = 0;
    // Turns of the event loop between the bursts, so that what the kernel takes in has left.
    while (connection?.sendEvent({ type: 'progress', value: 'x'.repeat(10_000), jobId: 'j' }) === true) {
      taken += 1;
      expect(taken).toBeLessThan(1000);
      expect(await quick.send('{"cmd": "nothing"}\n\n').take()).toBe('{\n  "result": null\n}\n\n');
    }
    expect(taken).toBeGreaterThan(5);
    for (let more = 0; more < 100; more += 1) connection?.sendEvent({ type: 'progress', value: 'x', jobId: 'j' });
    await until(() => test.server.connectionCount === 1);
    expect(test.log.filter(({ message }) => message.includes('too slowly'))).toHaveLength(1);
    slow.socket.resume();
    await slow.rest();
  });

  it('takes any number of events for a client that reads', async () => {
    await start({ limits: { maxQueuedEventBytes: 100_000 } });
    const client = await test.connect();
    await client.send('{"cmd": "subscribe"}\n\n').take();
    for (let count = 0; count < 500; count += 1) {
      expect(test.subscribers[0]?.sendEvent({ type: 'progress', value: 'x'.repeat(5000), jobId: 'j' })).toBe(true);
      await client.take();
    }
  });

  it('sends a reply larger than the event limit whole, to a client that takes its time', async () => {
    await start({ limits: { maxQueuedEventBytes: 1000 } });
    const client = await test.connect({ reading: false });
    client.send('{"cmd": "large", "args": {"bytes": 5000000}}\n\n');
    await until(() => test.time.pending === 1 && test.server.connectionCount === 1);
    test.time.pass(REPLY_TIMEOUT_MS - 1);
    client.socket.resume();
    expect(JSON.parse(await client.take())).toEqual({ result: 'x'.repeat(5_000_000) });
  });

  it('does not hold a reply for a client that never reads it', async () => {
    await start();
    const client = await test.connect({ reading: false });
    client.send('{"cmd": "large", "args": {"bytes": 5000000}}\n\n'.repeat(100));
    await until(() => client.socket.writableLength === 0 && test.time.pending === 1);
    await turns();
    test.time.pass(REPLY_TIMEOUT_MS);
    await until(() => test.server.connectionCount === 0);
    expect(test.log.filter(({ message }) => message.includes('does not read its reply'))).toHaveLength(1);
  });

  it('survives a client that goes away in the middle of a reply', async () => {
    await start();
    for (let round = 0; round < 20; round += 1) {
      const client = await test.connect({ reading: false });
      client.send('{"cmd": "subscribe"}\n\n{"cmd": "large", "args": {"bytes": 3000000}}\n\n{"cmd": "nothing"}\n\n');
      await until(() => test.subscribers.length === round + 1);
      const closed = new Promise<void>((resolve) => test.subscribers[round]?.onClose(resolve));
      client.socket.destroy();
      await closed;
    }
  });

  it('survives a client that goes away while its command runs', async () => {
    await start();
    const client = await test.connect();
    client.send('{"cmd": "wait", "args": {"name": "w"}}\n\n{"cmd": "wait", "args": {"name": "never"}}\n\n');
    await until(() => test.trace.length === 1);
    client.socket.destroy();
    await test.openGate();
    await until(() => test.server.connectionCount <= 1 && test.trace.length >= 2);
    expect(test.trace.slice(0, 2)).toEqual(['>w', '<w']);
    if (test.trace.includes('>never')) await test.openGate();
  });

  it('reads no further ahead than one request while a command runs', async () => {
    await start();
    const client = await test.connect();
    const request = `{"cmd": "echo", "args": {"pad": "${'x'.repeat(1000)}"}}\n\n`;
    const ahead = 20_000;
    client.send('{"cmd": "wait", "args": {"name": "w"}}\n\n');
    await until(() => test.trace.length === 1);
    client.send(request.repeat(ahead));
    await turns(200);
    expect(client.socket.writableLength).toBeGreaterThan(request.length * ahead - 2 * MAX_REQUEST_BYTES);
    client.socket.destroy();
    await test.openGate();
    await until(() => test.server.connectionCount === 0);
  });

  it('serves others between the requests of a client that sends thousands at once', async () => {
    await start();
    const [flooding, patient] = [await test.connect(), await test.connect()];
    await patient.send('{"cmd": "nothing"}\n\n').take();
    flooding.send('{"cmd": "tick"}\n\n'.repeat(3000));
    await until(() => test.trace.length > 0);
    const before = test.trace.length;
    await patient.send('{"cmd": "nothing"}\n\n').take();
    expect(test.trace.length - before).toBeLessThan(100);
    await flooding.take(3000);
  });

  it('serves others between large requests, however many clients send one at the same time', async () => {
    await start();
    const flooding = await Promise.all(Array.from({ length: 100 }, () => test.connect()));
    const patient = await test.connect();
    await patient.send('{"cmd": "nothing"}\n\n').take();
    for (const client of flooding) client.send(`{"cmd": "tick", "args": {"pad": "${'x'.repeat(LARGE_REQUEST_BYTES)}"}}\n\n`);
    await until(() => test.trace.length > 0);
    await patient.send('{"cmd": "nothing"}\n\n').take();
    expect(test.trace.length).toBeLessThan(50);
    await Promise.all(flooding.map((client) => client.take()));
  });

  it('never logs the arguments of a request', async () => {
    await start();
    const client = await test.connect();
    for (const cmd of ['picky', 'nosuch', 'bug', 'echo']) client.send(`{"cmd": "${cmd}", "args": {"secret-key": "hunter2"}}\n\n`);
    client.send('{"cmd": "start", "args": {"secret-key": "hunter2"\n\n');
    await client.take(5);
    expect(test.log.map(({ message, fields }) => `${message} ${JSON.stringify(fields)}`).join('\n')).not.toContain('hunter2');
  });

  it('works on with a log that throws', async () => {
    await start({
      log: () => {
        throw new Error('disk full');
      },
    });
    const client = await test.connect();
    expect(JSON.parse(await client.send('{"cmd": "bug"}\n\n').take())).toMatchObject({ error: { class: 'TypeError' } });
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { ControlClientError, ControlClientUnableToConnectError } from './client-errors.js';
import { ControlClient, type ControlClientOptions } from './control-client.js';
import { encodeEvent, type ControlEvent } from './control-event.js';
import { ManualSchedule } from './testing/manual-schedule.js';
import { TestServer, until } from './testing/test-server.js';

function event(value: string): ControlEvent {
  return { type: 'state', value, jobId: '0xaa|1' };
}

describe('ControlClient with a control server', () => {
  let test: TestServer;
  let client: ControlClient;
  beforeEach(async () => {
    test = await TestServer.start();
    client = await ControlClient.connect(test.path);
  });
  afterEach(async () => {
    client.close();
    await test.stop();
  });

  it('resolves to the result', async () => {
    expect(await client.request('echo', { 'job-id': ['ž"\n\n'] })).toEqual({ 'job-id': ['ž"\n\n'] });
    expect(await client.request('nothing')).toBeNull();
  });

  it('rejects with the daemon\'s error as "<class>: <desc>"', async () => {
    const failure = await client.request('fail', { class: 'WildlandError', desc: 'no such job' }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ControlClientError);
    expect(failure).toMatchObject({ message: 'WildlandError: no such job', className: 'WildlandError', desc: 'no such job', origin: 'daemon' });
    await expect(client.request('fly')).rejects.toThrow('AssertionError: unknown command: fly');
    await expect(client.request('picky')).rejects.toThrow("SchemaError: 'job-id' is a required property");
  });

  it('takes several requests at once and gives each its own answer', async () => {
    const answers = Promise.all([client.request('wait', { name: 'a' }), client.request('fly').catch(String), client.request('echo', { n: 3 })]);
    await test.openGate();
    expect(await answers).toEqual(['a', 'ControlClientError: AssertionError: unknown command: fly', { n: 3 }]);
  });

  it('hands events to a listener, first those that came before it', async () => {
    await client.request('announce', { value: 'RUNNING' });
    const heard: string[] = [];
    const leave = client.onEvent(({ value }) => heard.push(value));
    await client.request('announce', { value: 'SYNCED' });
    leave();
    await client.request('announce', { value: 'STOPPED' });
    expect(heard).toEqual(['RUNNING', 'SYNCED']);
  });

  it('hands events to a loop, which ends with close()', async () => {
    for (const value of ['RUNNING', 'a "quoted" one']) await client.request('announce', { value });
    const seen: ControlEvent[] = [];
    for await (const each of client.events()) {
      seen.push(each);
      if (seen.length === 2) client.close();
    }
    expect(seen).toEqual([event('RUNNING'), event('a "quoted" one')]);
  });

  it('rejects what waits when the daemon closes (W-38), and ends event loops with that error', async () => {
    const waiting = client.request('wait', { name: 'w' });
    const looping = (async () => {
      for await (const each of client.events()) expect(each).toBeUndefined();
    })();
    const closed = new Promise((resolve) => client.onClose(resolve));
    const settled = Promise.allSettled([waiting, looping]);
    await until(() => test.trace.length === 1);
    await test.server.close();
    const failure = expect.objectContaining({ className: 'ConnectionClosed', origin: 'client' }) as unknown;
    expect(await settled).toEqual([{ status: 'rejected', reason: failure }, { status: 'rejected', reason: failure }]);
    expect(await closed).toEqual(failure);
    expect(client.isOpen).toBe(false);
    await expect(client.request('nothing')).rejects.toMatchObject({ className: 'ConnectionClosed' });
    expect(await new Promise((resolve) => client.onClose(resolve))).toEqual(failure);
  });

  it('sees shutdown as the end of the connection', async () => {
    await expect(client.request('shutdown')).rejects.toMatchObject({ className: 'ConnectionClosed' });
  });

  it('rejects what waits when it is closed by its owner, without a reason to report', async () => {
    const waiting = client.request('wait', { name: 'w' });
    const closed = new Promise((resolve) => client.onClose(resolve));
    client.close();
    await expect(waiting).rejects.toMatchObject({ className: 'ConnectionClosed', origin: 'client' });
    expect(await closed).toBeUndefined();
    await expect(client.request('nothing')).rejects.toMatchObject({ className: 'ConnectionClosed' });
  });

  it('gives up one request by signal; the others keep their answers', async () => {
    const controller = new AbortController();
    const waiting = client.request('wait', { name: 'w' }, { signal: controller.signal });
    const later = client.request('echo', { n: 2 });
    await until(() => test.trace.length === 1);
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ className: 'RequestAborted', origin: 'client' });
    await test.openGate();
    expect(await later).toEqual({ n: 2 });
    await expect(client.request('nothing', {}, { signal: controller.signal })).rejects.toMatchObject({ className: 'RequestAborted' });
  });

  it('gives up one request after its time; the others keep their answers', async () => {
    const time = new ManualSchedule();
    const timed = await ControlClient.connect(test.path, { schedule: time.schedule });
    const waiting = timed.request('wait', { name: 'w' }, { timeoutMs: 500 });
    const later = timed.request('echo', { n: 2 }, { timeoutMs: 5000 });
    time.pass(500);
    await expect(waiting).rejects.toThrow('RequestTimeout: the sync daemon did not answer wait within 500 ms');
    await test.openGate();
    expect(await later).toEqual({ n: 2 });
    expect(time.pending).toBe(0);
    timed.close();
  });

  it('sends nothing when the arguments are no JSON', async () => {
    await expect(client.request('echo', { n: 1n })).rejects.toBeInstanceOf(TypeError);
    expect(await client.request('echo', { n: 1 })).toEqual({ n: 1 });
  });

  it('passes on why the daemon turned it away', async () => {
    const small = await TestServer.start({ limits: { maxConnections: 1 } });
    const first = await ControlClient.connect(small.path);
    await first.request('nothing');
    const [early, late] = [await ControlClient.connect(small.path), await ControlClient.connect(small.path)];
    const closed = new Promise((resolve) => late.onClose(resolve));
    const failure = expect.objectContaining({ className: 'ControlRequestError', origin: 'daemon', message: expect.stringContaining('1 connections') as unknown }) as unknown;
    expect(await early.request('nothing').catch((error: unknown) => error)).toEqual(failure);
    expect(await closed).toEqual(failure);
    expect(await late.request('nothing').catch((error: unknown) => error)).toEqual(failure);
    for (const each of [first, early, late]) each.close();
    await small.stop();
  });
});

describe('ControlClient without a daemon', () => {
  it('rejects with the path and the reason', async () => {
    const failure = await ControlClient.connect('/nonexistent/wlsync.sock').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ControlClientUnableToConnectError);
    expect(failure).toBeInstanceOf(ControlClientError);
    expect(failure).toMatchObject({
      name: 'ControlClientUnableToConnectError',
      path: '/nonexistent/wlsync.sock',
      message: expect.stringMatching(/^ControlClientUnableToConnectError: unable to connect to the sync daemon at .*ENOENT/) as unknown,
    });
  });
});

describe('ControlClient with a daemon that misbehaves', () => {
  let directory: string;
  let daemon: Server;
  const sockets: Socket[] = [];
  /** A client of a daemon that answers each request's arrival by `answer`. */
  async function clientOf(answer: (socket: Socket, request: string) => void, options?: ControlClientOptions): Promise<ControlClient> {
    const path = join(directory, 's');
    daemon = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        answer(socket, bytes.toString());
      });
    });
    await new Promise<void>((resolve) => daemon.listen(path, resolve));
    return ControlClient.connect(path, options);
  }
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'wl-client-'));
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await new Promise((resolve) => daemon.close(resolve));
    await rm(directory, { recursive: true });
  });

  it('counts its ids from 1', async () => {
    const requests: string[] = [];
    const client = await clientOf((socket, request) => {
      requests.push(request);
      socket.write(`{"result": null, "id": ${requests.length}}\n\n`);
    });
    await client.request('status');
    await client.request('stop', { 'job-id': 'x' });
    expect(requests).toEqual(['{"cmd":"status","id":1}\n\n', '{"cmd":"stop","args":{"job-id":"x"},"id":2}\n\n']);
    client.close();
  });

  it.each([
    ['another id', '{"result": null, "id": 5}\n\n', 'ResponseMismatch'],
    ['a result without id', '{"result": null}\n\n', 'ResponseMismatch'],
    ['an error with another id', '{"error": {"class": "X", "desc": "y"}, "id": 5}\n\n', 'ResponseMismatch'],
    ['two replies', '{"result": null, "id": 1}\n\n{"result": null, "id": 2}\n\n', undefined],
    ['no JSON', 'HTTP/1.1 400 Bad Request\r\n\r\n\n\n', 'MalformedReply'],
    ['invalid UTF-8', Uint8Array.of(0xff, 0x0a, 0x0a), 'MalformedReply'],
    ['neither reply nor event', '{"hello": 1}\n\n', 'MalformedReply'],
    ['a list', '[]\n\n', 'MalformedReply'],
    ['null', 'null\n\n', 'MalformedReply'],
    ['more than the limit', 'x'.repeat(2000), 'MalformedReply'],
  ])('ends the connection after %s', async (_name, reply, className) => {
    const client = await clientOf((socket) => socket.write(reply), { maxReplyBytes: 1000 });
    const closed = new Promise((resolve) => client.onClose(resolve));
    const outcome = await client.request('status').catch((error: unknown) => error);
    if (className === undefined) expect(outcome).toBeNull();
    else expect(outcome).toMatchObject({ className, origin: 'client' });
    expect(await closed).toMatchObject({ className: className ?? 'ResponseMismatch' });
  });

  it('takes an error without id as the answer to what it asked', async () => {
    const client = await clientOf((socket) => socket.write('{"error": {"class": "ControlRequestError", "desc": "no"}}\n\n'));
    await expect(client.request('status')).rejects.toThrow('ControlRequestError: no');
    client.close();
  });

  it('takes a last reply that ends with the stream', async () => {
    const client = await clientOf((socket) => socket.end('{"result": [1], "id": 1}'));
    expect(await client.request('status')).toEqual([1]);
    await expect(client.request('status')).rejects.toMatchObject({ className: 'ConnectionClosed' });
  });

  it('rejects when the reply breaks off', async () => {
    const client = await clientOf((socket) => {
      socket.write('{"result": [1');
      setImmediate(() => socket.destroy());
    });
    await expect(client.request('status')).rejects.toMatchObject({ className: expect.stringMatching(/ConnectionClosed|MalformedReply/) as unknown });
  });

  it('takes replies and events in any pieces', async () => {
    const client = await clientOf((socket) => {
      const bytes = Buffer.from(`${encodeEvent(event('ž'))}{"result": "ž", "id": 1}\n\n`);
      for (const byte of bytes) socket.write(Uint8Array.of(byte));
    });
    expect(await client.request('status')).toBe('ž');
    expect((await client.events().next()).value).toEqual(event('ž'));
    client.close();
  });

  it('is not taken down by the broken event of an original daemon (W-34)', async () => {
    const broken = '{"type" : "progress", "value": "CREATE a"b.txt", "job_id": "j"}';
    const client = await clientOf((socket) => socket.write(`${JSON.stringify({ event: broken })}\n\n{"result": null, "id": 1}\n\n`));
    await client.request('status');
    expect((await client.events().next()).value).toEqual({ type: 'unreadable', value: broken, jobId: '' });
    client.close();
  });

  it('keeps a bounded number of events nobody takes, the latest', async () => {
    const client = await clientOf(
      (socket) => {
        for (let count = 0; count < 10; count += 1) socket.write(encodeEvent(event(String(count))));
        socket.write('{"result": null, "id": 1}\n\n');
      },
      { maxBufferedEvents: 3 },
    );
    await client.request('status');
    expect(client.droppedEvents).toBe(7);
    expect((await client.events().next()).value).toEqual(event('7'));
    client.close();
  });
});

/**
 * The protocol byte for byte, as a client of the original sees it: section 7 of
 * the behaviour reference, line by line.
 */

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { TestServer, turns, until } from './testing/test-server.js';

describe('the control protocol', () => {
  let test: TestServer;
  beforeEach(async () => {
    test = await TestServer.start();
  });
  afterEach(() => test.stop());

  describe('framing', () => {
    it('answers a request that ends with an empty line', async () => {
      const client = await test.connect();
      client.send('{"cmd": "nothing"}\n\n');
      expect(await client.take()).toBe('{\n  "result": null\n}\n\n');
    });

    it('answers a request that ends with the end of the stream, then ends its own half', async () => {
      const client = await test.connect();
      client.end('{"cmd": "nothing"}');
      expect(await client.rest()).toBe('{\n  "result": null\n}\n\n');
      expect(client.ending).toBe('end');
    });

    it.each(['', '\n\n'])('answers a slow command after the client has ended its half (separator %j)', async (separator) => {
      const client = await test.connect();
      client.end(`{"cmd": "wait", "args": {"name": "w"}}${separator}`);
      await turns(); // time for the server to see the end
      await test.openGate();
      expect(await client.rest()).toBe('{\n  "result": "w"\n}\n\n');
    });

    it('tells a command that wants to know that its client is gone', async () => {
      const client = await test.connect();
      client.send('{"cmd": "waitUnlessGone", "args": {"name": "w"}}\n\n');
      await until(() => test.trace.includes('>w'));
      client.socket.destroy();
      await until(() => test.trace.includes('xw'));
      expect(test.trace).toEqual(['>w', 'xw']);
    });

    it.each(['before', 'after'])('takes no client for gone that ended its half %s the command began', async (when) => {
      const client = await test.connect();
      client.send('{"cmd": "waitUnlessGone", "args": {"name": "w"}}\n\n');
      if (when === 'after') await until(() => test.trace.includes('>w'));
      client.end();
      await until(() => test.trace.includes('>w'));
      await turns();
      await test.openGate();
      expect(JSON.parse(await client.rest())).toEqual({ result: 'w' });
      expect(test.trace).toEqual(['>w', '<w']);
    });

    it('answers all requests of a stream, the last one without separator', async () => {
      const client = await test.connect();
      client.end('{"cmd": "echo", "args": {"n": 1}}\n\n{"cmd": "echo", "args": {"n": 2}}\n\n{"cmd": "echo", "args": {"n": 3}}\n');
      expect(await client.rest()).toBe(
        [1, 2, 3].map((n) => `{\n  "result": {\n    "n": ${n}\n  }\n}\n\n`).join(''),
      );
    });

    it('ends a connection that ends without a request, saying nothing', async () => {
      const client = await test.connect();
      expect(await client.end().rest()).toBe('');
    });

    it('takes a request over several lines, in pieces, with white space around it', async () => {
      const client = await test.connect();
      for (const byte of '\n \r\n{\n  "cmd":\t"echo",\r\n  "args": {}\n} \n\n') client.send(byte);
      expect(await client.take()).toBe('{\n  "result": {}\n}\n\n');
    });

    it('takes UTF-8 and answers with it', async () => {
      const client = await test.connect();
      const bytes = Buffer.from('{"cmd": "echo", "args": {"name": "žluť 🐎"}}\n\n');
      for (const byte of bytes) client.send(Uint8Array.of(byte));
      expect(await client.take()).toBe('{\n  "result": {\n    "name": "žluť 🐎"\n  }\n}\n\n');
    });
  });

  describe('ids', () => {
    it('copies a truthy id behind the result', async () => {
      const client = await test.connect();
      client.send('{"cmd": "echo", "args": {"a": [1, {}]}, "id": "α-1"}\n\n');
      expect(await client.take()).toBe('{\n  "result": {\n    "a": [\n      1,\n      {}\n    ]\n  },\n  "id": "α-1"\n}\n\n');
    });

    it('copies an id that is too large for a JavaScript number', async () => {
      const client = await test.connect();
      client.send('{"cmd": "nothing", "id": 340282366920938463463374607431768211455}\n\n');
      expect(await client.take()).toBe('{\n  "result": null,\n  "id": 340282366920938463463374607431768211455\n}\n\n');
    });

    it('drops the id 0', async () => {
      const client = await test.connect();
      client.send('{"cmd": "nothing", "id": 0}\n\n');
      expect(await client.take()).toBe('{\n  "result": null\n}\n\n');
    });

    it('copies the id behind an error', async () => {
      const client = await test.connect();
      client.send('{"cmd": "fly", "id": 2}\n\n');
      expect(await client.take()).toBe('{\n  "error": {\n    "class": "AssertionError",\n    "desc": "unknown command: fly"\n  },\n  "id": 2\n}\n\n');
    });
  });

  describe('errors', () => {
    it.each([
      ['constructor'],
      ['__proto__'],
      ['toString'],
      [''],
      ['a "quoted"\n\nname'],
    ])('knows no command %j', async (cmd) => {
      const client = await test.connect();
      client.send(`${JSON.stringify({ cmd })}\n\n`);
      expect(JSON.parse(await client.take())).toEqual({ error: { class: 'AssertionError', desc: `unknown command: ${cmd}` } });
    });

    it('refuses arguments that fail validation as SchemaError', async () => {
      const client = await test.connect();
      client.send('{"cmd": "picky", "id": 1}\n\n');
      expect(await client.take()).toBe(
        '{\n  "error": {\n    "class": "SchemaError",\n    "desc": "\'job-id\' is a required property"\n  },\n  "id": 1\n}\n\n',
      );
    });

    it('validates after turning underscores into dashes', async () => {
      const client = await test.connect();
      client.send('{"cmd": "picky", "args": {"job_id": "0xaa|1"}}\n\n');
      expect(await client.take()).toBe('{\n  "result": "0xaa|1"\n}\n\n');
    });

    it('answers what it cannot parse without id, and goes on with the next request', async () => {
      const client = await test.connect();
      client.send('{"cmd": "nothing", "id": 1\n\n{"cmd": "nothing", "id": 2}\n\n');
      expect(await client.take()).toBe('{\n  "error": {\n    "class": "ControlRequestError",\n    "desc": "the request is not valid JSON"\n  }\n}\n\n');
      expect(await client.take()).toBe('{\n  "result": null,\n  "id": 2\n}\n\n');
    });

    it('answers invalid UTF-8 and goes on', async () => {
      const client = await test.connect();
      client.send(Uint8Array.of(0x22, 0xff, 0xfe, 0x22, 0x0a, 0x0a)).send('{"cmd": "nothing"}\n\n');
      expect(JSON.parse(await client.take())).toEqual({ error: { class: 'ControlRequestError', desc: 'the request is not valid UTF-8' } });
      expect(await client.take()).toBe('{\n  "result": null\n}\n\n');
    });

    it('names the class a command gave its failure', async () => {
      const client = await test.connect();
      client.send('{"cmd": "fail", "args": {"class": "WildlandError", "desc": "no job \\"x\\""}, "id": 9}\n\n');
      expect(await client.take()).toBe('{\n  "error": {\n    "class": "WildlandError",\n    "desc": "no job \\"x\\""\n  },\n  "id": 9\n}\n\n');
    });

    it.each([
      ['bug', 'TypeError'],
      ['throwString', 'InternalError'],
      ['unwritable', 'TypeError'],
    ])('survives the defect of a command (%s) and shows no stack', async (cmd, className) => {
      const client = await test.connect();
      client.send(`{"cmd": "${cmd}", "id": 1}\n\n{"cmd": "nothing", "id": 2}\n\n`);
      const reply = await client.take();
      expect(JSON.parse(reply)).toMatchObject({ error: { class: className }, id: 1 });
      expect(reply).not.toMatch(/\bat .*:\d+|spec\.ts|test-server/);
      expect(JSON.parse(await client.take())).toEqual({ result: null, id: 2 });
      expect(test.log).toContainEqual(expect.objectContaining({ level: 'error', message: 'command failed' }));
    });
  });

  describe('events', () => {
    it('come as a string that is a JSON document, also before the response', async () => {
      const client = await test.connect();
      client.send('{"cmd": "announce", "args": {"value": "SYNCED"}, "id": 4}\n\n');
      expect(await client.take(2)).toBe(
        '{\n  "event": "{\\"type\\" : \\"state\\", \\"value\\": \\"SYNCED\\", \\"job_id\\": \\"0xaa|1\\"}"\n}\n\n' +
          '{\n  "result": "announced",\n  "id": 4\n}\n\n',
      );
    });

    it('stay valid JSON with quotes and newlines in a file name (W-34)', async () => {
      const client = await test.connect();
      const value = 'CREATE a"b\\\n\nc.txt';
      client.send(`${JSON.stringify({ cmd: 'announce', args: { value } })}\n\n`);
      const { event } = JSON.parse(await client.take()) as { event: string };
      expect(JSON.parse(event)).toEqual({ type: 'state', value, job_id: '0xaa|1' });
    });

    it('go to the connection that asked, any time later, and to no other', async () => {
      const [asking, other] = [await test.connect(), await test.connect()];
      await asking.send('{"cmd": "subscribe"}\n\n').take();
      expect(test.subscribers[0]?.sendEvent({ type: 'progress', value: 'CREATE a', jobId: 'j' })).toBe(true);
      expect(await asking.take()).toContain('CREATE a');
      await other.send('{"cmd": "nothing"}\n\n').take();
      expect(other.received).toBe('');
    });

    it('are refused quietly once the client is gone (W-37)', async () => {
      const client = await test.connect();
      await client.send('{"cmd": "subscribe"}\n\n').take();
      const connection = test.subscribers[0];
      const gone = new Promise<void>((resolve) => connection?.onClose(resolve));
      client.socket.destroy();
      await gone;
      expect(connection?.isOpen).toBe(false);
      expect(connection?.sendEvent({ type: 'state', value: 'SYNCED', jobId: 'j' })).toBe(false);
      expect(test.log.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
    });
  });

  describe('order', () => {
    it('handles requests of one connection strictly one after another', async () => {
      const client = await test.connect();
      client.send('{"cmd": "wait", "args": {"name": "a"}}\n\n{"cmd": "wait", "args": {"name": "b"}}\n\n');
      await test.openGate();
      await test.openGate();
      expect(await client.take(2)).toBe('{\n  "result": "a"\n}\n\n{\n  "result": "b"\n}\n\n');
      expect(test.trace).toEqual(['>a', '<a', '>b', '<b']);
    });

    it('reads on after requests that came while another one was handled', async () => {
      const client = await test.connect();
      client.send('{"cmd": "wait", "args": {"name": "a"}}\n\n');
      await until(() => test.trace.length === 1);
      client.send('{"cmd": "echo", "args": {"n": 2}}\n\n');
      await turns();
      client.send('{"cmd": "echo", "args": {"n": 3}}\n\n');
      await turns();
      await test.openGate();
      expect((await client.take(3)).split('\n\n').slice(0, 3).map((reply) => (JSON.parse(reply) as { result: unknown }).result)).toEqual([
        'a',
        { n: 2 },
        { n: 3 },
      ]);
    });

    it('handles requests of different connections side by side', async () => {
      const [slow, quick] = [await test.connect(), await test.connect()];
      slow.send('{"cmd": "wait", "args": {"name": "slow"}}\n\n');
      expect(await quick.send('{"cmd": "nothing"}\n\n').take()).toBe('{\n  "result": null\n}\n\n');
      await test.openGate();
      expect(await slow.take()).toBe('{\n  "result": "slow"\n}\n\n');
    });
  });

  describe('shutdown', () => {
    it('closes the connection without a response, and leaves later requests unanswered', async () => {
      const client = await test.connect();
      client.send('{"cmd": "shutdown", "id": 1}\n\n{"cmd": "nothing", "id": 2}\n\n');
      expect(await client.rest()).toBe('');
    });
  });

  it('tells a command that its client is gone, each callback once, taken back ones never', async () => {
    const client = await test.connect();
    await client.send('{"cmd": "subscribe"}\n\n').take();
    const connection = test.subscribers[0];
    const calls: string[] = [];
    connection?.onClose(() => {
      calls.push('throwing');
      throw new Error('careless');
    });
    connection?.onClose(() => calls.push('taken back'))();
    const closed = new Promise<void>((resolve) => connection?.onClose(resolve));
    client.end();
    await closed;
    await new Promise<void>((resolve) => connection?.onClose(resolve));
    expect(calls).toEqual(['throwing']);
  });

  it('numbers connections from 1', async () => {
    for (let count = 0; count < 3; count += 1) {
      await (await test.connect()).send('{"cmd": "subscribe"}\n\n').take();
    }
    expect(test.subscribers.map(({ id }) => id)).toEqual([1, 2, 3]);
  });
});

/**
 * The built daemon as a client of the original sees it: the control protocol byte for byte, over
 * a bare socket. No manifest and no `wl` takes part: storages come as raw parameters.
 */

import { existsSync, lstatSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import type { Child } from './testing/child.js';
import type { ProtocolClient } from './testing/protocol-client.js';
import { plant, treeOf } from './testing/tree.js';
import { until } from './testing/until.js';
import { World } from './testing/world.js';

let world: World;
let daemon: Child;
let client: ProtocolClient;
beforeEach(async () => {
  world = new World();
  daemon = world.startDaemon();
  client = await until(() => world.connect(), 'the daemon to listen');
});
afterEach(() => world.close());

/** The inner document of an event. */
interface Event {
  readonly type: string;
  readonly value: string;
  readonly job_id: string;
}

/** Storage parameters of a new directory below the scratch home. */
const localStorage = (name: string, more: object = {}): { type: string; location: string } => ({ type: 'local', location: world.folder(name), ...more });

/** Arguments of `start` for two directories and a job id of no form. */
const startArguments = (more: object = {}): object => ({
  'container-name': 'photos',
  'job-id': 'job',
  source: localStorage('left'),
  target: localStorage('right'),
  continuous: false,
  unidirectional: false,
  ...more,
});

/** Sends one document and gives the text of the next message. */
const replyTo = async (document: string, on = client): Promise<string> => {
  on.send(`${document}\n\n`);
  return (await on.next()).text;
};

/** The event in the next message; what comes must be one. */
const nextEvent = async (on = client): Promise<Event> => {
  const { json } = await on.next();
  if (typeof json['event'] !== 'string') throw new Error(`not an event: ${JSON.stringify(json)}`);
  return JSON.parse(json['event']) as Event;
};

/** Events up to and with the one that fits. */
const eventsUntil = async (fits: (event: Event) => boolean, on = client): Promise<Event[]> => {
  const events: Event[] = [];
  for (;;) {
    const event = await nextEvent(on);
    events.push(event);
    if (fits(event)) return events;
  }
};

const isState = (state: string) => (event: Event): boolean => event.type === 'state' && event.value === state;

/** Starts a job and gives its events up to the first SYNCED, those before the response included. */
const startAndSync = async (more: object = {}): Promise<Event[]> => {
  const events: Event[] = [];
  await ask('start', startArguments(more), (event) => events.push(event as Event));
  if (!events.some(isState('SYNCED'))) events.push(...(await eventsUntil(isState('SYNCED'))));
  return events;
};

/** The result of a request; an error is a failure of the test. */
const ask = async (cmd: string, args?: object, onEvent?: (event: unknown) => void, on = client): Promise<unknown> => {
  const answer = await on.ask(cmd, args, onEvent);
  if (!('result' in answer)) throw new Error(`${cmd} was refused: ${JSON.stringify(answer)}`);
  return answer['result'];
};

/** The error of a request that must be refused. */
const refusal = async (cmd: string, args?: object): Promise<{ class: string; desc: string }> => {
  const answer = await client.ask(cmd, args);
  if (!('error' in answer)) throw new Error(`${cmd} was not refused: ${JSON.stringify(answer)}`);
  return answer['error'] as { class: string; desc: string };
};

describe('the messages of the control socket', () => {
  it('end with an empty line both ways; replies are JSON indented by two spaces', async () => {
    expect(await replyTo('{"cmd": "status"}')).toBe('{\n  "result": []\n}\n\n');
    expect(await replyTo('{"cmd": "stop-all", "args": {}, "id": 7}')).toBe('{\n  "result": null,\n  "id": 7\n}\n\n');
    expect(await replyTo('{\n  "cmd": "job-state",\n  "args": {\n    "job-id": "x"\n  },\n  "id": 1\n}')).toBe('{\n  "result": null,\n  "id": 1\n}\n\n');
    const error = '{\n  "error": {\n    "class": "AssertionError",\n    "desc": "unknown command: frobnicate"\n  },\n  "id": 2\n}\n\n';
    expect(await replyTo('{"cmd": "frobnicate", "id": 2}')).toBe(error);
  });

  it('may come in any pieces, several at once, and are answered one after another', async () => {
    for (const byte of Buffer.from('{"cmd": "version", "id": "één"}\n\n')) client.send(Uint8Array.of(byte));
    expect((await client.next()).json).toMatchObject({ result: { protocol: 1 }, id: 'één' });
    client.send('\n\n\n{"cmd": "status", "id": 1}\n\n{"cmd": "nothing", "id": 2}\n\n\n\n{"cmd": "status", "id": 3}\n\n');
    const ids = [await client.next(), await client.next(), await client.next()].map(({ json }) => json['id']);
    expect(ids).toEqual([1, 2, 3]);
  });

  it('carry the id of the request back exactly when the original would', async () => {
    for (const id of ['1', '-1', '"a b"', 'true', '[0]', '{"a": 1}', '12345678901234567890']) {
      expect(await replyTo(`{"cmd": "status", "id": ${id}}`)).toBe(`{\n  "result": [],\n  "id": ${id}\n}\n\n`);
    }
    for (const id of ['0', '0.0', '""', 'null', 'false', '[]', '{}']) {
      expect(await replyTo(`{"cmd": "status", "id": ${id}}`)).toBe('{\n  "result": []\n}\n\n');
    }
  });

  it('may end with the end of the stream instead, which is answered before the connection ends', async () => {
    client.end('{"cmd": "status", "id": 1}\n\n{"cmd": "stop-all", "id": 2}');
    expect(await client.rest()).toBe('{\n  "result": [],\n  "id": 1\n}\n\n{\n  "result": null,\n  "id": 2\n}\n\n');
    const another = await world.connect();
    another.end();
    expect(await another.rest()).toBe('');
  });

  it('are refused as ControlRequestError without an id when they are none, and the connection goes on', async () => {
    for (const document of ['nonsense', '{"cmd": "status", "id": 1', '[]', 'null', '"status"', '{}', '{"id": 1}', '{"cmd": 5, "id": 1}', '{"cmd": "status", "args": [], "id": 1}']) {
      const { error, ...rest } = JSON.parse(await replyTo(document)) as { error: { class: string; desc: string } };
      expect(error.class).toBe('ControlRequestError');
      expect(error.desc).not.toBe('');
      expect(rest).toEqual({});
    }
    client.send(Buffer.from([0x22, 0xff, 0xfe, 0x22, 0x0a, 0x0a]));
    expect((await client.next()).json).toMatchObject({ error: { class: 'ControlRequestError', desc: 'the request is not valid UTF-8' } });
    expect(await replyTo('{"cmd": "status"}')).toBe('{\n  "result": []\n}\n\n');
  });

  it('are refused and end the connection when larger than allowed, and other clients go on', async () => {
    const another = await world.connect();
    another.send('x'.repeat(1024 * 1024 + 1));
    expect((await another.next()).json).toEqual({ error: { class: 'ControlRequestError', desc: 'the request is larger than 1048576 bytes' } });
    expect(await another.rest()).toBe('');
    expect(await ask('status')).toEqual([]);
  });

  it('have arguments that are checked before anything happens: SchemaError for bad, missing and unknown ones', async () => {
    const bad: readonly (readonly [string, object | undefined, RegExp])[] = [
      ['start', undefined, /container-name/],
      ['start', startArguments({ continuous: 'yes' }), /continuous/],
      ['start', startArguments({ verbose: true }), /verbose/],
      ['start', startArguments({ source: { type: 'local', location: 'relative' } }), /location/],
      ['start', startArguments({ 'active-events': ['everything'] }), /active-events/],
      ['stop', {}, /job-id/],
      ['stop', { 'job-id': 5 }, /job-id/],
      ['status', { all: true }, /all/],
      ['shutdown', { now: true }, /now/],
    ];
    for (const [cmd, args, why] of bad) {
      const { class: className, desc } = await refusal(cmd, args);
      expect([cmd, className]).toEqual([cmd, 'SchemaError']);
      expect(desc).toMatch(why);
    }
    expect(await ask('status')).toEqual([]);
  });

  it('take underscores in names of arguments for dashes', async () => {
    plant(world.folder('left'), { 'a.txt': 'a' });
    const args = { container_name: 'photos', job_id: 'job', source: localStorage('left'), target: localStorage('right'), continuous: false, unidirectional: false, active_events: [] };
    await ask('start', args);
    await eventsUntil(isState('SYNCED'));
    expect(await ask('job-state', { job_id: 'job' })).toEqual([3, expect.stringMatching(/^photos SYNCED /)]);
    expect(await ask('stop', { job_id: 'job' })).toBe('Sync for job job stopped');
  });
});

describe('a one-shot job started with raw storage parameters', () => {
  it('syncs once; its events are doubly encoded, and none of it needs a manifest or a backend-id', async () => {
    const [left, right] = [world.folder('left'), world.folder('right')];
    plant(left, { 'a.txt': 'a', 'd/b.txt': 'b' });
    plant(right, { 'c.txt': 'c' });
    client.send(`${JSON.stringify({ cmd: 'start', args: startArguments(), id: 1 }, null, 2)}\n\n`);

    const texts: string[] = [];
    const events: Event[] = [];
    let result: unknown;
    while (result === undefined || !events.some(isState('SYNCED'))) {
      const { text, json } = await client.next();
      if (typeof json['event'] === 'string') {
        texts.push(text);
        events.push(JSON.parse(json['event']) as Event);
      } else result = json['result'];
    }
    expect(texts[0]).toBe(String.raw`{
  "event": "{\"type\" : \"state\", \"value\": \"ONE_SHOT\", \"job_id\": \"job\"}"
}` + '\n\n');
    expect(result).toMatch(/^Using remote backend [0-9a-f-]{36} of type local\.$/);
    const states = events.filter(({ type }) => type === 'state').map(({ value }) => value);
    expect(states).toEqual(['ONE_SHOT', 'SYNCED']);
    const progress = events.filter(({ type }) => type === 'progress').map(({ value }) => value);
    for (const value of ['CREATE a.txt', 'CREATE d', 'CREATE d/b.txt', 'CREATE c.txt']) expect(progress).toContain(value);
    expect(treeOf(left)).toEqual({ 'a.txt': 'a', 'c.txt': 'c', 'd/': 'dir', 'd/b.txt': 'b' });
    expect(treeOf(right)).toEqual(treeOf(left));
    expect(existsSync(world.path('config', 'wildland', 'containers'))).toBe(false);
  });

  it('stays listed as SYNCED until it is stopped, with the texts of the original', async () => {
    await startAndSync({ source: localStorage('left', { 'backend-id': 'one' }), target: localStorage('right', { 'backend-id': 'two', type: 'local-cached' }) });
    const text = "photos SYNCED 'local'(backend_id=one) <-> 'local-cached'(backend_id=two) [one-shot]";
    expect(await ask('status')).toEqual([text]);
    expect(await ask('job-state', { 'job-id': 'job' })).toEqual([3, text]);

    client.send(`${JSON.stringify({ cmd: 'stop', args: { 'job-id': 'job' }, id: 9 })}\n\n`);
    // The event comes before the response: a client has to put up with it.
    expect(await nextEvent()).toEqual({ type: 'state', value: 'STOPPED', job_id: 'job' });
    expect((await client.next()).text).toBe('{\n  "result": "Sync for job job stopped",\n  "id": 9\n}\n\n');
    expect(await ask('status')).toEqual([]);
    expect(await ask('job-state', { 'job-id': 'job' })).toBeNull();
    expect(await refusal('stop', { 'job-id': 'job' })).toEqual({ class: 'WildlandError', desc: 'Sync for job job is not running' });
  });

  it('goes one way only when asked to', async () => {
    plant(world.folder('left'), { 'a.txt': 'a' });
    plant(world.folder('right'), { 'b.txt': 'b' });
    await startAndSync({ unidirectional: true });
    expect(treeOf(world.path('left'))).toEqual({ 'a.txt': 'a' });
    expect(treeOf(world.path('right'))).toEqual({ 'a.txt': 'a', 'b.txt': 'b' });
    expect(await ask('status')).toEqual([expect.stringMatching(/^photos SYNCED 'local'\(backend_id=[0-9a-f-]{36}\) -> 'local'\(backend_id=[0-9a-f-]{36}\) \[one-shot\]$/)]);
  });

  it('tells of conflicts in an event and in the status, with the same text', async () => {
    plant(world.folder('left'), { 'a.txt': 'left' });
    plant(world.folder('right'), { 'a.txt': 'right' });
    const events = await startAndSync({ source: localStorage('left', { 'backend-id': 'one' }), target: localStorage('right', { 'backend-id': 'two' }) });
    const text = 'Conflict detected on a.txt in storages one and two';
    expect(events.filter(({ type }) => type === 'conflict')).toEqual([{ type: 'conflict', value: text, job_id: 'job' }]);
    expect(events.at(-1)).toEqual({ type: 'state', value: 'SYNCED', job_id: 'job' });
    expect(await ask('status')).toEqual([`photos SYNCED 'local'(backend_id=one) <-> 'local'(backend_id=two) [one-shot]\n   ${text}`]);
    expect(treeOf(world.path('left'))).toEqual({ 'a.txt': 'left' });
    expect(treeOf(world.path('right'))).toEqual({ 'a.txt': 'right' });
  });

  it('sends events that parse, whatever is in names and ids (W-34)', async () => {
    const names = [`a "quoted" 'name'.txt`, 'back\\slash.txt', 'new\nline.txt', 'two\n\nlines.txt', 'tab\t.txt', 'grüße 🎉.txt', '{"event": "x"}'];
    plant(world.folder('left'), Object.fromEntries(names.map((name) => [name, name])));
    plant(world.folder('right'), { 'in "conflict".txt': 'right' });
    plant(world.folder('left'), { 'in "conflict".txt': 'left' });
    const jobId = 'an "opaque"\n\njob\\id';
    const events = await startAndSync({ 'job-id': jobId, 'container-name': 'a "name"\n\n' });
    const progress = events.filter(({ type }) => type === 'progress').map(({ value }) => value);
    for (const name of names) expect(progress).toContain(`CREATE ${name}`);
    expect(events.find(({ type }) => type === 'conflict')?.value).toContain('in "conflict".txt');
    expect(new Set(events.map(({ job_id }) => job_id))).toEqual(new Set([jobId]));
    expect(await ask('job-state', { 'job-id': jobId })).toEqual([3, expect.stringContaining('a "name"\n\n SYNCED')]);
    expect(await ask('stop', { 'job-id': jobId })).toBe(`Sync for job ${jobId} stopped`);
  });

  it('is refused for a storage type there is no driver for (KeyError), and for storages that cannot be synced', async () => {
    expect((await refusal('start', startArguments({ target: { type: 'carrier-pigeon' } }))).class).toBe('KeyError');
    const same = await refusal('start', startArguments({ target: localStorage('left') }));
    expect(same).toEqual({ class: 'WildlandError', desc: expect.stringContaining('the same storage') });
    const inside = await refusal('start', startArguments({ target: localStorage('left/inner') }));
    expect(inside).toEqual({ class: 'WildlandError', desc: expect.stringContaining('one lies inside the other') });
    const missing = await refusal('start', startArguments({ target: { type: 'local', location: world.path('missing') } }));
    expect(missing).toEqual({ class: 'WildlandError', desc: expect.stringContaining(world.path('missing')) });
    expect(await ask('status')).toEqual([]);
  });
});

describe('a continuous job started with raw storage parameters', () => {
  const continuous = (more: object = {}): object => ({ continuous: true, source: localStorage('left', { 'backend-id': 'one' }), target: localStorage('right', { 'backend-id': 'two' }), ...more });

  it('goes from ONE_SHOT to SYNCED, through RUNNING and back for changes, and stops', async () => {
    plant(world.folder('left'), { 'a.txt': 'a' });
    const first = await startAndSync(continuous());
    expect(first.filter(({ type }) => type === 'state').map(({ value }) => value)).toEqual(['ONE_SHOT', 'SYNCED']);
    const jobState = (): Promise<unknown> => ask('job-state', { 'job-id': 'job' });
    await until(async () => isDeepStrictEqual(await jobState(), [3, "photos SYNCED 'local'(backend_id=one) <-> 'local'(backend_id=two)"]), 'the job to be shown as SYNCED');

    plant(world.path('left'), { 'b.txt': 'b' });
    const second = await eventsUntil(({ type, value }) => type === 'progress' && value === 'CREATE b.txt');
    expect(second.findLast(({ type }) => type === 'state')).toEqual({ type: 'state', value: 'RUNNING', job_id: 'job' });
    await eventsUntil(isState('SYNCED'));
    expect(treeOf(world.path('right'))).toEqual({ 'a.txt': 'a', 'b.txt': 'b' });

    const late: Event[] = [];
    expect(await ask('stop', { 'job-id': 'job' }, (event) => late.push(event as Event))).toBe('Sync for job job stopped');
    expect(late.at(-1)).toEqual({ type: 'state', value: 'STOPPED', job_id: 'job' });
  });

  it('sends its events to the connection that started it and to no other; the job outlives that connection', async () => {
    const another = await world.connect();
    await startAndSync(continuous());
    expect(await ask('status', undefined, fail, another)).toHaveLength(1);
    plant(world.path('left'), { 'a.txt': 'a' });
    await eventsUntil(({ value }) => value === 'CREATE a.txt');
    expect(await ask('job-state', { 'job-id': 'job' }, fail, another)).toHaveLength(2);

    client.close();
    plant(world.path('left'), { 'b.txt': 'b' });
    await world.untilTree(world.path('right'), { 'a.txt': 'a', 'b.txt': 'b' });
    expect(await ask('stop', { 'job-id': 'job' }, fail, another)).toBe('Sync for job job stopped');
  });

  it('is refused under an id or for a pair that is running already, and allowed again after stop', async () => {
    await startAndSync(continuous());
    const running = { class: 'WildlandError', desc: 'Sync process for this container is already running; use stop-sync to stop it.' };
    expect(await refusal('start', startArguments(continuous()))).toEqual(running);
    expect(await refusal('start', startArguments(continuous({ target: localStorage('third') })))).toEqual(running);
    await ask('stop', { 'job-id': 'job' });
    await startAndSync(continuous({ 'job-id': 'owner|uuid|two' }));
    const swapped = { source: localStorage('right', { 'backend-id': 'two' }), target: localStorage('left', { 'backend-id': 'one' }) };
    expect(await refusal('start', startArguments(continuous({ 'job-id': 'owner|uuid|one', ...swapped })))).toEqual(running);
    expect(await ask('status')).toHaveLength(1);
  });

  it('keeps its state whatever events are asked for (W-35)', async () => {
    const args = startArguments(continuous({ 'active-events': ['conflict'] }));
    expect(await ask('start', args, fail)).toBe('Using remote backend two of type local.');
    const isSynced = async (): Promise<boolean> => ((await ask('job-state', { 'job-id': 'job' }, fail)) as [number])[0] === 3;
    await until(isSynced, 'the job to be SYNCED');

    plant(world.path('left'), { 'a.txt': 'left' });
    await world.untilTree(world.path('right'), { 'a.txt': 'left' });
    await until(isSynced, 'the job to be SYNCED again');

    expect(await ask('active-events', { 'job-id': 'job', 'active-events': ['progress'] }, fail)).toBeNull();
    plant(world.path('left'), { 'b.txt': 'b' });
    expect(await nextEvent()).toEqual({ type: 'progress', value: 'CREATE b.txt', job_id: 'job' });
    await until(isSynced, 'the job to be SYNCED once more');
    expect(await ask('active-events', { 'job-id': 'job', 'active-events': [] }, fail)).toBeNull();
    plant(world.path('left'), { 'c.txt': 'c' });
    const all = [...(await eventsUntil(({ value }) => value === 'CREATE c.txt')), ...(await eventsUntil(isState('SYNCED')))];
    expect(new Set(all.map(({ type }) => type))).toEqual(new Set(['state', 'progress']));
    expect((await refusal('active-events', { 'job-id': 'nothing', 'active-events': [] })).class).toBe('WildlandError');
  });

  it('fails on test-error with an error event, then the state ERROR, both shown by status', async () => {
    await startAndSync(continuous());
    const events: Event[] = [];
    expect(await ask('test-error', { 'job-id': 'job' }, (event) => events.push(event as Event))).toBeNull();
    expect(events).toEqual([
      { type: 'error', value: 'Test sync exception', job_id: 'job' },
      { type: 'state', value: 'ERROR', job_id: 'job' },
    ]);
    const text = "photos ERROR 'local'(backend_id=one) <-> 'local'(backend_id=two)\n   [!] Test sync exception";
    expect(await ask('job-state', { 'job-id': 'job' })).toEqual([5, text]);
    expect(await ask('status')).toEqual([text]);
    expect(await refusal('test-error', { 'job-id': 'nothing' })).toEqual({ class: 'KeyError', desc: 'nothing' });
    // An ERROR is not followed by STOPPED.
    expect(await ask('stop', { 'job-id': 'job' }, fail)).toBe('Sync for job job stopped');
  });

  it('runs beside others, and stop-all ends them all', async () => {
    await startAndSync(continuous());
    await startAndSync(continuous({ 'job-id': '0xaa|some-uuid', source: localStorage('third'), target: localStorage('fourth') }));
    expect(await ask('status')).toHaveLength(2);
    const events: Event[] = [];
    expect(await ask('stop-all', undefined, (event) => events.push(event as Event))).toBeNull();
    expect(events.filter(isState('STOPPED')).map(({ job_id }) => job_id).sort()).toEqual(['0xaa|some-uuid', 'job']);
    expect(await ask('status')).toEqual([]);
  });

  it('ends with the daemon on shutdown, which closes every connection without a response', async () => {
    plant(world.folder('left'), { 'a.txt': 'a' });
    await startAndSync(continuous());
    const another = await world.connect();
    another.send('{"cmd": "shutdown", "id": 1}\n\n{"cmd": "status", "id": 2}\n\n');
    expect(await another.rest()).toBe('');
    expect(await client.rest()).not.toContain('"result"');
    expect(await daemon.ended).toMatchObject({ code: 0, signal: null });
    expect(existsSync(world.socket)).toBe(false);
    expect(treeOf(world.path('right'))).toEqual({ 'a.txt': 'a' });
  });
});

describe('the control socket', () => {
  it('is for its user alone', () => {
    expect(lstatSync(world.socket).mode & 0o777).toBe(0o600);
  });

  it('survives clients that hang up in the middle of anything', async () => {
    plant(world.folder('left'), Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`${index}.txt`, 'x'])));
    const [rude, hasty] = [await world.connect(), await world.connect()];
    rude.send('{"cmd": "sta');
    rude.close();
    hasty.send(`${JSON.stringify({ cmd: 'start', args: startArguments() })}\n\n`);
    await hasty.next();
    hasty.close();
    await until(async () => ((await ask('job-state', { 'job-id': 'job' })) as [number])[0] === 3, 'the job of the client that left to be SYNCED');
    expect(treeOf(world.path('right'))).toEqual(treeOf(world.path('left')));
  });
});

/** For connections on which no event may come. */
function fail(event: unknown): void {
  throw new Error(`an event came that was not for here: ${JSON.stringify(event)}`);
}

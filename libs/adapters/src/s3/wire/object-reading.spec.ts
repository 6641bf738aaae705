/** Reading objects to the end over connections that break, from servers that answer something else. */

import { afterEach, describe, expect, it } from '@jest/globals';

import type { ObjectBody } from '../s3-api.js';

import { failureOf, HastyClock, OBJECT_HEADERS, openApi } from './testing/open-api.js';
import { failing, openScriptedServer, type Asked, type Reply, type ScriptedServer } from './testing/scripted-server.js';

const OBJECT = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 251));

let server: ScriptedServer;
let clock: HastyClock;
const script = async (...replies: (Reply | ((asked: Asked) => Reply))[]): Promise<ReturnType<typeof openApi>> => openApi((server = await openScriptedServer(replies)).origin, {}, (clock = new HastyClock()));
afterEach(() => server.close());

/** The part from `start` on, as a good server sends it. */
function part(start: number, more: Reply = {}, object = OBJECT): Reply {
  const range = `bytes ${String(start)}-${String(object.length - 1)}/${String(object.length)}`;
  return { status: 206, ...more, headers: { ...OBJECT_HEADERS, 'content-range': range, ...more.headers }, body: object.subarray(start) };
}
const whole = (more: Reply = {}): Reply => ({ ...more, headers: { ...OBJECT_HEADERS, ...more.headers }, body: OBJECT });

async function read(object: ObjectBody | 'stale'): Promise<Buffer> {
  if (object === 'stale') throw new Error('it is stale');
  const chunks: Uint8Array[] = [];
  for await (const chunk of object.body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('getObject', () => {
  it('reads a whole object', async () => {
    const api = await script(whole());
    const object = await api.getObject('k', undefined, 0);
    expect(object).toMatchObject({ offset: 0, head: { etag: 'e1', sizeBytes: 1000 } });
    expect((await read(object)).equals(OBJECT)).toBe(true);
    expect([server.asked[0]?.headers.range, server.asked[0]?.headers['if-match']]).toEqual([undefined, undefined]);
  });

  it('T48: reads one version from an offset', async () => {
    const api = await script(part(400));
    const object = await api.getObject('k', 'e1', 400);
    expect(object).toMatchObject({ offset: 400, head: { sizeBytes: 1000 } });
    expect((await read(object)).equals(OBJECT.subarray(400))).toBe(true);
    expect(server.asked[0]?.headers).toMatchObject({ range: 'bytes=400-', 'if-match': '"e1"' });
  });

  it('T48: skips what a server sends that ignores the range', async () => {
    const api = await script(whole());
    expect((await read(await api.getObject('k', 'e1', 400))).equals(OBJECT.subarray(400))).toBe(true);
  });

  it.each<[string, Reply]>([
    ['another start', part(399)],
    ['no range', { ...part(400), headers: { ...OBJECT_HEADERS } }],
    ['an end before the end', part(400, { headers: { 'content-range': 'bytes 400-998/1000' } })],
    ['a length that does not fit', part(400, { headers: { 'content-range': 'bytes 400-1999/2000' } })],
    ['no length', whole({ headers: { 'transfer-encoding': 'chunked' } })],
    ['no tag', { body: OBJECT, headers: { 'last-modified': OBJECT_HEADERS['last-modified'] } }],
    ['something shorter', { headers: { ...OBJECT_HEADERS }, body: 'short' }],
  ])('T41, T48: fails on an answer with %s', async (_what, reply) => {
    const api = await script(reply);
    expect(await failureOf(api.getObject('k', undefined, 400))).toMatchObject({ kind: 'damaged' });
  });

  it.each<[string, Reply]>([
    ['is another', failing(412, 'PreconditionFailed')],
    ['is gone', failing(404, 'NoSuchKey')],
    ['is another, and the server ignores If-Match', whole({ headers: { etag: '"e2"' } })],
  ])('is stale when the version %s', async (_what, reply) => {
    const api = await script(reply);
    expect(await api.getObject('k', 'e1', 0)).toBe('stale');
  });

  it('fails when the bucket is gone or access is denied', async () => {
    const api = await script(failing(404, 'NoSuchBucket'), failing(403, 'AccessDenied'));
    expect(await failureOf(api.getObject('k', 'e1', 0))).toMatchObject({ kind: 'not-found' });
    expect(await failureOf(api.getObject('k', 'e1', 0))).toMatchObject({ kind: 'permission-denied' });
  });

  it('reads nothing from the very end, and is stale beyond it', async () => {
    const api = await script(failing(416, 'InvalidRange'), whole(), failing(416, 'InvalidRange'), whole());
    expect(await read(await api.getObject('k', 'e1', 1000))).toHaveLength(0);
    expect(await api.getObject('k', 'e1', 1001)).toBe('stale');
    expect(server.asked.map(({ method }) => method)).toEqual(['GET', 'HEAD', 'GET', 'HEAD']);
  });

  it('T48: goes on where the connection broke, with the same version, without a gap', async () => {
    const cutPart = (asked: Asked): Reply => part(Number(/=(\d+)-/.exec(String(asked.headers.range))?.[1]), { cutAfter: 100 });
    const api = await script(whole({ cutAfter: 300 }), cutPart, cutPart, whole({ cutAfter: 700 }), (asked) => ({ ...cutPart(asked), cutAfter: undefined as never }));
    expect((await read(await api.getObject('k', undefined, 0))).equals(OBJECT)).toBe(true);
    expect(server.asked.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=300-', 'bytes=400-', 'bytes=500-', 'bytes=700-']);
    expect(server.asked.slice(1).map(({ headers }) => headers['if-match'])).toEqual(Array(4).fill('"e1"'));
    expect(clock.slept).toHaveLength(4);
  });

  it.each<[string, Reply]>([
    ['has another version', failing(412, 'PreconditionFailed')],
    ['has none any more', failing(404, 'NoSuchKey')],
    ['has another version and ignores If-Match', part(300, { headers: { etag: '"e2"' } })],
    ['has another length', part(300, {}, Buffer.concat([OBJECT, OBJECT]))],
    ['answers another range', part(200)],
  ])('T48: fails in the middle when the server then %s', async (_what, reply) => {
    const api = await script(whole({ cutAfter: 300 }), reply);
    const object = await api.getObject('k', 'e1', 0);
    expect(await failureOf(read(object))).toMatchObject({ kind: 'damaged', details: { isRetryable: true } });
  });

  it('gives up after five resumptions', async () => {
    const api = await script(whole({ cutAfter: 1 }), ...[1, 2, 3, 4, 5].map((start) => part(start, { cutAfter: 1 })));
    const object = await api.getObject('k', 'e1', 0);
    expect(await failureOf(read(object))).toMatchObject({ kind: 'unreachable' });
    expect(server.asked).toHaveLength(6);
  });

  it('ends at once when it is destroyed, given up or aborted', async () => {
    const api = await script(whole({ cutAfter: 500 }), whole({ cutAfter: 500 }), whole());
    const destroyed = await api.getObject('k', 'e1', 0);
    if (destroyed === 'stale') throw new Error('it is stale');
    destroyed.destroy();
    expect(await failureOf(read(destroyed))).toMatchObject({ kind: 'cancelled' });

    const aborting = new AbortController();
    const aborted = await api.getObject('k', 'e1', 0, aborting.signal);
    aborting.abort();
    expect(await failureOf(read(aborted))).toMatchObject({ kind: 'cancelled' });

    const left = await api.getObject('k', 'e1', 0);
    if (left === 'stale') throw new Error('it is stale');
    for await (const chunk of left.body) if (chunk.length > 0) break;
    expect(server.asked).toHaveLength(3);
  });

  it('INV-40: lets the server wait for a slow reader', async () => {
    const large = Buffer.alloc(24 * 1024 * 1024, 'x');
    const api = await script({ headers: { ...OBJECT_HEADERS }, body: large });
    const object = await api.getObject('k', 'e1', 0);
    if (object === 'stale') throw new Error('it is stale');
    const before = process.memoryUsage().arrayBuffers;
    for (let turn = 0; turn < 2000; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(12 * 1024 * 1024);
    expect(await read(object)).toHaveLength(large.length);
  });
});

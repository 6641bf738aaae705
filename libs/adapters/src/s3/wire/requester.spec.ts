/** Repetitions, corrections, cancellation, and how failures read. */

import { createServer as createTlsServer } from 'node:https';
import { createServer as createProxy, request as httpRequest } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';

import { afterEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '@wl/ports/testing';

import { S3Error } from '../s3-error.js';

import { ALWAYS, failureOf, HastyClock, OBJECT_HEADERS, openApi, PLAIN, sha256 } from './testing/open-api.js';
import { failing, openScriptedServer, type Reply, type ScriptedServer } from './testing/scripted-server.js';
import { CERTIFICATE, KEY } from './testing/self-signed.js';

const START_MS = Date.UTC(2026, 0, 1);
const OBJECT: Reply = { headers: { ...OBJECT_HEADERS } };
const BYTES = Buffer.from('content');
const closings: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closings.splice(0)) await close();
});

async function serve(...replies: Reply[]): Promise<ScriptedServer> {
  const server = await openScriptedServer(replies);
  closings.push(() => server.close());
  return server;
}

const dateOf = (ms: number): Record<string, string> => ({ date: new Date(ms).toUTCString() });
const regionOf = (server: ScriptedServer, index: number): string | undefined => server.asked[index]?.headers.authorization?.split('/')[2];

describe('repetitions (T53)', () => {
  it.each<[string, Reply]>([
    ['500', failing(500, 'InternalError')],
    ['502', { status: 502, body: '<html>Bad gateway</html>' }],
    ['503 SlowDown', failing(503, 'SlowDown')],
    ['504', { status: 504 }],
    ['429', { status: 429 }],
    ['400 RequestTimeout', failing(400, 'RequestTimeout')],
    ['a connection that ends', { drops: true }],
    ['half an answer', { body: 'half an answer', cutAfter: 4 }],
    ['content that was damaged on the way', failing(400, 'BadDigest')],
  ])('sends a request again after %s', async (_what, reply) => {
    const server = await serve(reply, { headers: { etag: '"e1"' } });
    expect(await openApi(server.origin).putObject('k', BYTES, sha256(BYTES), PLAIN, ALWAYS)).toMatchObject({ kind: 'done' });
    expect(server.asked[1]?.body.equals(BYTES)).toBe(true);
  });

  it('gives up after five tries, with pauses that double', async () => {
    const server = await serve(...Array<Reply>(9).fill(failing(500, 'InternalError')));
    const clock = new HastyClock();
    expect(await failureOf(openApi(server.origin, {}, clock).headObject('k'))).toMatchObject({ kind: 'io-error', details: { isRetryable: true, status: 500 } });
    expect(server.asked).toHaveLength(5);
    expect(clock.slept).toEqual([100, 200, 400, 800]);
  });

  it('waits longer when it is asked for fewer requests, and says so in the end', async () => {
    const server = await serve(...Array<Reply>(9).fill(failing(503, 'SlowDown')));
    const clock = new HastyClock();
    expect(await failureOf(openApi(server.origin, {}, clock).list({ prefix: '' }))).toMatchObject({ kind: 'throttled', details: { isRetryable: true } });
    expect(clock.slept).toEqual([500, 1000, 2000, 4000]);
  });

  it('draws each pause anew, from nothing to the longest', async () => {
    const server = await serve(...Array<Reply>(9).fill(failing(500, 'InternalError')));
    const clock = new HastyClock();
    const draws = [0, 0.5, 0.25, 0.999];
    await failureOf(openApi(server.origin, {}, clock, { random: () => draws.shift() ?? 1 }).headObject('k'));
    expect(clock.slept).toEqual([0, 100, 100, 799]);
  });

  it('heeds Retry-After, in seconds or as a date by the clock of the endpoint, up to half a minute', async () => {
    const server = await serve(
      failing(503, 'SlowDown', { 'retry-after': '7' }),
      failing(503, 'SlowDown', { 'retry-after': new Date(START_MS + 11_000).toUTCString(), ...dateOf(START_MS) }),
      failing(503, 'SlowDown', { 'retry-after': '3600' }),
      failing(503, 'SlowDown', { 'retry-after': 'soon' }),
      OBJECT,
    );
    const clock = new HastyClock();
    expect(await openApi(server.origin, {}, clock).headObject('k')).toBeDefined();
    expect(clock.slept).toEqual([7000, 11_000, 30_000, 4000]);
  });

  it('begins no try later than two minutes after the first', async () => {
    const server = await serve(...Array<Reply>(9).fill(failing(503, 'SlowDown')));
    const clock = new HastyClock();
    clock.sleep = async (ms) => void clock.pass(ms + 60_000);
    await failureOf(openApi(server.origin, {}, clock).headObject('k'));
    expect(server.asked).toHaveLength(3);
  });

  it.each<[string, Reply]>([['400', failing(400, 'InvalidArgument')], ['403', failing(403, 'AccessDenied')], ['501', failing(501, 'NotImplemented')], ['507', { status: 507 }]])('does not repeat after %s', async (_what, reply) => {
    const server = await serve(reply);
    await failureOf(openApi(server.origin).putObject('k', BYTES, sha256(BYTES), PLAIN, ALWAYS));
    expect(server.asked).toHaveLength(1);
  });
});

describe('corrections', () => {
  it.each<[string, Reply]>([
    ['a header', { status: 301, headers: { 'x-amz-bucket-region': 'eu-west-1' } }],
    ['a document', failing(400, 'AuthorizationHeaderMalformed', {}, '<Region>eu-west-1</Region>')],
  ])('moves to the region that %s names, once, and stays there', async (_what, reply) => {
    const server = await serve(reply, OBJECT, OBJECT);
    const api = openApi(server.origin);
    await api.getObject('k', undefined, 0);
    await api.headObject('k');
    expect([0, 1, 2].map((index) => regionOf(server, index))).toEqual(['us-east-1', 'eu-west-1', 'eu-west-1']);
  });

  it('says where the bucket is when moving does not help, and follows no name that is none', async () => {
    const moved: Reply = { status: 301, headers: { 'x-amz-bucket-region': 'eu-west-1' } };
    const server = await serve(moved, moved, { status: 301, headers: { 'x-amz-bucket-region': 'evil.example/' } });
    const api = openApi(server.origin);
    expect((await failureOf(api.headObject('k'))).message).toContain('it is in the region eu-west-1');
    expect(await failureOf(api.headObject('k'))).toMatchObject({ kind: 'unsupported' });
    expect(server.asked).toHaveLength(3);
  });

  it('dates signatures by the clock of the endpoint when that refuses ours, and remembers it', async () => {
    const server = await serve(failing(403, 'RequestTimeTooSkewed', dateOf(START_MS + 3_600_000)), OBJECT, OBJECT);
    const api = openApi(server.origin);
    await api.getObject('k', undefined, 0);
    await api.headObject('k');
    expect(server.asked.map(({ headers }) => headers['x-amz-date'])).toEqual(['20260101T000000Z', '20260101T010000Z', '20260101T010000Z']);
  });

  it('finds a wrong clock behind a HEAD that is denied without a word', async () => {
    const server = await serve({ status: 403, headers: dateOf(START_MS - 3_600_000) }, OBJECT);
    expect(await openApi(server.origin).headObject('k')).toBeDefined();
  });

  it('says by how much the clock is wrong when that does not help', async () => {
    const server = await serve(failing(403, 'RequestTimeTooSkewed', dateOf(START_MS + 3_600_000)), failing(403, 'RequestTimeTooSkewed', dateOf(START_MS + 3_600_000)));
    const failure = await failureOf(openApi(server.origin).list({ prefix: '' }));
    expect(failure).toMatchObject({ kind: 'unauthorized', details: { code: 'RequestTimeTooSkewed' } });
    expect(failure.message).toContain('the clock of this computer is wrong: it is 60 minutes behind');
  });

  it('asks for other credentials when these have expired, once', async () => {
    const server = await serve(failing(400, 'ExpiredToken'), OBJECT, failing(400, 'ExpiredToken'), failing(400, 'ExpiredToken'));
    let given = 0;
    const chain = async (): Promise<{ accessKeyId: string; secretAccessKey: string; sessionToken: string }> => ({ accessKeyId: `key-${String((given += 1))}`, secretAccessKey: 's', sessionToken: 't' });
    const api = openApi(server.origin, { credentials: undefined as never }, new HastyClock(), { loadChain: async () => chain });
    await api.getObject('k', undefined, 0);
    expect(server.asked.map(({ headers }) => /Credential=([^/]+)/.exec(headers.authorization ?? '')?.[1])).toEqual(['key-1', 'key-2']);
    expect(server.asked[0]?.headers['x-amz-security-token']).toBe('t');
    expect(await failureOf(api.getObject('k', undefined, 0))).toMatchObject({ kind: 'unauthorized', details: { code: 'ExpiredToken' } });
    expect(server.asked).toHaveLength(4);
  });
});

describe('cancellation', () => {
  it('ends before, during and between tries', async () => {
    const server = await serve({ hangs: true }, failing(500, 'InternalError'));
    const clock = new ManualClock();
    const api = openApi(server.origin, {}, clock);
    expect(await failureOf(api.headObject('k', AbortSignal.abort()))).toMatchObject({ kind: 'cancelled' });

    const during = new AbortController();
    const hanging = failureOf(api.headObject('k', during.signal));
    while (server.asked.length < 1) await turn();
    during.abort();
    expect(await hanging).toMatchObject({ kind: 'cancelled' });

    const between = new AbortController();
    const pausing = failureOf(api.headObject('k', between.signal));
    while (clock.sleeping < 1) await turn();
    between.abort();
    expect(await pausing).toMatchObject({ kind: 'cancelled' });
    expect(server.asked).toHaveLength(2);
  });

  it('ends what is under way when the storage is closed, and begins nothing more', async () => {
    const server = await serve({ hangs: true });
    const api = openApi(server.origin);
    const hanging = failureOf(api.headObject('k'));
    while (server.asked.length < 1) await turn();
    await api.close();
    expect(await hanging).toMatchObject({ kind: 'cancelled' });
    expect(await failureOf(api.headObject('k'))).toMatchObject({ kind: 'cancelled' });
    await api.close();
  });
});

describe('failures as sentences', () => {
  it('tells a closed port, an unknown host, a wrong protocol and an untrusted certificate apart', async () => {
    const closed = await openScriptedServer([]);
    await closed.close();
    expect(await failureOf(openApi(closed.origin).headBucket())).toMatchObject({ kind: 'unreachable', details: { isRetryable: true } });
    expect((await failureOf(openApi(closed.origin).headBucket())).message).toMatch(/^127\.0\.0\.1:\d+: nothing accepts connections there/);

    const plain = await serve();
    expect((await failureOf(openApi(plain.origin.replace('http:', 'https:')).headBucket())).message).toContain('does not speak TLS');

    const garbage = createTcpServer((socket) => socket.on('error', () => undefined).end('SSH-2.0-OpenSSH\r\n'));
    await new Promise<void>((resolve) => garbage.listen(0, '127.0.0.1', resolve));
    closings.push(() => void garbage.close());
    expect((await failureOf(openApi(`http://127.0.0.1:${String((garbage.address() as AddressInfo).port)}`).headBucket())).message).toContain('does not speak HTTP');

    const tls = createTlsServer({ key: KEY, cert: CERTIFICATE }, (_request, response) => response.end());
    await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
    closings.push(() => void tls.close());
    const clock = new HastyClock();
    const untrusted = await failureOf(openApi(`https://localhost:${String((tls.address() as AddressInfo).port)}`, {}, clock).headBucket());
    expect(untrusted).toMatchObject({ kind: 'unreachable', details: { isRetryable: false } });
    expect(untrusted.message).toContain('self-signed; make its authority known with NODE_EXTRA_CA_CERTS');
    expect(clock.slept).toEqual([]);
  });

  it.each<[Reply, string, string]>([
    [failing(403, 'SignatureDoesNotMatch'), 'unauthorized', 'the secret key does not belong to the access key'],
    [failing(403, 'InvalidAccessKeyId'), 'unauthorized', 'does not know the access key'],
    [failing(403, 'AccessDenied'), 'permission-denied', 'access to the object is denied'],
    [failing(404, 'NoSuchBucket'), 'not-found', 'there is no such bucket'],
    [failing(403, 'QuotaExceeded'), 'no-space', 'the quota is used up'],
    [{ status: 507 }, 'no-space', 'the server is full'],
    [failing(400, 'EntityTooLarge'), 'unsupported', 'larger than the endpoint takes'],
    [failing(400, 'KeyTooLongError'), 'name-not-representable', 'the path is too long'],
    [failing(403, 'InvalidObjectState'), 'unsupported', 'archived'],
    [failing(405, 'MethodNotAllowed'), 'unsupported', 'does not allow this'],
    [failing(400, 'SomethingNew'), 'io-error', '"Words of the server." (400 SomethingNew)'],
    [{ status: 400, body: '<html>' }, 'io-error', 'refused the request (400)'],
  ])('reads %j as %s', async (reply, kind, words) => {
    const server = await serve(reply);
    const failure = await failureOf(openApi(server.origin).putObject('k', BYTES, sha256(BYTES), PLAIN, ALWAYS));
    expect(failure).toMatchObject({ kind });
    expect(failure.message).toContain(words);
  });

  it('holds no secret, whatever happens', async () => {
    const server = await serve(failing(403, 'SignatureDoesNotMatch', {}, '<StringToSign>AWS4</StringToSign>'), failing(400, 'Odd\u0007Code'.repeat(20)), { drops: true });
    const api = openApi(server.origin);
    for (let i = 0; i < 3; i += 1) {
      const failure = await failureOf(api.putStream('k', { sizeBytes: 7, sha256: sha256(BYTES), chunks: one(BYTES) }, PLAIN, ALWAYS));
      const everything = `${failure.message} ${JSON.stringify(failure.details)} ${failure.stack ?? ''} ${String(failure.cause)}`;
      expect(everything).not.toMatch(/the-secret|Signature=|AWS4|Credential|\u0007/);
      expect(failure).toBeInstanceOf(S3Error);
    }
  });
});

describe('proxies', () => {
  it('goes through HTTP_PROXY, and around it where NO_PROXY says so', async () => {
    const server = await serve(OBJECT, OBJECT);
    const asked: string[] = [];
    const proxy = createProxy((request, response) => {
      asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
      request.pipe(httpRequest(request.url ?? '', { method: request.method ?? 'GET', headers: request.headers }, (answer) => answer.pipe(response.writeHead(answer.statusCode ?? 500, answer.headers))));
    });
    proxy.on('connect', (request, socket) => {
      asked.push(`CONNECT ${request.url ?? ''}`);
      const { hostname, port } = new URL(`http://${request.url ?? ''}`);
      const onward = connect(Number(port), hostname, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.pipe(onward).pipe(socket);
      });
      for (const end of [socket, onward]) end.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    closings.push(() => void (proxy.close(), proxy.closeAllConnections()));
    const env = { HTTP_PROXY: `http://127.0.0.1:${String((proxy.address() as AddressInfo).port)}` };

    const through = openApi(server.origin, {}, new HastyClock(), {}, env);
    expect(await through.headObject('k')).toBeDefined();
    expect(asked).toHaveLength(1);
    await through.close();

    const around = openApi(server.origin, {}, new HastyClock(), {}, { ...env, NO_PROXY: '127.0.0.1' });
    expect(await around.headObject('k')).toBeDefined();
    expect(asked).toHaveLength(1);
    await around.close();
  });
});

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

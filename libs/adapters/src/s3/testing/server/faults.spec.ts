/** Faults, hooks, the log and the hands of an outsider: each does what its name says, to the request it is for. */

import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { md5 } from './facts.js';
import type { FaultEffect } from './faults.js';
import { realServer } from './real-server.js';
import { elementOf } from './signed-request.js';
import { openServer, type OpenServer } from './testing-client.js';

describe('faults of the server', () => {
  let opened: OpenServer;
  const facts = () => opened.facts;
  const onGet = (effect: FaultEffect) => opened.server.fault({ operation: 'GetObject', effect });

  beforeEach(async () => {
    opened = await openServer();
    await facts().put('a', '0123456789');
  });
  afterEach(() => opened.close());

  it('strikes the requests it is for, and no others', async () => {
    const fault = opened.server.fault({ operation: 'HeadObject', key: facts().key('a'), skip: 1, times: 2, effect: { kind: 'error', status: 503, code: 'SlowDown', headers: { 'retry-after': '1' } } });
    const statuses = [];
    for (let count = 0; count < 4; count++) statuses.push((await facts().head('a')).status);
    expect([statuses, (await facts().head('b')).status, fault.hits]).toEqual([[200, 503, 503, 200], 404, 2]);
  });

  it('answers errors with headers, instead of the work or after it', async () => {
    const error = { kind: 'error', status: 503, code: 'SlowDown', headers: { 'retry-after': '7' } } as const;
    opened.server.fault({ operation: 'PutObject', effect: error });
    const before = await facts().put('b', 'one');
    expect([before.status, before.code, before.headers['retry-after'], await facts().text('b')]).toEqual([503, 'SlowDown', '7', undefined]);
    opened.server.fault({ operation: 'PutObject', effect: { ...error, afterWork: true } });
    expect([(await facts().put('b', 'one')).status, await facts().text('b')]).toEqual([503, 'one']);
    expect(opened.server.log.of('PutObject', facts().key('b')).map(({ isDone }) => isDone)).toEqual([false, true]);
  });

  it('loses requests before the work, and replies after it (T36)', async () => {
    opened.server.fault({ operation: 'PutObject', effect: { kind: 'lose-request' } });
    await expect(facts().put('b', 'one')).rejects.toThrow();
    expect(await facts().text('b')).toBeUndefined();
    opened.server.fault({ operation: 'PutObject', effect: { kind: 'lose-reply' } });
    await expect(facts().put('b', 'two')).rejects.toThrow();
    expect(await facts().text('b')).toBe('two');
    expect(opened.server.log.of('PutObject', facts().key('b')).map(({ outcome, isDone }) => [outcome, isDone])).toEqual([['lost', false], ['lost', true]]);
  });

  it('does delayed work when its time has come, whether the client still waits or not', async () => {
    let release = (): void => undefined;
    const until = new Promise<void>((resolve) => (release = resolve));
    opened.server.fault({ operation: 'PutObject', effect: { kind: 'delay', until } });
    const put = facts().put('b', 'late');
    const lost = expect(put).rejects.toThrow();
    await facts().put('b', 'early');
    opened.server.dropConnections();
    await lost;
    const done = new Promise<void>((resolve) => opened.server.after('PutObject', () => resolve()));
    release();
    await done;
    expect(opened.server.bucket().text(facts().key('b'))).toBe('late');
  });

  it.each(['reset', 'eof'] as const)('cuts bodies short of their length (%s)', async (ending) => {
    onGet({ kind: 'cut-body', afterBytes: 4, ending });
    await expect(facts().get('a')).rejects.toThrow();
    expect(await facts().text('a')).toBe('0123456789');
  });

  it.each([
    ['clean-eof', undefined],
    ['unframed', undefined],
    ['short-length', '4'],
  ] as const)('ends bodies early as though they were whole (%s)', async (ending, length) => {
    onGet({ kind: 'cut-body', afterBytes: 4, ending });
    const answer = await facts().get('a');
    expect([answer.status, answer.body.toString(), answer.headers['content-length']]).toEqual([200, '0123', length]);
  });

  it('answers without the work', async () => {
    opened.server.fault({ operation: 'DeleteObject', effect: { kind: 'answer', status: 204 } });
    expect([(await facts().delete('a')).status, await facts().text('a')]).toEqual([204, '0123456789']);
    opened.server.fault({ operation: 'CopyObject', effect: { kind: 'answer', status: 200, body: '<Error><Code>InternalError</Code></Error>' } });
    const copied = await facts().copy('a', 'b');
    expect([copied.status, elementOf(copied.body, 'Code'), await facts().text('b')]).toEqual([200, 'InternalError', undefined]);
  });

  it('replaces bodies', async () => {
    onGet({ kind: 'replace-body', body: '<html>Log in</html>', status: 200 });
    const answer = await facts().get('a');
    expect([answer.body.toString(), answer.headers['content-type']]).toEqual(['<html>Log in</html>', 'text/html']);
  });

  it.each([1, -1])('announces a length that is off by %d', async (by) => {
    onGet({ kind: 'wrong-length', by });
    const answer = facts().get('a').then(({ body }) => body.toString(), () => 'failed');
    // One byte too many may be met before the body is handed on, or after.
    expect(by > 0 ? ['failed'] : ['failed', '012345678']).toContain(await answer);
  });

  it('resets after the headers', async () => {
    onGet({ kind: 'reset-after-headers' });
    await expect(facts().get('a')).rejects.toThrow();
  });

  it('drips, and flips a bit', async () => {
    onGet({ kind: 'drip', bytes: 3, everyMs: 1 });
    expect(await facts().text('a')).toBe('0123456789');
    onGet({ kind: 'corrupt-body', at: 0 });
    expect(await facts().text('a')).toBe('1123456789');
  });

  it('changes headers', async () => {
    onGet({ kind: 'headers', headers: { etag: undefined, 'x-more': '1' } });
    const { headers } = await facts().get('a');
    expect([headers.etag, headers['x-more']]).toEqual([undefined, '1']);
  });

  it('ignores ranges, and answers another version (T48)', async () => {
    onGet({ kind: 'ignore-range' });
    expect(await facts().get('a', { range: 'bytes=4-' })).toMatchObject({ status: 200, body: Buffer.from('0123456789') });
    onGet({ kind: 'other-version', bytes: Buffer.from('abcdefghij') });
    const other = await facts().get('a', { range: 'bytes=4-', 'if-match': md5('0123456789') });
    expect([other.status, other.body.toString(), other.headers.etag]).toEqual([206, 'efghij', `"${md5('abcdefghij')}"`]);
  });

  it('answers stale reads and listings', async () => {
    const stale = { kind: 'stale' } as const;
    await facts().put('a', 'new');
    onGet(stale);
    expect([await facts().text('a'), await facts().text('a')]).toEqual(['0123456789', 'new']);
    await facts().put('b', 'x');
    opened.server.fault({ operation: 'ListObjectsV2', times: 2, effect: stale });
    expect((await facts().list()).keys).toEqual(['a']);
    await facts().delete('b');
    expect((await facts().list()).keys).toEqual(['a', 'b']);
    expect((await facts().list()).keys).toEqual(['a']);
  });

  it('lists lies (T06)', async () => {
    for (const name of ['b', 'c', 'd']) await facts().put(name, 'x');
    const first = await facts().list({ 'max-keys': '2' });
    const lie = async (trick: Extract<FaultEffect, { kind: 'listing' }>['trick'], token?: string) => {
      opened.server.fault({ operation: 'ListObjectsV2', effect: { kind: 'listing', trick } });
      const page = await facts().list({ 'max-keys': '2', ...(token !== undefined && { 'continuation-token': token }) });
      return [page.keys.join(''), page.isTruncated, page.token === undefined ? 'none' : page.token === token ? 'same' : 'next'];
    };
    expect(await lie('first-page', first.token)).toEqual(['ab', true, 'same']);
    expect(await lie('backwards')).toEqual(['ba', true, 'next']);
    expect(await lie('drop-entry')).toEqual(['a', true, 'next']);
    expect(await lie('claims-end')).toEqual(['ab', false, 'none']);
    expect(await lie('claims-more', first.token)).toEqual(['cd', true, 'next']);
    expect(await lie('more-without-token', first.token)).toEqual(['cd', true, 'none']);
    expect(await lie('repeat-token', first.token)).toEqual(['cd', true, 'same']);
    expect(await lie('duplicates')).toEqual(['aabb', true, 'next']);
  });

  it('lets bits rot under the tag', async () => {
    opened.server.bucket().tamper(facts().key('a'), (bytes) => bytes.fill('x', 0, 1));
    const answer = await facts().get('a');
    expect([answer.body.toString(), answer.headers.etag]).toEqual(['x123456789', `"${md5('0123456789')}"`]);
  });

  it('lets an outsider act between two requests, or before an answer', async () => {
    const key = facts().key('a');
    opened.server.before('DeleteObject', () => void opened.server.bucket().put(key, 'outsider', { metadata: { who: 'me' } }), { key, times: 1 });
    expect((await facts().delete('a', { 'if-match': md5('0123456789') })).status).toBe(412);
    expect((await facts().head('a')).headers['x-amz-meta-who']).toBe('me');
    opened.server.after('HeadObject', () => opened.server.bucket().delete(key), { times: 1 });
    expect((await facts().head('a')).status).toBe(200);
    expect(opened.server.bucket().head(key)).toBeUndefined();
  });

  it('logs what it was asked, and what came of it', async () => {
    opened.server.log.clear();
    await facts().put('b', 'one', { 'if-none-match': '*' });
    await facts().put('b', 'two', { 'if-none-match': '*' });
    await facts().head('b');
    const told = opened.server.log.entries.map(({ operation, status, code, ifNoneMatch, sizeBytes }) => [operation, status, code, ifNoneMatch, sizeBytes]);
    expect(told).toEqual([['PutObject', 200, undefined, '*', 3], ['PutObject', 412, 'PreconditionFailed', '*', 3], ['HeadObject', 200, undefined, undefined, 0]]);
    expect(opened.server.log.writes).toHaveLength(2);
  });

  it('takes the bucket from the host name as well', async () => {
    const put = await facts().send({ method: 'PUT', key: 'host/b', body: 'one', hostDomain: 's3.localhost' });
    expect([put.status, opened.server.bucket().text('host/b')]).toEqual([200, 'one']);
  });

  it('sets its clock as told', async () => {
    opened.server.clockOffsetMs = 3_600_000;
    const refused = await facts().head('a');
    expect([refused.status, Date.parse(String(refused.headers.date)) > Date.now() + 3_500_000]).toEqual([403, true]);
    expect((await facts().get('a')).code).toBe('RequestTimeTooSkewed');
  });

  it('wants a length', async () => {
    const answer = await facts().send({ method: 'PUT', key: facts().key('b'), body: 'one', headers: { 'transfer-encoding': 'chunked' } });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(await facts().text('b')).toBeUndefined();
  });

  it('names what is missing where a real server is wanted', () => {
    expect(() => realServer({ WL_S3_ENDPOINT: '', WL_S3_ACCESS_KEY: 'a' })).toThrow('set WL_S3_ENDPOINT, WL_S3_SECRET_KEY');
  });

  it('refuses a request that nobody signed', async () => {
    const agent = new Agent();
    const outgoing = httpRequest({ agent, port: opened.server.port, path: '/test/a' }).end();
    const [answer] = (await once(outgoing, 'response')) as [import('node:http').IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    expect([answer.statusCode, elementOf(Buffer.concat(chunks), 'Code')]).toEqual([403, 'AccessDenied']);
    agent.destroy();
  });

  it('ends at once, also while a request waits', async () => {
    const other = await openServer();
    other.server.fault({ operation: 'PutObject', effect: { kind: 'delay', until: new Promise(() => undefined) } });
    const waiting = expect(other.facts.put('a', 'never')).rejects.toThrow();
    await other.facts.head('a');
    await other.close();
    await waiting;
  });

  it('reports a hook that failed when it is closed', async () => {
    const other = await openServer();
    other.server.before('HeadObject', () => Promise.reject(new Error('a mistake in a test')));
    await expect(other.facts.head('a')).rejects.toThrow();
    await expect(other.close()).rejects.toThrow('hooks failed');
  });
});

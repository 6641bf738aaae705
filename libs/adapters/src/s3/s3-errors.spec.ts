/**
 * Errors of servers and networks (T53): each is waited out with growing pauses up to a limit, or put
 * right, or told in a sentence; nothing is left half done (INV-16), and no secret is ever told.
 */

import { inspect } from 'node:util';

import { afterEach, describe, expect, it } from '@jest/globals';
import { ROOT, toRelativePath } from '@wl/domain';
import { isBackendError, type BackendError } from '@wl/ports';

import type { S3Backend } from './s3-backend.js';
import { closeBenches, listed, openBench, read, tokenAt, write, written, type Bench } from './testing/bench.js';
import type { FaultEffect, FaultScript } from './testing/server/index.js';

afterEach(closeBenches);

const A = toRelativePath('a');
const HOUR_MS = 3_600_000;

const slowDown = (retryAfter?: string): FaultEffect => ({ kind: 'error', status: 503, code: 'SlowDown', ...(retryAfter !== undefined && { headers: { 'retry-after': retryAfter } }) });

/** What a user does with a storage, all of it; the file `a` goes from `one` to `two`. */
async function aDay(bench: Bench, backend: S3Backend): Promise<readonly string[]> {
  const token = await tokenAt(backend, 'a');
  await listed(backend);
  await read(backend, 'a', token);
  await backend.getHashes([A]);
  await written(backend, 'a', 'two', token);
  await written(backend, 'b', 'b');
  await backend.makeDirectory(toRelativePath('d'));
  await removed(bench, backend, 'b');
  await backend.removeDirectory(toRelativePath('d'));
  await backend.flush();
  return (await listed(backend)).keys;
}

/**
 * On Ceph the last step of a removal is sent once: where its answer is lost, the name is held for
 * some minutes, and is free when somebody looks after that.
 */
async function removed(bench: Bench, backend: S3Backend, path: string): Promise<void> {
  const failure: unknown = await backend.remove(toRelativePath(path), await tokenAt(backend, path)).then(() => undefined, (error: unknown) => error);
  if (failure === undefined) return;
  expect(backend.capabilities.remove).toBe('window');
  expect(failure).toMatchObject({ details: { retryable: true } });
  expect((await listed(backend)).reasons).toEqual({ [path]: 'changing' });
  bench.clock.skip(6 * 60_000);
  await listed(backend);
}

async function withFile(preset: 'aws' | 'ceph' = 'aws'): Promise<{ readonly bench: Bench; readonly backend: S3Backend }> {
  const bench = await openBench({ preset });
  bench.put('a', 'one');
  return { bench, backend: await bench.machine() };
}

async function failureOf(promise: Promise<unknown>): Promise<BackendError> {
  const failure: unknown = await promise.then(() => undefined, (error: unknown) => error);
  if (!isBackendError(failure)) throw new Error('it did not fail as a backend does', { cause: failure });
  return failure;
}

describe.each(['aws', 'ceph'] as const)('T53: on preset %s', (preset) => {
  it.each<[string, Omit<FaultScript, 'operation' | 'skip'>]>([
    ['asks for fewer requests', { effect: slowDown(), times: 2 }],
    ['asks for fewer requests with 429', { effect: { kind: 'error', status: 429, code: 'TooManyRequests' }, times: 2 }],
    ['has an internal error', { effect: { kind: 'error', status: 500, code: 'InternalError' }, times: 2 }],
    ['is behind a proxy that has no answer', { effect: { kind: 'replace-body', status: 502, body: '<html>Bad gateway</html>' } }],
    ['is in maintenance after it did the work', { effect: { kind: 'error', status: 503, code: 'ServiceUnavailable', afterWork: true } }],
    ['breaks the connection before the work', { effect: { kind: 'lose-request' }, times: 2 }],
    ['breaks the connection after the headers', { effect: { kind: 'reset-after-headers' } }],
    ['waits too long for the request', { effect: { kind: 'error', status: 408, code: 'RequestTimeout' }, times: 2 }],
  ])('INV-16, INV-18: a server that %s at any request does no harm', async (_name, fault) => {
    const { bench, backend } = await withFile(preset);
    expect(await aDay(bench, backend)).toEqual(['a']);
    const requests = bench.server.log.entries.length;
    expect(requests).toBeGreaterThan(15);
    await backend.close();
    for (let skip = 0; skip < requests; skip += 4) {
      const again = await openBench({ preset });
      again.put('a', 'one');
      const machine = await again.machine();
      const set = again.server.fault({ operation: '*', skip, ...fault });
      expect([skip, await aDay(again, machine), again.text('a'), set.hits > 0]).toEqual([skip, ['a'], 'two', true]);
      expect(again.hands.uploads()).toEqual([]);
    }
  });
});

describe('T53: pauses', () => {
  it('grow, vary, and come to an end', async () => {
    const { bench, backend } = await withFile();
    bench.server.fault({ operation: '*', times: Infinity, effect: slowDown() });
    const failure = await failureOf(listed(backend));
    expect([failure.code, failure.details.retryable]).toEqual(['throttled', true]);
    expect(failure.message).toContain('fewer requests');
    const { pausesMs } = bench.clock;
    // Two ranges of keys are asked for side by side.
    expect([pausesMs.length <= 8, bench.server.log.entries.length <= 10]).toEqual([true, true]);
    pausesMs.toSorted((x, y) => x - y).forEach((pauseMs) => expect(pauseMs).toBeLessThanOrEqual(4000));
    expect(Math.max(...pausesMs)).toBeGreaterThan(0);
  });

  it.each([
    ['3', 3000],
    ['600', 30_000],
    ['soon', 0],
  ])('are as long as the server asks, up to a cap (Retry-After: %s)', async (retryAfter, leastMs) => {
    const { bench, backend } = await withFile();
    bench.server.fault({ operation: '*', effect: slowDown(retryAfter) });
    await backend.getFileToken(A);
    expect(bench.clock.pausesMs).toHaveLength(1);
    expect(bench.clock.pausesMs[0]).toBeGreaterThanOrEqual(leastMs);
    expect(bench.clock.pausesMs[0]).toBeLessThanOrEqual(Math.max(leastMs, 500));
  });

  it('may be a date by the server’s clock', async () => {
    const { bench, backend } = await withFile();
    bench.server.fault({ operation: '*', effect: slowDown(new Date(bench.server.nowMs() + 9000).toUTCString()) });
    await backend.getFileToken(A);
    expect(bench.clock.pausesMs[0]).toBeGreaterThan(6000);
    expect(bench.clock.pausesMs[0]).toBeLessThanOrEqual(10_000);
  });

  it('end when the storage is closed', async () => {
    const { bench, backend } = await withFile();
    const closing: Promise<void>[] = [];
    bench.server.fault({ operation: '*', times: Infinity, effect: slowDown() });
    bench.server.after('*', () => void closing.push(backend.close()), { times: 1 });
    expect((await failureOf(listed(backend))).code).toBe('cancelled');
    await Promise.all(closing);
  });
});

describe('T53: what the server points out', () => {
  it.each([HOUR_MS, -HOUR_MS, 26 * HOUR_MS])('a clock that is off by %d ms is made up for, and decides nothing (INV-22)', async (offsetMs) => {
    const { bench, backend } = await withFile();
    bench.server.clockOffsetMs = offsetMs;
    expect(await aDay(bench, backend)).toEqual(['a']);
    expect(bench.text('a')).toBe('two');
    expect((await (await bench.machine()).rootIdentity({ mark: true })).ids[0]).toMatch(/^marker:/);
  });

  it('a clock that jumps on and on is told in a sentence', async () => {
    const { bench, backend } = await withFile();
    let hours = 0;
    bench.server.before('*', () => void (bench.server.clockOffsetMs = (hours += 9) * HOUR_MS));
    const failure = await failureOf(listed(backend));
    expect([failure.code, failure.details.retryable]).toEqual(['unauthorized', true]);
    expect(failure.message).toMatch(/clock of this computer/);
  });

  it('another region is gone to, once for all', async () => {
    const bench = await openBench();
    bench.put('a', 'one');
    bench.server.moveBucket('bucket', 'eu-central-1');
    const backend = await bench.machine();
    expect(await aDay(bench, backend)).toEqual(['a']);
    expect(bench.server.log.entries.filter(({ status }) => status === 301 || status === 400)).toEqual([]);
  });

  it('a region that never is the right one is told in a sentence', async () => {
    const bench = await openBench();
    bench.server.fault({ operation: '*', times: Infinity, effect: { kind: 'error', status: 301, code: 'PermanentRedirect', headers: { 'x-amz-bucket-region': 'mars-1' } } });
    const failure = await failureOf(bench.machine());
    expect([failure.code, bench.server.log.entries.length < 6]).toEqual(['unsupported', true]);
    expect(failure.message).toContain('mars-1');
  });

  it.each<[string, number, string, string, RegExp]>([
    ['an access key that nobody knows', 403, 'InvalidAccessKeyId', 'unauthorized', /access key/],
    ['a secret that is not right', 403, 'SignatureDoesNotMatch', 'unauthorized', /secret key/],
    ['credentials that have expired', 400, 'ExpiredToken', 'unauthorized', /expired/],
    ['no right to list', 403, 'AccessDenied', 'unauthorized', /denied/],
    ['no bucket', 404, 'NoSuchBucket', 'not-found', /no such bucket/],
    ['a full disk', 507, 'InsufficientStorage', 'no-space', /full/],
    ['a request that it does not know', 501, 'NotImplemented', 'unsupported', /cannot do this/],
  ])('%s is told in a sentence, and nothing is concluded from it (INV-8)', async (_name, status, code, kind, sentence) => {
    const { bench, backend } = await withFile();
    bench.server.fault({ operation: '*', times: Infinity, effect: { kind: 'error', status, code } });
    const failure = await failureOf(listed(backend));
    expect([failure.code, failure.details.operation]).toEqual([kind, 'list']);
    expect(failure.message).toMatch(sentence);
    expect(bench.clock.pausesMs).toEqual([]);
    for (const look of [backend.stat(A), backend.getFileToken(A), backend.rootIdentity({ mark: false }), backend.getHashes([A])]) {
      if (status === 404) await look.catch(() => undefined);
      else await failureOf(look);
    }
    expect((await failureOf(bench.machine())).code).toBe(kind);
    bench.server.clearFaults();
    expect(await aDay(bench, backend)).toEqual(['a']);
  });
});

describe('INV-16: a file that cannot be written', () => {
  it('stops no other, and leaves what was there', async () => {
    const { bench, backend } = await withFile('ceph');
    const token = await tokenAt(backend, 'a');
    bench.server.fault({ operation: 'PutObject', key: 'photos/a', times: Infinity, effect: { kind: 'error', status: 403, code: 'AccessDenied' } });
    expect(await write(backend, 'a', 'two', token)).toMatchObject({ kind: 'failed', error: { code: 'permission-denied', details: { path: 'a', retryable: false } } });
    await written(backend, 'b', 'b');
    expect([bench.text('a'), bench.text('b')]).toEqual(['one', 'b']);
  });

  it.each<[string, string]>([
    ['CopyObject', 'a copy to the trash'],
    ['PutObject', 'the write itself'],
  ])('T52: is whole while the server is full at %s', async (operation) => {
    const { bench, backend } = await withFile('ceph');
    const token = await tokenAt(backend, 'a');
    bench.server.fault({ operation: operation as 'PutObject', times: Infinity, effect: { kind: 'error', status: 403, code: 'QuotaExceeded' } });
    expect(await write(backend, 'a', 'two', token)).toMatchObject({ kind: 'failed', error: { code: 'no-space' } });
    expect((await failureOf(backend.remove(A, token))).code).toBe('no-space');
    expect([bench.text('a'), bench.paths()]).toEqual(['one', ['a']]);
  });
});

describe('secrets', () => {
  const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';

  /** Everything that an error, its causes and its properties say. */
  const told = (error: unknown): string => inspect(error, { depth: 12, showHidden: true, getters: true });

  it('are in no error, whatever fails, nor are signatures', async () => {
    const bench = await openBench();
    bench.put('a', 'one');
    const effects: FaultEffect[] = [
      { kind: 'error', status: 403, code: 'SignatureDoesNotMatch', message: 'The request signature we calculated does not match' },
      { kind: 'error', status: 500, code: 'InternalError' },
      { kind: 'replace-body', body: '<html>Log in</html>' },
      { kind: 'lose-request' },
      { kind: 'error', status: 418, code: 'Teapot', message: 'something\nnew' },
    ];
    for (const effect of effects) {
      const backend = await bench.machine({ isClosed: true });
      bench.server.fault({ operation: '*', times: Infinity, effect });
      for (const act of [() => backend.open(), () => listed(backend, ROOT), () => backend.stat(A), () => backend.check(), () => backend.rootIdentity({ mark: true })]) {
        const failure = await act().then(() => undefined, (error: unknown) => error);
        const text = told(failure);
        for (const secret of [bench.server.secretKey, 'Signature=', 'AWS4-HMAC', 'authorization']) expect([effect.kind, text.includes(secret)]).toEqual([effect.kind, false]);
        if (failure instanceof Error) expect(failure.message).not.toMatch(/\n/);
      }
      bench.server.clearFaults();
    }
  });

  it('that are wrong are in no error either', async () => {
    const bench = await openBench();
    const failure = await failureOf(bench.machine({ params: { credentials: { accessKey: 'testkey', secretKey: SECRET } } }));
    expect([failure.code, told(failure).includes(SECRET)]).toEqual(['unauthorized', false]);
    const backend = await bench.machine({ isClosed: true, params: { credentials: { accessKey: 'testkey', secretKey: SECRET } } });
    expect(inspect(backend, { depth: 3 }).includes(SECRET)).toBe(false);
    expect(JSON.stringify([backend.displayLocation, backend.capabilities])).not.toContain(SECRET);
  });
});

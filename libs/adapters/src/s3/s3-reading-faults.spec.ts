/**
 * Reading objects through networks that cut, servers that ignore what was asked, and writers
 * that come in between: what is handed on is one version, whole, or the reading fails (INV-27).
 */

import { afterEach, describe, expect, it } from '@jest/globals';
import { toRelativePath, type Token } from '@wl/domain';
import { isBackendError } from '@wl/ports';

import type { S3Backend } from './s3-backend.js';
import { closeBenches, openBench, read, sha256, tokenAt, type Bench } from './testing/bench.js';
import type { FaultEffect } from './testing/server/index.js';

afterEach(closeBenches);

const KEY = 'photos/a';
const A = toRelativePath('a');
/** No two stretches of it are alike, and it is more than fits one packet. */
const OLD = Array.from({ length: 40_000 }, (_, index) => `old ${String(index)}\n`).join('');
const NEW = OLD.replaceAll('old', 'new');

interface Opened {
  readonly bench: Bench;
  readonly backend: S3Backend;
  readonly token: Token;
}

async function withObject(): Promise<Opened> {
  const bench = await openBench();
  bench.put('a', OLD);
  const backend = await bench.machine();
  return { bench, backend, token: await tokenAt(backend, 'a') };
}

/** What reading came to: the bytes or a word for why not. By a stream, whole, and as a hash. */
const WAYS: readonly (readonly [name: string, run: (opened: Opened) => Promise<string>])[] = [
  ['a stream', ({ backend, token }) => read(backend, 'a', token).catch(codeOf)],
  ['a file read whole', ({ backend, token }) => readWhole(backend, token)],
  ['a hash', ({ backend }) => hashed(backend).catch(codeOf)],
];

function codeOf(error: unknown): string {
  if (isBackendError(error)) return error.code;
  throw error;
}

async function readWhole(backend: S3Backend, expected: Token): Promise<string> {
  for await (const [result] of backend.wholeFiles.read([{ path: A, expected, sizeBytes: OLD.length }])) {
    const outcome = result!.outcome;
    if (outcome.kind === 'failed') return outcome.error.code;
    return outcome.kind === 'read' ? Buffer.from(outcome.content).toString() : outcome.kind;
  }
  return 'nothing';
}

/** The text whose hash it is. */
async function hashed(backend: S3Backend): Promise<string> {
  const [outcome] = await backend.getHashes([A]);
  if (outcome?.kind !== 'hashed') return outcome?.kind ?? 'nothing';
  return [OLD, NEW].find((text) => sha256(text) === outcome.node.hash) ?? 'a mixture';
}

const onGet = (effect: FaultEffect, more: { times?: number; skip?: number } = {}) => ({ operation: 'GetObject', key: KEY, effect, ...more }) as const;

describe.each(WAYS)('%s', (_name, run) => {
  it.each(['reset', 'eof'] as const)('T41, T43, INV-27: goes on where the connection broke, each time (%s)', async (ending) => {
    const opened = await withObject();
    for (let turn = 0; turn < 3; turn += 1) opened.bench.server.fault(onGet({ kind: 'cut-body', afterBytes: 100_000, ending }, { skip: turn }));
    expect(await run(opened)).toBe(OLD);
    const asked = opened.bench.server.log.of('GetObject', KEY);
    expect(asked).toHaveLength(4);
    // What was on its way is lost with a reset; from there on it is asked for again, never from the start.
    const starts = asked.map(({ headers }) => Number(/^bytes=(\d+)-$/.exec(headers.range ?? 'bytes=0-')?.[1]));
    if (ending === 'eof') expect(starts).toEqual([0, 100_000, 200_000, 300_000]);
    expect(starts).toEqual(starts.toSorted((x, y) => x - y));
    // Each of that version and no other.
    expect(new Set(asked.map(({ ifMatch }) => ifMatch)).size).toBe(1);
  });

  it.each(['clean-eof', 'unframed', 'short-length'] as const)('T41, INV-27: that ends early as though it were whole fails (%s)', async (ending) => {
    for (const afterBytes of [0, 1, 100_000, OLD.length - 1]) {
      const opened = await withObject();
      opened.bench.server.fault(onGet({ kind: 'cut-body', afterBytes, ending }, { times: Infinity }));
      expect(await run(opened)).toMatch(/^(damaged|stale-token|changed|changing)$/);
    }
  });

  it.each([1, -1, -100_000])('T41, INV-27: whose announced length is off by %d fails', async (by) => {
    const opened = await withObject();
    opened.bench.server.fault(onGet({ kind: 'wrong-length', by }, { times: Infinity }));
    expect(await run(opened)).toMatch(/^(damaged|unreachable|stale-token|changed|changing)$/);
  });

  it('T41, T53: gives up on a connection that breaks for ever, with pauses that grow', async () => {
    const opened = await withObject();
    opened.bench.server.fault(onGet({ kind: 'reset-after-headers' }, { times: Infinity }));
    expect(await run(opened)).toBe('unreachable');
    expect(opened.bench.clock.pausesMs.length).toBeGreaterThanOrEqual(4);
    expect(opened.bench.server.log.of('GetObject', KEY).length).toBeLessThan(50);
  });

  it('T48, INV-27: is whole where the server ignores ranges', async () => {
    const opened = await withObject();
    opened.bench.server.fault(onGet({ kind: 'cut-body', afterBytes: 100_000, ending: 'reset' }, { times: 2 }));
    opened.bench.server.fault(onGet({ kind: 'ignore-range' }, { times: Infinity }));
    expect(await run(opened)).toBe(OLD);
  });

  it.each(['bytes 99999-388889/388890', 'bytes 100000-388888/388890', 'bytes 0-388889/388890', undefined])('T48, INV-27: of another range than was asked for fails (%s)', async (range) => {
    const opened = await withObject();
    expect(OLD.length).toBe(388_890);
    opened.bench.server.fault(onGet({ kind: 'cut-body', afterBytes: 100_000, ending: 'eof' }));
    opened.bench.server.fault(onGet({ kind: 'headers', headers: { 'content-range': range } }, { skip: 1, times: Infinity }));
    expect(await run(opened)).toMatch(/^(damaged|changing)$/);
  });

  it('T42, T48, INV-27: never mixes two versions, when the object changes where the connection breaks', async () => {
    const opened = await withObject();
    const { server, hands } = opened.bench;
    server.fault(onGet({ kind: 'cut-body', afterBytes: 100_000, ending: 'eof' }));
    server.after('GetObject', () => void hands.put(KEY, NEW), { key: KEY, times: 1 });
    expect(await run(opened)).toMatch(/^(damaged|changed|stale-token)$|^new 0\n/);
    expect(await run({ ...opened, token: await tokenAt(opened.backend, 'a') })).toBe(NEW);
  });

  it('T48, INV-27: never mixes two versions, when the server answers another one whatever is asked', async () => {
    const opened = await withObject();
    opened.bench.server.fault(onGet({ kind: 'cut-body', afterBytes: 100_000, ending: 'eof' }));
    opened.bench.server.fault(onGet({ kind: 'other-version', bytes: Buffer.from(NEW) }, { skip: 1, times: Infinity }));
    expect(await run(opened)).toMatch(/^(damaged|changed|changing|stale-token)$/);
  });

  it('T48, INV-27: of another version from the start is not that of this one', async () => {
    const opened = await withObject();
    opened.bench.server.fault(onGet({ kind: 'other-version', bytes: Buffer.from(NEW) }, { times: Infinity }));
    expect(await run(opened)).toMatch(/^(changed|changing|stale-token)$/);
  });

  it('T03, INV-27: of a login page is not that of the object', async () => {
    const opened = await withObject();
    opened.bench.server.fault(onGet({ kind: 'replace-body', body: '<html>Log in</html>' }, { times: Infinity }));
    expect(await run(opened)).toMatch(/^(damaged|changed|changing|stale-token)$/);
    opened.bench.server.fault(onGet({ kind: 'headers', headers: { etag: undefined } }, { times: Infinity }));
    expect(await run(opened)).toMatch(/^(damaged|changed|changing|stale-token)$/);
  });

  it('T53: waits out a server that is asked too often', async () => {
    const opened = await withObject();
    opened.bench.server.fault(onGet({ kind: 'error', status: 503, code: 'SlowDown', headers: { 'retry-after': '7' } }, { times: 3 }));
    expect(await run(opened)).toBe(OLD);
    expect(opened.bench.clock.pausesMs).toEqual([7000, 7000, 7000]);
  });
});

describe('T42: an object that changes', () => {
  it('INV-17: before it is opened is stale', async () => {
    const opened = await withObject();
    opened.bench.put('a', NEW);
    expect(await read(opened.backend, 'a', opened.token)).toBe('stale-token');
    opened.bench.hands.delete(KEY);
    expect(await read(opened.backend, 'a', opened.token)).toBe('stale-token');
  });

  it('INV-27: while it is read is one version, and said to have changed', async () => {
    const { bench, backend, token } = await withObject();
    const opened = await backend.read(A, token);
    if (!opened.ok) throw new Error('it is there');
    const chunks: Uint8Array[] = [];
    for await (const chunk of opened.value.chunks()) {
      if (chunks.length === 0) bench.put('a', NEW);
      chunks.push(chunk);
    }
    expect(Buffer.concat(chunks).toString()).toBe(OLD);
    expect(await opened.value.isUnchanged()).toBe(false);
    await opened.value.close();
  });

  it('INV-24: to the same bytes and back is the same version; to the same size and time is another', async () => {
    const { bench, backend, token } = await withObject();
    bench.put('a', NEW);
    bench.put('a', OLD);
    expect(await tokenAt(backend, 'a')).toBe(token);
    bench.hands.put(KEY, NEW, { lastModifiedMs: bench.hands.head(KEY)!.lastModifiedMs });
    expect(await tokenAt(backend, 'a')).not.toBe(token);
  });

  it('T42: each time it is hashed is reported as changing', async () => {
    const { bench, backend } = await withObject();
    let serial = 0;
    bench.server.before('GetObject', () => void bench.put('a', `version ${String((serial += 1))}`), { key: KEY });
    expect(await backend.getHashes([A])).toEqual([{ kind: 'changing' }]);
    expect(serial).toBeLessThan(10);
  });
});

it('INV-27: bytes that were damaged on the way are not those the hash belongs to', async () => {
  const bench = await openBench();
  const backend = await bench.machine();
  await backend.wholeFiles.write([{ path: A, expected: undefined, content: Buffer.from(OLD), sha256: sha256(OLD), attributes: { mtimeMs: 1 } }]);
  const token = await tokenAt(backend, 'a');
  bench.server.fault(onGet({ kind: 'corrupt-body' }, { times: Infinity }));
  const opened = await backend.read(A, token);
  if (!opened.ok) throw new Error('it is there');
  const chunks: Uint8Array[] = [];
  for await (const chunk of opened.value.chunks()) chunks.push(chunk);
  await opened.value.close();
  // The reader tells what the bytes have to be; who reads compares.
  expect(opened.value.attributes.content).toEqual({ sha256: sha256(OLD), sizeBytes: OLD.length });
  expect(sha256(Buffer.concat(chunks))).not.toBe(sha256(OLD));
  for await (const [result] of backend.wholeFiles.read([{ path: A, expected: token, sizeBytes: OLD.length }])) {
    const outcome = result!.outcome;
    if (outcome.kind === 'read') expect(outcome.sha256).toBe(sha256(outcome.content));
    else expect(outcome.kind).toBe('failed');
  }
});

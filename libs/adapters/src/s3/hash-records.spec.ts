/**
 * What another machine learns of a large object without reading it, and what makes it read all the
 * same: nothing but the very version that was written is believed (INV-24, INV-27).
 */

import { randomBytes } from 'node:crypto';

import { afterEach, describe, expect, it } from '@jest/globals';
import { toRelativePath } from '@wl/domain';

import type { S3Backend } from './s3-backend.js';
import { closeBenches, identityOf, openBench, sha256, streamed, tokenAt, written, type Bench } from './testing/bench.js';
import type { S3ServerOptions } from './testing/server/index.js';

afterEach(closeBenches);

const MIB = 1024 * 1024;
const BYTES = randomBytes(9 * MIB);
const OTHERS = randomBytes(9 * MIB);
const A = toRelativePath('a');
const KEY = 'photos/a';
const RECORDS = 'hashes/';

const SERVERS: readonly (readonly [name: string, options: S3ServerOptions])[] = [
  ['a server that compares everything, in parts', { preset: 'aws' }],
  ['Ceph, by one request', { preset: 'ceph' }],
  ['a versioned bucket of Ceph, in parts', { preset: 'ceph', versioned: true }],
];

/** How another machine hashes `a`: the hash, and how often it read an object for it. */
async function hashed(bench: Bench, backend?: S3Backend): Promise<{ readonly hash: unknown; readonly reads: number }> {
  const machine = backend ?? (await bench.machine());
  bench.server.log.clear();
  const [outcome] = await machine.getHashes([A]);
  const reads = bench.server.log.entries.filter(({ operation, key }) => operation === 'GetObject' && key === KEY).length;
  return { hash: outcome?.kind === 'hashed' ? outcome.node.hash : outcome, reads };
}

describe.each(SERVERS)('%s', (_name, options) => {
  it('INV-27: another machine knows a large object without reading it', async () => {
    const bench = await openBench(options);
    await streamed(await bench.machine(), 'a', BYTES);
    expect(await hashed(bench)).toEqual({ hash: sha256(BYTES), reads: 0 });
  });

  it('INV-24: reads what another program wrote, also where it kept the metadata', async () => {
    const bench = await openBench(options);
    await streamed(await bench.machine(), 'a', BYTES);
    const { metadata } = bench.hands.head(KEY)!;
    bench.hands.put(KEY, OTHERS, { metadata });
    expect(await hashed(bench)).toEqual({ hash: sha256(OTHERS), reads: 1 });
    bench.hands.put(KEY, BYTES);
    expect(await hashed(bench)).toEqual({ hash: sha256(BYTES), reads: 1 });
  });

  it('believes the record of the latest version', async () => {
    const bench = await openBench(options);
    const backend = await bench.machine();
    await streamed(backend, 'a', BYTES);
    await streamed(backend, 'a', OTHERS, { expected: await tokenAt(backend, 'a') });
    expect(await hashed(bench)).toEqual({ hash: sha256(OTHERS), reads: 0 });
    expect(bench.area(RECORDS)).toHaveLength(1);
  });

  it('takes the record away with the object', async () => {
    const bench = await openBench(options);
    const backend = await bench.machine();
    await streamed(backend, 'a', BYTES);
    expect(bench.area(RECORDS)).toHaveLength(1);
    expect(await backend.remove(A, await tokenAt(backend, 'a'))).toMatchObject({ ok: true });
    expect(bench.area(RECORDS)).toEqual([]);
  });
});

describe('records', () => {
  it('are not made of small files, nor asked for', async () => {
    const bench = await openBench({ preset: 'ceph' });
    const backend = await bench.machine();
    await written(backend, 'a', 'small');
    expect(bench.area(RECORDS)).toEqual([]);
    bench.hands.put(KEY, 'of others');
    await hashed(bench, backend);
    expect(bench.server.log.entries.filter(({ key }) => key?.includes(RECORDS))).toEqual([]);
  });

  it.each([
    ['no record', ''],
    ['null', 'null'],
    ['a number', '7'],
    ['cut off', '{"etag":"'],
    ['of another size', JSON.stringify({ etag: 'ETAG', sizeBytes: 1, sha256: sha256(BYTES) })],
    ['of another hash', JSON.stringify({ etag: 'ETAG', sizeBytes: BYTES.length, sha256: sha256('others') })],
    ['too long', JSON.stringify({ etag: 'ETAG', sizeBytes: BYTES.length, sha256: sha256(BYTES), more: 'x'.repeat(5000) })],
  ])('INV-24: that are damaged cost reading the object: %s', async (_what, text) => {
    const bench = await openBench({ preset: 'ceph' });
    await streamed(await bench.machine(), 'a', BYTES);
    const [record] = bench.area(RECORDS);
    bench.hands.put(record!, text.replace('ETAG', bench.hands.head(KEY)!.etag));
    expect(await hashed(bench)).toEqual({ hash: sha256(BYTES), reads: 1 });
  });

  it('that may not be written or read fail nobody', async () => {
    const bench = await openBench({ preset: 'ceph' });
    const backend = await bench.machine();
    const record = `photos/.wl/${RECORDS}${sha256('a')}`;
    const deny = (operation: 'PutObject' | 'GetObject'): void =>
      void bench.server.fault({ operation, key: record, times: Infinity, effect: { kind: 'error', status: 403, code: 'AccessDenied' } });
    deny('PutObject');
    expect(await streamed(backend, 'a', BYTES)).toMatchObject({ ok: true });
    expect(bench.area(RECORDS)).toEqual([]);
    expect(await hashed(bench)).toEqual({ hash: sha256(BYTES), reads: 1 });
    bench.server.clearFaults();
    await streamed(backend, 'a', OTHERS, { expected: await tokenAt(backend, 'a') });
    expect(bench.area(RECORDS)).toEqual([record]);
    deny('GetObject');
    expect(await hashed(bench)).toEqual({ hash: sha256(OTHERS), reads: 1 });
  });

  it('INV-27: are made of what the server copies under another ETag', async () => {
    const bench = await openBench({ preset: 'aws' });
    const backend = await bench.machine();
    await streamed(backend, 'from', BYTES);
    const token = await tokenAt(backend, 'from');
    const request = { path: A, fromPath: toRelativePath('from'), from: { kind: 'file', token, sizeBytes: BYTES.length, mtimeMs: 1_000, hash: identityOf(BYTES).sha256, isRacy: false }, replaces: undefined } as const;
    for await (const outcomes of backend.copyFrom(backend, [request])!) expect(outcomes).toMatchObject([{ outcome: { kind: 'copied' } }]);
    expect(await hashed(bench)).toEqual({ hash: sha256(BYTES), reads: 0 });
  });
});

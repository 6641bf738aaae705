/**
 * Listings against servers and networks that go wrong: a listing is complete, or it fails and
 * nothing may be concluded from it (INV-8). A short one would delete files.
 */

import { afterEach, describe, expect, it } from '@jest/globals';
import { toRelativePath } from '@wl/domain';

import { closeBenches, listed, openBench, type Bench } from './testing/bench.js';
import { memoryNotes } from './testing/open-s3.js';
import { openRawClient } from './testing/server/signed-request.js';
import type { FaultEffect, PageTrick, S3ServerOptions } from './testing/server/index.js';

afterEach(closeBenches);

/** Files over three directories, in key order. */
const PATHS = Array.from({ length: 24 }, (_, index) => `d${String(index % 3)}/f${String(index).padStart(2, '0')}`).sort();
const KEYS = [...new Set(PATHS.flatMap((path) => [path.slice(0, 3), path]))].sort();

async function filled(options: S3ServerOptions = {}): Promise<Bench> {
  const bench = await openBench({ ...options, switches: { pageSize: 4, ...options.switches } });
  for (const path of PATHS) bench.put(path);
  return bench;
}

/** Notes that part a listing as an earlier one left them. */
function parted() {
  const notes = memoryNotes();
  notes.put('parting-keys', ['photos/d0/f09', 'photos/d0/f99', 'photos/d1/f10x', 'photos/d2/', 'photos/d2/f14']);
  return notes;
}

/** The listing, or the code it was rejected with. */
async function outcome(bench: Bench, notes = memoryNotes()): Promise<readonly string[] | string> {
  const backend = await bench.machine({ notes });
  return listed(backend).then(
    ({ keys }) => keys,
    (error: { code: string }) => error.code,
  );
}

/** Complete, or rejected; never anything else. */
function expectWholeOrNone(result: readonly string[] | string): void {
  if (typeof result !== 'string') expect(result).toEqual(KEYS);
  else expect(['damaged', 'unreachable', 'io-error', 'throttled', 'unauthorized']).toContain(result);
}

const always = (effect: FaultEffect, skip = 0) => ({ operation: 'ListObjectsV2', effect, times: Infinity, skip }) as const;

describe('a page that does not come whole', () => {
  it.each(['clean-eof', 'short-length', 'unframed'] as const)('T02, INV-8: is rejected wherever it is cut (%s)', async (ending) => {
    const bench = await filled();
    const backend = await bench.machine();
    const length = await firstPageBytes(bench);
    const ends = Array.from({ length: 20 }, (_, missing) => length - 1 - missing);
    for (const afterBytes of [0, 1, 40, ...Array.from({ length: 16 }, (_, index) => 90 + Math.floor((index * length) / 18)), ...ends]) {
      const fault = bench.server.fault(always({ kind: 'cut-body', afterBytes, ending }));
      const result = await listed(backend).then(({ keys }) => keys, (error: { code: string }) => error.code);
      expect([afterBytes, result]).toEqual([afterBytes, 'damaged']);
      fault.remove();
    }
    expect((await listed(backend)).keys).toEqual(KEYS);
  });

  it.each(['reset', 'eof'] as const)('T02, INV-8: is asked for again when the connection ends in it (%s)', async (ending) => {
    const bench = await filled();
    bench.server.fault({ operation: 'ListObjectsV2', skip: 3, times: 2, effect: { kind: 'cut-body', afterBytes: 500, ending } });
    expect(await outcome(bench)).toEqual(KEYS);
  });

  it('T02, T53, INV-8: rejects in the end when the connection always ends in it', async () => {
    const bench = await filled();
    bench.server.fault(always({ kind: 'cut-body', afterBytes: 500, ending: 'reset' }, 3));
    expect(await outcome(bench)).toBe('unreachable');
  });
});

describe('an answer of somebody else', () => {
  const html = '<!DOCTYPE html><html><head><title>Log in</title></head><body><form></form></body></html>';
  it.each([
    ['a login page', html],
    ['nothing', ''],
    ['JSON', '{"files": []}'],
    ['a document of another kind', '<?xml version="1.0"?><ListAllMyBucketsResult><Buckets></Buckets></ListAllMyBucketsResult>'],
    ['XHTML', '<html xmlns="http://www.w3.org/1999/xhtml"><body/></html>'],
    ['a listing that does not say whether it is complete', '<ListBucketResult><Name>bucket</Name></ListBucketResult>'],
    ['the listing of another bucket', '<ListBucketResult><Name>other</Name><IsTruncated>false</IsTruncated></ListBucketResult>'],
    ['the listing of another prefix', '<ListBucketResult><Name>bucket</Name><Prefix>videos/</Prefix><IsTruncated>false</IsTruncated></ListBucketResult>'],
  ])('T03, INV-8: %s with status 200 is no empty bucket', async (_name, body) => {
    for (const skip of [0, 4]) {
      const bench = await filled();
      bench.server.fault(always({ kind: 'replace-body', body }, skip));
      expect(await outcome(bench)).toBe('damaged');
    }
  });

  it('T03, INV-8: an error with status 200 is an error', async () => {
    const bench = await filled();
    bench.server.fault(always({ kind: 'answer', status: 200, body: '<Error><Code>InternalError</Code></Error>' }));
    expect(await outcome(bench)).toMatch(/io-error|unreachable/);
  });

  it('T03, T53, INV-8: maintenance pages are waited for, and no removal comes of them', async () => {
    const bench = await filled();
    bench.server.fault({ operation: '*', times: 3, effect: { kind: 'replace-body', body: html, status: 503 } });
    expect(await outcome(bench)).toEqual(KEYS);
    expect(bench.clock.pausesMs).toHaveLength(3);
    bench.server.fault(always({ kind: 'replace-body', body: html, status: 503 }));
    expect(await outcome(bench)).toBe('unreachable');
  });

  it('T03, INV-8: a file is not absent because somebody else says so', async () => {
    const bench = await filled();
    const backend = await bench.machine();
    bench.server.fault({ operation: '*', times: Infinity, effect: { kind: 'replace-body', body: html, status: 404 } });
    await expect(backend.stat(toRelativePath('d0/f00'))).rejects.toMatchObject({ code: 'not-found', details: { path: 'd0/f00' } });
    bench.server.clearFaults();
    bench.server.fault(always({ kind: 'replace-body', body: html }));
    await expect(backend.stat(toRelativePath('d0/gone'))).rejects.toMatchObject({ code: 'damaged' });
  });
});

describe.each([
  ['one range', memoryNotes],
  ['several ranges at a time', parted],
])('a listing in %s', (_name, notes) => {
  const lies: readonly PageTrick[] = ['first-page', 'backwards', 'claims-end', 'claims-more', 'more-without-token', 'repeat-token', 'duplicates', 'foreign-key'];

  it.each(lies)('T06, INV-8: is complete or fails, whichever page says %s', async (trick) => {
    const bench = await filled();
    const complete = await outcome(bench, notes());
    const pages = bench.server.log.of('ListObjectsV2').length;
    expect(complete).toEqual(KEYS);
    for (let skip = 0; skip < pages; skip += 1) {
      const fault = bench.server.fault({ operation: 'ListObjectsV2', skip, effect: { kind: 'listing', trick } });
      expectWholeOrNone(await outcome(bench, notes()));
      expect([skip, fault.hits]).toEqual([skip, 1]);
      bench.server.clearFaults();
    }
  });

  it.each(lies)('T06, INV-8: is complete or fails when every page says %s', async (trick) => {
    const bench = await filled();
    bench.server.fault(always({ kind: 'listing', trick }));
    expectWholeOrNone(await outcome(bench, notes()));
  });

  it('T06, INV-8: fails, whichever page fails for good', async () => {
    const bench = await filled();
    await outcome(bench, notes());
    const pages = bench.server.log.of('ListObjectsV2').length;
    for (let skip = 0; skip < pages; skip += 1) {
      const fault = bench.server.fault(always({ kind: 'error', status: 503, code: 'ServiceUnavailable' }, skip));
      const result = await outcome(bench, notes());
      expect([skip, result]).toEqual([skip, 'unreachable']);
      fault.remove();
    }
  });

  it('T06, INV-8: fails when the token for the next page has expired', async () => {
    const bench = await filled();
    bench.server.fault({ ...always({ kind: 'error', status: 400, code: 'InvalidArgument', message: 'The continuation token provided is incorrect' }, 3) });
    expect(await outcome(bench, notes())).toBe('io-error');
  });

  it('T06, INV-8: finds what a page left out though it was counted', async () => {
    const bench = await filled();
    bench.server.fault(always({ kind: 'replace-body', body: '<ListBucketResult><Name>bucket</Name><KeyCount>2</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>' }));
    expect(await outcome(bench, notes())).toBe('damaged');
  });

  it('T06, INV-8: goes on behind an early end, however often pages claim one', async () => {
    const bench = await filled();
    bench.server.fault(always({ kind: 'listing', trick: 'claims-end' }));
    expect(await outcome(bench, notes())).toEqual(KEYS);
  });

  it('T53, INV-8: survives hiccups on every page', async () => {
    const bench = await filled();
    for (let skip = 0; skip < 15; skip += 3) bench.server.fault({ operation: 'ListObjectsV2', skip, effect: skip % 2 === 0 ? { kind: 'error', status: 503, code: 'SlowDown' } : { kind: 'reset-after-headers' } });
    expect(await outcome(bench, notes())).toEqual(KEYS);
  });

  it('T06, INV-8: a listing by another order than S3’s fails instead of being cut into the wrong ranges', async () => {
    const bench = await openBench({ switches: { pageSize: 3, listOrder: 'utf16' } });
    for (const path of ['a', 'b', '\u{10000}1', '\u{10000}2', '\uffee1', '\uffee2', '\uffee3']) bench.put(path);
    expect(await outcome(bench, notes())).toBe('damaged');
  });
});

it('T06: the keys that part a listing come from the one before', async () => {
  const bench = await filled();
  const notes = memoryNotes();
  expect(await outcome(bench, notes)).toEqual(KEYS);
  const parting = notes.get('parting-keys') as string[];
  expect(parting.length).toBeGreaterThan(2);
  expect(await outcome(bench, notes)).toEqual(KEYS);
  const starts = bench.server.log.of('ListObjectsV2').map(({ query }) => query.get('start-after'));
  expect(starts).toEqual(expect.arrayContaining(parting));
});

async function firstPageBytes({ server, prefix }: Bench): Promise<number> {
  const client = openRawClient({ endpoint: server.endpointUrl, accessKey: server.accessKey, secretKey: server.secretKey, region: server.region });
  const query = { 'list-type': '2', 'encoding-type': 'url', 'max-keys': '1000', prefix };
  const { body } = await client.send({ method: 'GET', bucket: 'bucket', query });
  client.close();
  return body.length;
}

/**
 * Files that are sent while they are read: nothing shows before it is whole and verified, sources
 * that end early or change leave nothing behind, and what was sent is not sent again (INV-6, INV-27).
 */

import { randomBytes } from 'node:crypto';

import { afterEach, describe, expect, it } from '@jest/globals';
import { toRelativePath, type Token } from '@wl/domain';
import type { ContentIdentity, FileWriter } from '@wl/ports';

import type { S3Backend } from './s3-backend.js';
import { closeBenches, identityOf, openBench, sha256, streamed, written, type Bench } from './testing/bench.js';
import { memoryNotes } from './testing/open-s3.js';
import type { S3ServerOptions } from './testing/server/index.js';
import { md5Of } from './writing/digests.js';

afterEach(closeBenches);

const MIB = 1024 * 1024;
const A = toRelativePath('a');
const KEY = 'photos/a';
/** Three parts of 8, 8 and 1 MiB; no two bytes of it lie alike. */
const LARGE = randomBytes(17 * MIB);
/** Two parts. */
const BYTES = LARGE.subarray(0, 9 * MIB);
const IDENTITY = identityOf(BYTES);

/** How a server is served best, and by which requests. */
const SERVERS: readonly (readonly [name: string, options: S3ServerOptions, how: 'parts' | 'stream'])[] = [
  ['a server that compares everything, in parts', { preset: 'aws' }, 'parts'],
  ['Ceph, by one request', { preset: 'ceph' }, 'stream'],
  ['a versioned bucket of Ceph, in parts', { preset: 'ceph', versioned: true }, 'parts'],
  ['a server without uploads in parts, by one request', { preset: 'ignoring', switches: { uploadsInParts: false } }, 'stream'],
  ['a server that believes what it is sent', { preset: 'fake' }, 'parts'],
];

async function writerOf(backend: S3Backend, content: ContentIdentity | undefined = IDENTITY, expected?: Token): Promise<FileWriter> {
  return backend.openForSafeReplace(A, expected, { mtimeMs: 1_000, ...(content !== undefined && { content }) });
}

async function feed(writer: FileWriter, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; at += MIB) await writer.write(bytes.subarray(at, at + MIB));
}

/** What shows under the key, and what lies around. */
function leftovers(bench: Bench): unknown {
  return { shown: bench.paths(), uploads: bench.hands.uploads().map(({ key }) => key), area: bench.area().filter((key) => !key.endsWith('root-id')) };
}

const NOTHING = { shown: [], uploads: [], area: [] };

describe.each(SERVERS)('%s', (_name, options, how) => {
  it('INV-6, INV-27: a file shows when it is committed, whole, and not before', async () => {
    const bench = await openBench(options);
    const backend = await bench.machine();
    const writer = await writerOf(backend);
    await feed(writer, BYTES);
    expect([bench.paths(), await backend.stat(A)]).toEqual([[], { kind: 'absent' }]);
    const committed = await writer.commit(IDENTITY);
    expect(committed).toMatchObject({ ok: true, value: { token: await backend.getFileToken(A) } });
    expect([bench.hands.get(KEY)?.equals(BYTES), bench.hands.uploads()]).toEqual([true, []]);
    const sent = bench.server.log.entries.filter(({ operation, key }) => key === KEY && (operation === 'PutObject' || operation === 'UploadPart'));
    expect(sent.map(({ sizeBytes }) => sizeBytes).sort((x, y) => y - x)).toEqual(how === 'parts' ? [8 * MIB, MIB] : [9 * MIB]);
  });

  it('INV-6, INV-17: a file is replaced when it is committed, unless another came first', async () => {
    const bench = await openBench(options);
    const backend = await bench.machine();
    const old = await written(backend, 'a', 'old');
    const late = await writerOf(backend, IDENTITY, old);
    await feed(late, BYTES);
    bench.put('a', 'of another machine');
    expect(await late.commit(IDENTITY)).toMatchObject({ ok: false });
    expect([bench.text('a'), bench.hands.uploads()]).toEqual(['of another machine', []]);
    const current = (await backend.getFileToken(A))!;
    expect(await streamed(backend, 'a', BYTES, { expected: current })).toMatchObject({ ok: true });
    expect(bench.hands.get(KEY)?.equals(BYTES)).toBe(true);
  });

  it('T41, INV-27: a source that ends early leaves nothing', async () => {
    const bench = await openBench(options);
    const backend = await bench.machine();
    for (const bytes of [MIB, BYTES.length - 1]) {
      const writer = await writerOf(backend);
      await feed(writer, BYTES.subarray(0, bytes));
      await expect(writer.commit(identityOf(BYTES.subarray(0, bytes)))).rejects.toMatchObject({ code: 'damaged' });
      await writer.abort();
      expect([bytes, leftovers(bench)]).toEqual([bytes, NOTHING]);
    }
  });

  it('T42, INV-27: a source that changed or grew leaves what was there', async () => {
    const bench = await openBench(options);
    const backend = await bench.machine();
    const old = await written(backend, 'a', 'old');
    const changed = Buffer.from(BYTES);
    changed[2 * MIB] = changed[2 * MIB]! ^ 1;
    for (const bytes of [changed, Buffer.concat([BYTES, Buffer.from('more')])]) {
      const writer = await writerOf(backend, IDENTITY, old);
      const outcome = await feed(writer, bytes).then(() => writer.commit(identityOf(bytes))).catch((error: { code: string }) => error.code);
      await writer.abort();
      expect([outcome, bench.text('a'), bench.hands.uploads()]).toEqual(['damaged', 'old', []]);
    }
  });

  it('T42, INV-27: bytes that are not those that were announced never become the file, whatever the caller says', async () => {
    const bench = await openBench(options);
    const backend = await bench.machine();
    const changed = Buffer.from(BYTES);
    changed[3 * MIB] = changed[3 * MIB]! ^ 1;
    const writer = await writerOf(backend);
    await feed(writer, changed);
    const outcome = await writer.commit(IDENTITY).catch((error: { code: string }) => error.code);
    await writer.abort();
    // In parts nobody sees the hash of the whole but the caller, who hashes what it hands over. A server that neither
    // verifies nor compares keeps what was found to be damaged, and says so.
    if (typeof outcome !== 'string') expect([how, outcome.ok && bench.hands.get(KEY)?.equals(changed)]).toEqual(['parts', true]);
    else if (options.preset === 'fake') expect([outcome, bench.hands.uploads()]).toEqual(['damaged', []]);
    else expect([outcome, leftovers(bench)]).toEqual(['damaged', NOTHING]);
  });

  it('INV-16, INV-18: an aborted write leaves nothing, wherever it stands', async () => {
    const bench = await openBench(options);
    const backend = await bench.machine();
    for (const bytes of [0, MIB, BYTES.length - 1, BYTES.length]) {
      const writer = await writerOf(backend);
      await feed(writer, BYTES.subarray(0, bytes));
      await writer.abort();
      expect([bytes, leftovers(bench)]).toEqual([bytes, NOTHING]);
    }
  });

  it('T53, INV-16: a server that fails in the middle leaves what was there, and the next try succeeds', async () => {
    const bench = await openBench(options);
    const backend = await bench.machine();
    const fault = bench.server.fault({ operation: how === 'parts' ? 'UploadPart' : 'PutObject', key: KEY, times: Infinity, effect: { kind: 'error', status: 503, code: 'SlowDown' } });
    await expect(streamed(backend, 'a', BYTES)).rejects.toMatchObject({ code: 'throttled', details: { retryable: true } });
    expect([bench.paths(), fault.hits > 0]).toEqual([[], true]);
    fault.remove();
    expect(await streamed(backend, 'a', BYTES)).toMatchObject({ ok: true });
    expect([bench.hands.get(KEY)?.equals(BYTES), bench.hands.uploads()]).toEqual([true, []]);
  });

  it('T43, INV-27: what is sent again is sent from its start', async () => {
    const bench = await openBench(options);
    const backend = await bench.machine();
    const operation = how === 'parts' ? 'UploadPart' : 'PutObject';
    for (let turn = 0; turn < 3; turn += 1) bench.server.fault({ operation, key: KEY, skip: turn, effect: { kind: turn === 1 ? 'lose-reply' : 'lose-request' } });
    const outcome = await streamed(backend, 'a', BYTES).catch((error: { code: string }) => error.code);
    // A part is held in memory and repeated; a stream is the caller's to begin again.
    if (how === 'stream') {
      expect([outcome, bench.paths()]).toEqual(['unreachable', []]);
      bench.server.clearFaults();
      expect(await streamed(backend, 'a', BYTES)).toMatchObject({ ok: true });
    }
    expect(bench.hands.get(KEY)?.equals(BYTES)).toBe(true);
    const complete = bench.server.log.of(operation, KEY).filter(({ outcome: end }) => end === 'answered');
    expect(complete.every(({ sizeBytes }) => [8 * MIB, MIB, 9 * MIB].includes(sizeBytes))).toBe(true);
  });
});

describe('T44, INV-27: parts that are not those of the plan', () => {
  const list = (parts: string): string => `<ListPartsResult><IsTruncated>false</IsTruncated>${parts}</ListPartsResult>`;
  const part = (number: number, bytes: Buffer, sizeBytes = bytes.length): string =>
    `<Part><PartNumber>${String(number)}</PartNumber><ETag>"${md5Of(bytes)}"</ETag><Size>${String(sizeBytes)}</Size></Part>`;
  const [one, two] = [BYTES.subarray(0, 8 * MIB), BYTES.subarray(8 * MIB)];

  it.each([
    ['one is missing', list(part(2, two))],
    ['there is one too many', list(part(1, one) + part(2, two) + part(3, two))],
    ['two have changed places', list(part(1, two) + part(2, one))],
    ['one comes twice', list(part(1, one) + part(1, one) + part(2, two))],
    ['one is shorter', list(part(1, one) + part(2, two, 5))],
    ['there are none', list('')],
    ['a proxy answers', '<html>Log in</html>'],
  ])('are never made a file: %s', async (_name, body) => {
    const bench = await openBench({ preset: 'aws' });
    const backend = await bench.machine();
    bench.server.fault({ operation: 'ListParts', times: Infinity, effect: { kind: 'replace-body', body, contentType: 'application/xml' } });
    await expect(streamed(backend, 'a', BYTES)).rejects.toMatchObject({ code: 'damaged' });
    expect([bench.server.log.of('CompleteMultipartUpload'), leftovers(bench)]).toEqual([[], NOTHING]);
  });

  it('are found out also when another client sends one in between', async () => {
    const bench = await openBench({ preset: 'aws' });
    const backend = await bench.machine();
    bench.server.before('ListParts', () => {
      const { parts } = bench.hands.uploads()[0]!;
      parts.set(2, { ...parts.get(2)!, bytes: Buffer.alloc(8 * MIB), etag: md5Of(Buffer.alloc(8 * MIB)) });
    });
    await expect(streamed(backend, 'a', BYTES)).rejects.toMatchObject({ code: 'damaged' });
    expect(leftovers(bench)).toEqual(NOTHING);
  });
});

describe('T46, INV-27: an upload that is taken up again', () => {
  /** Leaves an upload with two parts behind, as a daemon that is stopped. */
  async function interrupted(options: S3ServerOptions, notes = memoryNotes()) {
    const bench = await openBench(options);
    const backend = await bench.machine({ notes });
    const writer = await writerOf(backend, identityOf(LARGE));
    await feed(writer, LARGE.subarray(0, 16 * MIB));
    while ((bench.hands.uploads()[0]?.parts.size ?? 0) < 2) await new Promise((resolve) => setImmediate(resolve));
    await backend.close();
    expect([bench.paths(), bench.hands.uploads().length]).toEqual([[], 1]);
    return { bench, notes };
  }

  it('sends only what is missing', async () => {
    const { bench, notes } = await interrupted({ preset: 'aws' });
    const backend = await bench.machine({ notes });
    expect(await streamed(backend, 'a', LARGE)).toMatchObject({ ok: true });
    expect(bench.server.log.of('UploadPart').map(({ sizeBytes }) => sizeBytes)).toEqual([MIB]);
    expect([bench.hands.get(KEY)?.equals(LARGE), bench.hands.uploads()]).toEqual([true, []]);
  });

  it('sends a part again that is another one by now', async () => {
    const { bench, notes } = await interrupted({ preset: 'aws' });
    const { parts } = bench.hands.uploads()[0]!;
    const other = Buffer.alloc(8 * MIB, 1);
    parts.set(1, { ...parts.get(1)!, bytes: other, etag: md5Of(other) });
    const backend = await bench.machine({ notes });
    expect(await streamed(backend, 'a', LARGE)).toMatchObject({ ok: true });
    expect(bench.server.log.of('UploadPart').map(({ query }) => query.get('partNumber')).sort()).toEqual(['1', '3']);
    expect(bench.hands.get(KEY)?.equals(LARGE)).toBe(true);
  });

  it('begins anew where tags tell nothing about parts, or the upload is gone', async () => {
    for (const options of [{ preset: 'aws', switches: { tags: 'random' } }, { preset: 'aws' }] as const) {
      const { bench, notes } = await interrupted(options);
      const backend = await bench.machine({ notes });
      if (!('switches' in options)) bench.server.fault({ operation: 'ListParts', effect: { kind: 'error', status: 404, code: 'NoSuchUpload' } });
      expect(await streamed(backend, 'a', LARGE)).toMatchObject({ ok: true });
      expect(bench.server.log.of('UploadPart')).toHaveLength(3);
      expect(bench.hands.get(KEY)?.equals(LARGE)).toBe(true);
    }
  });

  it('is not taken up for other content: that is written, and the old parts go', async () => {
    const { bench, notes } = await interrupted({ preset: 'aws' });
    const backend = await bench.machine({ notes });
    const other = Buffer.from(LARGE);
    other[0] = other[0]! ^ 1;
    expect(await streamed(backend, 'a', other)).toMatchObject({ ok: true });
    expect([sha256(bench.hands.get(KEY)!), bench.hands.uploads()]).toEqual([sha256(other), []]);
  });

  it('is cleared away a week later, if nobody took it up', async () => {
    const { bench, notes } = await interrupted({ preset: 'aws' });
    bench.clock.skip(8 * 24 * 3_600_000);
    const backend = await bench.machine({ notes });
    await written(backend, 'b', 'small');
    await backend.close();
    expect([bench.hands.uploads(), bench.paths()]).toEqual([[], ['b']]);
  });
});

/** A large file that changed in one place, with parts of their real size over HTTP: what is sent, and what is kept (INV-5, INV-27). */

import { randomBytes } from 'node:crypto';

import { afterEach, describe, expect, it } from '@jest/globals';
import { toRelativePath } from '@wl/domain';

import type { S3Backend } from './s3-backend.js';
import { closeBenches, openBench, read, streamed, tokenAt, type Bench } from './testing/bench.js';
import { MemoryParts } from './testing/open-writing.js';

afterEach(closeBenches);

const MIB = 1024 * 1024;
const KEY = 'photos/a';
/** Two parts of 8 and 1 MiB; no two bytes of it lie alike. */
const OLD = randomBytes(9 * MIB);
/** The second part is another one. */
const NEW = Buffer.from(OLD);
NEW.set(randomBytes(1000), 8.5 * MIB);

/** Sizes of the parts that were sent, and how many were copied. */
function requests(bench: Bench): unknown {
  const { log } = bench.server;
  return { sent: log.of('UploadPart').map(({ sizeBytes }) => sizeBytes), copied: log.of('UploadPartCopy').filter(({ status }) => status === 200).length };
}

async function replaced(bench: Bench, backend: S3Backend, content = NEW): Promise<void> {
  const expected = await tokenAt(backend, 'a');
  bench.server.log.clear();
  expect(await streamed(backend, 'a', content, { expected })).toMatchObject({ ok: true });
  expect([bench.hands.get(KEY)?.equals(content), bench.hands.uploads()]).toEqual([true, []]);
}

describe('a large file that changed in one place', () => {
  it('is replaced by sending the part that changed; the old version goes to the trash as ever', async () => {
    const bench = await openBench({ preset: 'aws' });
    const backend = await bench.machine({ host: { parts: new MemoryParts() } });
    await streamed(backend, 'a', OLD);
    await replaced(bench, backend);
    expect(requests(bench)).toEqual({ sent: [MIB], copied: 1 });
    const kept = bench.area('trash/');
    expect([kept.length, bench.hands.get(kept[0]!)?.equals(OLD)]).toEqual([1, true]);
    const order = bench.server.log.writes.map(({ operation }) => operation).filter((operation) => operation === 'CopyObject' || operation === 'CompleteMultipartUpload');
    expect(order).toEqual(['CopyObject', 'CompleteMultipartUpload']);
  });

  it.each<[string, (machine: S3Backend) => Promise<unknown>]>([
    ['downloaded', async (machine) => read(machine, 'a', await tokenAt(machine, 'a'))],
    ['hashed', (machine) => machine.getHashes([toRelativePath('a')])],
  ])('is replaced so by a machine that only %s it, whoever uploaded it', async (_how, take) => {
    const bench = await openBench({ preset: 'aws' });
    bench.put('a', OLD);
    const parts = new MemoryParts();
    await take(await bench.machine({ host: { parts } }));
    await replaced(bench, await bench.machine({ host: { parts } }));
    expect(requests(bench)).toEqual({ sent: [MIB], copied: 1 });
  });

  it('is sent as a whole where ETags are no MD5 (encrypted with keys of the service), and nothing is remembered', async () => {
    const bench = await openBench({ preset: 'aws', switches: { tags: 'random' } });
    const parts = new MemoryParts();
    const backend = await bench.machine({ host: { parts } });
    await streamed(backend, 'a', OLD);
    await read(backend, 'a', await tokenAt(backend, 'a'));
    await replaced(bench, backend);
    expect([requests(bench), parts.known.size]).toEqual([{ sent: [8 * MIB, MIB], copied: 0 }, 0]);
  });

  it('T36, T53: is replaced although answers to copies are lost, and by sending where copies fail for good', async () => {
    const bench = await openBench({ preset: 'aws' });
    const backend = await bench.machine({ host: { parts: new MemoryParts() } });
    await streamed(backend, 'a', OLD);
    bench.server.fault({ operation: 'UploadPartCopy', key: KEY, effect: { kind: 'lose-reply' } });
    await replaced(bench, backend);
    expect(bench.server.log.of('UploadPart')).toHaveLength(1);
    bench.server.fault({ operation: 'UploadPartCopy', key: KEY, times: Infinity, effect: { kind: 'error', status: 503, code: 'SlowDown' } });
    await replaced(bench, backend, OLD);
    expect(bench.server.log.of('UploadPart')).toHaveLength(2);
  });

  it('INV-17: is left alone when another machine replaces it while its parts are copied', async () => {
    const bench = await openBench({ preset: 'aws' });
    const backend = await bench.machine({ host: { parts: new MemoryParts() } });
    await streamed(backend, 'a', OLD);
    const expected = await tokenAt(backend, 'a');
    bench.server.before('UploadPartCopy', () => void bench.put('a', 'of another machine'), { times: 1 });
    expect(await streamed(backend, 'a', NEW, { expected })).toMatchObject({ ok: false });
    expect([bench.text('a'), bench.hands.uploads(), bench.area('trash/')]).toEqual(['of another machine', [], []]);
    expect(await backend.getFileToken(toRelativePath('a'))).not.toBe(expected);
  });
});

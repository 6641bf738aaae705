/**
 * T37: ETags of all kinds. An ETag is compared and never read: it is the same text wherever it
 * comes from, whatever a server or something before it makes of it, and it is no hash (INV-24).
 */

import { afterEach, describe, expect, it } from '@jest/globals';
import { toRelativePath, type FileNode } from '@wl/domain';

import { closeBenches, listed, openBench, read, sha256, streamed, tokenAt, write, written, type Bench } from './testing/bench.js';
import type { S3ServerOptions, S3Variant } from './testing/server/index.js';

afterEach(closeBenches);

const A = toRelativePath('a');

const KINDS: readonly (readonly [name: string, switches: Partial<S3Variant>])[] = [
  ['MD5', {}],
  ['random', { tags: 'random' }],
  ['of uploads in parts', { tags: 'multipart' }],
  ['weak', { tagDecoration: 'weak' }],
  ['with the suffix of a compressing proxy', { tagDecoration: 'gzip' }],
  ['without quotes', { quotesTags: false, quotesCopyTags: false }],
  ['random and weak', { tags: 'random', tagDecoration: 'weak' }],
  ['random, on a server that keeps no checksums and verifies nothing', { tags: 'random', checksums: 'swallowed', verifiesContent: false }],
];

describe.each(['aws', 'ceph', 'ignoring'] as const)('preset %s', (preset) => {
  describe.each(KINDS)('with tags %s', (_name, switches) => {
    const options: S3ServerOptions = { preset, switches };

    it('T37, INV-24: a version has one token wherever it is seen', async () => {
      const bench = await openBench(options);
      const backend = await bench.machine();
      const token = await written(backend, 'a', 'one');
      bench.put('b', 'of others');
      const { tokens } = await listed(backend);
      expect(tokens.get('a')).toBe(token);
      for (const path of ['a', 'b']) {
        const node = (await backend.stat(toRelativePath(path))) as FileNode;
        expect([node.token, await tokenAt(backend, path)]).toEqual([tokens.get(path), tokens.get(path)]);
        const [hashed] = await backend.getHashes([toRelativePath(path)]);
        expect(hashed).toMatchObject({ kind: 'hashed', node: { token: tokens.get(path), hash: sha256(path === 'a' ? 'one' : 'of others') } });
      }
      expect([await read(backend, 'a', token), await read(backend, 'b', tokens.get('b')!)]).toEqual(['one', 'of others']);
    });

    it('T37, INV-17: a version is replaced and removed by it, and no other', async () => {
      const bench = await openBench(options);
      const backend = await bench.machine();
      const one = await written(backend, 'a', 'one');
      const two = await written(backend, 'a', 'two', one);
      expect(await write(backend, 'a', 'three', one)).toEqual({ kind: 'stale' });
      expect(await write(backend, 'a', 'three')).toEqual({ kind: 'stale' });
      expect(await backend.remove(A, one)).toMatchObject({ ok: false });
      expect(bench.text('a')).toBe('two');
      expect(await backend.remove(A, two)).toEqual({ ok: true, value: undefined });
      expect(bench.paths()).toEqual([]);
    });

    it('T37: a version is copied by it', async () => {
      const bench = await openBench(options);
      const backend = await bench.machine();
      await written(backend, 'a', 'one');
      const from = (await backend.stat(A)) as FileNode;
      for await (const [result] of backend.copyFrom(backend, [{ path: toRelativePath('b'), fromPath: A, from, replaces: undefined }])!) {
        expect(result!.outcome).toMatchObject({ kind: 'copied', targetToken: await tokenAt(backend, 'b') });
      }
      expect(bench.text('b')).toBe('one');
    });
  });
});

it.each(['aws', 'ceph'] as const)('T37, T87: a large file whose tag was not known beforehand is read once for its hash, which is not that tag (%s)', async (preset) => {
  const bench = await openBench({ preset });
  const backend = await bench.machine();
  const large = Buffer.alloc(9 * 1024 * 1024, 'large');
  const committed = await streamed(backend, 'a', large);
  if (!committed.ok) throw new Error('it was written');
  bench.server.log.clear();
  expect(await backend.getHashes([A])).toMatchObject([{ kind: 'hashed', node: { token: committed.value.token, hash: sha256(large) } }]);
  expect(bench.server.log.of('GetObject')).toHaveLength(1);
  expect(await write(backend, 'a', 'small', committed.value.token)).toMatchObject({ kind: 'written' });
});

describe('metadata that is not of this version', () => {
  /** As s3fs and others do: new bytes, and the metadata that was there. */
  function overwrite(bench: Bench, text: string, etag?: string): void {
    const { metadata } = bench.hands.head('photos/a')!;
    bench.hands.put('photos/a', text, { metadata, ...(etag !== undefined && { etag }) });
  }

  it.each([
    ['Ceph', { preset: 'ceph' }],
    ['a server that keeps no checksums', { preset: 'aws', switches: { checksums: 'swallowed' } }],
    ['a server whose tags are random', { preset: 'ceph', switches: { tags: 'random' } }],
    ['a server whose tags are those of parts', { preset: 'ceph', switches: { tags: 'multipart' } }],
  ] as const)('T87, INV-24: is not believed: the content is read (%s)', async (_name, options) => {
    const bench = await openBench(options);
    const backend = await bench.machine();
    const token = await written(backend, 'a', 'ours');
    overwrite(bench, 'their');
    const node = (await backend.stat(A)) as FileNode;
    expect([node.token === token, node.hash]).toEqual([false, undefined]);
    expect(await backend.getHashes([A])).toMatchObject([{ kind: 'hashed', node: { hash: sha256('their') } }]);
    const opened = await backend.read(A, node.token);
    if (!opened.ok) throw new Error('it is there');
    expect(opened.value.attributes.content).toBeUndefined();
    await opened.value.close();
  });

  it('T87: that others wrote by hand is not believed without the tag it belongs to', async () => {
    const bench = await openBench({ preset: 'ceph' });
    const backend = await bench.machine();
    bench.hands.put('photos/a', 'bytes', { metadata: { sha256: sha256('others'), mtime: 'yesterday' } });
    const node = (await backend.stat(A)) as FileNode;
    expect([node.hash, Number.isInteger(node.mtimeMs / 1000)]).toEqual([undefined, true]);
    expect(await backend.getHashes([A])).toMatchObject([{ kind: 'hashed', node: { hash: sha256('bytes') } }]);
  });
});

it('T87: an object without a hash is read once for it, and one with a hash not at all', async () => {
  const bench = await openBench({ preset: 'ceph' });
  const backend = await bench.machine();
  await written(backend, 'ours', 'ours');
  bench.put('theirs', 'theirs');
  bench.server.log.clear();
  await backend.getHashes([toRelativePath('ours'), toRelativePath('theirs')]);
  const { log } = bench.server;
  expect(log.of('GetObject').map(({ key }) => key)).toEqual(['photos/theirs']);
  // Its token says that it still is what was hashed; the caller remembers hashes by it.
  const before = await tokenAt(backend, 'theirs');
  expect((await listed(backend)).tokens.get('theirs')).toBe(before);
  expect(log.of('GetObject')).toHaveLength(1);
});

it('T37: an answer without an ETag is no answer about an object', async () => {
  const bench = await openBench();
  const backend = await bench.machine();
  const token = await written(backend, 'a', 'one');
  bench.server.fault({ operation: '*', key: 'photos/a', times: Infinity, effect: { kind: 'headers', headers: { etag: undefined } } });
  await expect(backend.stat(A)).rejects.toMatchObject({ code: 'damaged' });
  await expect(read(backend, 'a', token)).rejects.toMatchObject({ code: 'damaged' });
  expect(await write(backend, 'a', 'two', token)).toMatchObject({ kind: 'failed', error: { code: 'damaged', details: { retryable: true } } });
});

it('T37, INV-24: the same bytes written again under another tag are a new version with the same hash', async () => {
  const bench = await openBench({ preset: 'aws', switches: { tags: 'random', checksums: 'swallowed' } });
  const backend = await bench.machine();
  bench.put('a', 'same');
  const one = await backend.getHashes([A]);
  bench.put('a', 'same');
  const two = await backend.getHashes([A]);
  const [first, second] = [one[0], two[0]].map((outcome) => (outcome?.kind === 'hashed' ? outcome.node : undefined));
  expect([first?.hash === second?.hash, first?.token === second?.token]).toEqual([true, false]);
});

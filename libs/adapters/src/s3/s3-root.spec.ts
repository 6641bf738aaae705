/**
 * Which bucket this is (T10), one that went back to an old state (T12), and what a storage never
 * shows of itself. A name alone proves nothing: what proves the root is lost with the bucket (INV-10).
 */

import { afterEach, describe, expect, it } from '@jest/globals';
import { isSameRoot, ROOT, toRelativePath, type RelativePath } from '@wl/domain';

import { closeBenches, listed, openBench, read, sha256, tokenAt, write, written } from './testing/bench.js';

afterEach(closeBenches);

const A = toRelativePath('a');

describe('T10, INV-10: a bucket', () => {
  it('is the same for all machines, and after a restart', async () => {
    const bench = await openBench();
    const { ids } = await (await bench.machine()).rootIdentity({ mark: true });
    for (const mark of [true, false]) {
      const seen = await (await bench.machine()).rootIdentity({ mark });
      expect([isSameRoot(ids, seen.ids), seen.ids]).toEqual([true, ids]);
    }
  });

  it('that was marked by several machines at once has one mark', async () => {
    for (const preset of ['aws', 'ceph', 'ignoring'] as const) {
      const bench = await openBench({ preset });
      const machines = await Promise.all(Array.from({ length: 4 }, () => bench.machine()));
      await Promise.all(machines.map((machine) => machine.rootIdentity({ mark: true })));
      const seen = await Promise.all(machines.map((machine) => machine.rootIdentity({ mark: true })));
      expect(new Set(seen.map(({ ids }) => ids[0])).size).toBe(1);
    }
  });

  it('made anew under its old name is another one, marked or not', async () => {
    const bench = await openBench();
    const { ids } = await (await bench.machine()).rootIdentity({ mark: true });
    expect(ids.some((id) => id.startsWith('marker:'))).toBe(true);
    bench.server.removeBucket('bucket');
    bench.server.createBucket('bucket');
    const after = await bench.machine();
    const unmarked = await after.rootIdentity({ mark: false });
    expect([isSameRoot(ids, unmarked.ids), unmarked.ids.every((id) => id.startsWith('place:'))]).toEqual([false, true]);
    expect(isSameRoot(ids, (await after.rootIdentity({ mark: true })).ids)).toBe(false);
  });

  it('whose folder was emptied, the mark as well, is another one', async () => {
    const bench = await openBench();
    const backend = await bench.machine();
    const { ids } = await backend.rootIdentity({ mark: true });
    await written(backend, 'a', 'one');
    for (const key of bench.hands.keys(bench.prefix)) bench.hands.delete(key);
    expect(isSameRoot(ids, (await backend.rootIdentity({ mark: false })).ids)).toBe(false);
  });

  it('that is gone is no empty one: looking at it fails', async () => {
    const bench = await openBench();
    const backend = await bench.machine();
    bench.put('a');
    bench.server.removeBucket('bucket');
    const gone = { code: 'not-found' };
    await expect(backend.rootIdentity({ mark: false })).rejects.toMatchObject(gone);
    await expect(listed(backend)).rejects.toMatchObject(gone);
    await expect(backend.stat(A)).rejects.toMatchObject(gone);
    await expect(backend.getFileToken(A)).rejects.toMatchObject(gone);
    await expect(bench.machine()).rejects.toMatchObject(gone);
  });

  it('whose mark is damaged, or answered by a login page, is not taken for one without a mark', async () => {
    const bench = await openBench();
    const backend = await bench.machine();
    const { ids } = await backend.rootIdentity({ mark: true });
    bench.server.fault({ operation: 'GetObject', effect: { kind: 'replace-body', body: '<html>Log in</html>' } });
    await expect(backend.rootIdentity({ mark: true })).rejects.toMatchObject({ code: 'damaged' });
    bench.server.fault({ operation: 'GetObject', times: Infinity, effect: { kind: 'cut-body', afterBytes: 10, ending: 'clean-eof' } });
    await expect(backend.rootIdentity({ mark: true })).rejects.toMatchObject({ code: 'damaged' });
    bench.server.clearFaults();
    bench.put('.wl/root-id', 'something else');
    await expect(backend.rootIdentity({ mark: true })).rejects.toMatchObject({ code: 'damaged', details: { retryable: false } });
    bench.put('.wl/root-id', `${ids[0]!.slice('marker:'.length)}\n`);
    expect((await backend.rootIdentity({ mark: false })).ids).toEqual(ids);
  });

  it('in which two folders are storages has two marks', async () => {
    const bench = await openBench();
    const [one, other] = [await bench.machine(), await bench.machine({ params: { url: 's3://bucket/videos/' } })];
    const [first, second] = [await one.rootIdentity({ mark: true }), await other.rootIdentity({ mark: true })];
    expect([isSameRoot(first.ids, second.ids), first.location === second.location]).toEqual([false, false]);
  });
});

describe('T12: a bucket that was rolled back', () => {
  it('INV-13, INV-17: has the old versions under their old tokens: a change, over which nothing is written unseen', async () => {
    const bench = await openBench();
    const backend = await bench.machine();
    const one = await written(backend, 'a', 'one');
    const backup = bench.hands.head('photos/a')!;
    const two = await written(backend, 'a', 'two', one);
    bench.hands.put('photos/a', backup.bytes, { metadata: backup.metadata });
    expect(await tokenAt(backend, 'a')).toBe(one);
    expect(await write(backend, 'a', 'three', two)).toEqual({ kind: 'stale' });
    expect(await backend.remove(A, two)).toMatchObject({ ok: false });
    expect(await read(backend, 'a', two)).toBe('stale-token');
    expect(await read(backend, 'a', one)).toBe('one');
  });

  it('INV-10: to before it was marked is another one', async () => {
    const bench = await openBench();
    const backend = await bench.machine();
    const { ids } = await backend.rootIdentity({ mark: true });
    bench.hands.delete('photos/.wl/root-id');
    expect(isSameRoot(ids, (await backend.rootIdentity({ mark: false })).ids)).toBe(false);
  });

  it('does not show what came after, whatever was known of directories', async () => {
    const bench = await openBench();
    const backend = await bench.machine();
    await backend.makeDirectory(toRelativePath('d'));
    await written(backend, 'd/a', 'one');
    expect((await listed(backend)).keys).toEqual(['d/', 'd/a']);
    for (const key of bench.hands.keys(bench.prefix)) bench.hands.delete(key);
    expect((await listed(backend)).keys).toEqual([]);
    expect(await backend.stat(toRelativePath('d'))).toEqual({ kind: 'absent' });
    await expect(listed(backend, toRelativePath('d'))).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('our own area', () => {
  it('is never listed, read or written by path', async () => {
    const bench = await openBench({ preset: 'ceph' });
    const backend = await bench.machine();
    await backend.rootIdentity({ mark: true });
    const one = await written(backend, 'a', 'one');
    await written(backend, 'a', 'two', one);
    bench.put('.wl/trash/anything/b', 'b');
    expect(bench.area().length).toBeGreaterThan(2);
    expect((await listed(backend)).keys).toEqual(['a']);
    // No such path comes through the front door; a backend refuses them nevertheless.
    for (const path of ['.wl', '.wl/root-id', '.wl/trash'] as RelativePath[]) {
      expect(await backend.stat(path)).toEqual({ kind: 'absent' });
      expect(await backend.getFileToken(path)).toBeUndefined();
      await expect(listed(backend, path)).rejects.toMatchObject({ code: 'not-found' });
      expect(await backend.getHashes([path])).toEqual([{ kind: 'absent' }]);
      await expect(backend.makeDirectory(path)).rejects.toMatchObject({ code: 'name-not-representable' });
      await expect(backend.removeDirectory(path)).rejects.toMatchObject({ code: 'name-not-representable' });
      await expect(backend.openForSafeReplace(path, undefined, { mtimeMs: 0 })).rejects.toMatchObject({ code: 'name-not-representable' });
      const file = { path, expected: undefined, content: Buffer.from('x'), sha256: sha256('x'), attributes: { mtimeMs: 0 } };
      expect(await backend.wholeFiles.write([file])).toMatchObject([{ kind: 'failed', error: { code: 'name-not-representable' } }]);
    }
    expect(await backend.removeDirectory(toRelativePath('none'))).toMatchObject({ ok: true });
    await expect(backend.removeDirectory(ROOT)).rejects.toMatchObject({ code: 'name-not-representable' });
  });

  it('does not hide its neighbours, whatever their names begin with', async () => {
    const bench = await openBench();
    const names = ['.w', '.wk', '.wl-', '.wl.txt', '.wl0', '.wlx/a', '.wm', '-', 'a/.wl/b'];
    for (const name of names) bench.put(name);
    const { keys } = await listed(await bench.machine());
    expect(keys).toEqual(expect.arrayContaining(names));
  });
});

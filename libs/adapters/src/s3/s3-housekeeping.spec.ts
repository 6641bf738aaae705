/**
 * What a storage does besides: the trash and its end, pages for browsers, directories that became
 * empty. All of it only where something is written anyhow, and none of it an echo that a watcher
 * would take for work (T60, T61).
 */

import { afterEach, describe, expect, it } from '@jest/globals';
import { ROOT, toRelativePath } from '@wl/domain';
import type { Clock } from '@wl/ports';

import type { S3Backend } from './s3-backend.js';
import type { S3Host } from './s3-params.js';
import { closeBenches, listed, openBench, streamed, tokenAt, write, written, type Bench } from './testing/bench.js';
import { realClock } from './testing/open-s3.js';
import { placeholderBytes } from './writing/placeholder.js';

afterEach(closeBenches);

const DAY_MS = 24 * 3_600_000;

/** Contents in the trash. */
function kept(bench: Bench): string[] {
  return bench.area('trash/').map((key) => bench.hands.text(key)!).sort();
}

/** A short run, as of a command: what is old is cleared away when a storage starts to write. */
async function shortRun(bench: Bench, host: Partial<S3Host> = {}, aheadMs = 0): Promise<void> {
  // The moment that is given to clearing away has to last.
  const clock: Clock = { nowMs: () => bench.clock.nowMs() + aheadMs, monotonicMs: () => bench.clock.monotonicMs(), sleep: (ms, signal) => realClock.sleep(ms, signal) };
  const backend = await bench.machine({ host: { clock, ...host } });
  await backend.rootIdentity({ mark: true });
  await written(backend, `run ${String(bench.clock.nowMs())}`, 'x');
  await backend.close();
}

describe('INV-5: the trash', () => {
  it.each(['aws', 'ceph', 'putOnly', 'ignoring', 'refusing', 'fake'] as const)('has each version that was replaced or removed, once (%s)', async (preset) => {
    const bench = await openBench({ preset });
    const backend = await bench.machine();
    const one = await written(backend, 'd-a', 'one');
    const two = await written(backend, 'd-a', 'two', one);
    await backend.remove(toRelativePath('d-a'), two);
    expect(kept(bench)).toEqual(['one', 'two']);
    // What was not done keeps nothing.
    bench.put('d-a', 'three');
    expect(await write(backend, 'd-a', 'four', two)).toEqual({ kind: 'stale' });
    expect(await backend.remove(toRelativePath('d-a'), two)).toMatchObject({ ok: false });
    expect(kept(bench)).toEqual(['one', 'two']);
  });

  it('is emptied of what is older than it is to be kept, and of nothing else', async () => {
    const bench = await openBench({ preset: 'ceph', switches: { pageSize: 3 } });
    const first = await bench.machine();
    for (let turn = 0; turn < 5; turn += 1) {
      const token = await written(first, `old-${String(turn)}`, `old ${String(turn)}`);
      await first.remove(toRelativePath(`old-${String(turn)}`), token);
    }
    bench.put('.wl/trash/not-an-hour/x', 'of somebody');
    bench.clock.skip(29 * DAY_MS);
    await shortRun(bench);
    expect(kept(bench)).toHaveLength(6);
    const late = await bench.machine();
    const token = await written(late, 'a', 'young');
    await late.remove(toRelativePath('a'), token);
    bench.clock.skip(2 * DAY_MS);
    await shortRun(bench);
    expect(kept(bench)).toEqual(['of somebody', 'young']);
  });

  it('is kept for as long as is asked', async () => {
    const bench = await openBench();
    const backend = await bench.machine();
    await backend.remove(toRelativePath('a'), await written(backend, 'a', 'one'));
    bench.clock.skip(3 * DAY_MS);
    await shortRun(bench, { trashRetentionDays: 4 });
    expect(kept(bench)).toEqual(['one']);
    await shortRun(bench, { trashRetentionDays: 2 });
    expect(kept(bench)).toEqual([]);
  });

  it.each([
    ['ahead', 3650],
    ['behind', -3650],
  ])('T34, T53, INV-22: is kept for its time by the server’s clock, whatever a machine takes the date for (ten years %s)', async (_name, days) => {
    const bench = await openBench();
    const marking = await bench.machine();
    await marking.rootIdentity({ mark: true });
    const steps = (aheadMs: number): Clock => ({ nowMs: () => bench.clock.nowMs() + aheadMs, monotonicMs: () => bench.clock.monotonicMs(), sleep: (ms, signal) => bench.clock.sleep(ms, signal) });
    for (const [name, aheadMs] of [['right', 0], ['stepped', days * DAY_MS]] as const) {
      const backend = await bench.machine({ host: { clock: steps(aheadMs) } });
      await backend.remove(toRelativePath(name), await written(backend, name, name));
    }
    await shortRun(bench, {}, days * DAY_MS);
    await shortRun(bench);
    bench.clock.skip(29 * DAY_MS);
    await shortRun(bench, {}, days * DAY_MS);
    await shortRun(bench);
    expect(kept(bench)).toEqual(['right', 'stepped']);
    bench.clock.skip(2 * DAY_MS);
    await shortRun(bench);
    expect(kept(bench)).toEqual([]);
  });

  it('that takes long to be cleared away holds up no one who closes', async () => {
    const bench = await openBench();
    const backend = await bench.machine();
    let release = (): void => undefined;
    bench.server.fault({ operation: 'ListMultipartUploads', effect: { kind: 'delay', until: new Promise<void>((resolve) => (release = resolve)) } });
    await written(backend, 'a', 'one');
    await backend.close();
    release();
    expect(bench.text('a')).toBe('one');
  });

  it('that cannot be cleared away keeps no file from being written', async () => {
    const bench = await openBench();
    const backend = await bench.machine();
    const listTrash = bench.server.fault({ operation: 'ListMultipartUploads', times: Infinity, effect: { kind: 'error', status: 403, code: 'AccessDenied' } });
    await written(backend, 'a', 'one');
    await backend.close();
    expect([listTrash.hits > 0, bench.text('a')]).toEqual([true, 'one']);
  });
});

describe('pages for browsers', () => {
  const indexed = (bench: Bench): Promise<S3Backend> => bench.machine({ params: { withIndex: true } });

  it('tell of what is in each directory, and are its marker', async () => {
    const bench = await openBench({ switches: { pageSize: 4 } });
    const backend = await indexed(bench);
    await backend.makeDirectory(toRelativePath('d'));
    await backend.makeDirectory(toRelativePath('d/e'));
    const names = ['<b>&"', 'plain', 'x y+z', '日本', 'one', 'two', 'three'];
    for (const name of names) await written(backend, `d/${name}`, name);
    await backend.flush();
    const page = bench.text('d/')!;
    expect(bench.hands.head('photos/d/')?.headers['content-type']).toMatch(/^text\/html/);
    for (const name of ['plain', 'one', 'two', 'three', '日本', '&lt;b&gt;&amp;&quot;', 'e/']) expect(page).toContain(`>${name}</a>`);
    expect(page).not.toContain('<b>');
    expect(page).toContain('href="./x%20y%2Bz"');
    expect(page).not.toContain('.wl');
    const { keys } = await listed(backend);
    expect(keys).toEqual(['d/', ...['d/e/', ...names.map((name) => `d/${name}`)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))]);
    expect(bench.text('')).toContain('>d/</a>');
  });

  it('follow what is removed, and a directory goes with its own', async () => {
    const bench = await openBench();
    const backend = await indexed(bench);
    await backend.makeDirectory(toRelativePath('d'));
    const token = await written(backend, 'd/a', 'one');
    await backend.flush();
    expect(bench.text('d/')).toContain('>a</a>');
    await backend.remove(toRelativePath('d/a'), token);
    await backend.flush();
    expect(bench.text('d/')).not.toContain('>a</a>');
    expect((await listed(backend)).keys).toEqual(['d/']);
    expect(await backend.removeDirectory(toRelativePath('d'))).toMatchObject({ ok: true });
    await backend.flush();
    expect((await listed(backend)).keys).toEqual([]);
  });

  it('are not written where there are none to be', async () => {
    const bench = await openBench();
    const backend = await bench.machine();
    await backend.makeDirectory(toRelativePath('d'));
    await written(backend, 'd/a', 'one');
    await backend.flush();
    expect([bench.text('d/'), bench.text('')]).toEqual(['', undefined]);
  });
});

describe('T60, T61, INV-31: after all was written', () => {
  it.each([
    ['without pages', {}],
    ['with pages', { withIndex: true }],
  ])('a listing shows what writes, copies and looks told, so that nothing is left to do (%s)', async (_name, params) => {
    const bench = await openBench({ preset: 'ceph' });
    const backend = await bench.machine({ params });
    await backend.makeDirectory(toRelativePath('d'));
    const tokens = new Map([['d/a', await written(backend, 'd/a', 'one')]]);
    const large = await streamed(backend, 'd/large', Buffer.alloc(9 << 20));
    if (large.ok) tokens.set('d/large', large.value.token);
    const from = await backend.stat(toRelativePath('d/a'));
    if (from.kind !== 'file') throw new Error('it is there');
    for await (const results of backend.copyFrom(backend, [{ path: toRelativePath('b'), fromPath: toRelativePath('d/a'), from, replaces: undefined }])!) {
      for (const { outcome } of results) if (outcome.kind === 'copied') tokens.set('b', outcome.targetToken);
    }
    await backend.flush();
    const first = await listed(backend);
    expect([[...first.tokens].sort(), first.keys]).toEqual([[...tokens].sort(), ['b', 'd/', 'd/a', 'd/large']]);
    // Looking again, and clearing away, changes nothing that is listed.
    bench.server.log.clear();
    await backend.flush();
    const second = await listed(backend);
    expect([second, bench.server.log.writes]).toEqual([first, []]);
    await shortRun(bench);
    const third = await listed(await bench.machine());
    expect([...third.tokens]).toEqual(expect.arrayContaining([...first.tokens]));
  });

  it('T60: what others did between two looks is seen by its token, in whatever order it was done', async () => {
    const bench = await openBench();
    const backend = await bench.machine();
    const token = await written(backend, 'a', 'one');
    bench.put('a', 'two');
    bench.put('a', 'one');
    bench.hands.delete('photos/a');
    bench.put('a', 'three');
    const { tokens } = await listed(backend);
    expect(tokens.get('a')).not.toBe(token);
    expect(tokens.get('a')).toBe(await tokenAt(backend, 'a'));
  });
});

describe('directories', () => {
  it('INV-9: that lost their last file are kept, and those that others filled meanwhile stay', async () => {
    const bench = await openBench();
    bench.put('d/a');
    bench.put('e/a');
    const backend = await bench.machine();
    await backend.remove(toRelativePath('d/a'), await tokenAt(backend, 'd/a'));
    await backend.remove(toRelativePath('e/a'), await tokenAt(backend, 'e/a'));
    bench.put('e/of-others');
    await backend.flush();
    expect(bench.paths()).toEqual(['d/', 'e/of-others']);
    bench.server.before('DeleteObject', () => void bench.put('d/late'), { key: 'photos/d/', times: 1 });
    expect(await backend.removeDirectory(toRelativePath('d'))).toMatchObject({ ok: true });
    expect((await listed(backend, ROOT)).keys).toEqual(['d/', 'd/late', 'e/', 'e/of-others']);
  });
});

describe('INV-37, INV-38, T84: a placeholder that a crash left behind', () => {
  it.each([true, false])('is left alone by a storage that only looks, and cleared away by one that writes (tried before: %s)', async (isTriedBefore) => {
    const bench = await openBench({ preset: 'ceph' });
    bench.hands.put(`${bench.prefix}gone`, placeholderBytes(7), { lastModifiedMs: bench.server.nowMs() - 10 * 60_000 });
    const backend = await bench.machine({ isNew: !isTriedBefore });
    expect((await listed(backend)).reasons).toEqual({ gone: 'changing' });
    expect(bench.server.log.writes).toEqual([]);
    await written(backend, 'a', 'x');
    await listed(backend);
    expect(bench.hands.get(`${bench.prefix}gone`)).toBeUndefined();
  });
});

/** Group 1 of the torture list: what could not be looked at is never taken for gone. */

import { describe, expect, it } from '@jest/globals';
import { toRelativePath } from '@wl/domain';

import { files, Rig, synced } from './testing/rig.js';

/** A hundred files in ten directories. */
const HUNDRED = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`d${String(i % 10)}/f${String(i)}`, `text ${String(i)}`]));

describe('a pass that cannot see everything', () => {
  it.each(['permission-denied', 'read-error', 'listing-incomplete'] as const)(
    'T01, INV-8: deletes nothing below a directory with %s, and says so',
    async (reason) => {
      const rig = await synced(HUNDRED);
      rig.source.faults.markUnknown('d3', reason);
      rig.sourceTree.remove('d3/f3');
      rig.sourceTree.remove('d4/f4');
      const report = await rig.pass();
      expect(report).toMatchObject({ deletedFiles: 1, problems: [{ path: 'd3', side: 'source', reason }] });
      expect(rig.targetTree.text('d3/f3')).toBe('text 3');
      expect(rig.targetTree.text('d4/f4')).toBeUndefined();
      rig.source.faults.clear();
      expect(await rig.pass()).toMatchObject({ deletedFiles: 1, problems: [] });
      expect(rig.targetTree.text('d3/f3')).toBeUndefined();
    },
  );

  it('T01: a file that cannot be read stays as it is on both sides, and comes over once it can be', async () => {
    const rig = await synced({ a: '1', b: '2' });
    rig.sourceTree.write('a', 'new');
    rig.sourceTree.setUnreadable('a', true);
    rig.sourceTree.write('b', 'two');
    expect(await rig.pass()).toMatchObject({ copiedFiles: 1, problems: [{ path: 'a', reason: 'permission-denied' }] });
    expect(files(rig.targetTree)).toEqual({ a: '1', b: 'two' });
    rig.sourceTree.setUnreadable('a', false);
    await rig.pass();
    expect(rig.targetTree.text('a')).toBe('new');
  });

  it.each(Array.from({ length: 11 }, (_, i) => i * 10))('T06: a listing that breaks off after %i rows deletes nothing at all', async (rows) => {
    const rig = await synced(HUNDRED);
    rig.sourceTree.remove('d0/f0');
    rig.sourceTree.remove('d9/f99');
    rig.source.faults.truncateListing(rows);
    await expect(rig.pass()).rejects.toMatchObject({ code: 'io-error' });
    expect(Object.keys(files(rig.targetTree))).toHaveLength(100);
    expect(await rig.pass()).toMatchObject({ deletedFiles: 2 });
  });

  it('T06: a listing that repeats a page or goes backwards is refused', async () => {
    const rig = await synced(HUNDRED);
    const whole = rig.source.list.bind(rig.source);
    rig.source.list = async function* (directory, options) {
      let first;
      for await (const batch of whole(directory, options)) {
        first ??= batch;
        yield batch;
        if (batch.keys.includes('d3/f3')) yield first;
      }
    };
    rig.sourceTree.remove('d9/f99');
    await expect(rig.pass()).rejects.toMatchObject({ code: 'damaged' });
    expect(rig.targetTree.text('d9/f99')).toBe('text 99');
  });

  it('T06: a point whose listing breaks off deletes nothing there, and the other points go on', async () => {
    const rig = await synced(HUNDRED, { backend: { batchSize: 2 } });
    for (const path of ['d1/f1', 'd1/f91', 'd2/f2']) rig.sourceTree.remove(path);
    rig.source.faults.truncateListing(8, { path: 'd1' });
    const { report, unsettled } = await rig.result(['d1', 'd2'], { retries: 0 });
    expect(report).toMatchObject({ deletedFiles: 1, problems: [{ path: 'd1', side: 'source', reason: 'io-error' }] });
    expect(unsettled).toEqual(['d1']);
    expect(rig.targetTree.text('d1/f1')).toBe('text 1');
    expect(rig.targetTree.text('d2/f2')).toBeUndefined();
    expect(await rig.pass(['d1'])).toMatchObject({ deletedFiles: 2 });
  });

  it('T63, INV-16: a point that cannot be looked at stops no other', async () => {
    const rig = await synced({ a: '1', b: '2', c: '3' });
    rig.target.faults.fail('stat', { path: 'a', code: 'io-error', times: Infinity });
    rig.sourceTree.write('a', 'one');
    rig.sourceTree.write('b', 'two');
    expect(await rig.pass(['a', 'b'])).toMatchObject({ copiedFiles: 1, problems: [{ path: 'a', side: 'target', reason: 'io-error' }] });
    expect(rig.targetTree.text('b')).toBe('two');
  });

  it('T01: a directory that vanishes while it is listed is looked at again', async () => {
    const rig = await synced(HUNDRED);
    const stop = rig.source.faults.on('list', 'before', ({ path }) => {
      if (path !== 'd5') return;
      stop();
      rig.sourceTree.rename('d5', 'e5');
    });
    await rig.pass(['d5', 'e5']);
    expect(files(rig.sourceTree)).toEqual(files(rig.targetTree));
    expect(rig.targetTree.text('e5/f5')).toBe('text 5');
  });
});

describe('the roots of a pass', () => {
  it('T05: another tree in the place of the source halts, whatever it holds', async () => {
    const rig = await synced({ a: '1', b: '2', c: '3' });
    const old = rig.sourceTree.unmount('empty-directory');
    rig.sourceTree.write('a', 'of somebody else');
    rig.sourceTree.write('z', 'z');
    for (const scope of ['all', ['a', 'b']] as const) {
      expect((await rig.pass(scope)).halt).toMatchObject({ reason: 'root-changed', side: 'source', option: '--accept-new-root' });
    }
    expect(files(rig.targetTree)).toEqual({ a: '1', b: '2', c: '3' });
    expect(files(rig.sourceTree)).toEqual({ a: 'of somebody else', z: 'z' });
    rig.sourceTree.mount(old);
    expect(await rig.pass()).toMatchObject({ halt: undefined, copiedFiles: 0, deletedFiles: 0 });
  });

  it('T05, T10: a new root that is accepted is merged as at a first sync', async () => {
    const rig = await synced({ a: '1', b: '2', c: '3' });
    rig.targetTree.unmount('empty-directory');
    rig.targetTree.write('a', 'other');
    expect(await rig.pass('all', { acceptNewRoot: true })).toMatchObject({ deletedFiles: 0, copiedFiles: 2, conflicts: 1 });
    expect(files(rig.sourceTree)).toEqual({ a: '1', b: '2', c: '3' });
    expect(files(rig.targetTree)).toEqual({ a: 'other', b: '2', c: '3' });
  });

  it('INV-10: a root exchanged between being looked at and being marked halts too', async () => {
    const rig = await synced({ a: '1', b: '2', c: '3' });
    let looks = 0;
    rig.source.faults.on('rootIdentity', 'before', () => {
      looks += 1;
      if (looks === 2) rig.sourceTree.unmount('empty-directory');
    });
    expect((await rig.pass()).halt).toMatchObject({ reason: 'root-changed', side: 'source' });
    rig.source.faults.clear();
    expect((await rig.pass()).halt).toMatchObject({ reason: 'root-changed' });
    expect(files(rig.targetTree)).toEqual({ a: '1', b: '2', c: '3' });
  });

  it('T04: a disk pulled while it is listed deletes nothing', async () => {
    const rig = await synced(HUNDRED);
    rig.source.faults.on('list-batch', 'before', () => {
      if (rig.sourceTree.volume?.marker !== undefined) rig.sourceTree.unmount('empty-directory');
    });
    const report = await rig.pass();
    expect(report.halt).toMatchObject({ reason: 'root-changed', side: 'source' });
    expect(Object.keys(files(rig.targetTree))).toHaveLength(100);
  });

  it('T04: a root that goes away in the middle of a pass halts it as missing', async () => {
    const rig = await synced(HUNDRED);
    for (let i = 0; i < 20; i += 1) rig.sourceTree.write(`new${String(i)}`, 'n');
    let commits = 0;
    rig.target.faults.on('commit', 'before', () => {
      commits += 1;
      if (commits === 5) rig.targetTree.unmount();
    });
    const report = await rig.pass();
    expect(report.halt).toMatchObject({ reason: 'root-missing', side: 'target' });
  });

  it('T04: a root that cannot be read halts and says which', async () => {
    const rig = await synced({ a: '1' });
    rig.target.faults.fail('rootIdentity', { code: 'permission-denied', times: Infinity });
    expect((await rig.pass()).halt).toMatchObject({ reason: 'root-unreadable', side: 'target' });
  });

  it('T29, INV-23: overlapping roots halt before anything is written', async () => {
    for (const location of ['/memory/left', '/memory/left/inner', '/memory']) {
      const rig = new Rig({ target: { location } });
      rig.sourceTree.write('a', '1');
      expect((await rig.pass()).halt).toMatchObject({ reason: 'overlapping-roots' });
      expect(rig.targetTree.paths()).toEqual([]);
      expect(rig.sourceTree.volume?.marker).toBeUndefined();
    }
  });
});

describe('ignore rules', () => {
  const ignoring = (...names: string[]) => ({
    patterns: names,
    ignores: (path: string) => names.includes(path.slice(path.lastIndexOf('/') + 1)),
  });

  it('T13, INV-14: a name that is excluded later leaves the baseline and stays on both sides', async () => {
    const rig = await synced({ 'd/a': '1', 'd/b': '2', 'build/x': 'x', 'build/y': 'y', c: '3' });
    rig.restart({ filter: ignoring('build', 'b') });
    rig.sourceTree.remove('build');
    rig.targetTree.write('d/b', 'changed');
    expect(await rig.pass()).toMatchObject({ deletedFiles: 0, copiedFiles: 0, conflicts: 0, files: 2 });
    expect(files(rig.targetTree)).toMatchObject({ 'build/x': 'x', 'd/b': 'changed' });
    expect(rig.pair.get(toRelativePath('build/x') as never)).toBeUndefined();
  });

  it('T13, INV-12: a name that is included again is merged as at a first sync', async () => {
    const rig = await synced({ 'build/x': 'x', 'build/y': 'y', 'build/z': 'z', c: '3' });
    rig.restart({ filter: ignoring('build') });
    await rig.pass();
    rig.sourceTree.remove('build/x');
    rig.targetTree.write('build/y', 'other');
    rig.restart({ filter: ignoring() });
    expect(await rig.pass()).toMatchObject({ deletedFiles: 0, copiedFiles: 1, conflicts: 1 });
    expect(rig.sourceTree.text('build/x')).toBe('x');
    expect(rig.pair.conflicts()).toMatchObject([{ path: 'build/y', reason: 'both-created' }]);
  });

  it('T15: one and the same set of rules holds on both sides for the whole run', async () => {
    const rig = await synced({ 'd/keep': 'k', c: '3' });
    let isOn = true;
    const names = ['tmp'];
    rig.restart({ filter: { patterns: names, ignores: (path) => isOn && path.endsWith('tmp') } });
    rig.sourceTree.write('d/tmp', 'left');
    rig.targetTree.write('tmp', 'right');
    expect(await rig.pass()).toMatchObject({ copiedFiles: 0, deletedFiles: 0 });
    isOn = false;
    expect(await rig.pass()).toMatchObject({ copiedFiles: 2, deletedFiles: 0 });
  });

  it('T66, INV-14: a directory deleted on one side stays on the other for what is ignored in it, and is reported', async () => {
    const rig = await synced({ 'd/a': '1', 'd/e/b': '2', c: '3' }, { filter: ignoring('tmp') });
    rig.targetTree.write('d/e/tmp', 't');
    rig.sourceTree.remove('d');
    const report = await rig.pass();
    expect(files(rig.targetTree)).toEqual({ 'd/e/tmp': 't', c: '3' });
    expect(report.problems).toMatchObject([
      { path: 'd/e', side: 'target', reason: 'directory-kept' },
      { path: 'd', side: 'target', reason: 'directory-kept' },
    ]);
    expect(rig.sourceTree.paths()).toEqual(['c']);
  });

  it('hints below what is ignored lead to nothing', async () => {
    const rig = await synced({ 'd/a': '1' }, { filter: ignoring('tmp') });
    rig.sourceTree.write('tmp/x', 'x');
    expect(await rig.pass(['tmp/x', 'tmp'])).toMatchObject({ copiedFiles: 0, madeDirectories: 0 });
  });
});

/** Group 3 of the torture list: every change is found, and nothing else is taken for one. */

import { describe, expect, it } from '@jest/globals';

import { files, Rig, synced, trashed } from './testing/rig.js';

const COARSE = { timestampGranularityMs: 1000 };

describe('what counts as a change', () => {
  it('T30: another content of the same size within the same tick is found', async () => {
    const rig = new Rig({ source: COARSE });
    rig.sourceTree.write('a', 'one');
    await rig.pass();
    rig.sourceTree.write('a', 'two');
    await rig.clock.advance(60_000);
    expect(await rig.pass()).toMatchObject({ copiedFiles: 1, conflicts: 0 });
    expect(rig.targetTree.text('a')).toBe('two');
  });

  it('T30: an edit of the target right after our copy of it, in the same tick, is found', async () => {
    const rig = await synced({ a: 'one' }, { target: COARSE });
    rig.sourceTree.write('a', 'two');
    await rig.pass();
    rig.targetTree.write('a', 'six', { mtimeMs: rig.clock.nowMs() });
    await rig.clock.advance(60_000);
    await rig.pass();
    expect(files(rig.sourceTree)).toEqual({ a: 'six' });
  });

  it.each(['write', 'remove'] as const)('T30, INV-17: a version that can change under its token is not replaced or removed before it has settled (%s)', async (gesture) => {
    const rig = await synced({ a: 'one', b: 'b' }, { target: COARSE });
    rig.targetTree.write('a', 'one');
    if (gesture === 'write') rig.sourceTree.write('a', 'two!');
    else rig.sourceTree.remove('a');
    // Read, found unchanged, and edited within the tick.
    const stop = rig.target.faults.on('chunk', 'after', ({ path }) => {
      if (path !== 'a') return;
      stop();
      rig.targetTree.write('a', 'six');
    });
    await rig.pass();
    expect(files(rig.targetTree)['a']).toBe('six');
    expect(trashed(rig.targetTree)).not.toContain('six');
    expect(rig.pair.conflicts()).toMatchObject([{ path: 'a' }]);
  });

  it.each([
    ['whole seconds against milliseconds', { timestampGranularityMs: 1000 }, {}],
    ['two seconds, as FAT has them, against whole seconds', { timestampGranularityMs: 2000 }, { timestampGranularityMs: 1000 }],
    ['two seconds on both sides', { timestampGranularityMs: 2000 }, { timestampGranularityMs: 2000 }],
  ])('T32: %s are no change, and hide none', async (_what, source, target) => {
    const rig = new Rig({ source, target });
    for (let second = 0; second < 10; second += 1) {
      rig.sourceTree.write(`f${second}`, `text ${second}`);
      await rig.clock.advance(777);
    }
    await rig.clock.advance(60_000);
    await rig.pass();
    await rig.clock.advance(60_000);
    rig.events.operations.length = 0;
    expect(await rig.pass()).toMatchObject({ copiedFiles: 0, deletedFiles: 0, conflicts: 0 });
    expect(rig.events.operations).toEqual([]);
    // An edit of the same size, whatever side and moment within a tick.
    for (let index = 0; index < 10; index += 1) {
      const tree = index % 2 === 0 ? rig.sourceTree : rig.targetTree;
      tree.write(`f${index}`, `TEXT ${index}`);
      await rig.clock.advance(333);
      await rig.pass();
    }
    await rig.clock.advance(60_000);
    await rig.pass();
    const expected = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`f${index}`, `TEXT ${index}`]));
    expect([files(rig.sourceTree), files(rig.targetTree)]).toEqual([expected, expected]);
    expect(rig.pair.conflicts()).toEqual([]);
  });

  it('T12, INV-13: an older version that a backup brought back is a change like any other, and a conflict where the other side moved on', async () => {
    const rig = await synced({ a: 'a1', b: 'b1', c: 'c1' });
    const then = rig.clock.nowMs();
    await rig.clock.advance(60_000);
    for (const path of ['a', 'b', 'c']) rig.sourceTree.write(path, `${path}2`);
    await rig.pass();
    await rig.clock.advance(60_000);
    for (const path of ['a', 'b']) rig.targetTree.write(path, `${path}1`, { mtimeMs: then });
    rig.targetTree.remove('c');
    rig.sourceTree.write('a', 'a3');
    rig.sourceTree.write('c', 'c3');
    await rig.clock.advance(60_000);
    await rig.pass();
    expect(files(rig.sourceTree)).toEqual({ a: 'a3', b: 'b1', c: 'c3' });
    expect(files(rig.targetTree)).toEqual({ a: 'a1', b: 'b1' });
    expect(trashed(rig.sourceTree)).toEqual(['b2']);
    expect(rig.pair.conflicts().map(({ path }) => path).sort()).toEqual(['a', 'c']);
  });

  it('T33, INV-24: shifted and touched times move nothing', async () => {
    const rig = await synced({ 'd/a': '1', 'd/b': '2', c: '3' });
    for (const tree of [rig.sourceTree, rig.targetTree]) {
      for (const path of Object.keys(files(tree))) tree.touch(path, rig.clock.nowMs() + (tree === rig.sourceTree ? 3_600_000 : -7_200_000));
    }
    await rig.clock.advance(60_000);
    expect(await rig.pass()).toMatchObject({ copiedFiles: 0, deletedFiles: 0, conflicts: 0 });
    expect(rig.events.operations).toEqual([]);
    rig.sourceTree.touch('d/a', 0);
    rig.targetTree.write('d/a', 'one');
    expect(await rig.pass()).toMatchObject({ copiedFiles: 1, conflicts: 0 });
    expect(rig.sourceTree.text('d/a')).toBe('one');
  });

  it.each([0, -1, -8.64e15 - 1, Date.UTC(2076, 0, 1), NaN, 2 ** 60, Infinity])('T34: a modification time of %p is no obstacle', async (mtimeMs) => {
    for (const source of [{}, COARSE]) {
      const rig = new Rig({ source, target: source });
      rig.sourceTree.write('a', '1', { mtimeMs });
      rig.targetTree.write('b', '2', { mtimeMs });
      await rig.clock.advance(60_000);
      expect(await rig.pass()).toMatchObject({ copiedFiles: 2, conflicts: 0, problems: [] });
      rig.sourceTree.write('b', 'two', { mtimeMs });
      rig.targetTree.write('a', '', { mtimeMs });
      await rig.clock.advance(60_000);
      expect(await rig.pass()).toMatchObject({ copiedFiles: 2, conflicts: 0, problems: [] });
      expect(files(rig.sourceTree)).toEqual({ a: '', b: 'two' });
      expect(files(rig.targetTree)).toEqual({ a: '', b: 'two' });
    }
  });

  it.each([-400 * 24 * 3_600_000, -3000, 3000, 400 * 24 * 3_600_000])('INV-22: a wall clock that jumps by %i ms changes no decision', async (stepMs) => {
    const rig = await synced({ a: '1', b: '2', c: '3', d: '4' });
    rig.clock.stepWall(stepMs);
    expect(await rig.pass()).toMatchObject({ copiedFiles: 0, deletedFiles: 0, conflicts: 0 });
    rig.sourceTree.write('a', 'one');
    rig.targetTree.remove('b');
    rig.sourceTree.write('c', 'left');
    rig.targetTree.write('c', 'right');
    rig.sourceTree.write('d', '');
    rig.clock.stepWall(-stepMs);
    await rig.pass();
    expect(files(rig.sourceTree)).toEqual({ a: 'one', c: 'left', d: '' });
    expect(files(rig.targetTree)).toEqual({ a: 'one', c: 'right', d: '' });
  });

  it('T40: a return to the old content is no change, and the change of the other side goes over', async () => {
    const rig = await synced({ a: 'v1', b: 'v1' });
    for (const path of ['a', 'b']) {
      rig.sourceTree.write(path, 'v2');
      await rig.clock.advance(60_000);
      rig.sourceTree.write(path, 'v1');
    }
    rig.targetTree.write('b', 'v3');
    expect(await rig.pass()).toMatchObject({ copiedFiles: 1, conflicts: 0 });
    expect(files(rig.sourceTree)).toEqual({ a: 'v1', b: 'v3' });
  });

  it('INV-13: a side that went back to an older version has changed', async () => {
    const rig = await synced({ a: 'v1' });
    rig.sourceTree.write('a', 'v2');
    await rig.pass();
    rig.targetTree.write('a', 'v1');
    expect(await rig.pass()).toMatchObject({ copiedFiles: 1, conflicts: 0 });
    expect(rig.sourceTree.text('a')).toBe('v1');
    rig.targetTree.write('a', 'v2');
    rig.sourceTree.write('a', 'v0');
    expect(await rig.pass()).toMatchObject({ conflicts: 1 });
  });

  it('T79, INV-19: identical creations, edits and deletions are no conflict', async () => {
    const rig = await synced({ edited: '1', deleted: '2', other: '3' });
    for (const tree of [rig.sourceTree, rig.targetTree]) {
      tree.write('created/x', 'same');
      tree.write('edited', 'same');
      tree.remove('deleted');
    }
    expect(await rig.pass()).toMatchObject({ conflicts: 0, copiedFiles: 0, deletedFiles: 0, files: 3 });
    rig.sourceTree.remove('created/x');
    expect(await rig.pass()).toMatchObject({ deletedFiles: 1 });
  });

  it('INV-31: what was brought over looks unchanged afterwards, attributes included', async () => {
    const rig = new Rig({ source: COARSE, target: COARSE });
    for (let i = 0; i < 20; i += 1) (i % 2 === 0 ? rig.sourceTree : rig.targetTree).write(`d${String(i % 3)}/${String(i)}`, `text ${String(i)}`);
    await rig.pass();
    rig.events.operations.length = 0;
    for (let i = 0; i < 3; i += 1) {
      await rig.clock.advance(1000);
      expect(await rig.pass()).toMatchObject({ copiedFiles: 0, deletedFiles: 0, madeDirectories: 0, deletedDirectories: 0 });
    }
    expect(rig.events.operations).toEqual([]);
    let reads = 0;
    for (const backend of [rig.source, rig.target]) backend.faults.on('getHashes', 'before', () => void (reads += 1));
    await rig.pass();
    expect(reads).toBe(0);
  });
});

describe('how editors save', () => {
  it('T39, INV-28: an emptied file is not brought over while it is about to be written', async () => {
    const rig = await synced({ a: 'long text' });
    rig.sourceTree.write('a', '');
    const saved = rig.clock.sleep(500).then(() => rig.sourceTree.write('a', 'longer text'));
    expect(await rig.pass()).toMatchObject({ conflicts: 0, problems: [] });
    await saved;
    expect(rig.targetTree.text('a')).toBe('longer text');
    expect(trashed(rig.targetTree)).toEqual(['long text']);
  });

  it('T39: a file that stays empty is brought over in the end', async () => {
    const rig = await synced({ a: 'long text' });
    rig.sourceTree.write('a', '');
    expect(await rig.pass()).toMatchObject({ copiedFiles: 1, problems: [] });
    expect(rig.targetTree.text('a')).toBe('');
  });

  it('T39: a file removed and made anew between looking and deleting stays', async () => {
    const rig = await synced({ a: '1', b: '2' });
    rig.sourceTree.remove('a');
    const saved = rig.clock.sleep(50).then(() => rig.sourceTree.write('a', 'one'));
    expect(await rig.pass('all', { deletionDelayMs: 150 })).toMatchObject({ deletedFiles: 0, copiedFiles: 1, conflicts: 0 });
    await saved;
    expect(files(rig.targetTree)).toEqual({ a: 'one', b: '2' });
  });

  it('T39: saving by rename, over and over while passes run, never conflicts', async () => {
    const rig = await synced({ a: 'v0', b: 'b' });
    let version = 0;
    for (const operation of ['list-batch', 'read', 'commit', 'flush', 'stat'] as const) {
      for (const backend of [rig.source, rig.target]) {
        backend.faults.on(operation, 'before', () => {
          version += 1;
          if (version % 3 !== 0 || version > 60) return;
          rig.sourceTree.write('a.tmp', `v${String(version)}`);
          rig.sourceTree.rename('a.tmp', 'a');
        });
      }
    }
    for (let i = 0; i < 10; i += 1) expect(await rig.pass()).toMatchObject({ conflicts: 0 });
    rig.source.faults.clear();
    rig.target.faults.clear();
    await rig.pass();
    expect(files(rig.targetTree)).toEqual(files(rig.sourceTree));
  });

  it('T39: a single writer who deletes, empties and writes while passes run never conflicts', async () => {
    for (const retries of [0, 4]) {
      const rig = await synced({ 'd/a': 'v0', b: 'b' });
      let step = 0;
      rig.target.faults.on('*', 'before', () => {
        step += 1;
        if (step > 200) return;
        if (step % 7 === 1) rig.sourceTree.remove('d/a');
        if (step % 7 === 3) rig.sourceTree.write('d/a', '');
        if (step % 7 === 5) rig.sourceTree.write('d/a', `v${String(step)}`);
      });
      for (let i = 0; i < 12; i += 1) {
        expect(await rig.pass('all', { retries })).toMatchObject({ conflicts: 0 });
        expect(await rig.pass(['d/a'], { retries })).toMatchObject({ conflicts: 0 });
      }
      rig.target.faults.clear();
      await rig.clock.advance(60_000);
      await rig.pass();
      expect(files(rig.targetTree)).toEqual(files(rig.sourceTree));
    }
  });
});

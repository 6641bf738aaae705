import { describe, expect, it } from '@jest/globals';

import { Rig, synced } from './testing/rig.js';

describe('a pass', () => {
  it('brings what only one side has to the other, with its directories', async () => {
    const rig = new Rig();
    rig.sourceTree.mkdir('a/b');
    rig.sourceTree.write('a/b/one.txt', 'one');
    rig.sourceTree.mkdir('empty');
    rig.targetTree.write('two.txt', 'two');
    const report = await rig.pass();
    expect(report).toMatchObject({ copiedFiles: 2, copiedBytes: 6, madeDirectories: 3, conflicts: 0, problems: [], files: 2 });
    const [source, target] = rig.snapshots();
    expect(source).toEqual(target);
    expect(source).toMatchObject({ 'a/b/one.txt': 'one', 'two.txt': 'two' });
  });

  it('INV-31: finds nothing to do when nothing happened', async () => {
    const rig = await synced({ 'a/one': '1', two: '2' });
    rig.events.operations.length = 0;
    expect(await rig.pass()).toMatchObject({ copiedFiles: 0, deletedFiles: 0, conflicts: 0, files: 2 });
    expect(rig.events.operations).toEqual([]);
  });

  it('propagates edits and deletions made on either side between two passes', async () => {
    const rig = await synced({ a: '1', b: '2', 'd/c': '3', 'd/e': '4', keep: '5' });
    rig.sourceTree.write('a', 'one');
    rig.targetTree.write('b', 'two');
    rig.sourceTree.remove('d/c');
    rig.targetTree.remove('d/e');
    await rig.clock.advance(60_000);
    await rig.pass();
    const [source, target] = rig.snapshots();
    expect(source).toEqual(target);
    expect(source).toMatchObject({ a: 'one', b: 'two', keep: '5' });
    expect(Object.keys(source)).not.toContain('d/c');
    expect(Object.keys(source)).not.toContain('d/e');
  });

  it('leaves both sides alone where both changed, and tells of it until they are equal', async () => {
    const rig = await synced({ a: '1', b: '2' });
    rig.sourceTree.write('a', 'left');
    rig.targetTree.write('a', 'right');
    expect(await rig.pass()).toMatchObject({ conflicts: 1 });
    expect(rig.snapshots()).toMatchObject([{ a: 'left' }, { a: 'right' }]);
    expect(rig.pair.conflicts()).toMatchObject([{ path: 'a', reason: 'both-changed' }]);
    rig.targetTree.write('a', 'left');
    expect(await rig.pass()).toMatchObject({ conflicts: 0 });
    expect(rig.events.resolved).toEqual(['a']);
  });

  it('INV-36: copies the remaining version back when the other of a known conflict is removed', async () => {
    const rig = await synced({ a: '1', b: '2' });
    rig.sourceTree.write('a', 'left');
    rig.targetTree.write('a', 'right');
    await rig.pass();
    rig.sourceTree.remove('a');
    await rig.pass();
    expect(rig.snapshots()).toMatchObject([{ a: 'right' }, { a: 'right' }]);
    expect(rig.pair.conflicts()).toEqual([]);
  });

  it('T20: a lost baseline deletes nothing and conflicts only where contents differ', async () => {
    const rig = await synced({ a: '1', b: '2' });
    rig.sourceTree.remove('a');
    rig.pair.reset();
    expect(await rig.pass()).toMatchObject({ deletedFiles: 0, conflicts: 0 });
    expect(rig.snapshots()[0]).toMatchObject({ a: '1', b: '2' });
  });

  it('T04: an unmounted root halts with nothing deleted', async () => {
    const rig = await synced({ a: '1', b: '2' });
    rig.sourceTree.unmount('empty-directory');
    const report = await rig.pass();
    expect(report.halt).toMatchObject({ reason: 'root-changed', side: 'source' });
    expect(rig.targetTree.snapshot()).toMatchObject({ a: '1', b: '2' });
  });

  it('T04: a root that is gone halts and says so', async () => {
    const rig = await synced({ a: '1' });
    rig.targetTree.unmount();
    expect((await rig.pass()).halt).toMatchObject({ reason: 'root-missing', side: 'target' });
  });

  it('halts when one side was emptied, and goes on when that is allowed', async () => {
    const rig = await synced({ a: '1', b: '2', c: '3' });
    for (const path of ['a', 'b', 'c']) rig.sourceTree.remove(path);
    expect((await rig.pass()).halt).toMatchObject({ reason: 'side-emptied', option: '--allow-mass-delete' });
    expect(Object.keys(rig.targetTree.snapshot())).toHaveLength(3);
    expect(await rig.pass('all', { allowMassDelete: true })).toMatchObject({ deletedFiles: 3 });
    expect(rig.targetTree.trash.size).toBe(3);
  });

  it('T85: a renamed top directory is no mass deletion', async () => {
    const files = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`top/${i}`, `text ${i}`]));
    const rig = await synced({ ...files, other: 'x' });
    rig.sourceTree.rename('top', 'renamed');
    const report = await rig.pass();
    expect(report.halt).toBeUndefined();
    expect(report).toMatchObject({ copiedFiles: 30, deletedFiles: 30, deletedDirectories: 1 });
    expect(rig.snapshots()[0]).toEqual(rig.snapshots()[1]);
  });

  it('T01: an unreadable directory on one side deletes nothing on the other', async () => {
    const rig = await synced({ 'd/a': '1', 'd/b': '2', c: '3' });
    rig.sourceTree.setUnreadable('d', true);
    const report = await rig.pass();
    expect(report).toMatchObject({ deletedFiles: 0, problems: [{ path: 'd', side: 'source', reason: 'permission-denied' }] });
    expect(rig.targetTree.text('d/a')).toBe('1');
  });

  it('T65: new content under a directory deleted on the other side brings the directory back', async () => {
    const rig = await synced({ 'd/a': '1', 'd/b': '2', c: '3' });
    rig.sourceTree.remove('d');
    rig.targetTree.write('d/new', 'n');
    await rig.pass();
    expect(rig.snapshots()[0]).toMatchObject({ 'd/new': 'n' });
    expect(rig.snapshots()[0]).toEqual(rig.snapshots()[1]);
    expect(rig.sourceTree.text('d/a')).toBeUndefined();
  });

  it('T84: a dry run says what would be done and changes nothing', async () => {
    const rig = new Rig();
    rig.sourceTree.write('a', '1');
    rig.sourceTree.mkdir('d');
    const report = await rig.pass('all', {}, { isDryRun: true });
    expect(report.plan.map(({ operation, side, path }) => `${operation} ${side} ${path}`)).toEqual(['CREATE target a', 'CREATE target d']);
    expect(rig.targetTree.paths()).toEqual([]);
    expect(rig.pair.totals().files).toBe(0);
    expect(rig.pair.summary().sourceRootIds).toEqual([]);
  });

  it('T83: a one-way job never writes to its source', async () => {
    const rig = await synced({ a: '1', b: '2' }, { isUnidirectional: true });
    rig.targetTree.write('extra', 'x');
    rig.targetTree.write('a', 'changed');
    rig.targetTree.remove('b');
    const before = rig.sourceTree.snapshot();
    const report = await rig.pass();
    expect(rig.sourceTree.snapshot()).toEqual(before);
    expect(report.conflicts).toBe(1);
    expect(rig.targetTree.snapshot()).toMatchObject({ a: 'changed', b: '2', extra: 'x' });
  });

  it('looks at single paths as well as at everything', async () => {
    const rig = await synced({ 'd/a': '1', b: '2' });
    rig.sourceTree.write('d/a', 'one');
    rig.sourceTree.mkdir('new/deep');
    rig.sourceTree.write('new/deep/x', 'x');
    rig.sourceTree.remove('b');
    await rig.clock.advance(60_000);
    expect(await rig.pass(['d/a', 'new/deep/x', 'b'])).toMatchObject({ copiedFiles: 2, deletedFiles: 1 });
    expect(rig.snapshots()[0]).toEqual(rig.snapshots()[1]);
  });
});

/** Files that are programs: `chmod +x` on one side is brought over as an edit is, without a copy. */

import { describe, expect, it } from '@jest/globals';
import { MemoryBackend } from '@wl/adapters/memory';
import type { SideName } from '@wl/domain';

import { Rig, synced } from './testing/rig.js';

const SIDES: readonly (readonly [SideName, SideName])[] = [
  ['source', 'target'],
  ['target', 'source'],
];

/** Which files of a side are programs. */
function programsOf(rig: Rig, side: SideName): string[] {
  const tree = rig.tree(side);
  return tree.paths().filter((path) => tree.isExecutable(path) === true).sort();
}

const bothOf = (rig: Rig): string[][] => [programsOf(rig, 'source'), programsOf(rig, 'target')];

describe('a change of who may execute', () => {
  it.each(SIDES)('of the %s is made on the %s, and undone there, without a copy', async (changed, other) => {
    const rig = await synced({ a: '1', 'd/b': '2' });
    rig.tree(changed).setExecutable('a', true);
    expect(await rig.pass()).toMatchObject({ copiedFiles: 0, permissions: 1, conflicts: 0, problems: [] });
    expect(bothOf(rig)).toEqual([['a'], ['a']]);
    expect(rig.events.operations).toEqual(['MODIFY a']);
    expect(rig.tree(other).trash.size).toBe(0);
    rig.tree(changed).setExecutable('a', false);
    await rig.pass();
    expect(bothOf(rig)).toEqual([[], []]);
  });

  it('INV-18, INV-25: is made once; the next pass finds nothing to do', async () => {
    const rig = await synced({ a: '1' });
    rig.sourceTree.setExecutable('a', true);
    await rig.pass();
    const before = rig.pair.get('a' as never);
    rig.events.operations.length = 0;
    expect(await rig.pass()).not.toHaveProperty('permissions');
    expect(rig.events.operations).toEqual([]);
    expect(rig.pair.get('a' as never)).toEqual(before);
  });

  it('on both sides, to the same, is no news; and of different files goes both ways', async () => {
    const rig = await synced({ a: '1', b: '2', c: '3' });
    for (const tree of [rig.sourceTree, rig.targetTree]) tree.setExecutable('a', true);
    rig.sourceTree.setExecutable('b', true);
    rig.targetTree.setExecutable('c', true);
    expect(await rig.pass()).toMatchObject({ permissions: 2 });
    expect(bothOf(rig)).toEqual([['a', 'b', 'c'], ['a', 'b', 'c']]);
    rig.targetTree.setExecutable('a', false);
    await rig.pass();
    expect(bothOf(rig)).toEqual([['b', 'c'], ['b', 'c']]);
  });

  it.each([['copied', ['source']], ['found on both sides', ['source', 'target']]] as const)('right after the file was %s is made, though no token of it can be trusted yet (T30)', async (_how, sides) => {
    const granularity = { timestampGranularityMs: 1000 };
    const rig = new Rig({ source: granularity, target: granularity });
    for (const side of sides) rig.tree(side).write('a', '1');
    await rig.pass();
    rig.sourceTree.setExecutable('a', true);
    await rig.pass();
    expect(bothOf(rig)).toEqual([['a'], ['a']]);
  });

  it.each(SIDES)('of the %s goes along with its content', async (changed) => {
    const rig = await synced({ a: '1' });
    rig.tree(changed).write('a', 'edited');
    rig.tree(changed).setExecutable('a', true);
    expect(await rig.pass()).toMatchObject({ copiedFiles: 1 });
    expect(bothOf(rig)).toEqual([['a'], ['a']]);
    expect(rig.snapshots()).toEqual([{ a: 'edited' }, { a: 'edited' }]);
  });

  it.each(SIDES)('of the %s is not undone by an edit of the %s: both arrive', async (changed, other) => {
    const rig = await synced({ a: '1' });
    rig.tree(changed).setExecutable('a', true);
    rig.tree(other).write('a', 'edited');
    expect(await rig.pass()).toMatchObject({ copiedFiles: 1, conflicts: 0, problems: [] });
    expect(bothOf(rig)).toEqual([['a'], ['a']]);
    expect(rig.snapshots()).toEqual([{ a: 'edited' }, { a: 'edited' }]);
  });

  it('INV-7: of a file in conflict changes nothing on either side', async () => {
    const rig = await synced({ a: '1' });
    rig.sourceTree.write('a', 'one');
    rig.targetTree.write('a', 'two');
    rig.sourceTree.setExecutable('a', true);
    expect(await rig.pass()).toMatchObject({ conflicts: 1 });
    expect(bothOf(rig)).toEqual([['a'], []]);
  });

  it('is shown by a dry run, and made by none', async () => {
    const rig = await synced({ a: '1' });
    rig.targetTree.setExecutable('a', true);
    const report = await rig.pass('all', {}, { isDryRun: true });
    expect(report.plan).toEqual([{ operation: 'MODIFY', side: 'source', path: 'a', isDirectory: false, sizeBytes: 0, isExecutable: true }]);
    expect(bothOf(rig)).toEqual([[], ['a']]);
    await rig.pass();
    expect(bothOf(rig)).toEqual([['a'], ['a']]);
  });

  it('is nothing to be decided where the sides never agreed', async () => {
    const rig = new Rig();
    for (const tree of [rig.sourceTree, rig.targetTree]) tree.write('a', '1');
    rig.targetTree.setExecutable('a', true);
    await rig.clock.advance(60_000);
    for (let i = 0; i < 2; i += 1) expect(await rig.pass()).not.toHaveProperty('permissions');
    expect(bothOf(rig)).toEqual([[], ['a']]);
    // Once they are alike, they have.
    rig.sourceTree.setExecutable('a', true);
    await rig.pass();
    rig.sourceTree.setExecutable('a', false);
    await rig.pass();
    expect(bothOf(rig)).toEqual([[], []]);
  });

  it('INV-37: of the target of a one-way job stays there, of the source is made', async () => {
    const rig = await synced({ a: '1', b: '2' }, { isUnidirectional: true });
    rig.targetTree.setExecutable('a', true);
    rig.sourceTree.setExecutable('b', true);
    expect(await rig.pass()).toMatchObject({ permissions: 1 });
    expect(bothOf(rig)).toEqual([['b'], ['a', 'b']]);
    rig.sourceTree.write('a', 'edited');
    await rig.pass();
    expect(bothOf(rig)).toEqual([['b'], ['b']]);
  });

  it.each(['source', 'target'] as const)('means nothing where the %s does not tell', async (silent) => {
    const rig = await synced({ a: '1' });
    const other = new MemoryBackend(rig.tree(silent), { backendId: silent === 'source' ? 'left' : 'right', programs: 'untold' });
    rig.sourceTree.setExecutable('a', true);
    expect(await rig.pass('all', {}, { [silent]: other })).toMatchObject({ copiedFiles: 0, problems: [] });
    expect(bothOf(rig)).toEqual([['a'], []]);
  });

  it.each([[{ programs: 'not-kept' }, 1], [{ isReadOnly: true }, 0]] as const)('that the other side does not keep (%j) is told once and lasts on its own', async (options, remarks) => {
    const rig = await synced({ a: '1' });
    const target = new MemoryBackend(rig.targetTree, { backendId: 'right', ...options });
    rig.sourceTree.setExecutable('a', true);
    const report = await rig.pass('all', {}, { target });
    expect(report).not.toHaveProperty('permissions');
    expect(report.problems).toHaveLength(remarks);
    for (const problem of report.problems) expect(problem).toMatchObject({ path: 'a', side: 'target', reason: 'permissions' });
    expect((await rig.pass('all', {}, { target })).problems).toEqual([]);
    expect(bothOf(rig)).toEqual([['a'], []]);
  });

  it('that the side copied from does not keep does not hold up the copy', async () => {
    const rig = await synced({ a: '1' });
    const source = new MemoryBackend(rig.sourceTree, { backendId: 'left', programs: 'not-kept' });
    rig.targetTree.setExecutable('a', true);
    rig.sourceTree.write('a', 'edited');
    expect(await rig.pass('all', {}, { source })).toMatchObject({ copiedFiles: 1, problems: [{ path: 'a', side: 'source' }] });
    expect(rig.snapshots()).toEqual([{ a: 'edited' }, { a: 'edited' }]);
  });

  it('INV-16: that fails is a problem of this file, stops no other, and is made later', async () => {
    const rig = await synced({ a: '1', b: '2' });
    rig.target.faults.fail('setExecutable', { path: 'a', code: 'permission-denied' });
    for (const path of ['a', 'b']) rig.sourceTree.setExecutable(path, true);
    expect(await rig.pass()).toMatchObject({ permissions: 1, problems: [{ path: 'a', side: 'target', reason: 'permission-denied' }] });
    expect(bothOf(rig)).toEqual([['a', 'b'], ['b']]);
    expect(await rig.pass()).toMatchObject({ permissions: 1, problems: [] });
    expect(bothOf(rig)).toEqual([['a', 'b'], ['a', 'b']]);
  });

  it('INV-17: meets a save in the same instant and leaves it', async () => {
    const rig = await synced({ a: '1' });
    rig.sourceTree.setExecutable('a', true);
    const stop = rig.target.faults.on('setExecutable', 'before', () => {
      stop();
      rig.targetTree.write('a', 'saved');
    });
    await rig.pass();
    expect(rig.snapshots()).toEqual([{ a: 'saved' }, { a: 'saved' }]);
    expect(bothOf(rig)).toEqual([['a'], ['a']]);
  });

  it.each(['before', 'after'] as const)('INV-12: %s a crash in the middle of it, the next pass ends where this one would have', async (phase) => {
    const rig = await synced({ a: '1', b: '2' });
    for (const path of ['a', 'b']) rig.sourceTree.setExecutable(path, true);
    rig.target.faults.on('setExecutable', phase, ({ path }) => {
      if (path === 'a') rig.crash();
    });
    await rig.pass().catch(() => undefined);
    rig.restart();
    await rig.pass();
    expect(bothOf(rig)).toEqual([['a', 'b'], ['a', 'b']]);
    rig.targetTree.setExecutable('a', false);
    await rig.pass();
    expect(bothOf(rig)).toEqual([['b'], ['b']]);
  });
});

/** Group 2 of the torture list: the baseline says only what both sides were seen to hold. */

import { describe, expect, it } from '@jest/globals';
import { fileKey, toRelativePath } from '@wl/domain';
import { StateError } from '@wl/ports';
import type { StateOperation } from '@wl/adapters/memory-state';

import { files, Rig, synced } from './testing/rig.js';

const row = (rig: Rig, path: string) => rig.pair.get(fileKey(toRelativePath(path)));

describe('the baseline', () => {
  it('T16, INV-15: a change whose copy failed is still a change in the next pass', async () => {
    const rig = await synced({ a: '1', b: '2' });
    const before = row(rig, 'a');
    rig.sourceTree.write('a', 'one');
    rig.target.faults.fail('commit', { path: 'a', code: 'permission-denied' });
    expect(await rig.pass()).toMatchObject({ copiedFiles: 0, problems: [{ path: 'a', reason: 'permission-denied' }] });
    expect(row(rig, 'a')).toEqual(before);
    expect(await rig.pass()).toMatchObject({ copiedFiles: 1, problems: [] });
    expect(rig.targetTree.text('a')).toBe('one');
  });

  it('T17: holds the version that was transferred, so that a change made right after it goes over too', async () => {
    const rig = await synced({ a: '1' });
    rig.sourceTree.write('a', 'two');
    const stop = rig.target.faults.on('commit', 'after', () => {
      stop();
      rig.sourceTree.write('a', 'three');
    });
    expect(await rig.pass()).toMatchObject({ copiedFiles: 1, conflicts: 0 });
    expect(rig.targetTree.text('a')).toBe('two');
    expect(await rig.pass()).toMatchObject({ copiedFiles: 1, conflicts: 0 });
    expect(rig.targetTree.text('a')).toBe('three');
  });

  it('T19, INV-19: adopts what both sides hold alike, so that a later deletion propagates', async () => {
    const rig = new Rig();
    for (const tree of [rig.sourceTree, rig.targetTree]) {
      tree.write('d/a', 'same');
      tree.write('b', 'too');
    }
    await rig.clock.advance(60_000);
    expect(await rig.pass()).toMatchObject({ copiedFiles: 0, conflicts: 0, files: 2 });
    rig.targetTree.remove('d/a');
    expect(await rig.pass()).toMatchObject({ deletedFiles: 1 });
    expect(rig.sourceTree.text('d/a')).toBeUndefined();
  });

  it('T20, INV-12: a lost baseline with changes on both sides brings all together and deletes nothing', async () => {
    const rig = await synced({ 'd/a': '1', 'd/b': '2', c: '3', e: '4' });
    rig.sourceTree.remove('d');
    rig.targetTree.remove('c');
    rig.sourceTree.write('e', 'left');
    rig.targetTree.write('e', 'right');
    rig.pair.reset();
    expect(await rig.pass()).toMatchObject({ deletedFiles: 0, conflicts: 1 });
    expect(files(rig.sourceTree)).toEqual({ 'd/a': '1', 'd/b': '2', c: '3', e: 'left' });
    expect(files(rig.targetTree)).toEqual({ 'd/a': '1', 'd/b': '2', c: '3', e: 'right' });
  });

  it('T22: rows that a crash left behind or kept from being written mend themselves', async () => {
    const rig = await synced({ a: '1', b: '2', c: '3' });
    // Copied, but not recorded; deleted on both sides, but not forgotten; recorded, but gone from both.
    rig.sourceTree.write('a', 'new');
    rig.targetTree.write('a', 'new');
    rig.sourceTree.remove('b');
    rig.targetTree.remove('b');
    rig.pair.commit([{ kind: 'put', key: fileKey(toRelativePath('ghost')), row: row(rig, 'c')! }]);
    expect(await rig.pass()).toMatchObject({ copiedFiles: 0, deletedFiles: 0, conflicts: 0, files: 2 });
    expect(row(rig, 'ghost')).toBeUndefined();
    rig.sourceTree.remove('a');
    expect(await rig.pass()).toMatchObject({ deletedFiles: 1 });
  });

  it('INV-12: below a directory without a row of its own no row is a reason to delete', async () => {
    const rig = await synced({ 'd/a': '1', 'd/b': '2', c: '3' });
    rig.pair.commit([{ kind: 'delete', key: 'd/' as never }]);
    rig.sourceTree.remove('d/a');
    expect(await rig.pass()).toMatchObject({ deletedFiles: 0, copiedFiles: 1 });
    expect(rig.sourceTree.text('d/a')).toBe('1');
  });

  it.each<StateOperation>(['commit', 'putConflicts', 'scan', 'get', 'setRoots'])('T09: a state that fails in %s ends the pass, deletes nothing and is no obstacle later', async (failing) => {
    let isFailing = false;
    const onOperation = (operation: StateOperation): void => {
      if (isFailing && operation === failing) throw new StateError('no-space', 'the disk of the state is full');
    };
    const rig = await synced({ a: '1', b: '2', c: '3', d: '4' }, { state: { onOperation } });
    rig.sourceTree.remove('a');
    rig.sourceTree.write('b', 'two');
    rig.sourceTree.write('c', 'left');
    rig.targetTree.write('c', 'right');
    if (failing === 'setRoots') rig.targetTree.volume!.marker = undefined;
    isFailing = true;
    await expect(rig.pass()).rejects.toMatchObject({ code: 'no-space' });
    expect(rig.targetTree.text('a')).toBe('1');
    isFailing = false;
    expect(await rig.pass()).toMatchObject({ deletedFiles: 1, conflicts: 1 });
    expect(files(rig.targetTree)).toEqual({ b: 'two', c: 'right', d: '4' });
  });

  it('INV-15: both storages are flushed before rows are written, and after what the rows tell of', async () => {
    const calls: string[] = [];
    const rig = await synced({ a: '1', b: '2' }, { state: { onOperation: (operation) => void (operation === 'commit' && calls.push('rows')) } });
    rig.sourceTree.write('a', 'one');
    rig.targetTree.write('n', 'new');
    rig.sourceTree.remove('b');
    rig.sourceTree.mkdir('d');
    for (const [name, backend] of [['source', rig.source], ['target', rig.target]] as const) {
      for (const operation of ['commit', 'remove', 'makeDirectory', 'flush'] as const) {
        backend.faults.on(operation, 'after', () => void calls.push(`${operation} ${name}`));
      }
    }
    calls.length = 0;
    await rig.pass();
    expect(calls.filter((call) => call === 'rows').length).toBeGreaterThan(0);
    const written = { source: false, target: false };
    for (const call of calls) {
      const side = call.endsWith('source') ? 'source' : 'target';
      if (call === 'rows') expect(written).toEqual({ source: false, target: false });
      else written[side] = !call.startsWith('flush');
    }
    expect(calls.at(-1)).toBe('rows');
  });

  it('INV-15: rows whose flush failed are not written', async () => {
    const rig = await synced({ a: '1' });
    rig.sourceTree.write('a', 'one');
    rig.target.faults.fail('flush', { times: Infinity });
    const before = row(rig, 'a');
    await expect(rig.pass()).rejects.toMatchObject({ code: 'io-error' });
    expect(row(rig, 'a')).toEqual(before);
    rig.target.faults.clear();
    expect(await rig.pass()).toMatchObject({ copiedFiles: 0, conflicts: 0 });
  });

  it('T91: a month of changes on both sides, renames among them, comes together at the next start', async () => {
    const rig = await synced({ 'docs/a': 'a', 'docs/b': 'b', 'docs/old/c': 'c', 'pics/1': 'p1', 'pics/2': 'p2', 'pics/3': 'p3', x: 'x', y: 'y', z: 'z' });
    rig.restart();
    await rig.clock.advance(30 * 24 * 3_600_000);
    rig.sourceTree.rename('docs/old', 'archive');
    rig.targetTree.rename('pics', 'photos');
    rig.sourceTree.write('docs/a', 'a of the source');
    rig.targetTree.save('docs/b', 'b of the target');
    rig.sourceTree.write('x', 'left');
    rig.targetTree.write('x', 'right');
    rig.sourceTree.remove('y');
    rig.targetTree.remove('y');
    rig.sourceTree.write('new/s', 's');
    rig.targetTree.write('new/t', 't');
    rig.sourceTree.remove('z');
    rig.targetTree.write('z', 'kept alive');
    expect(await rig.pass()).toMatchObject({ halt: undefined, conflicts: 2, problems: [] });
    const common = {
      'docs/a': 'a of the source', 'docs/b': 'b of the target', 'archive/c': 'c',
      'photos/1': 'p1', 'photos/2': 'p2', 'photos/3': 'p3', 'new/s': 's', 'new/t': 't',
    };
    expect(files(rig.sourceTree)).toEqual({ ...common, x: 'left' });
    expect(files(rig.targetTree)).toEqual({ ...common, x: 'right', z: 'kept alive' });
    expect(rig.sourceTree.paths()).not.toContain('pics');
    expect(rig.pair.conflicts().map(({ path, reason }) => `${reason} ${path}`)).toEqual(['both-changed x', 'changed-and-deleted z']);
    rig.events.operations.length = 0;
    await rig.pass();
    expect(rig.events.operations).toEqual([]);
  });
});

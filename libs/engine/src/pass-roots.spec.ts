/** Roots that go away in the middle of a pass. */

import { describe, expect, it } from '@jest/globals';

import { files, Rig, synced } from './testing/rig.js';

describe('a root that is exchanged in the middle of a pass', () => {
  it('T05, INV-10, INV-15: leaves no row behind for what was copied onto the wrong volume', async () => {
    const rig = await synced({ a: 'one' });
    rig.targetTree.write('b', 'precious');
    await rig.clock.advance(60_000);
    // The disk is pulled when everything was looked at; the copy lands in the empty mount point.
    let pulled: ReturnType<typeof rig.sourceTree.unmount> | undefined;
    rig.source.faults.on('openForSafeReplace', 'before', () => {
      pulled ??= rig.sourceTree.unmount('empty-directory');
    });
    const report = await rig.pass();
    expect(report.halt?.reason).toBe('root-changed');
    // It comes back: what it does not hold was never deleted from it.
    rig.sourceTree.mount(pulled!);
    await rig.clock.advance(60_000);
    await rig.pass();
    expect(files(rig.targetTree)).toEqual({ a: 'one', b: 'precious' });
    expect(files(rig.sourceTree)).toEqual({ a: 'one', b: 'precious' });
  });
});

describe('a disk that is pulled when a deletion is checked a last time', () => {
  it.each(['b', 'd/e'])('T04, INV-8, INV-10: does not make %s, which a listing missed, be deleted on the other side', async (name) => {
    const rig = await synced({ a: 'one', b: 'two', 'd/e': 'three', 'f/g': 'four', h: 'five' });
    rig.sourceTree.remove(name);
    await rig.clock.advance(60_000);
    // Both listings have ended and the roots were looked at; somebody puts it back, and the disk goes.
    let pulled: ReturnType<typeof rig.sourceTree.unmount> | undefined;
    rig.source.faults.on('stat', 'before', () => {
      if (pulled !== undefined) return;
      rig.sourceTree.write(name, 'back');
      pulled = rig.sourceTree.unmount('empty-directory');
    });
    expect((await rig.pass()).halt).toMatchObject({ reason: 'root-changed', side: 'source' });
    expect(Object.keys(files(rig.targetTree))).toContain(name);
    rig.sourceTree.mount(pulled!);
    await rig.clock.advance(60_000);
    await rig.pass();
    expect(files(rig.targetTree)).toEqual(files(rig.sourceTree));
    expect(files(rig.targetTree)[name]).toBe('back');
  });
});

describe('a disk that is pulled and put back in one pass', () => {
  it('T04, INV-10, INV-15: leaves no row for what was written meanwhile, once a look at the roots has missed it', async () => {
    const rig = await synced({ z: 'agreed' });
    // More than one chunk: copies of the first go on while the conflict in the last is recorded.
    const names = Array.from({ length: 1100 }, (_, i) => `f${String(i).padStart(4, '0')}`);
    for (const name of names) rig.targetTree.write(name, name);
    rig.sourceTree.write('z', 'ours');
    rig.targetTree.write('z', 'theirs');
    await rig.clock.advance(60_000);
    let volume: ReturnType<typeof rig.sourceTree.unmount> | undefined;
    let commits = 0;
    rig.source.faults.on('commit', 'before', () => {
      commits += 1;
      if (commits === 3) volume = rig.sourceTree.unmount('empty-directory');
    });
    rig.source.faults.on('rootIdentity', 'after', () => {
      if (volume !== undefined) rig.sourceTree.mount(volume);
      volume = undefined;
    });
    expect((await rig.pass()).halt).toMatchObject({ reason: 'root-changed', side: 'source' });
    expect(rig.pair.totals().files).toBe(1);
    await rig.clock.advance(60_000);
    expect(await rig.pass()).toMatchObject({ halt: undefined, deletedFiles: 0, conflicts: 1 });
    expect(Object.keys(files(rig.sourceTree))).toEqual([...names, 'z']);
    expect(Object.keys(files(rig.targetTree))).toEqual([...names, 'z']);
  });

  it.each(['list', 'list-batch', 'stat', 'read', 'chunk', 'openForSafeReplace', 'write', 'commit', 'remove', 'makeDirectory', 'removeDirectory', 'flush'] as const)(
    'T04, INV-10, INV-15: is not missed by a storage that is tied to its volume, when it is out from %s to the next call of it',
    async (operation) => {
      for (const side of ['source', 'target'] as const) {
        const rig = await synced({ a: 'one', b: 'two', 'd/e': 'three', 'd/f': 'four', g: 'five' }, { backend: { tiesToVolume: true } });
        for (const tree of [rig.sourceTree, rig.targetTree]) tree.write(tree === rig.sourceTree ? 'new/s' : 'new/t', 'news');
        rig.sourceTree.remove('d');
        rig.targetTree.remove('g');
        rig.targetTree.write('b', 'changed');
        await rig.clock.advance(60_000);
        const tree = rig.tree(side);
        let volume: ReturnType<typeof tree.unmount> | undefined;
        let isDone = false;
        const { faults } = rig[side];
        faults.on(operation, 'before', () => {
          if (!isDone) volume = tree.unmount('empty-directory');
          isDone = true;
        });
        faults.on('*', 'before', (event) => {
          if (event.operation === operation && volume !== undefined) return;
          if (volume !== undefined) tree.mount(volume);
          volume = undefined;
        });
        await rig.pass().catch(() => undefined);
        if (volume !== undefined) tree.mount(volume);
        await rig.clock.advance(60_000);
        expect(await rig.pass()).toMatchObject({ halt: undefined, conflicts: 0 });
        const merged = { a: 'one', b: 'changed', 'new/s': 'news', 'new/t': 'news' };
        expect([operation, side, files(rig.sourceTree), files(rig.targetTree)]).toEqual([operation, side, merged, merged]);
      }
    },
  );
});

describe('a target that keeps no empty directories', () => {
  it('INV-31: is not told the same empty directory at every one-way pass', async () => {
    const rig = new Rig({ isUnidirectional: true, target: { keepsEmptyDirectories: false } });
    rig.sourceTree.mkdir('empty');
    await rig.clock.advance(60_000);
    await rig.pass();
    rig.events.operations.length = 0;
    expect(await rig.pass()).toEqual(expect.objectContaining({ madeDirectories: 0 }));
    expect(rig.events.operations).toEqual([]);
  });
});

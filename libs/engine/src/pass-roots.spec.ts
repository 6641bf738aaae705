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

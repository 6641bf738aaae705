/** One-way jobs (INV-37, T83): the source is never written, in any mode, in any state. */

import { describe, expect, it } from '@jest/globals';
import { toRelativePath } from '@wl/domain';

import { resolveConflict } from './resolve.js';
import { files, Rig, synced, trashed } from './testing/rig.js';

const WRITING = ['openForSafeReplace', 'write', 'commit', 'remove', 'makeDirectory', 'removeDirectory', 'copyFrom', 'setExecutable'] as const;

/** Makes any write to the source a failure of the test. */
function guard(rig: Rig): Rig {
  for (const operation of WRITING) {
    rig.source.faults.on(operation, 'before', () => {
      throw new Error(`INV-37: ${operation} on the source of a one-way job`);
    });
  }
  return rig;
}

describe('a one-way pass', () => {
  it.each([{}, { backend: { copiesWithin: true } }])('T83, INV-37: never writes to its source, whatever happens on the target', async (options) => {
    const rig = guard(await synced({ a: '1', b: '2', 'd/x': 'x', 'd/y': 'y', f: 'f', g: 'g' }, { isUnidirectional: true, ...options }));
    const before = rig.sourceTree.snapshot();
    rig.targetTree.write('a', 'edited on the target');
    rig.targetTree.remove('b');
    rig.targetTree.remove('d');
    rig.targetTree.write('new/n', 'only on the target');
    rig.targetTree.remove('f');
    rig.targetTree.write('f/inner', 'a directory now');
    rig.targetTree.rename('g', 'h');
    for (let i = 0; i < 3; i += 1) {
      await rig.pass(i === 1 ? ['a', 'b', 'd', 'new', 'f', 'g', 'h'] : 'all');
      expect(rig.sourceTree.snapshot()).toEqual(before);
      rig.restart();
      guard(rig);
    }
    expect(files(rig.targetTree)).toEqual({
      a: 'edited on the target', b: '2', 'd/x': 'x', 'd/y': 'y', 'f/inner': 'a directory now', g: 'g', h: 'g', 'new/n': 'only on the target',
    });
    expect(rig.pair.conflicts().map(({ path, reason }) => `${reason} ${path}`)).toEqual(['target-changed a', 'file-against-directory f']);
    expect(rig.sourceTree.volume?.marker).toBeUndefined();
    expect(rig.sourceTree.trash.size).toBe(0);
  });

  it('brings edits, creations and deletions of the source to the target', async () => {
    const rig = guard(await synced({ a: '1', b: '2', 'd/x': 'x' }, { isUnidirectional: true }));
    rig.sourceTree.write('a', 'one');
    rig.sourceTree.remove('d');
    rig.sourceTree.write('e/n', 'n');
    expect(await rig.pass()).toMatchObject({ copiedFiles: 2, deletedFiles: 1, deletedDirectories: 1, conflicts: 0 });
    expect(rig.snapshots()[0]).toEqual(rig.snapshots()[1]);
    expect(trashed(rig.targetTree)).toEqual(['1', 'x']);
  });

  it('T83: an edit on both sides is a conflict that keeping the source ends; the source is left alone', async () => {
    const rig = guard(await synced({ a: '1', b: '2' }, { isUnidirectional: true }));
    rig.sourceTree.write('a', 'left');
    rig.targetTree.write('a', 'right');
    expect(await rig.pass()).toMatchObject({ conflicts: 1 });
    await resolveConflict({ ...rig.context(), path: toRelativePath('a'), keep: 'source' });
    expect(await rig.pass()).toMatchObject({ conflicts: 0 });
    expect(files(rig.targetTree)).toEqual({ a: 'left', b: '2' });
  });

  it('INV-37: a source that cannot be written at all is no obstacle', async () => {
    const rig = new Rig({ isUnidirectional: true });
    rig.sourceTree.write('d/a', '1');
    for (const operation of [...WRITING, 'flush'] as const) rig.source.faults.fail(operation, { code: 'read-only', times: Infinity });
    expect(await rig.pass()).toMatchObject({ copiedFiles: 1, problems: [] });
    expect(await rig.pass()).toMatchObject({ copiedFiles: 0, problems: [] });
  });

  it('T85: a source that was emptied halts here too', async () => {
    const rig = guard(await synced({ a: '1', b: '2' }, { isUnidirectional: true }));
    rig.sourceTree.remove('a');
    rig.sourceTree.remove('b');
    expect((await rig.pass()).halt).toMatchObject({ reason: 'side-emptied', side: 'source' });
    expect(files(rig.targetTree)).toEqual({ a: '1', b: '2' });
  });
});

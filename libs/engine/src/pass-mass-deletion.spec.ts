/** The guard against mass deletion (INV-39, T85): it pauses, never applies in part, and does not cry wolf. */

import { describe, expect, it } from '@jest/globals';

import { files, synced, type Rig, type RigOptions } from './testing/rig.js';

const HOUR_MS = 3_600_000;

const named = (count: number, directory = 'd'): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${directory}/${String(i).padStart(3, '0')}`, `${directory} ${String(i)}`]));

const remove = (rig: Rig, from: number, to: number): void => {
  for (let i = from; i < to; i += 1) rig.sourceTree.remove(`d/${String(i).padStart(3, '0')}`);
};

const left = (rig: Rig): number => Object.keys(files(rig.targetTree)).length;

describe('the guard against mass deletion', () => {
  it('T85: halts on more than half and more than a handful, names the way on, and deletes none of them', async () => {
    const rig = await synced(named(40));
    remove(rig, 0, 21);
    rig.sourceTree.write('new', 'n');
    const report = await rig.pass();
    expect(report).toMatchObject({ deletedFiles: 0, copiedFiles: 1, halt: { reason: 'mass-deletion', side: 'source', option: '--allow-mass-delete' } });
    expect(report.halt!.message).toContain('21 of 40 files are gone from the source storage');
    expect(left(rig)).toBe(41);
    expect(await rig.pass('all', { allowMassDelete: true })).toMatchObject({ halt: undefined, deletedFiles: 21 });
  });

  it('lets half go, and any handful', async () => {
    const rig = await synced(named(40));
    remove(rig, 0, 20);
    expect(await rig.pass()).toMatchObject({ halt: undefined, deletedFiles: 20 });
    const few = await synced(named(11));
    remove(few, 0, 10);
    expect(await few.pass()).toMatchObject({ halt: undefined, deletedFiles: 10 });
  });

  it('T85: a tree of three files that is emptied halts, at once or one by one', async () => {
    for (const scopes of [['all'], [['d/000'], ['d/001'], ['d/002']]] as ('all' | string[])[][]) {
      const rig = await synced(named(3));
      remove(rig, 0, 3);
      for (const scope of scopes) expect((await rig.pass(scope)).halt).toMatchObject({ reason: 'side-emptied' });
      expect(left(rig)).toBe(3);
    }
  });

  it('T85: a link or a directory left behind does not make an emptied side a filled one', async () => {
    const rig = await synced(named(3));
    remove(rig, 0, 3);
    rig.sourceTree.symlink('link', '/etc');
    rig.sourceTree.mkdir('empty');
    expect((await rig.pass()).halt).toMatchObject({ reason: 'side-emptied' });
    expect((await rig.pass(['d'])).halt).toMatchObject({ reason: 'side-emptied' });
    expect(left(rig)).toBe(3);
  });

  it('T85: a slow drip over hours counts like a flood, over full passes and points, and expires after a day', async () => {
    const rig = await synced(named(40));
    let deleted = 0;
    for (; deleted < 40; deleted += 1) {
      remove(rig, deleted, deleted + 1);
      const report = await rig.pass(deleted % 2 === 0 ? 'all' : [`d/${String(deleted).padStart(3, '0')}`]);
      if (report.halt !== undefined) break;
      await rig.clock.advance(HOUR_MS / 2);
    }
    expect(deleted).toBe(20);
    expect(left(rig)).toBe(20);
    await rig.clock.advance(25 * HOUR_MS);
    expect(await rig.pass()).toMatchObject({ halt: undefined, deletedFiles: 1 });
  });

  it('T85: survives a restart in the middle of the drip', async () => {
    const rig = await synced(named(40));
    remove(rig, 0, 15);
    await rig.pass();
    rig.restart();
    remove(rig, 15, 21);
    expect((await rig.pass()).halt).toMatchObject({ reason: 'mass-deletion' });
  });

  it('T85: what the user has allowed counts for no later deletion', async () => {
    const rig = await synced(named(40));
    remove(rig, 0, 35);
    expect(await rig.pass('all', { allowMassDelete: true })).toMatchObject({ deletedFiles: 35 });
    remove(rig, 35, 36);
    expect(await rig.pass()).toMatchObject({ halt: undefined, deletedFiles: 1 });
  });

  it('INV-39: what a pass brings in does not dilute what it deletes', async () => {
    const rig = await synced(named(20));
    remove(rig, 0, 19);
    for (let i = 0; i < 100; i += 1) rig.sourceTree.write(`new/${String(i)}`, `n ${String(i)}`);
    expect(await rig.pass()).toMatchObject({ deletedFiles: 0, copiedFiles: 100, halt: { reason: 'mass-deletion' } });
  });

  it.each<RigOptions>([{}, { backend: { copiesWithin: true } }, { backend: { keepsHashes: true } }])(
    'T85: a top directory renamed again and again is no deletion, today or later, and hides none',
    async (options) => {
      const rig = await synced({ ...named(30), other: 'x' }, options);
      for (const [from, to] of [['d', 'e'], ['e', 'f'], ['f', 'd']] as const) {
        rig.sourceTree.rename(from, to);
        expect(await rig.pass()).toMatchObject({ halt: undefined, deletedFiles: 30, copiedFiles: 30 });
        await rig.clock.advance(60_000);
      }
      remove(rig, 0, 1);
      expect(await rig.pass()).toMatchObject({ halt: undefined, deletedFiles: 1 });
      rig.sourceTree.rename('d', 'g');
      for (let i = 1; i < 21; i += 1) rig.sourceTree.remove(`g/${String(i).padStart(3, '0')}`);
      expect((await rig.pass()).halt).toMatchObject({ reason: 'mass-deletion' });
    },
  );

  it('T85: a rename takes back nothing of what was deleted before, and files that come do', async () => {
    for (const isRename of [true, false]) {
      const rig = await synced({ ...named(40), ...named(30, 'e') });
      remove(rig, 0, 25);
      expect(await rig.pass()).toMatchObject({ halt: undefined, deletedFiles: 25 });
      if (isRename) rig.sourceTree.rename('e', 'f');
      else for (let i = 0; i < 30; i += 1) rig.sourceTree.write(`new/${String(i)}`, `n ${String(i)}`);
      expect(await rig.pass()).toMatchObject({ halt: undefined, copiedFiles: 30 });
      remove(rig, 25, 36);
      expect((await rig.pass()).halt?.reason).toBe(isRename ? 'mass-deletion' : undefined);
    }
  });

  it('T52, T85: a renamed top directory whose copies fail deletes nothing', async () => {
    for (const backend of [{}, { keepsHashes: true }, { copiesWithin: true }]) {
      const rig = await synced({ ...named(30), other: 'x' }, { backend });
      rig.sourceTree.rename('d', 'e');
      rig.targetTree.capacityBytes = rig.targetTree.usedBytes();
      const report = await rig.pass();
      expect(report).toMatchObject({ halt: undefined, deletedFiles: 0 });
      expect(report.problems.map(({ reason }) => reason)).toEqual(expect.arrayContaining(['no-space', 'waiting']));
      expect(left(rig)).toBe(31);
      rig.targetTree.capacityBytes = undefined;
      expect(await rig.pass()).toMatchObject({ halt: undefined, deletedFiles: 30, copiedFiles: 30, problems: [] });
    }
  });

  it('T52, T85: content that somebody else brought by the second look counts as arrived, however long its rows take', async () => {
    const rig = await synced({ ...named(30), other: 'x' });
    rig.sourceTree.rename('d', 'e');
    rig.target.faults.fail('commit', { times: 30 });
    rig.target.faults.delay('flush', 1000, { times: Infinity });
    let failures = 0;
    rig.target.faults.on('commit', 'before', () => {
      failures += 1;
      if (failures === 30) for (const [path, content] of Object.entries(named(30))) rig.targetTree.write(path.replace('d', 'e'), content);
    });
    expect(await rig.pass()).toMatchObject({ halt: undefined, copiedFiles: 0, deletedFiles: 30, deletedDirectories: 1, problems: [] });
    expect(rig.snapshots()[0]).toEqual(rig.snapshots()[1]);
  });

  it('looks at each side by itself', async () => {
    const rig = await synced(named(40));
    remove(rig, 0, 15);
    for (let i = 20; i < 35; i += 1) rig.targetTree.remove(`d/${String(i).padStart(3, '0')}`);
    expect(await rig.pass()).toMatchObject({ halt: undefined, deletedFiles: 30 });
    expect(rig.snapshots()[0]).toEqual(rig.snapshots()[1]);
  });

  it('does not call a side empty of which a part could not be looked at', async () => {
    const rig = await synced({ ...named(5), a: '1' });
    rig.sourceTree.remove('a');
    rig.sourceTree.setUnreadable('d', true);
    expect(await rig.pass()).toMatchObject({ halt: undefined, deletedFiles: 1 });
    expect(left(rig)).toBe(5);
  });
});

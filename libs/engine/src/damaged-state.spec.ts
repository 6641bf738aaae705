/** What is forgotten when the state of a pair is found damaged (INV-11), and what is not: which roots they were (INV-10). */

import { describe, expect, it } from '@jest/globals';
import { StateError, type PassReport, type SyncOptions } from '@wl/ports';

import { genericSyncer } from './generic-syncer.js';
import { files, synced, type Rig, type RigOptions } from './testing/rig.js';

const IDENTITY = { scope: 'test', sourceBackendId: 'left', targetBackendId: 'right' };

/** Makes the state damaged at its next `get`, or never. */
class Damage {
  isDue = false;

  readonly onOperation = (operation: string): void => {
    if (operation === 'reset' || operation === 'forgetBaseline') this.isDue = false;
    if (this.isDue && operation === 'get') throw new StateError('damaged', 'unable to read the baseline: damaged');
  };
}

async function agreed(damage: Damage, options: RigOptions = {}): Promise<Rig> {
  return synced({ a: 'one', b: 'two' }, { ...options, state: damage });
}

/** One pass of a job, which begins a damaged pair anew. */
async function run(rig: Rig, options: SyncOptions = {}): Promise<PassReport> {
  const { source, target, pair, state: cache, clock, events } = rig;
  const isUnidirectional = rig.context().isUnidirectional;
  const syncer = genericSyncer({ cache, clock, watch: (storage) => storage.watcher()! }).create({ source, target, pair, isUnidirectional, filter: undefined, events });
  return clock.runUntil(syncer.oneShotSync(options));
}

describe('a state that is found damaged', () => {
  it('T21, INV-12: has both storages compared in full, deletes nothing and says so', async () => {
    const damage = new Damage();
    const rig = await agreed(damage);
    rig.sourceTree.write('a', 'changed');
    rig.targetTree.remove('b');
    damage.isDue = true;
    expect(await run(rig)).toMatchObject({ halt: undefined, conflicts: 1, deletedFiles: 0 });
    expect(files(rig.targetTree)).toEqual({ a: 'one', b: 'two' });
    expect(rig.events.notes[0]).toContain('has been forgotten');
  });

  it.each(['empty-directory', 'nothing'] as const)('T04, INV-10: still knows the roots, so that a disk pulled meanwhile, leaving %s, is no new root', async (leaving) => {
    const damage = new Damage();
    const rig = await agreed(damage);
    rig.sourceTree.write('a', 'changed');
    damage.isDue = true;
    let volume: ReturnType<typeof rig.sourceTree.unmount> | undefined;
    rig.source.faults.on('list', 'after', () => {
      volume ??= rig.sourceTree.unmount(leaving);
    });
    expect((await run(rig)).halt).toMatchObject({ side: 'source' });
    expect(files(rig.targetTree)).toEqual({ a: 'one', b: 'two' });
    expect(files(rig.sourceTree)).toEqual({});
    rig.sourceTree.mount(volume!);
    expect((await run(rig)).halt).toBeUndefined();
    expect(files(rig.sourceTree)).toEqual({ a: 'changed', b: 'two' });
  });
});

describe('a state that has lost which roots they were', () => {
  it('T04, T21, INV-10: takes no empty mount point for a new root, and goes on by itself once the disk is back', async () => {
    const rig = await agreed(new Damage());
    rig.state.losePair(IDENTITY);
    const volume = rig.sourceTree.unmount('empty-directory');
    for (const isDryRun of [true, false]) {
      const { halt } = await rig.pass('all', {}, { isDryRun });
      expect(halt).toMatchObject({ reason: 'root-changed', side: 'source', option: '--accept-new-root' });
      expect(halt?.message).toMatch(/is empty, and what was stored of it was damaged.*Connect or mount the right one; the sync then goes on by itself/);
    }
    // Not even a mark is left in it, which would pass for a root of ours later on.
    expect(rig.sourceTree.snapshot()).toEqual({});
    expect((await rig.source.rootIdentity({ mark: false })).ids.some((id) => id.startsWith('marker:'))).toBe(false);
    rig.sourceTree.mount(volume);
    expect(await rig.pass()).toMatchObject({ halt: undefined, copiedFiles: 0, conflicts: 0 });
    expect(rig.pair.summary()).toMatchObject({ areRootsLost: false });
  });

  it('T20, INV-12: takes one that is meant to be empty at the user’s word, and deletes nothing', async () => {
    const rig = await agreed(new Damage());
    rig.state.losePair(IDENTITY);
    rig.targetTree.unmount('empty-directory');
    expect((await rig.pass()).halt).toMatchObject({ reason: 'root-changed', side: 'target' });
    expect(await rig.pass('all', { acceptNewRoot: true })).toMatchObject({ halt: undefined, deletedFiles: 0 });
    expect(files(rig.targetTree)).toEqual({ a: 'one', b: 'two' });
  });

  it('T20, INV-19: merges both without a question where neither can be an empty mount point', async () => {
    const marked = await agreed(new Damage());
    marked.state.losePair(IDENTITY);
    // It was emptied, but it carries the mark of an earlier sync.
    for (const path of ['a', 'b']) marked.sourceTree.remove(path);
    expect(await marked.pass()).toMatchObject({ halt: undefined, deletedFiles: 0 });
    expect(files(marked.sourceTree)).toEqual({ a: 'one', b: 'two' });

    const unmarked = await agreed(new Damage());
    unmarked.state.losePair(IDENTITY);
    unmarked.sourceTree.unmount('empty-directory');
    unmarked.sourceTree.write('new', 'three');
    expect(await unmarked.pass()).toMatchObject({ halt: undefined });
    expect(files(unmarked.sourceTree)).toEqual({ a: 'one', b: 'two', new: 'three' });
  });

  it('T04, INV-37: asks about an empty source of a one-way job too, which never carries a mark', async () => {
    const rig = await agreed(new Damage(), { isUnidirectional: true });
    rig.state.losePair(IDENTITY);
    const volume = rig.sourceTree.unmount('empty-directory');
    expect((await rig.pass()).halt).toMatchObject({ reason: 'root-changed', side: 'source' });
    rig.sourceTree.mount(volume);
    expect((await rig.pass()).halt).toBeUndefined();
  });

  it('T01, INV-8: concludes nothing about a root that cannot be listed', async () => {
    const rig = await agreed(new Damage(), { isUnidirectional: true });
    rig.state.losePair(IDENTITY);
    rig.source.faults.fail('list', { code: 'permission-denied' });
    expect((await rig.pass()).halt).toMatchObject({ reason: 'root-unreadable', side: 'source' });
  });
});

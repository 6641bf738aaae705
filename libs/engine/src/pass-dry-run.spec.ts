/** Dry runs (INV-38, T84): they show what a run would do, and leave no trace. */

import { describe, expect, it } from '@jest/globals';
import type { StateOperation } from '@wl/adapters/memory-state';

import { Rig, synced } from './testing/rig.js';

const READING = new Set<StateOperation>(['openPair', 'summary', 'scan', 'get', 'totals', 'conflict', 'conflicts', 'deletionsSince', 'cache.get']);
const LOOKING = new Set(['open', 'close', 'rootIdentity', 'list', 'list-batch', 'stat', 'getFileToken', 'getHashes', 'chunk', 'read', 'isUnchanged']);

interface Traced {
  readonly rig: Rig;
  readonly traces: string[];
}

/** A rig with everything a pass can meet, which notes what is written anywhere. */
async function eventful(): Promise<Traced> {
  const traces: string[] = [];
  let isWatched = false;
  const onOperation = (operation: StateOperation): void => void (isWatched && !READING.has(operation) && traces.push(operation));
  const kept = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`kept/${String(i)}`, `k${String(i)}`]));
  const rig = await synced({ ...kept, a: '1', b: '2', c: '3', 'd/x': 'x', 'd/e/y': 'y', same: 's' }, { state: { onOperation } });
  rig.sourceTree.write('a', 'one');
  rig.targetTree.remove('b');
  rig.sourceTree.write('c', 'left');
  rig.targetTree.write('c', 'right');
  rig.sourceTree.remove('d');
  rig.targetTree.write('new/n', 'n');
  rig.sourceTree.touch('same', 1);
  rig.sourceTree.write('adopted', 'same');
  rig.targetTree.write('adopted', 'same');
  rig.targetTree.symlink('link', '/etc');
  await rig.clock.advance(60_000);
  for (const backend of [rig.source, rig.target]) {
    backend.faults.on('*', 'before', ({ operation }) => void (isWatched && !LOOKING.has(operation) && traces.push(operation)));
  }
  isWatched = true;
  return { rig, traces };
}

describe('a dry run', () => {
  it('T84: writes nothing anywhere: neither storage, nor baseline, conflicts or hash cache', async () => {
    const { rig, traces } = await eventful();
    const before = JSON.stringify([rig.snapshots(), [...rig.sourceTree.trash], [...rig.targetTree.trash]]);
    const report = await rig.pass('all', {}, { isDryRun: true });
    expect(traces).toEqual([]);
    expect(JSON.stringify([rig.snapshots(), [...rig.sourceTree.trash], [...rig.targetTree.trash]])).toBe(before);
    expect(report).toMatchObject({ copiedFiles: 0, deletedFiles: 0, conflicts: 1 });
    expect(rig.pair.conflicts()).toEqual([]);
  });

  it('T84: marks no root and stores none, also of storages that were never synced', async () => {
    const rig = new Rig();
    rig.sourceTree.write('a', '1');
    await rig.pass('all', { acceptNewRoot: true, allowMassDelete: true }, { isDryRun: true });
    expect([rig.sourceTree.volume?.marker, rig.targetTree.volume?.marker]).toEqual([undefined, undefined]);
    expect(rig.pair.summary()).toEqual({ sourceRootIds: [], targetRootIds: [], areRootsLost: false });
  });

  it('INV-38: shows exactly what the run after it does', async () => {
    const { rig } = await eventful();
    const { plan, planTotal } = await rig.pass('all', {}, { isDryRun: true });
    expect(planTotal).toBe(plan.length);
    const shown = plan.filter(({ operation }) => operation !== 'CONFLICT').map(({ operation, path }) => `${operation} ${path}`);
    rig.events.operations.length = 0;
    await rig.pass();
    expect([...rig.events.operations].sort()).toEqual([...shown].sort());
    expect(plan.filter(({ operation }) => operation === 'CONFLICT')).toMatchObject([{ path: 'c', side: 'both' }]);
    // Deletions come last, as they are carried out: what is in a directory before the directory.
    expect(plan.filter(({ operation }) => operation === 'DELETE').map(({ side, path }) => `${side} ${path}`)).toEqual([
      'source b', 'target d/e/y', 'target d/e', 'target d/x', 'target d',
    ]);
    expect(plan.findIndex(({ operation }) => operation === 'DELETE')).toBe(plan.length - 5);
  });

  it('INV-38: halts where the run would, and not on a rename', async () => {
    const files = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`d/${String(i)}`, `text ${String(i)}`]));
    const rig = await synced({ ...files, other: 'x' });
    rig.sourceTree.rename('d', 'e');
    const moved = await rig.pass('all', {}, { isDryRun: true });
    expect(moved.halt).toBeUndefined();
    expect(moved.planTotal).toBe(30 + 1 + 30 + 1);
    rig.sourceTree.remove('e');
    expect((await rig.pass('all', {}, { isDryRun: true })).halt).toMatchObject({ reason: 'mass-deletion' });
    expect(await rig.pass('all', { allowMassDelete: true }, { isDryRun: true })).toMatchObject({ halt: undefined, planTotal: 31 });
  });

  it('shows each step once, also where something changes while it looks', async () => {
    const rig = new Rig();
    rig.sourceTree.write('d/a', '1');
    rig.sourceTree.write('d/b', '2');
    rig.source.faults.markUnknown('d/b', 'changing', 1);
    const { plan, problems } = await rig.pass('all', {}, { isDryRun: true });
    expect(plan.map(({ operation, path }) => `${operation} ${path}`)).toEqual(['CREATE d', 'CREATE d/a']);
    expect(problems).toMatchObject([{ path: 'd/b', reason: 'changing' }]);
  });

  it('does not take a root as new, whatever it is told', async () => {
    const rig = await synced({ a: '1', b: '2' });
    rig.targetTree.unmount('empty-directory');
    expect((await rig.pass('all', { acceptNewRoot: true }, { isDryRun: true })).halt).toMatchObject({ reason: 'root-changed' });
    expect(rig.pair.totals().files).toBe(2);
  });
});

/** Conflicts with the built programs: how they are shown, that they are left alone, and the ways in which they end. */

import { mkdirSync, rmSync, unlinkSync } from 'node:fs';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { plant, treeOf } from './testing/tree.js';
import { World, type Pair } from './testing/world.js';

let world: World;
let pair: Pair;
beforeEach(async () => {
  world = new World();
  pair = await world.pair('photos', { 'a.txt': 'old a', 'b.txt': 'old b', 'c.txt': 'old c', 'gone.txt': 'gone' });
});
afterEach(() => world.close());

/** Changes all but `gone.txt` on both sides, and sees the conflicts in a continuous sync. */
async function makeConflicts(): Promise<void> {
  for (const name of ['a.txt', 'b.txt', 'c.txt']) {
    plant(pair.left, { [name]: `left ${name}` });
    plant(pair.right, { [name]: `right ${name}` });
  }
  await world.wl('container', 'sync', 'photos');
  await untilConflicts('a.txt', 'b.txt', 'c.txt');
}

const untilConflicts = (...paths: string[]): Promise<unknown> =>
  world.untilJob(`has the conflicts ${paths.join(', ')}`, (job) => job.state === 'SYNCED' && job.conflicts.map(({ path }) => path).join() === paths.join());

const texts = (...paths: string[]): string => paths.map((name) => `   Conflict detected on ${name} in storages photos-left and photos-right\n`).join('');

describe('a conflict', () => {
  it('is shown, touches neither side, and keeps nothing else from syncing', async () => {
    await makeConflicts();
    const status = (await world.wl('status')).stdout;
    expect(status).toContain(`photos SYNCED 'local'(backend_id=photos-left) <-> 'local'(backend_id=photos-right)\n${texts('a.txt', 'b.txt', 'c.txt')}`);
    expect(status).toMatch(/To settle a conflict .*wl container resolve/);
    plant(pair.right, { 'd.txt': 'd' });
    unlinkSync(path.join(pair.left, 'gone.txt'));
    await world.untilTree(pair.left, { 'a.txt': 'left a.txt', 'b.txt': 'left b.txt', 'c.txt': 'left c.txt', 'd.txt': 'd' });
    await world.untilTree(pair.right, { 'a.txt': 'right a.txt', 'b.txt': 'right b.txt', 'c.txt': 'right c.txt', 'd.txt': 'd' });
    // Later changes of a file in conflict stay where they are, too.
    plant(pair.left, { 'a.txt': 'left again' });
    plant(pair.right, { 'e.txt': 'e' });
    await world.untilTree(pair.left, { 'a.txt': 'left again', 'b.txt': 'left b.txt', 'c.txt': 'left c.txt', 'd.txt': 'd', 'e.txt': 'e' });
    expect(treeOf(pair.right)['a.txt']).toBe('right a.txt');
    const [conflict] = (await world.job()).conflicts;
    expect(conflict).toMatchObject({ path: 'a.txt', reason: 'both-changed', source: { kind: 'file', size: 10 }, target: { kind: 'file', size: 11 } });
  });

  it('T82: ends by making both sides equal, by removing the unwanted side, and by wl container resolve, and is gone from status then', async () => {
    await makeConflicts();
    plant(pair.left, { 'a.txt': 'right a.txt' });
    await untilConflicts('b.txt', 'c.txt');
    unlinkSync(path.join(pair.right, 'b.txt'));
    await untilConflicts('c.txt');
    await world.untilTree(pair.right, { 'a.txt': 'right a.txt', 'b.txt': 'left b.txt', 'c.txt': 'right c.txt', 'gone.txt': 'gone' });

    expect((await world.wlEnds(1, 'container', 'resolve', 'photos', 'a.txt', '--keep', 'source')).stderr).toMatch(/a\.txt/);
    expect((await world.wlEnds(2, 'container', 'resolve', 'photos', 'c.txt', '--keep', 'mine')).stderr).toMatch(/--keep takes source, target, photos-left or photos-right/);
    expect((await world.wl('container', 'resolve', 'photos', 'c.txt', '--keep', 'photos-right')).stdout).toBe('Resolved: c.txt, keeping what the target has\n');
    await untilConflicts();
    const settled = { 'a.txt': 'right a.txt', 'b.txt': 'left b.txt', 'c.txt': 'right c.txt', 'gone.txt': 'gone' };
    await world.untilTree(pair.left, settled);
    await world.untilTree(pair.right, settled);
    expect((await world.wl('status')).stdout).not.toContain('Conflict');

    // What was in conflict syncs as everything else again.
    plant(pair.right, { 'c.txt': 'newest c' });
    await world.untilTree(pair.left, { ...settled, 'c.txt': 'newest c' });
  });

  it('T81: stays over a restart, and ends although it was settled while nothing ran', async () => {
    await makeConflicts();
    await world.wl('stop');
    plant(pair.left, { 'b.txt': 'right b.txt' });
    unlinkSync(path.join(pair.left, 'c.txt'));
    await world.wl('status');
    await untilConflicts('a.txt');
    await world.untilTree(pair.left, { 'a.txt': 'left a.txt', 'b.txt': 'right b.txt', 'c.txt': 'right c.txt', 'gone.txt': 'gone' });
  });

  it('T80: is what a deletion against a change is, and a directory against a file', async () => {
    const { left, right } = pair;
    unlinkSync(path.join(left, 'a.txt'));
    plant(right, { 'a.txt': 'changed' });
    unlinkSync(path.join(left, 'b.txt'));
    mkdirSync(path.join(left, 'b.txt'));
    plant(left, { 'b.txt/inner.txt': 'inner' });
    plant(right, { 'b.txt': 'changed b' });
    const before = [treeOf(left), treeOf(right)];
    const { stdout } = await world.wlEnds(3, 'container', 'sync', '--one-shot', 'photos');
    expect(stdout).toContain('Conflict detected on a.txt in storages photos-left and photos-right\nConflict detected on b.txt in storages photos-left and photos-right\n');
    expect([treeOf(left), treeOf(right)]).toEqual(before);
    rmSync(path.join(left, 'b.txt'), { recursive: true });
    const next = await world.wlEnds(3, 'container', 'sync', '--one-shot', 'photos');
    expect(next.stdout).toContain('Not in sync: 1 conflict.');
    expect(treeOf(left)).toMatchObject({ 'b.txt': 'changed b' });
  });
});

describe('wl container list-conflicts', () => {
  it('compares all storages now, with or without the cache, and ends with 0 or 3', async () => {
    const { left, right } = pair;
    const list = ['container', 'list-conflicts', 'photos'];
    expect((await world.wl(...list)).stdout).toBe('No conflicts were detected.\n');
    plant(left, { 'a.txt': 'left', 'only-left.txt': 'x' });
    plant(right, { 'sub/c.txt': 'right' });
    const third = world.folder('third');
    await world.wl('storage', 'create', 'local', '--container', 'photos', '--location', third, '--backend-id', 'third');
    plant(third, { 'a.txt': 'third' });
    for (const options of [[], ['--force-scan']]) {
      const { stdout } = await world.wlEnds(3, ...list, ...options);
      expect(stdout).toBe(
        'Conflicts detected on:\n' +
          'Conflict detected on a.txt in storages photos-left and photos-right\n' +
          'Conflict detected on a.txt in storages photos-left and third\n' +
          'Conflict detected on a.txt in storages photos-right and third\n',
      );
    }
    expect(treeOf(left)['a.txt']).toBe('left');
    expect((await world.status()).jobs).toEqual([]);
  });
});

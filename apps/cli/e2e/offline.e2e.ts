/** What happened on both sides while nothing ran, and what the next sync makes of it (the baseline at work). */

import { renameSync, rmSync, unlinkSync, utimesSync } from 'node:fs';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { plant, treeOf } from './testing/tree.js';
import { World } from './testing/world.js';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const ONE_SHOT = ['container', 'sync', '--one-shot', 'photos'];

describe('a sync after a while without one', () => {
  it('T91: brings over what only one side did, leaves in conflict what both did, and asks nothing about the rest', async () => {
    const { left, right } = await world.pair('photos', {
      'same.txt': 'same',
      'edit-left.txt': 'old',
      'edit-right.txt': 'old',
      'edit-both.txt': 'old',
      'edit-alike.txt': 'old',
      'delete-left.txt': 'old',
      'delete-right.txt': 'old',
      'delete-both.txt': 'old',
      'delete-edit.txt': 'old',
      'dir-left/a.txt': 'a',
      'dir-left/sub/b.txt': 'b',
      'dir-right/a.txt': 'a',
      'album/1.jpg': 'one',
      'album/2.jpg': 'two',
      'folder/old.txt': 'old',
      'folder/rest.txt': 'rest',
    });
    await world.wl('container', 'sync', 'photos');
    await world.untilSynced();
    await world.wl('stop');

    plant(left, { 'edit-left.txt': 'left', 'edit-both.txt': 'left', 'edit-alike.txt': 'alike', 'new-left.txt': 'left', 'new-both.txt': 'left', 'new-alike.txt': 'alike', 'delete-edit.txt': 'edited' });
    plant(right, { 'edit-right.txt': 'right', 'edit-both.txt': 'right', 'edit-alike.txt': 'alike', 'new/right.txt': 'right', 'new-both.txt': 'right', 'new-alike.txt': 'alike' });
    for (const name of ['delete-left.txt', 'delete-both.txt']) unlinkSync(path.join(left, name));
    for (const name of ['delete-right.txt', 'delete-both.txt', 'delete-edit.txt']) unlinkSync(path.join(right, name));
    rmSync(path.join(left, 'dir-left'), { recursive: true });
    rmSync(path.join(right, 'dir-right'), { recursive: true });
    renameSync(path.join(right, 'album'), path.join(right, 'holiday'));
    // T65: new content in a directory that the other side deleted brings the directory back, its old files stay gone.
    rmSync(path.join(left, 'folder'), { recursive: true });
    plant(right, { 'folder/new.txt': 'new' });

    await world.wl('start');
    const job = await world.untilJob('is SYNCED with three conflicts', ({ state, conflicts }) => state === 'SYNCED' && conflicts.length === 3);
    expect(job.conflicts.map((conflict) => `${conflict.path}: ${conflict.reason}`)).toEqual([
      'delete-edit.txt: changed-and-deleted',
      'edit-both.txt: both-changed',
      'new-both.txt: both-created',
    ]);
    const agreed = {
      'same.txt': 'same',
      'edit-left.txt': 'left',
      'edit-right.txt': 'right',
      'edit-alike.txt': 'alike',
      'new-left.txt': 'left',
      'new-alike.txt': 'alike',
      'new/': 'dir',
      'new/right.txt': 'right',
      'holiday/': 'dir',
      'holiday/1.jpg': 'one',
      'holiday/2.jpg': 'two',
      'folder/': 'dir',
      'folder/new.txt': 'new',
    };
    expect(treeOf(left)).toEqual({ ...agreed, 'edit-both.txt': 'left', 'new-both.txt': 'left', 'delete-edit.txt': 'edited' });
    expect(treeOf(right)).toEqual({ ...agreed, 'edit-both.txt': 'right', 'new-both.txt': 'right' });

    // T79: what both sides did alike is agreed on, so what one side does to it now propagates.
    for (const name of ['edit-alike.txt', 'new-alike.txt']) unlinkSync(path.join(left, name));
    await world.untilJob('has two files less', ({ state, files }) => state === 'SYNCED' && files === job.files - 2);
    for (const name of ['edit-alike.txt', 'new-alike.txt']) expect(treeOf(right)).not.toHaveProperty([name]);
  });

  it('T33, T34, T40: moves nothing for times that changed or are absurd, nor for a change that was taken back', async () => {
    const names = ['a.txt', 'b.txt', 'c.txt', 'd.txt', 'sub/e.txt'];
    const { left, right } = await world.pair('photos', Object.fromEntries(names.map((name) => [name, `content of ${name}`])));
    const times = [0, 1, 4_000_000_000, 3_345_678_901.123, 1_000_000_000];
    names.forEach((name, index) => {
      utimesSync(path.join(left, name), times[index] ?? 0, times[index] ?? 0);
      utimesSync(path.join(right, name), times[index] ?? 0, (times[index] ?? 0) + 3600);
    });
    plant(left, { 'a.txt': 'changed' });
    plant(left, { 'a.txt': 'content of a.txt' });
    const run = await world.wl(...ONE_SHOT);
    expect(run.stdout).toContain('Copied 0 files, deleted 0 files; 5 files');

    // Reverted on one side, changed on the other: the change counts.
    plant(left, { 'a.txt': 'changed' });
    plant(left, { 'a.txt': 'content of a.txt' });
    plant(right, { 'a.txt': 'v3' });
    // An old time does not hide a change, nor does it decide who wins.
    plant(left, { 'c.txt': 'Content of c.txt' });
    utimesSync(path.join(left, 'c.txt'), 4_000_000_000, 4_000_000_000);
    expect((await world.wl(...ONE_SHOT)).stdout).toContain('Copied 2 files (18 B), deleted 0 files');
    expect(treeOf(left)).toMatchObject({ 'a.txt': 'v3' });
    expect(treeOf(right)).toMatchObject({ 'c.txt': 'Content of c.txt' });
  });

  it('T64: takes a file that became a directory, or a directory that became a file, for a conflict, and neither side is touched', async () => {
    const { left, right } = await world.pair('photos', { 'file-first': 'f', 'dir-first/a.txt': 'a', 'dir-first/b.txt': 'b' });
    unlinkSync(path.join(left, 'file-first'));
    plant(left, { 'file-first/inner.txt': 'i' });
    rmSync(path.join(right, 'dir-first'), { recursive: true });
    plant(right, { 'dir-first': 'a file now' });
    plant(left, { 'other.txt': 'o' });
    const { stdout } = await world.wlEnds(3, ...ONE_SHOT);
    for (const name of ['dir-first', 'file-first']) expect(stdout).toContain(`Conflict detected on ${name} in storages photos-left and photos-right\n`);
    expect(treeOf(left)).toEqual({ 'file-first/': 'dir', 'file-first/inner.txt': 'i', 'dir-first/': 'dir', 'dir-first/a.txt': 'a', 'dir-first/b.txt': 'b', 'other.txt': 'o' });
    expect(treeOf(right)).toEqual({ 'file-first': 'f', 'dir-first': 'a file now', 'other.txt': 'o' });

    // Removing what is not wanted lets the other come.
    unlinkSync(path.join(right, 'file-first'));
    rmSync(path.join(left, 'dir-first'), { recursive: true });
    await world.wl(...ONE_SHOT);
    expect(treeOf(left)).toEqual({ 'file-first/': 'dir', 'file-first/inner.txt': 'i', 'dir-first': 'a file now', 'other.txt': 'o' });
    expect(treeOf(right)).toEqual(treeOf(left));
  });

  it('T62: while a sync runs, sees all of a tree that is moved in at once and changed at once', async () => {
    const { left, right } = await world.pair('photos', {});
    await world.wl('container', 'sync', 'photos');
    await world.untilSynced();
    const files = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`tree/${index % 7}/${index % 5}/deep/er/${index}.txt`, `${index}`]));
    plant(world.path('outside'), files);
    renameSync(world.path('outside', 'tree'), path.join(left, 'tree'));
    plant(left, { 'tree/0/0/deep/er/0.txt': 'changed', 'tree/1/1/deep/er/new.txt': 'new' });
    await world.untilSame(left, right);
    plant(right, { 'tree/6/4/deep/er/34.txt': 'changed back here' });
    renameSync(path.join(right, 'tree/3'), path.join(right, 'three'));
    await world.untilSame(left, right);
    expect(treeOf(left)).toMatchObject({ 'tree/6/4/deep/er/34.txt': 'changed back here', 'tree/0/0/deep/er/0.txt': 'changed', 'three/3/deep/er/3.txt': '3' });
    expect(await world.untilSynced()).toMatchObject({ conflicts: [], problems: [] });
  });
});

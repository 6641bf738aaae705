/** Continuous syncs with real folders: changes of every kind, ignore rules, watchers by interval, names that are hard to print. */

import { appendFileSync, chmodSync, linkSync, mkdirSync, renameSync, rmSync, statSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { anyBytesInNames, itWith } from './testing/means.js';
import { plant, treeOf } from './testing/tree.js';
import { until } from './testing/until.js';
import { World } from './testing/world.js';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

describe('a continuous sync', () => {
  it('starts at once and brings every kind of change to the other side, both ways', async () => {
    const { left, right } = await world.unsyncedPair('photos');
    plant(left, { 'a.txt': 'a', 'dir/deep/b.txt': 'b' });
    const { stdout, stderr } = await world.wl('container', 'sync', 'photos');
    expect({ stdout, stderr }).toEqual({ stdout: 'Using remote backend photos-right of type local.\n', stderr: '' });
    await world.untilSame(left, right);

    plant(right, { 'new/c.txt': 'c', 'empty/': '' });
    await world.untilSame(left, right);
    expect(treeOf(left)).toMatchObject({ 'new/c.txt': 'c', 'empty/': 'dir' });
    // The first edit of a file that a sync brought, and one in a directory that it made.
    plant(left, { 'new/c.txt': 'changed c', 'empty/d.txt': 'd' });
    await world.untilTree(right, { ...treeOf(left) });
    renameSync(path.join(right, 'dir'), path.join(right, 'moved'));
    await world.untilTree(left, { ...treeOf(right) });
    expect(treeOf(left)).not.toHaveProperty(['dir/']);
    truncateSync(path.join(left, 'a.txt'));
    await world.untilTree(right, { ...treeOf(left) });
    rmSync(path.join(right, 'new'), { recursive: true });
    unlinkSync(path.join(left, 'empty/d.txt'));
    const rest = { 'a.txt': '', 'moved/': 'dir', 'moved/deep/': 'dir', 'moved/deep/b.txt': 'b', 'empty/': 'dir' };
    await world.untilTree(left, rest);
    await world.untilTree(right, rest);
    expect(await world.untilSynced()).toMatchObject({ conflicts: [], problems: [], skipped: [] });
  });

  it.each([
    ['as the kernel tells of it', []],
    ['as a look every second shows', ['--watcher-interval', '1']],
  ])('notices that a file is made a program, or none any more: %s', async (_how, options) => {
    const [left, right] = [world.folder('left'), world.folder('right')];
    await world.wl('container', 'create', 'photos');
    for (const folder of [left, right]) await world.wl('storage', 'create', 'local', '--container', 'photos', '--location', folder, ...options, '--skip-sync');
    plant(left, { 'run.sh': '#!/bin/sh' });
    await world.wl('container', 'sync', 'photos');
    await world.untilSame(left, right);
    const isProgram = (root: string): boolean => (statSync(path.join(root, 'run.sh')).mode & 0o111) !== 0;
    for (const [changed, other] of [[left, right], [right, left]] as const) {
      await world.untilSynced();
      const wanted = !isProgram(changed);
      chmodSync(path.join(changed, 'run.sh'), wanted ? 0o755 : 0o644);
      await until(() => isProgram(other) === wanted, 'the other side to be told');
    }
  });

  it('T61: has nothing to do after its own writes', async () => {
    const { left, right } = await world.pair('photos', { 'a.txt': 'a' });
    await world.wl('container', 'sync', 'photos');
    await world.untilSynced();
    plant(left, Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`d${index % 5}/${index}.txt`, `${index}`])));
    await world.untilSame(left, right);
    plant(left, { 'last.txt': 'last' });
    await world.untilTree(right, treeOf(left));
    await world.untilSynced();
    const passes = world.log().split('\n').filter((line) => line.includes('"pass finished"')).map((line) => (JSON.parse(line) as { copiedFiles: number }).copiedFiles);
    expect(passes.reduce((sum, copied) => sum + copied, 0)).toBe(1 + 101);
  });

  it('T13: leaves alone on both sides what the container ignores, and takes it in when it does not any more', async () => {
    const { left, right } = await world.unsyncedPair('photos', ['--ignore', '*.tmp', '--ignore', 'cache/', '--ignore', '/build']);
    plant(left, { 'a.txt': 'a', 'x.tmp': 'left', 'cache/c': 'left', 'build/o': 'left', 'src/build/kept': 'k' });
    plant(right, { 'x.tmp': 'right' });
    await world.wl('container', 'sync', 'photos');
    await world.untilTree(right, { 'a.txt': 'a', 'src/': 'dir', 'src/build/': 'dir', 'src/build/kept': 'k', 'x.tmp': 'right' });
    plant(right, { 'sub/cache/big': 'right', 'sub/b.txt': 'b', 'sub/y.tmp': 'right' });
    await world.untilTree(left, { ...treeOf(left), 'sub/': 'dir', 'sub/b.txt': 'b' });

    // T66: a directory that still holds ignored files stays where they are.
    rmSync(path.join(left, 'sub'), { recursive: true });
    await world.untilTree(right, { 'a.txt': 'a', 'src/': 'dir', 'src/build/': 'dir', 'src/build/kept': 'k', 'x.tmp': 'right', 'sub/': 'dir', 'sub/cache/': 'dir', 'sub/cache/big': 'right', 'sub/y.tmp': 'right' });
    expect((await world.untilSynced()).conflicts).toEqual([]);

    const modified = await world.wl('container', 'modify', 'photos', '--del-ignore', '*.tmp', '--add-ignore', 'a.txt');
    expect(modified.stdout).toMatch(/^Saved: /);
    expect(modified.stderr).toMatch(/stop-sync.*wl container sync/);
    await world.wl('container', 'stop-sync', 'photos');
    unlinkSync(path.join(left, 'a.txt'));
    const { stdout } = await world.wlEnds(3, 'container', 'sync', '--one-shot', 'photos');
    expect(stdout).toContain('Conflict detected on x.tmp in');
    expect(treeOf(right)).toMatchObject({ 'a.txt': 'a', 'x.tmp': 'right' });
    expect(treeOf(left)).toMatchObject({ 'x.tmp': 'left', 'sub/y.tmp': 'right' });
  });

  it('looks by itself where a storage has a watcher-interval', async () => {
    const [left, right] = [world.folder('left'), world.folder('right')];
    await world.wl('container', 'create', 'photos', '--storage', left);
    await world.wl('storage', 'create', 'local-cached', '--container', 'photos', '--location', right, '--backend-id', 'slow', '--watcher-interval', '1', '--skip-sync');
    await world.wl('container', 'sync', 'photos');
    await world.untilSynced();
    plant(right, { 'a.txt': 'a', 'dir/b.txt': 'b' });
    await world.untilTree(left, { 'a.txt': 'a', 'dir/': 'dir', 'dir/b.txt': 'b' });
    unlinkSync(path.join(right, 'a.txt'));
    plant(right, { 'dir/b.txt': 'B' });
    await world.untilTree(left, { 'dir/': 'dir', 'dir/b.txt': 'B' });
  });

  it('T72: syncs hard links as files of their own', async () => {
    const { left, right } = await world.pair('photos', { 'a.txt': 'a' });
    linkSync(path.join(left, 'a.txt'), path.join(left, 'b.txt'));
    await world.wl('container', 'sync', '--one-shot', 'photos');
    expect(treeOf(right)).toEqual({ 'a.txt': 'a', 'b.txt': 'a' });
    expect(statSync(path.join(right, 'a.txt')).nlink).toBe(1);
    appendFileSync(path.join(left, 'b.txt'), ' and more');
    await world.wl('container', 'sync', '--one-shot', 'photos');
    expect(treeOf(right)).toEqual({ 'a.txt': 'a and more', 'b.txt': 'a and more' });

    // A replacement from the other side changes the name that it is for, and no other.
    plant(right, { 'b.txt': 'b' });
    await world.wl('container', 'sync', '--one-shot', 'photos');
    expect(treeOf(left)).toEqual({ 'a.txt': 'a and more', 'b.txt': 'b' });
  });
});

/** Names that hold what breaks programs that build lines or JSON by hand. */
const HARD_NAMES = [
  `quote"s and 'apostrophes'`,
  'back\\slash',
  'new\nline',
  'tab\tand\rreturn',
  'escape\u001b[31mred',
  'emoji 👩‍👩‍👧 𝒳',
  'é composed',
  'e\u0301 decomposed',
  'right\u202eto left',
  ' leading and trailing ',
  '-rf',
  '$(touch pwned)`id`',
  '%s%n',
  'x'.repeat(255),
  'ü'.repeat(125),
  '...',
  'CON',
  'trailing.',
  'star*question?[a]',
  '\ufffd real replacement',
];

describe('names that are hard to print', () => {
  it('T75: sync both ways, and break neither lines nor JSON', async () => {
    const { left, right } = await world.unsyncedPair('photos');
    for (const name of HARD_NAMES) plant(left, { [`${name}`]: name, [`dir ${name.slice(0, 200)}/${name}`]: name });
    await world.wl('container', 'sync', '--one-shot', 'photos');
    expect(treeOf(right)).toEqual(treeOf(left));
    for (const name of HARD_NAMES) {
      writeFileSync(path.join(left, name), `left ${name}`);
      writeFileSync(path.join(right, name), `right ${name}`);
      unlinkSync(path.join(right, `dir ${name.slice(0, 200)}`, name));
    }
    const { stdout } = await world.wlEnds(3, 'container', 'sync', '--one-shot', '--allow-mass-delete', 'photos');
    const lines = stdout.split('\n').filter((line) => line.startsWith('Conflict detected on '));
    expect(lines).toHaveLength(HARD_NAMES.length);
    expect(stdout).toContain('Conflict detected on new\\nline in storages photos-left and photos-right\n');
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f\u202e]/);

    await world.wl('container', 'sync', 'photos');
    const job = await world.untilSynced();
    expect(job.conflicts.map((conflict) => conflict.path).sort()).toEqual([...HARD_NAMES].sort());
    const json = (await world.wl('status', '--json')).stdout;
    expect(json.split('\n')).toHaveLength(2);
    expect(JSON.parse(json)).toMatchObject({ jobs: [{ conflicts: expect.any(Array) }] });
    expect((await world.wl('status')).stdout.split('\n').filter((line) => line.startsWith('   Conflict'))).toHaveLength(HARD_NAMES.length);
    await world.wl('container', 'resolve', 'photos', 'new\nline', '--keep', 'source');
    expect(treeOf(right)).toMatchObject({ 'new\nline': 'left new\nline' });
  });

  itWith(anyBytesInNames(), 'T75: that are no Unicode are listed and left where they are, and the rest goes on', async () => {
    const { left, right } = await world.unsyncedPair('photos');
    plant(left, { 'a.txt': 'a', 'dir/b.txt': 'b' });
    const bad = (prefix: string): Buffer => Buffer.concat([Buffer.from(`${left}/${prefix}`), Buffer.from([0x62, 0xff, 0xfe])]);
    writeFileSync(bad(''), 'bad name');
    mkdirSync(bad('dir/'));
    const { stdout } = await world.wlEnds(3, 'container', 'sync', '--one-shot', 'photos');
    expect(treeOf(right)).toEqual({ 'a.txt': 'a', 'dir/': 'dir', 'dir/b.txt': 'b' });
    expect(stdout).toMatch(/b\ufffd\ufffd/);
    expect(stdout).toMatch(/\nSync successful\. Not in sync: 2 (problems|skipped)\.\n$/);

    await world.wl('container', 'sync', 'photos');
    plant(right, { 'dir/c.txt': 'c' });
    await world.untilTree(left, { ...treeOf(left), 'dir/c.txt': 'c' });
    // T65, T66: what cannot be synced keeps its directory.
    rmSync(path.join(right, 'dir'), { recursive: true });
    await world.untilTree(left, { 'a.txt': 'a', 'b\u00ff\u00fe': 'bad name', 'dir/': 'dir', 'dir/b\u00ff\u00fe/': 'dir' });
    await world.untilSynced();
    expect(JSON.parse((await world.wl('status', '--json')).stdout)).toMatchObject({ jobs: [{ container: 'photos' }] });
    expect((await world.wl('status')).stdout).toMatch(/b\ufffd\ufffd/);
  });

  it('are no trouble in the paths of storages and the names of containers', async () => {
    const name = `it's "my" photos`;
    const [left, right] = [world.folder(`${name} left\n`), world.folder(`${name} right \u00e9`)];
    await world.wl('container', 'create', name, '--title', 'a: b # c', '--storage', left, '--storage', right);
    plant(left, { 'a.txt': 'a' });
    await world.wl('container', 'sync', name);
    await world.untilTree(right, { 'a.txt': 'a' });
    unlinkSync(path.join(left, 'a.txt'));
    await world.untilHalted('side-emptied');
    const command = /To go on: (wl .*)\n/.exec((await world.wl('status')).stdout)?.[1] ?? 'false';
    expect((await world.shell(command)).code).toBe(0);
    await world.untilTree(right, {});
    await world.wl('container', 'stop-sync', name);
    await world.wl('container', 'delete', name);
  });
});

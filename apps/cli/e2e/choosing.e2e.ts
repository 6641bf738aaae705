/** Which storages a sync takes: named, remembered or chosen; several targets at once; read-only ones. */

import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { plant, treeOf } from './testing/tree.js';
import { until } from './testing/until.js';
import { World } from './testing/world.js';

let world: World;
beforeEach(async () => {
  world = new World();
  await world.wl('container', 'create', 'docs');
});
afterEach(() => world.close());

/** Adds a storage whose backend-id is the name of its directory. */
async function addStorage(id: string, type = 'local', ...options: string[]): Promise<string> {
  const location = world.folder(id);
  await world.wl('storage', 'create', type, '--container', 'docs', '--location', location, '--backend-id', id, '--skip-sync', ...options);
  return location;
}

const sync = (...options: string[]): string[] => ['container', 'sync', '--one-shot', ...options, 'docs'];
const remembered = (): string => /default-remote-for-container:\n {2}.*: (.*)\n/.exec(readFileSync(path.join(world.base, 'config.yaml'), 'utf8'))?.[1] ?? 'nothing';

describe('the storages of a sync', () => {
  it('are the first local one and the first other one, or those that are named by backend-id or type', async () => {
    const [one, two, three] = [await addStorage('one'), await addStorage('two'), await addStorage('three', 'local-cached')];
    plant(one, { 'from-one': '1' });
    plant(two, { 'from-two': '2' });
    plant(three, { 'from-three': '3' });

    expect((await world.wl(...sync('--dry-run'))).stdout).toMatch(/^Using remote backend two of type local\.\n/);
    expect((await world.wl(...sync('--dry-run', '--target-storage', 'local-cached'))).stdout).toMatch(/^Using remote backend three of type local-cached\.\n/);
    expect((await world.wl(...sync('--dry-run', '--target-storage', 'one'))).stdout).toMatch(/^Using remote backend one of type local\.\nCREATE source from-one/);
    const named = await world.wl(...sync('--dry-run', '--source-storage', 'three', '--target-storage', 'two'));
    expect(named.stdout).toMatch(/CREATE target from-three .*\n/);
    expect(named.stdout).toMatch(/CREATE source from-two .*\n/);
    expect(named.stdout).not.toContain('from-one');
    expect((await world.wl(...sync('--dry-run', '--source-storage', 'two'))).stdout).toMatch(/^Using remote backend one /);

    for (const [option, wanted] of [['--target-storage', 'four'], ['--source-storage', 's3']] as const) {
      const { stderr } = await world.wlEnds(1, ...sync(option, wanted));
      expect(stderr).toMatch(new RegExp(`^Error: Storage ${wanted} not found in container docs\\. It has: .*'local'\\(backend_id=one\\)`));
    }
    const same = await world.wlEnds(1, ...sync('--source-storage', 'two', '--target-storage', 'two'));
    expect(same.stderr).toMatch(/backend_id=two.* cannot be source and target at once: name another/);
    expect(treeOf(one)).toEqual({ 'from-one': '1' });
  });

  it('need to be two', async () => {
    expect((await world.wlEnds(1, ...sync())).stderr).toMatch(/container docs has no storage: add one with: wl storage create/);
    await addStorage('one');
    expect((await world.wlEnds(1, ...sync())).stderr).toMatch(/container docs has only one storage, syncing needs two: add one/);
  });

  it('a target that was named is remembered, but only once a job with it has started, and forgotten with its storage', async () => {
    const [, two] = [await addStorage('one'), await addStorage('two'), await addStorage('three')];
    await world.wl(...sync());
    expect(remembered()).toBe('nothing');
    rmSync(world.path('three'), { recursive: true });
    await world.wlEnds(1, ...sync('--target-storage', 'three'));
    expect(remembered()).toBe('nothing');
    world.folder('three');
    await world.wl(...sync('--target-storage', 'three'));
    expect(remembered()).toBe('three');
    expect((await world.wl(...sync())).stdout).toContain('Using remote backend three ');

    await world.wl('storage', 'delete', 'three', '--force');
    const { stdout } = await world.wl(...sync());
    expect(stdout).toContain('Using remote backend two ');
    expect(treeOf(two)).toEqual({});
  });

  it('a target must be writable, and so must the source unless the sync goes one way', async () => {
    const [stick, disk] = [await addStorage('stick', 'local', '--read-only'), await addStorage('disk')];
    plant(stick, { 'a.txt': 'a', 'sub/b.txt': 'b' });
    const refusedTarget = await world.wlEnds(1, ...sync('--source-storage', 'disk', '--target-storage', 'stick'));
    expect(refusedTarget.stderr).toMatch(/^Error: the target 'local'\(backend_id=stick\) is read-only: name another with --target-storage, or make it writable\n$/);
    const refusedSource = await world.wlEnds(1, ...sync('--source-storage', 'stick', '--target-storage', 'disk'));
    expect(refusedSource.stderr).toMatch(/read-only, and a two-way sync writes to both sides: add --unidirectional/);

    await world.wl(...sync('--unidirectional', '--source-storage', 'stick', '--target-storage', 'disk'));
    expect(treeOf(disk)).toEqual({ 'a.txt': 'a', 'sub/': 'dir', 'sub/b.txt': 'b' });
    expect(existsSync(path.join(stick, '.wl'))).toBe(false);

    await world.wl('container', 'sync', '--unidirectional', '--source-storage', 'stick', '--target-storage', 'disk', 'docs');
    plant(stick, { 'c.txt': 'c' });
    await until(() => existsSync(path.join(disk, 'c.txt')), 'the new file on the target');
    plant(disk, { 'd.txt': 'd' });
    plant(stick, { 'e.txt': 'e' });
    await until(() => existsSync(path.join(disk, 'e.txt')), 'the newest file on the target');
    expect(existsSync(path.join(stick, 'd.txt'))).toBe(false);
    expect((await world.wl('status')).stdout).toContain("docs SYNCED 'local'(backend_id=stick) -> 'local'(backend_id=disk)\n");
  });

  it('may be in several jobs of one container at once, which end together or one by one', async () => {
    const [one, two, three] = [await addStorage('one'), await addStorage('two'), await addStorage('three')];
    plant(one, { 'a.txt': 'a' });
    await world.wl('container', 'sync', '--target-storage', 'two', 'docs');
    await world.wl('container', 'sync', '--target-storage', 'three', 'docs');
    const all = { 'a.txt': 'a' };
    for (const root of [two, three]) await world.untilTree(root, all);
    plant(two, { 'from-two.txt': '2' });
    plant(three, { 'from-three.txt': '3' });
    const everything = { ...all, 'from-two.txt': '2', 'from-three.txt': '3' };
    for (const root of [one, two, three]) await world.untilTree(root, everything);
    const ids = (await world.status()).jobs.map((job) => job['job-id']);
    expect(ids).toEqual([expect.stringMatching(/^0x[0-9a-f]{64}\|[0-9a-f-]{36}\|two$/), expect.stringMatching(/\|three$/)]);

    expect((await world.wl('container', 'stop-sync', '--target-storage', 'two', 'docs')).stdout).toBe(`Sync for job ${ids[0]} stopped\n`);
    expect((await world.wlEnds(1, 'container', 'stop-sync', '--target-storage', 'two', 'docs')).stderr).toMatch(/Sync for job .*\|two is not running/);
    plant(one, { 'later.txt': 'later' });
    await world.untilTree(three, { ...everything, 'later.txt': 'later' });
    expect(treeOf(two)).toEqual(everything);

    await world.wl('container', 'sync', '--target-storage', 'two', 'docs');
    await world.untilTree(two, { ...everything, 'later.txt': 'later' });
    expect((await world.wl('container', 'stop-sync', 'docs')).stdout.split('\n').sort()).toEqual(['', ...ids.map((id) => `Sync for job ${id} stopped`)].sort());
    expect((await world.status()).jobs).toEqual([]);
  });
});

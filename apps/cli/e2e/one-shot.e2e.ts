/** `wl container sync --one-shot` and its options with real folders: what it prints, does, leaves alone, and ends with. */

import { chmodSync, existsSync, readFileSync, rmSync, statSync, symlinkSync, unlinkSync } from 'node:fs';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { itWith, terminal } from './testing/means.js';
import { plant, staged, treeOf } from './testing/tree.js';
import { until } from './testing/until.js';
import { World } from './testing/world.js';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const oneShot = (...options: string[]): string[] => ['container', 'sync', '--one-shot', ...options, 'photos'];

describe('a one-shot sync', () => {
  it('prints a summary of plain lines on a pipe and ends with 0 when both sides agree', async () => {
    const { left, right } = await world.unsyncedPair('photos');
    plant(left, { 'trip/day1.jpg': 'sand', 'trip/day2.jpg': 'sea', 'empty/': '', nothing: '' });
    plant(right, { 'garden.jpg': 'roses' });
    const first = await world.wl(...oneShot());
    expect(first).toEqual({
      code: 0,
      signal: null,
      stdout: 'Using remote backend photos-right of type local.\nCopied 4 files (12 B), deleted 0 files; 4 files (12 B) in sync.\nSync successful.\n',
      stderr: '',
    });
    const all = { 'trip/': 'dir', 'trip/day1.jpg': 'sand', 'trip/day2.jpg': 'sea', 'empty/': 'dir', nothing: '', 'garden.jpg': 'roses' };
    expect(treeOf(left)).toEqual(all);
    expect(treeOf(right)).toEqual(all);

    rmSync(path.join(left, 'trip/day1.jpg'));
    rmSync(path.join(right, 'empty'), { recursive: true });
    plant(right, { 'garden.jpg': 'tulips' });
    expect((await world.wl(...oneShot())).stdout).toContain('Copied 1 file (6 B), deleted 1 file; 3 files (9 B) in sync.\nSync successful.\n');
    expect(treeOf(left)).toEqual({ 'trip/': 'dir', 'trip/day2.jpg': 'sea', nothing: '', 'garden.jpg': 'tulips' });
    expect(treeOf(right)).toEqual(treeOf(left));
    expect((await world.wl(...oneShot())).stdout).toContain('Copied 0 files, deleted 0 files; 3 files (9 B) in sync.\nSync successful.\n');
    expect((await world.status()).jobs).toEqual([]);
  });

  it('gives new files and directories the permissions of those of the other side', async () => {
    const { left, right } = await world.unsyncedPair('photos');
    plant(left, { 'shared/a.txt': 'a', 'own/b.txt': 'b' });
    const modes = { shared: 0o755, 'shared/a.txt': 0o644, own: 0o700, 'own/b.txt': 0o600 };
    for (const [name, mode] of Object.entries(modes)) chmodSync(path.join(left, name), mode);
    await world.wl(...oneShot());
    expect(Object.fromEntries(Object.keys(modes).map((name) => [name, statSync(path.join(right, name)).mode & 0o777]))).toEqual(modes);
  });

  it('brings over which files are programs, both ways, and says so', async () => {
    const { left, right } = await world.pair('photos', { 'run.sh': '#!/bin/sh', 'tool.sh': '#!/bin/sh', 'notes.txt': 'n' });
    const programs = (root: string): string[] => ['run.sh', 'tool.sh', 'notes.txt'].filter((name) => (statSync(path.join(root, name)).mode & 0o111) !== 0);
    chmodSync(path.join(left, 'run.sh'), 0o755);
    chmodSync(path.join(right, 'tool.sh'), 0o700);
    expect((await world.wl(...oneShot('--dry-run'))).stdout).toContain('MODIFY target run.sh (becomes executable)\nMODIFY source tool.sh (becomes executable)\n');
    const { stdout } = await world.wl(...oneShot());
    expect(stdout).toContain('Copied 0 files, deleted 0 files, changed the permissions of 2 files; 3 files');
    expect([programs(left), programs(right)]).toEqual([['run.sh', 'tool.sh'], ['run.sh', 'tool.sh']]);
    chmodSync(path.join(right, 'run.sh'), 0o644);
    await world.wl(...oneShot());
    expect(programs(left)).toEqual(['tool.sh']);
  });

  it('ends with 3 and lists what is not in sync: conflicts, links', async () => {
    const { left, right } = await world.unsyncedPair('photos');
    plant(left, { 'a.txt': 'left', 'b.txt': 'b' });
    plant(right, { 'a.txt': 'right' });
    symlinkSync('a.txt', path.join(left, 'link'));
    const { stdout, stderr } = await world.wlEnds(3, ...oneShot());
    expect(stdout).toContain('\nConflict detected on a.txt in storages photos-left and photos-right\n');
    expect(stdout).toContain('\nSkipped link (source): symlink\n');
    expect(stdout).toMatch(/\nSync successful\. Not in sync: 1 conflict, 1 skipped\.\n$/);
    expect(stderr).toBe('');
    expect(treeOf(right)).toEqual({ 'a.txt': 'right', 'b.txt': 'b' });
    expect(treeOf(left)).toEqual({ 'a.txt': 'left', 'b.txt': 'b', link: '-> a.txt' });
  });

  it('ends with 1 and says what to do when a storage is not there, and changes nothing', async () => {
    const { left, right } = await world.pair('photos', { 'a.txt': 'a' });
    rmSync(right, { recursive: true });
    const { stdout, stderr } = await world.wlEnds(1, ...oneShot());
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^Error: .*photos-right/);
    expect(stderr).toMatch(/Connect or mount it, or create it if it is meant to be new/);
    expect(treeOf(left)).toEqual({ 'a.txt': 'a' });
    expect(existsSync(right)).toBe(false);
  });

  it('comes back at once with --no-wait; the finished job is listed until it is cleared and in nobody’s way', async () => {
    const { left, right } = await world.unsyncedPair('photos');
    plant(left, { 'a.txt': 'a' });
    const { stdout } = await world.wl(...oneShot('--no-wait'));
    expect(stdout).toBe(
      'Using remote backend photos-right of type local.\n' +
        'The sync runs in the background: `wl status` shows it, `wl container stop-sync photos` ends or clears it.\n',
    );
    await world.untilSynced();
    expect(treeOf(right)).toEqual({ 'a.txt': 'a' });
    expect((await world.wl('status')).stdout).toContain("\nphotos SYNCED 'local'(backend_id=photos-left) <-> 'local'(backend_id=photos-right) [one-shot]\n");
    plant(left, { 'b.txt': 'b' });
    await world.wl(...oneShot());
    expect(treeOf(right)).toEqual({ 'a.txt': 'a', 'b.txt': 'b' });
    await world.wl(...oneShot('--no-wait'));
    await world.untilSynced();
    expect((await world.wl('container', 'stop-sync', 'photos')).stdout).toMatch(/^Sync for job 0x[0-9a-f]{64}\|[0-9a-f-]{36}\|photos-right stopped\n$/);
    expect((await world.status()).jobs).toEqual([]);
  });

  it('T83: never changes the source with --unidirectional, whatever happens on the target', async () => {
    const { left, right } = await world.unsyncedPair('photos');
    plant(left, { 'a.txt': 'a', 'b.txt': 'b', 'c.txt': 'c', 'sub/d.txt': 'd' });
    await world.wl(...oneShot('--unidirectional'));
    expect(treeOf(right)).toEqual(treeOf(left));

    plant(left, { 'a.txt': 'new a' });
    rmSync(path.join(left, 'sub'), { recursive: true });
    plant(right, { 'b.txt': 'foreign', 'extra.txt': 'extra' });
    unlinkSync(path.join(right, 'c.txt'));
    const before = treeOf(left);
    const { stdout } = await world.wlEnds(3, ...oneShot('--unidirectional'));
    expect(stdout).toContain('Conflict detected on b.txt in storages photos-left and photos-right\n');
    expect(treeOf(left)).toEqual(before);
    expect(existsSync(path.join(left, '.wl'))).toBe(false);
    expect(treeOf(right)).toEqual({ 'a.txt': 'new a', 'b.txt': 'foreign', 'c.txt': 'c', 'extra.txt': 'extra' });
  });

  it('T84: shows with --dry-run what it would do, and leaves no trace of it anywhere', async () => {
    const { left, right } = await world.unsyncedPair('photos');
    plant(left, { 'a.txt': 'left', 'new/one.txt': 'one' });
    plant(right, { 'a.txt': 'right' });
    const config = readFileSync(path.join(world.base, 'config.yaml'), 'utf8');
    const first = await world.wlEnds(3, 'container', 'sync', '--dry-run', '--target-storage', 'photos-right', 'photos');
    expect(first.stdout).toContain('CREATE target new/\nCREATE target new/one.txt (3 B)\n');
    expect(first.stdout).toContain('CONFLICT both a.txt\n');
    expect(first.stdout).toMatch(/\nThis would create 2, change 0, delete 0 \(3 B to copy\) and leave 1 conflict\. Nothing was changed\.\n$/);
    for (const root of [left, right]) expect(existsSync(path.join(root, '.wl'))).toBe(false);
    expect(treeOf(right)).toEqual({ 'a.txt': 'right' });
    expect(readFileSync(path.join(world.base, 'config.yaml'), 'utf8')).toBe(config);
    expect((await world.status()).jobs).toEqual([]);

    // Had the dry run recorded anything, the removal below would end a known conflict, or be copied as a deletion.
    rmSync(path.join(right, 'a.txt'));
    plant(right, { 'new/one.txt': 'one' });
    rmSync(path.join(left, 'new'), { recursive: true });
    expect((await world.wl(...oneShot())).stdout).toContain('Copied 2 files (7 B), deleted 0 files');
    expect(treeOf(left)).toEqual({ 'a.txt': 'left', 'new/': 'dir', 'new/one.txt': 'one' });

    plant(left, { 'a.txt': 'changed' });
    rmSync(path.join(right, 'new/one.txt'));
    const second = await world.wl(...oneShot('-n'));
    expect(second.stdout).toContain('MODIFY target a.txt (7 B)\n');
    expect(second.stdout).toContain('DELETE source new/one.txt\n');
    expect(treeOf(left)).toEqual({ 'a.txt': 'changed', 'new/': 'dir', 'new/one.txt': 'one' });
    await world.wl(...oneShot());
    expect(treeOf(left)).toEqual({ 'a.txt': 'changed', 'new/': 'dir' });
    expect((await world.wl(...oneShot('--dry-run'))).stdout).toMatch(/\nNothing to do\. Nothing was changed\.\n$/);
  });

  it('T85: halts with 1 before it deletes more than half, and goes on with the command it prints', async () => {
    const files = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`${index}.txt`, `file ${index}`]));
    const { left, right } = await world.pair('photos', files);
    for (let index = 0; index < 20; index += 1) rmSync(path.join(right, `${index}.txt`));
    plant(left, { 'new.txt': 'new' });
    const halted = await world.wlEnds(1, ...oneShot());
    expect(halted.stderr).toMatch(/^Sync error: .*20/);
    const command = /^To go on: (wl container sync --allow-mass-delete .*)$/m.exec(halted.stderr)?.[1] ?? '';
    expect(command).toMatch(/--one-shot/);
    expect(Object.keys(treeOf(left))).toHaveLength(31);
    expect(treeOf(right)).toMatchObject({ 'new.txt': 'new' });

    const run = await world.shell(command);
    expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 0, stderr: '' });
    expect(Object.keys(treeOf(left))).toHaveLength(11);
    expect(treeOf(left)).toEqual(treeOf(right));
  });

  it('does not take a renamed directory for a mass deletion', async () => {
    const files = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`2024/${index}.txt`, `file ${index}`]));
    const { left, right } = await world.pair('photos', files);
    await world.start(['mv', path.join(left, '2024'), path.join(left, 'trips')]).ended;
    await world.wl(...oneShot());
    expect(Object.keys(treeOf(right)).sort()).toEqual(Object.keys(treeOf(left)).sort());
    expect(treeOf(right)).toMatchObject({ 'trips/7.txt': 'file 7' });
  });

  it('is refused while a job over the same pair runs, and possible again after stop-sync', async () => {
    await world.pair('photos', { 'a.txt': 'a' });
    await world.wl('container', 'sync', 'photos');
    await world.untilSynced();
    for (const args of [oneShot(), ['container', 'sync', 'photos'], oneShot('--source-storage', 'photos-right', '--target-storage', 'photos-left')]) {
      const { stderr } = await world.wlEnds(1, ...args);
      expect(stderr).toMatch(/^Error: WildlandError: .*already running.*stop-sync/);
    }
    // A dry run only looks.
    expect((await world.wl(...oneShot('--dry-run'))).stdout).toMatch(/Nothing to do/);
    await world.wl('container', 'stop-sync', 'photos');
    expect((await world.wlEnds(1, 'container', 'stop-sync', 'photos')).stderr).toMatch(/^Error: Sync for job .* is not running\n$/);
    await world.wl(...oneShot());
  });

  it('stops cleanly on Ctrl-C with 130, and the next run completes', async () => {
    const { left, right } = await world.unsyncedPair('photos');
    const big = Buffer.alloc(64 * 1024 * 1024, 'ab');
    plant(left, { 'small.txt': 'small' });
    for (let index = 0; index < 6; index += 1) plant(left, { [`big-${index}`]: Buffer.concat([big, Buffer.from(String(index))]) });
    const run = world.startWl(...oneShot());
    await until(() => staged(right).length > 0, 'a file that is being written');
    run.kill('SIGINT');
    const { code, stderr } = await run.ended;
    expect(stderr).toMatch(/Stopping where every file is whole/);
    expect(stderr).toMatch(/Interrupted\..* Every file is whole; the same command goes on from here\.\n$/);
    expect(code).toBe(130);
    expect((await world.status()).jobs).toEqual([]);
    const [wanted, there] = [treeOf(left), treeOf(right)];
    expect(Object.keys(there).length).toBeLessThan(7);
    expect(wanted).toMatchObject(there);

    await world.wl(...oneShot());
    expect(treeOf(right)).toEqual(wanted);
  });

  const ttyText = 'paints its progress over on a terminal, and leaves the summary behind';
  itWith(terminal(), ttyText, async (onTerminal) => {
    const { left } = await world.unsyncedPair('photos');
    for (let index = 0; index < 4; index += 1) plant(left, { [`big-${index}`]: Buffer.alloc(48 * 1024 * 1024, String(index)) });
    const { code, stdout } = await world.start(onTerminal(world.command(...oneShot())), { env: { ...world.env, TERM: 'xterm' } }).ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/\r[^\r\n]*(files? copied|of 4 files|looking at both storages)[^\r\n]*\u001b\[K/);
    expect(stdout).toMatch(/\r\u001b\[KCopied 4 files \(201\.3 MB\), deleted 0 files; 4 files \(201\.3 MB\) in sync\.\r\nSync successful\.\r\n$/);
  });
});

/** Roots that vanish, change or fill up, and what must never be followed or opened, with the built programs. */

import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';

import { validateStatus, type StatusJob } from '@wl/ports/schemas';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { hasProgram, itWith, smallDisks, withoutOverride, type SmallDisk } from './testing/means.js';
import { plant, treeOf } from './testing/tree.js';
import { until } from './testing/until.js';
import { World, type Pair } from './testing/world.js';

const MIB = 1024 * 1024;

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const ONE_SHOT = ['container', 'sync', '--one-shot', 'photos'] as const;

const FILES = { 'a.txt': 'a', 'b.txt': 'b', 'sub/c.txt': 'c' };
const TREE = { ...FILES, 'sub/': 'dir' };

/** `count` small files in a directory, by name. */
function manyFiles(directory: string, count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`${directory}/${index}.txt`, `${directory} ${index}`]));
}

/** The command that a message offers. */
function commandIn(text: string): string {
  const command = /^ *To go on: (.*)$/m.exec(text)?.[1];
  if (command === undefined) throw new Error(`no command in ${text}`);
  return command;
}

/** The only job as `wl status --json` shows it. */
async function jobShown(): Promise<StatusJob> {
  const status: unknown = JSON.parse((await world.wl('status', '--json')).stdout);
  if (!validateStatus(status)) throw new Error(`the status does not match its schema: ${JSON.stringify(validateStatus.errors)}`);
  const [job] = status.jobs;
  if (job === undefined) throw new Error('there is no job');
  return job;
}

/** A pair that is synced by a continuous job. */
async function runningPair(files: Readonly<Record<string, string>>): Promise<Pair> {
  const pair = await world.pair('photos', files);
  await world.wl('container', 'sync', 'photos');
  await world.untilSynced();
  return pair;
}

/** Waits until a user sees that the job has halted; while it looks again, the state is another for a moment. */
function haltShown(reason: string): Promise<StatusJob> {
  return until(
    async () => {
      const job = await jobShown();
      return job.state === 'ERROR' && job.halt?.reason === reason ? job : undefined;
    },
    async () => `a halt for ${reason}; the job is ${JSON.stringify(await jobShown())}`,
  );
}

/** Waits until the job goes on by itself. */
async function goesOn(): Promise<void> {
  await until(async () => (await world.job()).state === 'SYNCED', async () => `the job to go on; it is ${JSON.stringify(await world.job())}`);
}

describe('a root that is not what it was halts a one-shot sync with 1, and nothing is deleted', () => {
  it('T04: missing, or a file in its place, on either side; once it is back the sync goes on', async () => {
    const pair = await world.pair('photos', FILES);
    for (const [gone, kept, id] of [[pair.left, pair.right, 'photos-left'], [pair.right, pair.left, 'photos-right']] as const) {
      renameSync(gone, `${gone}-away`);
      const { stdout, stderr } = await world.wlEnds(1, ...ONE_SHOT);
      expect(stderr).toMatch(new RegExp(`^Error: .*${id}.*`));
      expect(stderr).toMatch(/Connect or mount it, or create it if it is meant to be new/);
      expect(stdout).not.toMatch(/Copied|deleted/);
      expect(existsSync(gone)).toBe(false);
      writeFileSync(gone, 'a file');
      expect((await world.wlEnds(1, ...ONE_SHOT)).stderr).toMatch(new RegExp(`^Error: .*${id}.*`));
      expect(treeOf(kept)).toEqual(TREE);
      rmSync(gone);
      renameSync(`${gone}-away`, gone);
      expect((await world.wl(...ONE_SHOT)).stdout).toContain('Copied 0 files, deleted 0 files; 3 files (3 B) in sync.\n');
    }
  });

  it('T04: emptied, with or without its marker, or a fresh directory in its place', async () => {
    const { left, right } = await world.pair('photos', FILES);
    for (const name of ['a.txt', 'b.txt', 'sub']) rmSync(path.join(right, name), { recursive: true });
    const emptied = await world.wlEnds(1, ...ONE_SHOT);
    expect(emptied.stderr).toMatch(/^Sync error: .*photos-right.* holds no files any more\. Nothing was deleted/);
    expect(commandIn(emptied.stderr)).toMatch(/--allow-mass-delete/);
    expect(treeOf(left)).toEqual(TREE);

    rmSync(path.join(right, '.wl'), { recursive: true });
    expect((await world.wlEnds(1, ...ONE_SHOT)).stderr).toMatch(/^Sync error: .*\nTo go on: wl /);
    expect(treeOf(left)).toEqual(TREE);

    rmSync(right, { recursive: true });
    mkdirSync(path.join(world.home, 'in-between'));
    mkdirSync(right);
    expect((await world.wlEnds(1, ...ONE_SHOT)).stderr).toMatch(/^Sync error: .*\nTo go on: wl /);
    expect(treeOf(left)).toEqual(TREE);
    expect(treeOf(right)).toEqual({});
  });

  it('goes on with an emptied root when that is meant, by the command it prints', async () => {
    const { left, right } = await world.pair('photos', FILES);
    for (const name of ['a.txt', 'b.txt', 'sub']) rmSync(path.join(left, name), { recursive: true });
    const { stderr } = await world.wlEnds(1, ...ONE_SHOT);
    expect(treeOf(right)).toEqual(TREE);
    expect(await world.shell(commandIn(stderr))).toMatchObject({ code: 0, stderr: '' });
    expect(treeOf(right)).toEqual({});
  });

  it('T05: another directory with other files at the same path; the printed command merges, the old one back goes on', async () => {
    const { left, right } = await world.pair('photos', FILES);
    renameSync(right, `${right}-away`);
    mkdirSync(right);
    plant(right, { 'a.txt': 'other a', 'other.txt': 'other' });
    const { stderr } = await world.wlEnds(1, ...ONE_SHOT);
    expect(stderr).toMatch(/^Sync error: .*photos-right.* is not the place it was at the last sync/);
    expect(treeOf(left)).toEqual(TREE);
    expect(treeOf(right)).toEqual({ 'a.txt': 'other a', 'other.txt': 'other' });

    renameSync(right, `${right}-other`);
    renameSync(`${right}-away`, right);
    rmSync(path.join(left, 'b.txt'));
    expect((await world.wl(...ONE_SHOT)).stdout).toContain('Copied 0 files, deleted 1 file');

    renameSync(right, `${right}-away`);
    renameSync(`${right}-other`, right);
    const again = await world.wlEnds(1, ...ONE_SHOT);
    const merged = await world.shell(commandIn(again.stderr));
    expect(merged.stdout).toContain('Conflict detected on a.txt');
    expect(merged.stdout).toContain('deleted 0 files');
    expect(merged.code).toBe(3);
    expect(treeOf(left)).toEqual({ 'a.txt': 'a', 'other.txt': 'other', 'sub/': 'dir', 'sub/c.txt': 'c' });
    expect(treeOf(right)).toEqual({ 'a.txt': 'other a', 'other.txt': 'other', 'sub/': 'dir', 'sub/c.txt': 'c' });
  });

  const unreadable = 'T01: unreadable, or with a directory in it that is; what was deleted elsewhere meanwhile is not lost';
  itWith(withoutOverride(), unreadable, async (prefix) => {
    const weak = new World({ prefix });
    try {
      const { left, right } = await weak.pair('photos', { ...FILES, 'sub/d.txt': 'd' });
      const before = treeOf(left);
      chmodSync(right, 0o000);
      const { stderr } = await weak.wlEnds(1, ...ONE_SHOT);
      expect(stderr).toMatch(/^(Sync e|E)rror: .*photos-right.*Make it readable/);
      expect(treeOf(left)).toEqual(before);

      chmodSync(right, 0o700);
      chmodSync(path.join(right, 'sub'), 0o000);
      plant(left, { 'new.txt': 'new' });
      const partly = await weak.wlEnds(3, ...ONE_SHOT);
      expect(partly.stdout).toContain('\nProblem with sub (target): permission denied; make it readable for the user that runs the sync\n');
      expect(treeOf(left)).toEqual({ ...before, 'new.txt': 'new' });

      chmodSync(path.join(right, 'sub'), 0o700);
      await weak.wl(...ONE_SHOT);
      expect(treeOf(right)).toEqual({ ...before, 'new.txt': 'new' });
    } finally {
      await weak.close();
    }
  });
});

describe('a root that is not what it was halts a continuous sync', () => {
  it('T04: goes on by itself when a root that vanished is back, with what changed meanwhile', async () => {
    const { left, right } = await runningPair(FILES);
    renameSync(right, `${right}-away`);
    plant(left, { 'a.txt': 'new a' });
    const job = await haltShown('root-missing');
    expect(job.halt?.side).toBe('target');
    await world.untilShown(/photos ERROR .*\n.*photos-right.*Connect or mount it/);
    expect(existsSync(right)).toBe(false);
    expect(treeOf(left)).toEqual({ ...TREE, 'a.txt': 'new a' });

    rmSync(path.join(`${right}-away`, 'b.txt'));
    renameSync(`${right}-away`, right);
    await goesOn();
    await world.untilTree(left, { 'a.txt': 'new a', 'sub/': 'dir', 'sub/c.txt': 'c' });
    await world.untilSame(left, right);
    plant(right, { 'late.txt': 'late' });
    await world.untilTree(left, { 'a.txt': 'new a', 'late.txt': 'late', 'sub/': 'dir', 'sub/c.txt': 'c' });
  });

  it('T05: goes on by itself when a swapped root is swapped back, and with the printed command when the new one is meant', async () => {
    const { left, right } = await runningPair(FILES);
    mkdirSync(`${right}-other`);
    plant(`${right}-other`, { 'other.txt': 'other' });
    renameSync(right, `${right}-away`);
    renameSync(`${right}-other`, right);
    plant(left, { 'new.txt': 'new' });
    await haltShown('root-changed');
    expect(treeOf(left)).toEqual({ ...TREE, 'new.txt': 'new' });
    expect(treeOf(right)).toEqual({ 'other.txt': 'other' });

    renameSync(right, `${right}-other`);
    renameSync(`${right}-away`, right);
    await goesOn();
    await world.untilTree(right, { ...TREE, 'new.txt': 'new' });

    renameSync(right, `${right}-away`);
    renameSync(`${right}-other`, right);
    plant(left, { 'newer.txt': 'newer' });
    const { halt } = await haltShown('root-changed');
    const shown = (await world.wl('status')).stdout;
    expect(commandIn(shown)).toBe(halt?.command);
    expect(await world.shell(commandIn(shown))).toMatchObject({ code: 0, stderr: '' });
    const merged = { ...TREE, 'new.txt': 'new', 'newer.txt': 'newer', 'other.txt': 'other' };
    await world.untilTree(right, merged);
    await world.untilTree(left, merged);
    await goesOn();
    plant(right, { 'after.txt': 'after' });
    await world.untilTree(left, { ...merged, 'after.txt': 'after' });
  });

  it('T85: an emptied root and a mass deletion wait for the printed command; other changes are not held up', async () => {
    const { left, right } = await runningPair({ ...manyFiles('many', 30), 'keep.txt': 'keep' });
    rmSync(path.join(right, 'many'), { recursive: true });
    await haltShown('mass-deletion');
    expect(Object.keys(treeOf(left))).toHaveLength(32);
    plant(left, { 'more.txt': 'more' });
    await world.untilTree(right, { 'keep.txt': 'keep', 'more.txt': 'more' });
    // What went well beside it does not end the halt, nor hide it.
    await haltShown('mass-deletion');
    expect(await world.shell(commandIn((await world.wl('status')).stdout))).toMatchObject({ code: 0, stderr: '' });
    await world.untilTree(left, { 'keep.txt': 'keep', 'more.txt': 'more' });
    await goesOn();

    for (const name of ['keep.txt', 'more.txt']) rmSync(path.join(left, name));
    await haltShown('side-emptied');
    expect(treeOf(right)).toEqual({ 'keep.txt': 'keep', 'more.txt': 'more' });
    plant(left, { 'keep.txt': 'keep', 'more.txt': 'more' });
    await goesOn();
    expect(treeOf(right)).toEqual({ 'keep.txt': 'keep', 'more.txt': 'more' });
  });
});

describe('T85: the guard against mass deletions', () => {
  it('lets small ones and the renaming of a top directory pass, and needs --allow-mass-delete for more than half and more than ten', async () => {
    const { left, right } = await world.pair('photos', { ...manyFiles('old', 11), 'one.txt': '1' });
    renameSync(path.join(left, 'old'), path.join(left, 'new'));
    await world.wl(...ONE_SHOT);
    expect(treeOf(right)).toEqual(treeOf(left));
    expect(Object.keys(treeOf(right))).toContain('new/10.txt');

    rmSync(path.join(left, 'new'), { recursive: true });
    const { stderr } = await world.wlEnds(1, ...ONE_SHOT);
    expect(stderr).toMatch(/^Sync error: 11 of 12 files are gone from .*photos-left.*Nothing was deleted/);
    expect(Object.keys(treeOf(right))).toHaveLength(13);
    expect(await world.shell(commandIn(stderr))).toMatchObject({ code: 0 });
    expect(treeOf(right)).toEqual({ 'one.txt': '1' });
  });

  it('lets ten files go without a word', async () => {
    const { left, right } = await world.pair('photos', { ...manyFiles('old', 10), 'one.txt': '1' });
    rmSync(path.join(left, 'old'), { recursive: true });
    await world.wl(...ONE_SHOT);
    expect(treeOf(right)).toEqual({ 'one.txt': '1' });
  });
});

describe('file systems', () => {
  /** Runs `test` with a small file system mounted, and unmounts it. */
  async function mounted(disk: SmallDisk, directory: string, sizeBytes: number, test: () => Promise<void>): Promise<void> {
    mkdirSync(directory, { recursive: true });
    disk.mount(directory, sizeBytes);
    try {
      await test();
    } finally {
      disk.unmount(directory);
    }
  }

  itWith(smallDisks(), 'one mounted below a root is skipped and not entered; mounting and unmounting deletes nothing', async (disk) => {
    const { left, right } = await world.pair('photos', { ...FILES, 'usb/under.txt': 'under the mount' });
    const before = treeOf(right);
    await mounted(disk, path.join(left, 'usb'), MIB, async () => {
      plant(path.join(left, 'usb'), { 'on-disk.txt': 'on the disk' });
      const { stdout } = await world.wlEnds(3, ...ONE_SHOT);
      expect(stdout).toContain('usb');
      expect(stdout).toMatch(/other-file-system/);
      expect(treeOf(right)).toEqual(before);
      expect(treeOf(path.join(left, 'usb'))).toEqual({ 'on-disk.txt': 'on the disk' });
    });
    expect((await world.wl(...ONE_SHOT)).stdout).toContain('Copied 0 files, deleted 0 files');
    expect(treeOf(left)).toEqual(before);
    expect(treeOf(right)).toEqual(before);
  });

  itWith(smallDisks(), 'T04: one that is unmounted from a root halts, and the empty mount point stays empty', async (disk) => {
    const [left, right] = [world.folder('photos-left'), world.folder('mnt')];
    await mounted(disk, right, 4 * MIB, async () => {
      await world.wl('container', 'create', 'photos', '--storage', left, '--storage', right);
      plant(left, FILES);
      await world.wl(...ONE_SHOT);
      expect(treeOf(right)).toEqual(TREE);
    });
    const { stderr } = await world.wlEnds(1, ...ONE_SHOT);
    expect(stderr).toMatch(/^(Sync e|E)rror: .*not the place it was/);
    expect(treeOf(left)).toEqual(TREE);
    expect(readdirSync(right)).toEqual([]);
  });

  itWith(smallDisks(), 'T52: one that is full fails the files that do not fit, loses nothing, and completes once there is space', async (disk) => {
    const [left, mount] = [world.folder('photos-left'), world.folder('mnt')];
    await mounted(disk, mount, 16 * MIB, async () => {
      const right = path.join(mount, 'right');
      mkdirSync(right);
      await world.wl('container', 'create', 'photos', '--storage', left, '--storage', right);
      plant(left, { 'doc.bin': Buffer.alloc(2 * MIB, 'old'), 'keep.txt': 'keep' });
      await world.wl(...ONE_SHOT);
      const old = treeOf(right);

      const filler = path.join(mount, 'filler');
      writeFileSync(filler, Buffer.alloc(10 * MIB));
      plant(left, { 'doc.bin': Buffer.alloc(5 * MIB, 'new'), 'big.bin': Buffer.alloc(5 * MIB, 'big'), 'small.txt': 'small' });
      const wanted = treeOf(left);
      const run = await world.startWl(...ONE_SHOT).ended;
      expect([1, 3]).toContain(run.code);
      expect(run.stdout + run.stderr).toMatch(/no-space|no space/i);
      expect(treeOf(left)).toEqual(wanted);
      const partly = treeOf(right);
      expect(partly).toMatchObject({ 'doc.bin': old['doc.bin'], 'keep.txt': 'keep' });
      expect(Object.keys(partly)).not.toContain('big.bin');

      rmSync(filler);
      await world.wl(...ONE_SHOT);
      expect(treeOf(right)).toEqual(wanted);
    });
  });
});

describe('what is no file or directory', () => {
  it('T71: a directory replaced by a link to somewhere else is not followed, and its files are not deleted elsewhere', async () => {
    const { left, right } = await world.pair('photos', { 'sub/a.txt': 'a', 'sub/b.txt': 'b', 'sub/c.txt': 'c' });
    const outside = world.folder('outside');
    plant(outside, { 'a.txt': 'precious', 'b.txt': 'precious', 'secret.txt': 'secret' });
    const precious = treeOf(outside);
    renameSync(path.join(right, 'sub'), world.path('sub-away'));
    symlinkSync(outside, path.join(right, 'sub'));
    plant(left, { 'sub/a.txt': 'changed', 'sub/new.txt': 'new' });
    rmSync(path.join(left, 'sub/b.txt'));
    const before = treeOf(left);
    const { stdout } = await world.wlEnds(3, ...ONE_SHOT);
    expect(stdout).toMatch(/sub .*symlink/);
    expect(treeOf(outside)).toEqual(precious);
    expect(treeOf(left)).toEqual(before);

    rmSync(path.join(right, 'sub'));
    renameSync(world.path('sub-away'), path.join(right, 'sub'));
    await world.wl(...ONE_SHOT);
    expect(treeOf(right)).toEqual(before);
    expect(treeOf(outside)).toEqual(precious);
  });

  it('T71: nor when it is swapped again and again while files below it are written and deleted', async () => {
    // The many others keep what is deleted here from being a mass.
    const { left, right } = await runningPair({ ...manyFiles('rest', 150), 'sub/a.txt': 'a', 'sub/b.txt': 'b', 'top.txt': 'top' });
    const outside = world.folder('outside');
    plant(outside, { 'a.txt': 'precious', 'b.txt': 'precious', 'secret.txt': 'secret' });
    const precious = treeOf(outside);
    const [sub, away] = [path.join(right, 'sub'), world.path('sub-away')];
    let remade = 0;
    for (let round = 0; round < 60; round += 1) {
      plant(left, { 'sub/a.txt': `a ${round}`, [`sub/${round}.txt`]: 'more' });
      if (round > 5) rmSync(path.join(left, `sub/${round - 5}.txt`), { force: true });
      // Between two steps of a swap the sync may rightly make the directory anew.
      renameSync(sub, away);
      remade += asideIfThere(sub, round);
      symlinkSync(outside, sub);
      await new Promise((resolve) => setTimeout(resolve, round % 20));
      rmSync(sub);
      remade += asideIfThere(sub, round);
      renameSync(away, sub);
      await new Promise((resolve) => setTimeout(resolve, (round * 7) % 25));
    }
    expect(treeOf(outside)).toEqual(precious);
    await world.untilJob('has nothing left to do', (job) => job.state === 'SYNCED' && job.skipped.length === 0);
    expect(treeOf(outside)).toEqual(precious);
    expect(Object.values(treeOf(left))).not.toContain('secret');
    expect(Object.values(treeOf(left))).not.toContain('precious');
    // What arrived in a directory that was then taken away has been deleted by the user, for all the sync can know.
    if (remade > 0) return;
    await world.untilSame(left, right);
    expect(treeOf(left)).toMatchObject({ 'sub/a.txt': 'a 59', 'sub/59.txt': 'more', 'top.txt': 'top' });
  });

  /** Takes away what the sync has made at a place; 1 if there was something. */
  function asideIfThere(place: string, round: number): number {
    if (!existsSync(place)) return 0;
    renameSync(place, world.path(`aside-${round}-${Math.random()}`));
    return 1;
  }

  itWith(hasProgram('mkfifo'), 'T72: FIFOs and sockets are skipped and listed, and neither one-shot nor continuous syncs hang on them', async () => {
    const { left, right } = await world.pair('photos', { 'a.txt': 'a', 'turned.txt': 'was a file', 'z.txt': 'z' });
    rmSync(path.join(left, 'turned.txt'));
    for (const name of ['fifo', 'turned.txt', 'b.txt']) expect(spawnSync('mkfifo', [path.join(left, name)]).status).toBe(0);
    plant(right, { 'b.txt': 'b', 'new.txt': 'new' });
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path.join(left, 'socket'), resolve));
    try {
      const { stdout } = await world.wlEnds(3, ...ONE_SHOT);
      for (const name of ['fifo', 'socket', 'turned.txt', 'b.txt']) expect(stdout).toContain(`Skipped ${name} (source): special-file\n`);
      const there = { 'a.txt': 'a', 'b.txt': 'b', 'new.txt': 'new', 'turned.txt': 'was a file', 'z.txt': 'z' };
      expect(treeOf(right)).toEqual(there);
      expect(treeOf(left)).toEqual({ ...there, 'b.txt': 'special', 'turned.txt': 'special', fifo: 'special', socket: 'special' });

      await world.wl('container', 'sync', 'photos');
      await world.untilJob('lists four that are skipped', (job) => job.state === 'SYNCED' && job.skipped.length === 4);
      plant(left, { 'z.txt': 'new z' });
      await world.untilTree(right, { ...there, 'z.txt': 'new z' });
      rmSync(path.join(left, 'b.txt'));
      await world.untilTree(left, { ...there, 'z.txt': 'new z', 'turned.txt': 'special', fifo: 'special', socket: 'special' });
    } finally {
      server.close();
    }
  });
});

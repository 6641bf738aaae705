/** A folder and a bucket, synced once at a time, with the built programs and a real server. */

import { createHash } from 'node:crypto';
import { existsSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { plant, treeOf } from '../e2e/testing/tree.js';
import { Bucket, filesOf } from './testing/bucket.js';
import { BUCKET_ID, FOLDER_ID, ONE_SHOT, S3World } from './testing/s3-world.js';
import { Wire } from './testing/wire.js';

const MIB = 1024 * 1024;

let world: S3World;
let bucket: Bucket;
beforeEach(async () => {
  world = new S3World();
  bucket = await Bucket.make();
});
afterEach(async () => {
  await world.close();
  await bucket.destroy();
});

const CONFLICT = (name: string): string => `Conflict detected on ${name} in storages ${FOLDER_ID} and ${BUCKET_ID}\n`;

describe('a folder and a bucket', () => {
  it('bring each other what they lack at the first sync, and every kind of change after it', async () => {
    const folder = await world.folderAndBucket(bucket, { 'a.txt': 'a', 'dir/deep/b.txt': 'b', empty: '', 'same.txt': 'same', 'naïve 日本 +%&=?#.txt': 'name' });
    await bucket.plant({ 'c.txt': 'c', 'other/d.txt': 'd', 'same.txt': 'same' });
    expect((await world.wl(...ONE_SHOT)).stdout).toContain('Sync successful.\n');
    const all = { 'a.txt': 'a', 'dir/deep/b.txt': 'b', empty: '', 'same.txt': 'same', 'naïve 日本 +%&=?#.txt': 'name', 'c.txt': 'c', 'other/d.txt': 'd' };
    expect(filesOf(treeOf(folder))).toEqual(all);
    expect(await bucket.files()).toEqual(all);
    expect((await world.wl(...ONE_SHOT)).stdout).toContain('Copied 0 files, deleted 0 files; 7 files');

    plant(folder, { 'c.txt': 'c by the folder', 'new.txt': 'new' });
    rmSync(path.join(folder, 'dir'), { recursive: true });
    renameSync(path.join(folder, 'a.txt'), path.join(folder, 'renamed.txt'));
    await bucket.plant({ 'other/d.txt': 'd by the bucket', 'from-outside/e.txt': 'e' });
    await bucket.remove('empty');
    await world.wl(...ONE_SHOT);
    const then = { 'c.txt': 'c by the folder', 'new.txt': 'new', 'renamed.txt': 'a', 'same.txt': 'same', 'naïve 日本 +%&=?#.txt': 'name', 'other/d.txt': 'd by the bucket', 'from-outside/e.txt': 'e' };
    expect(filesOf(treeOf(folder))).toEqual(then);
    expect(await bucket.files()).toEqual(then);
    expect((await world.wl(...ONE_SHOT)).stdout).toContain('Copied 0 files, deleted 0 files; 7 files');
  });

  it('keep both versions of a conflict where they are, until one is chosen', async () => {
    const folder = await world.syncedFolder(bucket, { 'a.txt': 'old', 'b.txt': 'old', 'gone.txt': 'old', 'fine.txt': 'fine' });
    plant(folder, { 'a.txt': 'by the folder', 'b.txt': 'by the folder', 'gone.txt': 'edited', 'new.txt': 'new' });
    await bucket.plant({ 'a.txt': 'by the bucket', 'b.txt': 'by the bucket' });
    await bucket.remove('gone.txt');
    const { stdout } = await world.wlEnds(3, ...ONE_SHOT);
    for (const name of ['a.txt', 'b.txt', 'gone.txt']) expect(stdout).toContain(CONFLICT(name));
    expect(filesOf(treeOf(folder))).toEqual({ 'a.txt': 'by the folder', 'b.txt': 'by the folder', 'gone.txt': 'edited', 'fine.txt': 'fine', 'new.txt': 'new' });
    expect(await bucket.files()).toEqual({ 'a.txt': 'by the bucket', 'b.txt': 'by the bucket', 'fine.txt': 'fine', 'new.txt': 'new' });

    await world.wl('container', 'sync', 'photos');
    await world.untilJob('has looked', (job) => job.conflicts.length === 3);
    await world.wl('container', 'resolve', 'photos', 'a.txt', '--keep', BUCKET_ID);
    await world.wl('container', 'resolve', 'photos', 'b.txt', '--keep', FOLDER_ID);
    // The gesture of the original: the side that is not wanted is removed.
    rmSync(path.join(folder, 'gone.txt'));
    const agreed = { 'a.txt': 'by the bucket', 'b.txt': 'by the folder', 'fine.txt': 'fine', 'new.txt': 'new' };
    await world.untilFiles(folder, agreed);
    await bucket.untilFiles(agreed);
    await world.untilJob('has no conflicts', (job) => job.state === 'SYNCED' && job.conflicts.length === 0);
    // What had to give way in the bucket is kept there.
    expect(Object.values(await bucket.ownTexts())).toContain('by the bucket');
  });

  it('T83: leave the source alone with --unidirectional, be it the folder or the bucket', async () => {
    const folder = await world.folderAndBucket(bucket, { 'a.txt': 'a', 'b.txt': 'b' });
    await world.wl(...ONE_SHOT, '--unidirectional');
    expect(existsSync(path.join(folder, '.wl'))).toBe(false);
    await bucket.plant({ 'b.txt': 'foreign', 'extra.txt': 'extra' });
    plant(folder, { 'a.txt': 'new a' });
    expect((await world.wlEnds(3, ...ONE_SHOT, '--unidirectional')).stdout).toContain(CONFLICT('b.txt'));
    expect(filesOf(treeOf(folder))).toEqual({ 'a.txt': 'new a', 'b.txt': 'b' });
    expect(await bucket.files()).toEqual({ 'a.txt': 'new a', 'b.txt': 'foreign', 'extra.txt': 'extra' });
  });

  it('T83: write nothing at all into a bucket that is the source of a one-way sync', async () => {
    const folder = await world.folderAndBucket(bucket, { 'local.txt': 'local' });
    await bucket.plant({ 'a.txt': 'a', 'sub/b.txt': 'b' });
    const before = await bucket.everything();
    await world.wl(...ONE_SHOT, '--unidirectional', '--source-storage', BUCKET_ID, '--target-storage', FOLDER_ID);
    expect(await bucket.everything()).toEqual(before);
    expect(filesOf(treeOf(folder))).toEqual({ 'local.txt': 'local', 'a.txt': 'a', 'sub/b.txt': 'b' });
  });

  it('T84: are both as they were after a dry run, which leaves no trace in the bucket', async () => {
    const folder = await world.folderAndBucket(bucket, { 'a.txt': 'folder', 'new/one.txt': 'one' });
    await bucket.plant({ 'a.txt': 'bucket', 'two.txt': 'two' });
    const before = await bucket.everything();
    const { stdout } = await world.wlEnds(3, ...ONE_SHOT, '--dry-run');
    expect(stdout).toContain('CREATE target new/one.txt (3 B)\n');
    expect(stdout).toContain('CREATE source two.txt (3 B)\n');
    expect(stdout).toContain('CONFLICT both a.txt\n');
    expect(await bucket.everything()).toEqual(before);
    expect(await bucket.uploads()).toEqual([]);
    expect(existsSync(path.join(folder, '.wl'))).toBe(false);
    expect(filesOf(treeOf(folder))).toEqual({ 'a.txt': 'folder', 'new/one.txt': 'one' });
  });

  it('T85: halt before more than half is deleted, and go on with the command that is printed', async () => {
    const files = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`${index}.txt`, `file ${index}`]));
    const folder = await world.syncedFolder(bucket, files);
    await bucket.remove(...Object.keys(files).slice(0, 20));
    const { stderr } = await world.wlEnds(1, ...ONE_SHOT);
    expect(filesOf(treeOf(folder))).toEqual(files);
    const command = /^To go on: (wl container sync --allow-mass-delete .*)$/m.exec(stderr)?.[1] ?? '';
    expect((await world.shell(command)).code).toBe(0);
    expect(Object.keys(filesOf(treeOf(folder)))).toHaveLength(10);
    expect(filesOf(treeOf(folder))).toEqual(await bucket.files());
  });
});

describe('the area .wl/ of a bucket', () => {
  it('never shows up as files, in either direction', async () => {
    const folder = await world.syncedFolder(bucket, { 'a.txt': 'a', 'b.txt': 'b' });
    await bucket.plant({ '.wl/foreign.txt': 'a file by somebody else' });
    plant(folder, { 'a.txt': 'a again', '.wl/local.txt': 'local' });
    rmSync(path.join(folder, 'b.txt'));
    await world.wl(...ONE_SHOT);
    expect(existsSync(path.join(folder, '.wl', 'foreign.txt'))).toBe(false);
    const names = Object.keys(await bucket.everything());
    expect(names).toContain('.wl/foreign.txt');
    expect(names).not.toContain('.wl/local.txt');
    expect(names.filter((name) => !name.startsWith('.wl/'))).toEqual(['a.txt']);
    expect((await world.wl(...ONE_SHOT)).stdout).toContain('Copied 0 files, deleted 0 files; 1 file ');
  });

  it('holds what a sync replaced or deleted, whole', async () => {
    const folder = await world.syncedFolder(bucket, { 'a.txt': 'replaced by a sync', 'b.txt': 'deleted by a sync' });
    plant(folder, { 'a.txt': 'new' });
    rmSync(path.join(folder, 'b.txt'));
    await world.wl(...ONE_SHOT);
    expect(Object.values(await bucket.ownTexts())).toEqual(expect.arrayContaining(['replaced by a sync', 'deleted by a sync']));
  });
});

describe('an object', () => {
  it('carries its sha256 and the time of its file, where other tools read it', async () => {
    const folder = await world.folderAndBucket(bucket, { 'a.txt': 'content' });
    utimesSync(path.join(folder, 'a.txt'), 1_600_000_000.25, 1_600_000_000.25);
    await bucket.plant({ 'b.txt': 'by rclone' }, { mtime: '1500000000.5' });
    await world.wl(...ONE_SHOT);
    const headers = await bucket.head('a.txt');
    expect(headers['x-amz-meta-sha256']).toBe(createHash('sha256').update('content').digest('hex'));
    expect(Number(headers['x-amz-meta-mtime'])).toBeCloseTo(1_600_000_000.25, 2);
    expect(statSync(path.join(folder, 'b.txt')).mtimeMs).toBe(1_500_000_000_500);
  });

  it('T87: by somebody else is read once to know its hash, and not again', async () => {
    const wire = await Wire.to(bucket.account.endpoint);
    try {
      const content = Buffer.alloc(8 * MIB, 'the same on both sides');
      await bucket.plant({ 'big.bin': content });
      await world.folderAndBucket(bucket, { 'big.bin': content }, { endpoint: wire.endpoint });
      expect((await world.wl(...ONE_SHOT)).stdout).toContain('Copied 0 files, deleted 0 files; 1 file ');
      expect(wire.bytes.down).toBeGreaterThan(8 * MIB);
      const before = { ...wire.bytes };
      await world.wl('stop');
      expect((await world.wl(...ONE_SHOT)).stdout).toContain('Copied 0 files, deleted 0 files; 1 file ');
      expect(wire.bytes.down - before.down).toBeLessThan(MIB);
      expect(wire.bytes.up - before.up).toBeLessThan(MIB);
    } finally {
      await wire.close();
    }
  });

  it('is copied within the bucket when its file is renamed or doubled, not sent again', async () => {
    const wire = await Wire.to(bucket.account.endpoint);
    try {
      const folder = await world.syncedFolder(bucket, { 'big.bin': Buffer.alloc(24 * MIB, 'renamed'), 'small.txt': 'small' }, { endpoint: wire.endpoint });
      const before = wire.bytes.up;
      renameSync(path.join(folder, 'big.bin'), path.join(folder, 'moved.bin'));
      plant(folder, { 'copy.bin': Buffer.alloc(24 * MIB, 'renamed') });
      await world.wl(...ONE_SHOT);
      expect(await bucket.files()).toEqual(filesOf(treeOf(folder)));
      expect(wire.bytes.up - before).toBeLessThan(4 * MIB);
    } finally {
      await wire.close();
    }
  });

  it('T76: whose key is no path is reported and left alone, and everything else is synced', async () => {
    const folder = await world.folderAndBucket(bucket, { 'fine.txt': 'fine' });
    const odd = { 'a//b': 'empty part', 'x/../y': 'dots', './z': 'dot', 'both': 'a file', 'both/below': 'and a directory' };
    await bucket.plant({ ...odd, 'marked/': '', 'marked/inside.txt': 'inside', 'ok.txt': 'ok' });
    await world.wlEnds(3, ...ONE_SHOT);
    expect(filesOf(treeOf(folder))).toMatchObject({ 'fine.txt': 'fine', 'ok.txt': 'ok', 'marked/inside.txt': 'inside' });
    expect(await bucket.files()).toEqual({ ...odd, 'fine.txt': 'fine', 'ok.txt': 'ok', 'marked/inside.txt': 'inside' });
    expect(existsSync(world.path('y'))).toBe(false);
    // The directories that such keys lie in are there; nothing in them is crossed.
    expect(Object.keys(treeOf(folder)).filter((name) => /^(a|x|y|z)/.test(name) && !name.endsWith('/'))).toEqual([]);
    const second = await world.wlEnds(3, ...ONE_SHOT);
    expect(second.stdout).toContain('Copied 0 files, deleted 0 files');
  });

  it('T45, T46: that is large arrives whole in both directions', async () => {
    const up = Buffer.from(Array.from({ length: 40 * MIB }, (_, index) => (index * 31 + (index >> 8)) & 0xff));
    const down = Buffer.from(up).reverse();
    const folder = await world.folderAndBucket(bucket, { 'up.bin': up });
    await bucket.plant({ 'down.bin': down });
    await world.wl(...ONE_SHOT);
    expect(filesOf(treeOf(folder))).toEqual(await bucket.files());
    expect(Object.keys(await bucket.files())).toEqual(['down.bin', 'up.bin']);
    expect(await bucket.uploads()).toEqual([]);
  });
});

describe('a bucket that keeps versions', () => {
  it('T58: is synced as safely as it can be, and the status says what it cannot do', async () => {
    await bucket.client.keepVersions(bucket.name);
    const folder = await world.runningFolder(bucket, { 'a.txt': 'a', 'b.txt': 'b', 'c.txt': 'c' });
    plant(folder, { 'a.txt': 'a by the folder' });
    await bucket.plant({ 'b.txt': 'b by the bucket' });
    rmSync(path.join(folder, 'c.txt'));
    const agreed = { 'a.txt': 'a by the folder', 'b.txt': 'b by the bucket' };
    await world.untilFiles(folder, agreed);
    await bucket.untilFiles(agreed);
    expect((await world.untilSynced()).notes).not.toEqual([]);
  });
});

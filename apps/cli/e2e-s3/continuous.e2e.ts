/** A folder and a bucket kept in sync, and buckets among themselves, with the built programs and a real server. */

import { rmSync } from 'node:fs';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { plant, treeOf } from '../e2e/testing/tree.js';
import { Bucket, filesOf } from './testing/bucket.js';
import { ONE_SHOT, S3World } from './testing/s3-world.js';

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

describe('a continuous sync of a folder and a bucket', () => {
  it('brings every kind of change to the other side, also after a restart of the daemon', async () => {
    const folder = await world.runningFolder(bucket, { 'a.txt': 'a', 'dir/b.txt': 'b' });
    plant(folder, { 'a.txt': 'A', 'new/c.txt': 'c' });
    await bucket.untilFiles({ 'a.txt': 'A', 'dir/b.txt': 'b', 'new/c.txt': 'c' });
    await bucket.plant({ 'dir/b.txt': 'B', 'outside/d.txt': 'd' });
    await bucket.remove('new/c.txt');
    await world.untilFiles(folder, { 'a.txt': 'A', 'dir/b.txt': 'B', 'outside/d.txt': 'd' });

    await world.crashDaemon();
    plant(folder, { 'meanwhile.txt': 'folder' });
    await bucket.plant({ 'a.txt': 'AA' });
    rmSync(path.join(folder, 'outside'), { recursive: true });
    await world.wl('status');
    const agreed = { 'a.txt': 'AA', 'dir/b.txt': 'B', 'meanwhile.txt': 'folder' };
    await world.untilFiles(folder, agreed);
    await bucket.untilFiles(agreed);
    expect(await world.untilSynced()).toMatchObject({ conflicts: [], problems: [], skipped: [] });
  });

  it('T61: has nothing to do after its own writes', async () => {
    const folder = await world.runningFolder(bucket);
    const files = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`d${index % 4}/${index}.txt`, `${index}`]));
    plant(folder, files);
    await bucket.untilFiles(files);
    await bucket.plant({ 'last.txt': 'last' });
    await world.untilFiles(folder, { ...files, 'last.txt': 'last' });
    await world.untilSynced();
    const passes = world.log().split('\n').filter((line) => line.includes('"pass finished"')).map((line) => (JSON.parse(line) as { copiedFiles: number }).copiedFiles);
    expect(passes.reduce((sum, copied) => sum + copied, 0)).toBe(41);
  });

  it('is shown by `wl status` with its places and without secrets, as are the abilities by `wl storage check`', async () => {
    await world.runningFolder(bucket, { 'a.txt': 'a' });
    const { stdout } = await world.wl('status');
    expect(stdout).toContain(bucket.url);
    expect((await world.wl('status', '--json')).stdout).toContain(bucket.url);
    const check = await world.wl('storage', 'check', 'bucket');
    expect(check.stdout).toMatch(/only if absent/);
    expect((await world.wl('storage', 'list')).stdout).toContain(bucket.name);
    // Every test ends with a look for secrets; this one shows all places where they could be.
    expect(stdout + check.stdout).not.toContain(bucket.account.secretKey);
  });
});

describe('two buckets', () => {
  it('are synced with each other: both ways, conflicts, deletions', async () => {
    const other = bucket.beside('backup');
    await world.wl('container', 'create', 'photos');
    await world.addBucket(bucket, { backendId: 'one' });
    await world.addBucket(other, { backendId: 'two' });
    await bucket.plant({ 'a.txt': 'a', 'big.bin': Buffer.alloc(9 * 1024 * 1024, 'large'), 'sub/c.txt': 'c' });
    await other.plant({ 'b.txt': 'b' });
    const pair = [...ONE_SHOT, '--source-storage', 'one', '--target-storage', 'two'];
    await world.wl(...pair);
    expect(await bucket.files()).toEqual(await other.files());
    expect(Object.keys(await other.files())).toEqual(['a.txt', 'b.txt', 'big.bin', 'sub/c.txt']);

    await bucket.plant({ 'a.txt': 'one', 'new.txt': 'new' });
    await other.plant({ 'a.txt': 'two' });
    await other.remove('sub/c.txt');
    expect((await world.wlEnds(3, ...pair)).stdout).toContain('Conflict detected on a.txt in storages one and two\n');
    expect(await bucket.files()).toMatchObject({ 'a.txt': 'one', 'new.txt': 'new' });
    expect(await other.files()).toMatchObject({ 'a.txt': 'two', 'new.txt': 'new' });
    expect(Object.keys(await bucket.files())).toEqual(['a.txt', 'b.txt', 'big.bin', 'new.txt']);
  });

  it('are kept in sync continuously', async () => {
    const other = await Bucket.make();
    try {
      await world.wl('container', 'create', 'photos');
      await world.addBucket(bucket, { backendId: 'one', more: ['--watcher-interval', '1'] });
      await world.addBucket(other, { backendId: 'two', more: ['--watcher-interval', '1'] });
      await bucket.plant({ 'a.txt': 'a' });
      await world.wl('container', 'sync', 'photos', '--source-storage', 'one', '--target-storage', 'two');
      await other.untilFiles({ 'a.txt': 'a' });
      await other.plant({ 'b.txt': 'b' });
      await bucket.untilFiles({ 'a.txt': 'a', 'b.txt': 'b' });
      await bucket.remove('a.txt');
      await other.untilFiles({ 'b.txt': 'b' });
    } finally {
      await other.destroy();
    }
  });

  it('T29: that are one in the other are refused', async () => {
    await bucket.plant({ 'a.txt': 'a' });
    await world.wl('container', 'create', 'photos');
    await world.addBucket(bucket, { backendId: 'one' });
    const created = await world.createS3Storage(bucket, { backendId: 'two', url: `${bucket.url}/inside` });
    const refused = created.code === 0 ? await world.startWl(...ONE_SHOT, '--source-storage', 'one', '--target-storage', 'two').ended : created;
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/in one another|overlap|inside|within/);
    expect(Object.keys(await bucket.files())).toEqual(['a.txt']);
  });
});

describe('a container with several targets', () => {
  it('keeps a folder, another folder and a bucket the same', async () => {
    const folder = await world.runningFolder(bucket, { 'a.txt': 'a' });
    const disk = world.folder('disk');
    await world.wl('storage', 'create', 'local', '--container', 'photos', '--location', disk, '--backend-id', 'disk', '--skip-sync');
    await world.wl('container', 'sync', 'photos', '--target-storage', 'disk');
    await world.untilFiles(disk, { 'a.txt': 'a' });
    await bucket.plant({ 'b.txt': 'from the bucket' });
    await world.untilFiles(disk, { 'a.txt': 'a', 'b.txt': 'from the bucket' });
    plant(disk, { 'c.txt': 'from the disk' });
    await bucket.untilFiles({ 'a.txt': 'a', 'b.txt': 'from the bucket', 'c.txt': 'from the disk' });
    expect(filesOf(treeOf(folder))).toEqual(filesOf(treeOf(disk)));
  });
});

/** Two buckets of a real server, with the built programs: the server copies. */

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { Bucket } from './testing/bucket.js';
import { S3World } from './testing/s3-world.js';

let world: S3World;
let source: Bucket;
let target: Bucket;
beforeEach(async () => {
  world = new S3World();
  source = await Bucket.make();
  target = await Bucket.make();
  await world.wl('container', 'create', 'photos');
  await world.addBucket(source, { backendId: 'from' });
  await world.addBucket(target, { backendId: 'to' });
});
afterEach(async () => {
  await world.close();
  await source.destroy();
  await target.destroy();
});

const SYNC = ['container', 'sync', '--one-shot', '--source-storage', 'from', '--target-storage', 'to'] as const;
const FILES = { 'a.txt': 'a', 'dir/b.txt': 'b', empty: '', 'naïve 日本 +%&=?#.txt': 'name' };

describe('two buckets of one server', () => {
  it('are kept the same by s3-copy, both ways, and the generic syncer finds nothing to do', async () => {
    await source.plant(FILES);
    await target.plant({ 'c.txt': 'c' });
    await world.wl(...SYNC, '--syncer', 's3-copy', 'photos');
    const all = { ...FILES, 'c.txt': 'c' };
    expect([await source.files(), await target.files()]).toEqual([all, all]);
    expect((await world.wl(...SYNC, 'photos')).stdout).toContain('Copied 0 files, deleted 0 files; 5 files');
    await source.remove('a.txt');
    await world.wl(...SYNC, '--syncer', 's3-copy', 'photos');
    const { 'a.txt': _gone, ...rest } = all;
    expect(await target.files()).toEqual(rest);
  });

  it('are told of what s3-copy does not copy, and the generic syncer carries it', async () => {
    // Another server may be named for these tests; that it does not compare what a copy replaces is known of Ceph.
    if ((process.env['WL_S3_KIND'] ?? 'ceph') !== 'ceph') return;
    await source.plant(FILES);
    await world.wl(...SYNC, '--syncer', 's3-copy', 'photos');
    await source.plant({ 'a.txt': 'a, edited' });
    const run = await world.wlEnds(3, ...SYNC, '--syncer', 's3-copy', 'photos');
    expect(run.stdout + run.stderr).toContain('the server does not compare what a copy of its own replaces');
    expect(await target.files()).toEqual(FILES);
    await world.wl(...SYNC, 'photos');
    expect(await target.files()).toEqual({ ...FILES, 'a.txt': 'a, edited' });
  });
});

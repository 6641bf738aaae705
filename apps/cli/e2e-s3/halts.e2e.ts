/** T10: buckets that were emptied, removed or made anew halt a sync, and nothing is deleted. */

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { plant, treeOf } from '../e2e/testing/tree.js';
import { until } from '../e2e/testing/until.js';
import { Bucket, filesOf } from './testing/bucket.js';
import { ONE_SHOT, S3World } from './testing/s3-world.js';

const FILES = { 'a.txt': 'a', 'b.txt': 'b', 'sub/c.txt': 'c' };

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

/** The command that a message offers. */
function commandIn(text: string): string {
  const command = /^ *To go on: (.*)$/m.exec(text)?.[1];
  if (command === undefined) throw new Error(`no command in ${text}`);
  return command;
}

/** Waits for a halt for one of those reasons. */
async function untilHalted(...reasons: readonly string[]): Promise<void> {
  await until(
    async () => reasons.includes((await world.job()).halt?.reason ?? ''),
    async () => `a halt for ${reasons.join(' or ')}; the job is ${JSON.stringify(await world.job())}`,
    60_000,
  );
}

describe('T10: a one-shot sync', () => {
  it('halts when somebody removed all files of the bucket', async () => {
    const folder = await world.syncedFolder(bucket, FILES);
    await bucket.remove(...Object.keys(FILES));
    const { stderr } = await world.wlEnds(1, ...ONE_SHOT);
    expect(stderr).toMatch(/^Sync error: .*bucket.* holds no files any more\. Nothing was deleted/);
    expect(filesOf(treeOf(folder))).toEqual(FILES);
    expect((await world.shell(commandIn(stderr))).code).toBe(0);
    expect(filesOf(treeOf(folder))).toEqual({});
  });

  it('halts when the bucket was emptied altogether, or made anew under its name; the printed command fills it again', async () => {
    const folder = await world.syncedFolder(bucket, FILES);
    await bucket.empty();
    expect((await world.wlEnds(1, ...ONE_SHOT)).stderr).toMatch(/^Sync error: .*\nTo go on: wl /);
    expect(filesOf(treeOf(folder))).toEqual(FILES);
    expect(await bucket.files()).toEqual({});

    await bucket.destroy();
    const gone = await world.wlEnds(1, ...ONE_SHOT);
    expect(gone.stderr).toContain(bucket.name);
    await bucket.recreate();
    await bucket.plant({ 'a.txt': 'other', 'theirs.txt': 'theirs' });
    const { stderr } = await world.wlEnds(1, ...ONE_SHOT);
    expect(stderr).toMatch(/^Sync error: .*bucket.* is not the place it was at the last sync/);
    expect(await bucket.files()).toEqual({ 'a.txt': 'other', 'theirs.txt': 'theirs' });

    const merged = await world.shell(commandIn(stderr));
    expect(merged.code).toBe(3);
    expect(merged.stdout).toContain('Conflict detected on a.txt');
    expect(filesOf(treeOf(folder))).toEqual({ ...FILES, 'theirs.txt': 'theirs' });
    expect(await bucket.files()).toEqual({ ...FILES, 'a.txt': 'other', 'theirs.txt': 'theirs' });
  });
});

describe('T10: a continuous sync', () => {
  it('halts when the bucket is removed or made anew, says so in the status, and merges with the printed command', async () => {
    const folder = await world.runningFolder(bucket, FILES);
    await bucket.destroy();
    plant(folder, { 'new.txt': 'new' });
    await untilHalted('root-missing');
    expect((await world.wl('status')).stdout).toContain(bucket.name);
    await bucket.recreate();
    await untilHalted('root-changed', 'side-emptied');
    expect(filesOf(treeOf(folder))).toEqual({ ...FILES, 'new.txt': 'new' });
    expect(await bucket.files()).toEqual({});
    expect((await world.shell(commandIn((await world.wl('status')).stdout))).code).toBe(0);
    await bucket.untilFiles({ ...FILES, 'new.txt': 'new' });
    await bucket.plant({ 'after.txt': 'after' });
    await world.untilFiles(folder, { ...FILES, 'new.txt': 'new', 'after.txt': 'after' });
  });

  it('halts when all files vanish from the bucket, and goes on by itself when they are back', async () => {
    const folder = await world.runningFolder(bucket, FILES);
    await bucket.remove(...Object.keys(FILES));
    await untilHalted('side-emptied');
    expect(filesOf(treeOf(folder))).toEqual(FILES);
    await bucket.plant(FILES);
    await world.untilJob('goes on', (job) => job.state === 'SYNCED' && job.halt === undefined);
    plant(folder, { 'after.txt': 'after' });
    await bucket.untilFiles({ ...FILES, 'after.txt': 'after' });
  });
});

/** Servers that hang and crash, cut connections, daemons that are killed while they transfer: jobs go on by themselves. */

import { rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { contentText, plant, staged, treeOf } from '../e2e/testing/tree.js';
import { until } from '../e2e/testing/until.js';
import { Bucket, filesOf } from './testing/bucket.js';
import { OwnServer } from './testing/own-server.js';
import { ONE_SHOT, S3World } from './testing/s3-world.js';
import { Wire } from './testing/wire.js';

const MIB = 1024 * 1024;

/** A job whose server was away tries again after growing pauses; milliseconds. */
const RETURN_LIMIT_MS = 150_000;
const SLOW_MS = 400_000;

const LARGE = Buffer.alloc(96 * MIB, 'content of a large file; ');

let server: OwnServer;
let world: S3World;
let bucket: Bucket;
beforeAll(async () => {
  server = await OwnServer.start();
}, SLOW_MS);
afterAll(() => server.stop());
beforeEach(async () => {
  await server.restart();
  world = new S3World();
  bucket = await Bucket.make(server.account);
});
afterEach(async () => {
  server.goOn();
  await world.close();
  await bucket.destroy();
});

describe('a server that fails', () => {
  it('T53: by hanging keeps the job waiting; `wl` answers meanwhile, and all goes on when it does', async () => {
    const folder = await world.runningFolder(bucket, { 'a.txt': 'a', 'b.txt': 'b' });
    server.hang();
    plant(folder, { 'a.txt': 'A', 'c.txt': 'c' });
    rmSync(path.join(folder, 'b.txt'));
    await sleep(5_000);
    expect((await world.wl('status')).stdout).toMatch(/^Sync jobs:\nphotos /);
    expect((await world.job()).halt).toBeUndefined();
    server.goOn();
    await bucket.untilFiles({ 'a.txt': 'A', 'c.txt': 'c' }, RETURN_LIMIT_MS);
    await bucket.plant({ 'd.txt': 'd' });
    await world.untilFiles(folder, { 'a.txt': 'A', 'c.txt': 'c', 'd.txt': 'd' }, RETURN_LIMIT_MS);
  }, SLOW_MS);

  it('T53: by a crash deletes nothing, and the job goes on by itself when it is back', async () => {
    const folder = await world.runningFolder(bucket, { 'a.txt': 'a', 'b.txt': 'b' });
    const { 'job-id': id } = await world.job();
    await server.crash();
    plant(folder, { 'a.txt': 'A', 'c.txt': 'c' });
    await until(async () => (await world.job()).error !== undefined || (await world.job()).halt !== undefined, 'the job to say that the server is away', 60_000);
    expect((await world.wl('status')).stdout).toContain(new URL(server.account.endpoint).host);
    expect(filesOf(treeOf(folder))).toEqual({ 'a.txt': 'A', 'b.txt': 'b', 'c.txt': 'c' });
    await server.restart();
    await bucket.untilFiles({ 'a.txt': 'A', 'b.txt': 'b', 'c.txt': 'c' }, RETURN_LIMIT_MS);
    expect((await world.untilSynced())['job-id']).toBe(id);
  }, SLOW_MS);

  it('is named by a one-shot sync, which ends with 1 and can be run again', async () => {
    const folder = await world.syncedFolder(bucket, { 'a.txt': 'a', 'b.txt': 'b' });
    await server.crash();
    rmSync(path.join(folder, 'b.txt'));
    const { stderr } = await world.wlEnds(1, ...ONE_SHOT);
    expect(stderr).toContain(new URL(server.account.endpoint).host);
    await server.restart();
    await world.wl(...ONE_SHOT);
    expect(await bucket.files()).toEqual({ 'a.txt': 'a' });
  }, SLOW_MS);

  it('T53: by cutting connections in the middle of transfers loses nothing', async () => {
    const wire = await Wire.to(server.account.endpoint);
    try {
      const large = { 'up.bin': LARGE, 'small.txt': 'small' };
      const folder = await world.folderAndBucket(bucket, large, { endpoint: wire.endpoint });
      await bucket.plant({ 'down.bin': Buffer.from(LARGE).reverse() });
      await world.wl('container', 'sync', 'photos');
      for (let cuts = 0; cuts < 4; cuts += 1) {
        const before = wire.bytes.up + wire.bytes.down;
        await until(() => wire.bytes.up + wire.bytes.down > before + 24 * MIB, 'a transfer', RETURN_LIMIT_MS);
        wire.cut();
      }
      await until(async () => Object.keys(await bucket.files()).length === 3 && Object.keys(filesOf(treeOf(folder))).length === 3, 'all files', RETURN_LIMIT_MS);
      await world.untilSynced();
      expect(await bucket.files()).toEqual(filesOf(treeOf(folder)));
      expect((await bucket.files())['up.bin']).toBe(contentText(LARGE));
    } finally {
      await wire.close();
    }
  }, SLOW_MS);
});

describe('a daemon that is killed', () => {
  it('T49, T88: while it uploads leaves no part of a file, and goes on by itself', async () => {
    const wire = await Wire.to(server.account.endpoint);
    try {
      await world.folderAndBucket(bucket, { 'large.bin': LARGE, 'small.txt': 'small' }, { endpoint: wire.endpoint });
      wire.holdAfter(32 * MIB, 'up');
      await world.wl('container', 'sync', 'photos');
      await wire.held();
      await world.crashDaemon();
      expect(Object.keys(await bucket.files())).not.toContain('large.bin');
      wire.release();
      await world.wl('status');
      await bucket.untilFiles({ 'large.bin': contentText(LARGE), 'small.txt': 'small' }, RETURN_LIMIT_MS);
      expect(await world.untilSynced()).toMatchObject({ conflicts: [], problems: [] });
      expect(await bucket.uploads()).toEqual([]);
    } finally {
      await wire.close();
    }
  }, SLOW_MS);

  it('T49: while it replaces a large object leaves the old one in place', async () => {
    const wire = await Wire.to(server.account.endpoint);
    try {
      const folder = await world.runningFolder(bucket, { 'large.bin': 'still small' }, { endpoint: wire.endpoint });
      wire.holdAfter(32 * MIB, 'up');
      plant(folder, { 'large.bin': LARGE });
      await wire.held();
      await world.crashDaemon();
      expect(await bucket.files()).toEqual({ 'large.bin': 'still small' });
      wire.release();
      await world.wl('status');
      await bucket.untilFiles({ 'large.bin': contentText(LARGE) }, RETURN_LIMIT_MS);
      // What the killed daemon had begun is ended in the same pass, not in the same moment.
      await world.untilSynced();
      expect(await bucket.uploads()).toEqual([]);
    } finally {
      await wire.close();
    }
  }, SLOW_MS);

  it('T49, T88: while it downloads leaves no part of a file, and goes on by itself', async () => {
    const wire = await Wire.to(server.account.endpoint);
    try {
      const folder = await world.folderAndBucket(bucket, {}, { endpoint: wire.endpoint });
      await bucket.plant({ 'large.bin': LARGE, 'small.txt': 'small' });
      wire.holdAfter(32 * MIB, 'down');
      await world.wl('container', 'sync', 'photos');
      await wire.held();
      await world.crashDaemon();
      expect(filesOf(treeOf(folder))).not.toHaveProperty(['large.bin']);
      wire.release();
      await world.wl('status');
      await world.untilFiles(folder, { 'large.bin': contentText(LARGE), 'small.txt': 'small' }, RETURN_LIMIT_MS);
      await until(() => staged(folder).length === 0, () => `no leftovers; there are ${staged(folder).join(', ')}`);
    } finally {
      await wire.close();
    }
  }, SLOW_MS);
});

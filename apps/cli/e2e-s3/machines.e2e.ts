/**
 * Several machines, each a home with a base directory, a daemon and a folder of its own, share
 * one bucket and know nothing of each other (T92).
 */

import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { plant, treeOf } from '../e2e/testing/tree.js';
import { until } from '../e2e/testing/until.js';
import { Bucket, filesOf, sortedText } from './testing/bucket.js';
import { ONE_SHOT, S3World } from './testing/s3-world.js';

/** How long the machines are busy, in milliseconds; `$WL_STORM_SECONDS` for longer ones. */
const STORM_MS = Number(process.env['WL_STORM_SECONDS'] ?? 15) * 1000;
const CALM_MS = 90_000;

/** Files that each user writes at least, however slow the machine is. */
const LEAST_WRITTEN = 34;

let bucket: Bucket;
let worlds: S3World[];
beforeEach(async () => {
  bucket = await Bucket.make();
  worlds = [];
});
afterEach(async () => {
  for (const world of worlds) await world.close();
  await bucket.destroy();
});

function machine(): S3World {
  const world = new S3World();
  worlds.push(world);
  return world;
}

describe('two machines with a bucket in common', () => {
  it('bring each other what each of them does, once at a time', async () => {
    const [one, two] = [machine(), machine()];
    const first = await one.syncedFolder(bucket, { 'a.txt': 'a', 'b.txt': 'b', 'sub/c.txt': 'c' });
    const second = await two.syncedFolder(bucket, { 'b.txt': 'b', 'two.txt': 'two' });
    expect(filesOf(treeOf(second))).toEqual({ 'a.txt': 'a', 'b.txt': 'b', 'sub/c.txt': 'c', 'two.txt': 'two' });
    await one.wl(...ONE_SHOT);
    expect(filesOf(treeOf(first))).toEqual(filesOf(treeOf(second)));

    plant(first, { 'a.txt': 'changed by one' });
    rmSync(path.join(second, 'sub'), { recursive: true });
    for (const world of [one, two, one]) await world.wl(...ONE_SHOT);
    const agreed = { 'a.txt': 'changed by one', 'b.txt': 'b', 'two.txt': 'two' };
    expect(filesOf(treeOf(first))).toEqual(agreed);
    expect(filesOf(treeOf(second))).toEqual(agreed);
    expect(await bucket.files()).toEqual(agreed);
  });

  it('have a conflict where both changed a file: on the machine that comes second, with both versions in place', async () => {
    const [one, two] = [machine(), machine()];
    const first = await one.syncedFolder(bucket, { 'a.txt': 'old', 'b.txt': 'old' });
    const second = await two.syncedFolder(bucket);
    plant(first, { 'a.txt': 'by one', 'b.txt': 'by one' });
    plant(second, { 'a.txt': 'by two' });
    rmSync(path.join(second, 'b.txt'));
    await one.wl(...ONE_SHOT);
    const { stdout } = await two.wlEnds(3, ...ONE_SHOT);
    expect(stdout).toContain('Conflict detected on a.txt');
    expect(stdout).toContain('Conflict detected on b.txt');
    expect(await bucket.files()).toEqual({ 'a.txt': 'by one', 'b.txt': 'by one' });
    expect(filesOf(treeOf(second))).toEqual({ 'a.txt': 'by two' });
    await one.wl(...ONE_SHOT);
    expect(filesOf(treeOf(first))).toEqual({ 'a.txt': 'by one', 'b.txt': 'by one' });
  });

  it('show each other’s changes continuously', async () => {
    const [one, two] = [machine(), machine()];
    const first = await one.runningFolder(bucket, { 'a.txt': 'a' });
    const second = await two.runningFolder(bucket);
    plant(first, { 'b.txt': 'b' });
    await two.untilFiles(second, { 'a.txt': 'a', 'b.txt': 'b' });
    plant(second, { 'a.txt': 'changed by two' });
    await one.untilFiles(first, { 'a.txt': 'changed by two', 'b.txt': 'b' });
    rmSync(path.join(first, 'b.txt'));
    await two.untilFiles(second, { 'a.txt': 'changed by two' });
  });
});

/** A user at a machine, who notes everything that he writes and keeps everything that he takes away. */
class User {
  /** Every content ever written. */
  readonly written: string[] = [];
  readonly #kept: string;
  readonly #drafts: string;
  #count = 0;

  constructor(
    readonly name: string,
    readonly world: S3World,
    readonly folder: string,
  ) {
    this.#kept = world.folder('kept');
    this.#drafts = world.folder('drafts');
  }

  /** Creates, replaces and deletes files of a few names until the time has come, and he has written enough. */
  async storm(end: number, seed: number): Promise<void> {
    for (let random = seed; performance.now() < end || this.written.length < LEAST_WRITTEN; random = (random * 1_103_515_245 + 12_345) % 2 ** 31) {
      const name = `d${(random >> 8) % 3}/${(random >> 12) % 5}.txt`;
      if ((random >> 20) % 4 === 0) this.#takeAway(name);
      else this.#write(name);
      await sleep(20 + ((random >> 16) % 200));
    }
  }

  /** Texts of what he took away. */
  kept(): string[] {
    return readdirSync(this.#kept).map((name) => readFileSync(path.join(this.#kept, name), 'utf8'));
  }

  #write(name: string): void {
    this.#count += 1;
    const content = `${this.name} ${this.#count}\n`;
    const draft = path.join(this.#drafts, `${this.#count}`);
    writeFileSync(draft, content);
    this.written.push(content);
    const place = path.join(this.folder, name);
    // A link never replaces anything: what a sync put there meanwhile is taken away first, and kept.
    for (;;) {
      mkdirSync(path.dirname(place), { recursive: true });
      this.#takeAway(name);
      try {
        linkSync(draft, place);
        break;
      } catch (error) {
        if (!['EEXIST', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      }
    }
    unlinkSync(draft);
  }

  #takeAway(name: string): void {
    this.#count += 1;
    try {
      renameSync(path.join(this.folder, name), path.join(this.#kept, `${this.#count}`));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

/** Texts of all files below a directory, whatever they are for. */
function textsBelow(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const place = path.join(directory, entry.name);
    if (entry.isDirectory()) return textsBelow(place);
    return entry.isFile() ? [readFileSync(place, 'utf8')] : [];
  });
}

/** Contents that are nowhere any more: in no folder, not in the bucket, in no trash, and taken away by nobody. */
async function lost(users: readonly User[]): Promise<string[]> {
  const found = new Set([...Object.values(await bucket.files()), ...Object.values(await bucket.ownTexts())]);
  for (const user of users) for (const text of [...user.kept(), ...textsBelow(user.folder)]) found.add(text);
  return users.flatMap(({ written }) => written).filter((content) => !found.has(content));
}

/** Waits until every folder holds what the bucket does, but for its conflicts, and stays so. */
async function untilCalm(users: readonly User[]): Promise<void> {
  let calm = 0;
  const differences = async (): Promise<string[]> => {
    const shared = await bucket.files();
    const each = users.map(async ({ name, world, folder }) => {
      const job = await world.job();
      const conflicts = new Set(job.conflicts.map(({ path: at }) => at));
      const apart = (tree: Record<string, string>): string => sortedText(Object.fromEntries(Object.entries(tree).filter(([at]) => !conflicts.has(at))));
      const [mine, theirs] = [apart(filesOf(treeOf(folder))), apart(shared)];
      if (job.state !== 'SYNCED') return [`${name} is ${job.state}: ${job.error ?? ''}`];
      return mine === theirs ? [] : [`${name} holds ${mine}, the bucket ${theirs}`];
    });
    return (await Promise.all(each)).flat();
  };
  await until(
    async () => {
      calm = (await differences()).length === 0 ? calm + 1 : 0;
      if (calm > 0) await sleep(1_500);
      return calm > 2;
    },
    async () => `the machines to agree; ${(await differences()).join('; ')}`,
    CALM_MS,
  );
}

describe('T92: three machines that storm a bucket', () => {
  it('agree when it is over, and no content that was ever written is lost', async () => {
    const users: User[] = [];
    for (const name of ['anna', 'bert', 'cleo']) {
      const world = machine();
      users.push(new User(name, world, await world.runningFolder(bucket, { [`${name}.txt`]: `${name}\n` })));
    }
    const end = performance.now() + STORM_MS;
    await Promise.all(users.map((user, index) => user.storm(end, 7919 * (index + 1))));
    await untilCalm(users);
    expect(await lost(users)).toEqual([]);

    // Every conflict can be ended; then all hold the same.
    for (const user of users) {
      for (const { path: name } of (await user.world.job()).conflicts) {
        // One that another machine's choice has ended already cannot be resolved any more.
        await user.world.startWl('container', 'resolve', 'photos', name, '--keep', 'bucket').ended;
      }
      await untilCalm(users);
    }
    await until(async () => (await Promise.all(users.map(({ world }) => world.job()))).every(({ conflicts }) => conflicts.length === 0), 'no conflicts', CALM_MS);
    await untilCalm(users);
    expect(new Set(users.map(({ folder }) => sortedText(filesOf(treeOf(folder)))))).toEqual(new Set([sortedText(await bucket.files())]));
    expect(await lost(users)).toEqual([]);
    expect(await bucket.uploads()).toEqual([]);
  }, STORM_MS + 400_000);
});

/** INV-40: threads that nobody needs end but for one, none that has something to do, and others take their place. */

import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ROOT, toRelativePath } from '@wl/domain';
import { ManualClock } from '@wl/ports/testing';

import type { TaskRunner } from './task-runner.js';
import { bundleWorker } from './testing/bundle.js';
import { openLocal, type OpenLocal } from './testing/open-local.js';
import { createLocalFsWorkers } from './worker-pool.js';

const at = toRelativePath;
const LOOK_MS = 10_000;
/** Idle looks in a row after which a thread ends; the look before them still sees that it was asked for something. */
const IDLE_LOOKS = 36;
const LONG_MS = 3_600_000;

let workerPath: string;
beforeAll(async () => {
  workerPath = bundleWorker();
  // Node.js starts its own threads for files with the first of such calls.
  await fs.promises.stat('/');
});
afterAll(() => fs.rmSync(dirname(workerPath), { recursive: true }));

let clock: ManualClock;
let workers: TaskRunner;
let opened: OpenLocal;
let rests: number;
let threadsBefore: number;
beforeEach(async () => {
  clock = new ManualClock();
  rests = 0;
  threadsBefore = threadsOfProcess();
  workers = createLocalFsWorkers(workerPath, { clock, onRest: () => void (rests += 1) });
  opened = await openLocal({ deps: { workers } });
});
afterEach(async () => {
  await opened.close();
  await workers.close();
  await threadsBecome(0);
});

const threadsOfProcess = (): number => fs.readdirSync('/proc/self/task').length;
const threads = (): number => threadsOfProcess() - threadsBefore;

/** Of a thread that has ended the kernel tells a moment longer. */
async function threadsBecome(count: number): Promise<void> {
  while (threads() !== count) await turn();
}

/** That threads have ended is told a moment after they have. */
async function restsBecome(count: number): Promise<void> {
  while (rests < count) await turn();
  expect(rests).toBe(count);
}

/** Lets looks pass one by one; the end of a thread takes turns of the event loop that the clock knows nothing of. */
async function look(times = 1): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    await clock.advance(LOOK_MS);
    while (clock.sleeping === 0 && threads() > 1) await turn();
  }
}

async function copyOne(name: string): Promise<void> {
  await opened.writeOutside(name, Buffer.from(name));
  const [hashed] = await opened.backend.getHashes([at(name)]);
  expect(hashed).toMatchObject({ kind: 'hashed' });
}

/** Asks something of both threads for looking at files and of one for content. */
async function useAll(): Promise<void> {
  await copyOne('used');
  await Promise.all([opened.backend.stat(ROOT), opened.backend.makeDirectory(at('d'))]);
}

const onLinux = process.platform === 'linux' ? describe : describe.skip;

onLinux('worker threads', () => {
  it('end when they have been idle for six minutes, and start again when there is work', async () => {
    expect(threads()).toBe(2);
    await look(IDLE_LOOKS - 1);
    await copyOne('a');
    expect(threads()).toBe(3);
    await look();
    // Nothing has been asked of the second for looking at files since it was started.
    await threadsBecome(2);
    await look(IDLE_LOOKS - 1);
    expect(threads()).toBe(2);
    await look();
    await threadsBecome(1);
    // With nobody to look after there are no more looks.
    expect(clock.sleeping).toBe(0);
    await copyOne('c');
    expect(await opened.backend.stat(at('c'))).toMatchObject({ kind: 'file' });
    expect(threads()).toBe(2);
    await look(IDLE_LOOKS + 1);
    await threadsBecome(1);
    expect(clock.sleeping).toBe(0);
  });

  it('are not started for an edit: it is looked at, copied and flushed by the one that stays', async () => {
    const source = await openLocal({ deps: { workers } });
    await source.writeOutside('d/a', Buffer.from('edited'));
    await opened.backend.makeDirectory(at('d'));
    await look(IDLE_LOOKS + 1);
    await threadsBecome(1);
    const from = await source.backend.stat(at('d/a'));
    if (from.kind !== 'file') throw new Error(from.kind);
    for await (const results of opened.backend.copyFrom(source.backend, [{ path: at('d/a'), from, replaces: undefined }]) ?? []) {
      expect(results).toMatchObject([{ outcome: { kind: 'copied' } }]);
    }
    await opened.backend.flush();
    expect(threads()).toBe(1);
    await source.close();
  });

  it('stay while they are asked for something between two looks', async () => {
    for (let time = 0; time < 30; time += 1) {
      await useAll();
      await look();
    }
    expect(threads()).toBe(3);
    expect(rests).toBe(0);
  });

  it('stay while they are asked for something every six minutes', async () => {
    for (let time = 0; time < 6; time += 1) {
      await useAll();
      await look(IDLE_LOOKS);
    }
    expect(threads()).toBe(3);
  });

  it('tell once that they are at rest, and again when threads have ended', async () => {
    for (let time = 0; time < 3; time += 1) {
      await useAll();
      await look();
    }
    expect(rests).toBe(0);
    await look();
    await restsBecome(1);
    await look(IDLE_LOOKS - 2);
    expect([threads(), rests]).toEqual([3, 1]);
    await look();
    await threadsBecome(1);
    await restsBecome(2);
    await look(IDLE_LOOKS + 1);
    expect(rests).toBe(2);
    await copyOne('b');
    await look(2);
    await restsBecome(3);
  });

  it('stay, however long, while one of their tasks runs', async () => {
    // Sparse: reads as zeros, takes no room, and no machine hashes it within this test.
    fs.writeFileSync(join(opened.location, 'large'), '');
    fs.truncateSync(join(opened.location, 'large'), 200 * 2 ** 30);
    const abort = new AbortController();
    const hashing = opened.backend.getHashes([at('large')], abort.signal);
    const rejected = expect(hashing).rejects.toMatchObject({ code: 'cancelled' });
    await look(2 * IDLE_LOOKS);
    await threadsBecome(2);
    expect(rests).toBe(0);
    abort.abort();
    await rejected;
  });

  it('stay, however long nobody reads on, while a list has its place on one', async () => {
    for (let i = 0; i < 6000; i += 1) fs.writeFileSync(join(opened.location, `f${String(i)}`), '');
    const keys: string[] = [];
    for await (const batch of opened.backend.list(ROOT)) {
      await look(2 * IDLE_LOOKS);
      await threadsBecome(1);
      keys.push(...batch.keys);
    }
    expect(keys).toHaveLength(6000);
  });

  it('are all gone at once when the pool closes, and nobody waits for a look', async () => {
    await copyOne('a');
    await opened.backend.close();
    await workers.close();
    await threadsBecome(0);
    await clock.advance(LONG_MS);
    expect(clock.sleeping).toBe(0);
    expect(rests).toBe(0);
  });
});

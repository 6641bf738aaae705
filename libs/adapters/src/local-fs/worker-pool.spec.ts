/** The threads behind local storages: nothing left over, nobody kept waiting. */

import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ROOT, toRelativePath } from '@wl/domain';

import { bundleWorker } from './testing/bundle.js';
import { filesBelow, openLocal } from './testing/open-local.js';
import { createLocalFsWorkers } from './worker-pool.js';
import { createCancelFlag } from './worker/cancellation.js';

const at = toRelativePath;

let workerPath: string;
beforeAll(() => {
  workerPath = bundleWorker();
});
afterAll(() => fs.rmSync(dirname(workerPath), { recursive: true }));

/** What this process holds open below a directory, removed or not, and threads that are in it. */
function heldBelow(location: string): string[] {
  const links = [
    ...fs.readdirSync('/proc/self/fd').map((fd) => `/proc/self/fd/${fd}`),
    ...fs.readdirSync('/proc/self/task').map((thread) => `/proc/self/task/${thread}/cwd`),
  ];
  return links.flatMap((link) => {
    try {
      const target = fs.readlinkSync(link);
      return target.startsWith(location) ? [target] : [];
    } catch {
      return [];
    }
  });
}

describe('worker threads', () => {
  it('offer exchanges and a working directory of their own, where the system has them', async () => {
    if (process.platform !== 'linux') return;
    const opened = await openLocal({ deps: { workerPath } });
    await opened.backend.rootIdentity({ mark: true });
    expect(opened.backend.capabilities).toMatchObject({ replace: 'checked', notes: [] });
    const cwd = process.cwd();
    await opened.writeOutside('a/b', Buffer.from('x'));
    expect(await opened.backend.stat(at('a/b'))).toMatchObject({ kind: 'file' });
    expect(process.cwd()).toBe(cwd);
    expect(fs.realpathSync('/proc/self/cwd')).toBe(fs.realpathSync(cwd));
    await opened.close();
  });

  it('leave no descriptor open, whatever is abandoned', async () => {
    const workers = createLocalFsWorkers(workerPath);
    const opened = await openLocal({ deps: { workers } });
    const { backend } = opened;
    for (let i = 0; i < 20; i += 1) await opened.writeOutside(`d${String(i)}/f`, Buffer.alloc(2 << 20));
    const listing = backend.list(ROOT)[Symbol.asyncIterator]();
    await listing.next();
    const path = at('d0/f');
    const token = await backend.getFileToken(path);
    if (token === undefined) throw new Error('no token');
    const reader = await backend.read(path, token);
    if (reader.ok) await reader.value.chunks()[Symbol.asyncIterator]().next();
    const writer = await backend.openForSafeReplace(at('new'), undefined, { mtimeMs: 0 });
    await writer.write(Buffer.from('x'));
    await expect(backend.openForSafeReplace(at('no/such'), undefined, { mtimeMs: 0 })).rejects.toMatchObject({ code: 'not-found' });
    expect(heldBelow(opened.location).length).toBeGreaterThan(2);
    await opened.close();
    expect(heldBelow(opened.location)).toEqual([]);
    await workers.close();
  });

  it('hold no disk between two operations', async () => {
    const workers = createLocalFsWorkers(workerPath);
    const opened = await openLocal({ deps: { workers } });
    await opened.writeOutside('a', Buffer.from('x'));
    await opened.backend.getHashes([at('a')]);
    for await (const batch of opened.backend.list(ROOT)) expect(batch.keys).toHaveLength(1);
    await opened.backend.makeDirectory(at('d'));
    await opened.backend.flush();
    expect(heldBelow(opened.location)).toEqual([]);
    await opened.close();
    await workers.close();
  });

  it('copy a large file on one thread while another hashes it', async () => {
    const workers = createLocalFsWorkers(workerPath);
    const [source, target] = [await openLocal({ deps: { workers } }), await openLocal({ deps: { workers } })];
    const content = randomBytes(40 << 20);
    await source.writeOutside('large', content);
    const from = await source.backend.stat(at('large'));
    if (from.kind !== 'file') throw new Error(from.kind);
    for await (const [result] of target.backend.copyFrom(source.backend, [{ path: at('large'), from, replaces: undefined }]) ?? []) {
      expect(result?.outcome).toMatchObject({ kind: 'copied', sizeBytes: content.length, sha256: createHash('sha256').update(content).digest('hex') });
    }
    expect(fs.readFileSync(join(target.location, 'large')).equals(content)).toBe(true);
    await target.close();
    await source.close();
    await workers.close();
  });

  it('stop copying a large file when asked to, leaving nothing', async () => {
    const workers = createLocalFsWorkers(workerPath);
    const [source, target] = [await openLocal({ deps: { workers } }), await openLocal({ deps: { workers } })];
    fs.writeFileSync(join(source.location, 'large'), '');
    fs.truncateSync(join(source.location, 'large'), 4 * 2 ** 30);
    const from = await source.backend.stat(at('large'));
    if (from.kind !== 'file') throw new Error(from.kind);
    const abort = new AbortController();
    const copied = (async () => {
      for await (const results of target.backend.copyFrom(source.backend, [{ path: at('large'), from, replaces: undefined }], abort.signal) ?? []) void results;
    })();
    const rejected = expect(copied).rejects.toMatchObject({ code: 'cancelled' });
    while (heldBelow(join(target.location, '.wl/staging')).length === 0) await target.backend.stat(ROOT);
    abort.abort();
    await rejected;
    expect(await target.namesOutside()).toEqual([]);
    expect(filesBelow(join(target.location, '.wl'))).toEqual([]);
    await target.close();
    await source.close();
    await workers.close();
  });

  it('stop hashing a large file when asked to', async () => {
    const workers = createLocalFsWorkers(workerPath);
    const opened = await openLocal({ deps: { workers } });
    // Sparse: reads as zeros, and takes no room.
    fs.writeFileSync(join(opened.location, 'large'), '');
    fs.truncateSync(join(opened.location, 'large'), 200 * 2 ** 30);
    const abort = new AbortController();
    const hashing = opened.backend.getHashes([at('large')], abort.signal);
    // Meanwhile others are served.
    expect(await opened.backend.stat(at('large'))).toMatchObject({ kind: 'file' });
    abort.abort();
    await expect(hashing).rejects.toMatchObject({ code: 'cancelled' });
    const closing = opened.backend.getHashes([at('large')]);
    const rejected = expect(closing).rejects.toMatchObject({ code: 'cancelled' });
    await opened.close();
    await rejected;
    await workers.close();
  });

  it('reject what they were asked when a thread dies, and go on with another', async () => {
    const workers = createLocalFsWorkers(workerPath);
    const broken = createLocalFsWorkers(join(dirname(workerPath), 'missing.cjs'));
    await expect(broken.run('hashOpen', { fd: -1, sizeBytes: 1, flag: createCancelFlag() }, 'bulk')).rejects.toMatchObject({ code: 'io-error', details: { retryable: true } });
    await expect(workers.run('hashOpen', { fd: -1, sizeBytes: 1, flag: createCancelFlag() }, 'bulk')).rejects.toMatchObject({ code: 'io-error' });
    await Promise.all([workers.close(), broken.close()]);
    expect(() => workers.pin()).toThrow('its threads have ended');
  });

  it('end while they begin, and the process goes on', async () => {
    for (let round = 0; round < 24; round += 1) {
      const workers = createLocalFsWorkers(workerPath);
      const pinned = workers.pin();
      await new Promise((resolve) => setTimeout(resolve, round * 3));
      await workers.close();
      await expect(pinned.run('scanClose', { id: 1 }, 'quick')).rejects.toMatchObject({ code: 'io-error' });
    }
  });

  it('keep no process alive that has nothing more to do', () => {
    const script = `
      const { Worker } = require('node:worker_threads');
      const worker = new Worker(process.argv[1], { trackUnmanagedFds: false });
      // What it says first is that it has loaded everything.
      worker.once('message', () => worker.unref());
      worker.on('error', (error) => { throw error; });`;
    const { status, signal } = spawnSync(process.execPath, ['-e', script, workerPath], { timeout: 120_000 });
    expect([status, signal]).toEqual([0, null]);
  });
});

/** What new files and directories of a local storage permit, and to whom. */

import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { RelativePath, Sha256, Token } from '@wl/domain';
import type { StorageBackend } from '@wl/ports';

import type { TaskRunner } from './task-runner.js';
import { bundleWorker } from './testing/bundle.js';
import { openLocal, type OpenLocal } from './testing/open-local.js';
import { createLocalFsWorkers } from './worker-pool.js';

const at = (path: string): RelativePath => path as RelativePath;
const MTIME_MS = 1_700_000_000_000;

describe.each([
  ['on the calling thread', false],
  ['in threads', true],
])('permissions, %s', (_where, isInThreads) => {
  let workerPath: string;
  let workers: TaskRunner | undefined;
  let source: OpenLocal;
  let target: OpenLocal;
  let umaskBefore: number;
  beforeAll(() => {
    if (isInThreads) workers = createLocalFsWorkers((workerPath = bundleWorker()), { umask: 0o027 });
  });
  afterAll(async () => {
    await workers?.close();
    if (isInThreads) fs.rmSync(dirname(workerPath), { recursive: true });
  });
  beforeEach(async () => {
    // Of the daemon's process: nothing is for anybody else.
    umaskBefore = process.umask(0o077);
    const deps = workers === undefined ? {} : { workers };
    [source, target] = [await openLocal({ deps }), await openLocal({ deps })];
  });
  afterEach(async () => {
    await source.close();
    await target.close();
    process.umask(umaskBefore);
  });

  const modeOf = (path: string): number => fs.statSync(join(target.location, path)).mode & 0o7777;
  const plant = (path: string, mode: number): void => {
    fs.mkdirSync(join(source.location, path));
    fs.chmodSync(join(source.location, path), mode);
  };

  it.each([['755', 0o755], ['750', 0o750], ['700', 0o700], ['777', 0o777], ['2775', 0o2775]])('of a new directory are those of the other side: %s', async (_octal, mode) => {
    plant('d', mode);
    expect(await target.backend.makeDirectory(at('d'), source.backend)).toMatchObject({ ok: true });
    expect(modeOf('d')).toBe(mode & 0o777);
  });

  it('of a new directory let its owner put files into it, whatever the other side permits', async () => {
    plant('d', 0o555);
    await target.backend.makeDirectory(at('d'), source.backend);
    expect(modeOf('d')).toBe(0o755);
  });

  it('of a directory that is there stay', async () => {
    plant('d', 0o755);
    fs.mkdirSync(join(target.location, 'd'), { mode: 0o700 });
    expect(await target.backend.makeDirectory(at('d'), source.backend)).toMatchObject({ ok: true });
    expect(modeOf('d')).toBe(0o700);
  });

  it('of a new directory keep what the one above it hands down', async () => {
    fs.mkdirSync(join(target.location, 'up'));
    fs.chmodSync(join(target.location, 'up'), 0o2775);
    plant('up', 0o755);
    plant('up/d', 0o750);
    await target.backend.makeDirectory(at('up/d'), source.backend);
    expect(modeOf('up/d')).toBe(0o2750);
  });

  it('are those of anything new where the other side has none, or they cannot be seen', async () => {
    const mode = isInThreads ? 0o750 : 0o700;
    await target.backend.makeDirectory(at('a'));
    await target.backend.makeDirectory(at('b'), { type: 's3' } as StorageBackend);
    await target.backend.makeDirectory(at('c'), source.backend);
    fs.symlinkSync('/', join(source.location, 'd'));
    await target.backend.makeDirectory(at('d'), source.backend);
    expect(['a', 'b', 'c', 'd'].map(modeOf)).toEqual([mode, mode, mode, mode]);
  });

  it('of a new file from elsewhere are those of anything new, of one that is replaced its own', async () => {
    const write = async (path: string, expected: Token | undefined, isExecutable: boolean): Promise<void> => {
      const writer = await target.backend.openForSafeReplace(at(path), expected, { mtimeMs: MTIME_MS, isExecutable });
      await writer.write(Buffer.from('new'));
      const sha256 = createHash('sha256').update('new').digest('hex') as Sha256;
      expect(await writer.commit({ sha256, sizeBytes: 3 })).toMatchObject({ ok: true });
    };
    await write('a', undefined, false);
    await write('b', undefined, true);
    fs.writeFileSync(join(target.location, 'c'), 'old');
    fs.chmodSync(join(target.location, 'c'), 0o664);
    await write('c', await target.backend.getFileToken(at('c')), false);
    expect(['a', 'b', 'c'].map(modeOf)).toEqual([...(isInThreads ? [0o640, 0o750] : [0o600, 0o700]), 0o664]);
  });

  it('of a copied file are those of the other side', async () => {
    fs.writeFileSync(join(source.location, 'a'), 'x');
    fs.chmodSync(join(source.location, 'a'), 0o666);
    const from = await source.backend.stat(at('a'));
    if (from.kind !== 'file') throw new Error('no file');
    for await (const _ of target.backend.copyFrom(source.backend, [{ path: at('a'), from, replaces: undefined }]) ?? []);
    expect(modeOf('a')).toBe(0o666);
  });
});

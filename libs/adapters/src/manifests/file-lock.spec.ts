import { spawnSync } from 'node:child_process';
import { readdir, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { describe, expect, it } from '@jest/globals';
import { ok } from '@wl/domain';

import { withFileLock } from './file-lock.js';
import { inTemporaryDirectory } from './testing/temporary-directory.js';

/** The claim this process would make, with parts replaced. */
async function claimOf(directory: string, file: string): Promise<string> {
  let name = '';
  await withFileLock(file, async () => {
    name = (await readdir(directory)).find((entry) => entry.includes('.lock.')) ?? '';
    return ok(undefined);
  });
  return name;
}

describe('the lock of a file', () => {
  it('lets one in at a time and everybody in the end', () =>
    inTemporaryDirectory(async (directory) => {
      const file = path.join(directory, 'config.yaml');
      let inside = 0;
      let most = 0;
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          withFileLock(file, async () => {
            inside += 1;
            most = Math.max(most, inside);
            await new Promise(setImmediate);
            inside -= 1;
            return ok(index);
          }),
        ),
      );
      expect(most).toBe(1);
      expect(results).toEqual(Array.from({ length: 8 }, (_, value) => ({ ok: true, value })));
      expect(await readdir(directory)).toEqual([]);
    }));

  it('is free again after a failure', () =>
    inTemporaryDirectory(async (directory) => {
      const file = path.join(directory, 'config.yaml');
      await expect(withFileLock(file, async () => Promise.reject(new Error('no')))).rejects.toThrow('no');
      expect(await withFileLock(file, async () => ok(1))).toEqual({ ok: true, value: 1 });
    }));

  it('T28: is not held by a process that died', () =>
    inTemporaryDirectory(async (directory) => {
      const file = path.join(directory, 'config.yaml');
      const own = (await claimOf(directory, file)).split('.');
      // A process that is certainly gone.
      own[4] = String(spawnSync('true').pid);
      await writeFile(path.join(directory, own.join('.')), '');
      expect(await withFileLock(file, async () => ok(1), { timeoutMs: 0 })).toEqual({ ok: true, value: 1 });
      expect(await readdir(directory)).toEqual([]);
    }));

  it('T28: is not held by a process whose id was given to another', () =>
    inTemporaryDirectory(async (directory) => {
      const file = path.join(directory, 'config.yaml');
      const own = (await claimOf(directory, file)).split('.');
      own[5] = '1';
      await writeFile(path.join(directory, own.join('.')), '');
      expect((await withFileLock(file, async () => ok(1), { timeoutMs: 0 })).ok).toBe(true);
    }));

  it('T28: is not blocked by garbage', () =>
    inTemporaryDirectory(async (directory) => {
      const file = path.join(directory, 'config.yaml');
      const [, prefix, lock, place] = (await claimOf(directory, file)).split('.');
      await writeFile(path.join(directory, `.${prefix}.${lock}.${place}`), 'x');
      await writeFile(path.join(directory, `.${prefix}.${lock}.${place}.what.0.x`), 'x');
      expect((await withFileLock(file, async () => ok(1), { timeoutMs: 0 })).ok).toBe(true);
    }));

  it('says who holds it when it waited long enough', () =>
    inTemporaryDirectory(async (directory) => {
      const file = path.join(directory, 'config.yaml');
      const result = await withFileLock(file, async () => withFileLock(file, async () => ok(1), { timeoutMs: 0 }));
      expect(result).toMatchObject({ ok: false, error: { code: 'busy', file } });
      expect(result.ok ? '' : result.error.message).toContain(`process ${process.pid}`);
    }));

  it('respects a claim of another machine for a minute only', () =>
    inTemporaryDirectory(async (directory) => {
      const file = path.join(directory, 'config.yaml');
      const own = (await claimOf(directory, file)).split('.');
      own[3] = '0123456789ab';
      const foreign = path.join(directory, own.join('.'));
      await writeFile(foreign, '');
      expect(await withFileLock(file, async () => ok(1), { timeoutMs: 0 })).toMatchObject({ error: { code: 'busy' } });
      const twoMinutesAgo = Date.now() / 1000 - 120;
      await utimes(foreign, twoMinutesAgo, twoMinutesAgo);
      expect((await withFileLock(file, async () => ok(1), { timeoutMs: 0 })).ok).toBe(true);
      expect(await readdir(directory)).toEqual([]);
    }));
});

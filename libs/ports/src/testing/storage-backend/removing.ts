/** The contract of `remove`, `makeDirectory` and `removeDirectory`, as tests. */

import { describe, expect, it } from '@jest/globals';
import { NO_TOKEN, ROOT } from '@wl/domain';

import { at, bytesOf, fileAt, listKeys, put, settledFileAt, textOf } from './helpers.js';
import type { CurrentBackend } from './open-backend.js';

const stale = { ok: false, error: { kind: 'stale-token' } };
const done = { ok: true, value: undefined };

/** Tests of removing files, and of making and removing directories. */
export function describeRemoving(current: CurrentBackend): void {
  describe('remove', () => {
    it('removes the version asked for and keeps it in the trash', async () => {
      const { backend, writeOutside, namesOutside, trashOutside } = current();
      await writeOutside('a', bytesOf('content'));
      expect(await backend.remove(at('a'), (await fileAt(backend, 'a')).token)).toEqual(done);
      expect(await backend.stat(at('a'))).toEqual({ kind: 'absent' });
      expect(await namesOutside()).toEqual([]);
      if (!backend.capabilities.hasTrash || trashOutside === undefined) return;
      expect((await trashOutside()).map(textOf)).toEqual(['content']);
    });

    it('INV-17, T55: leaves a file that is another version', async () => {
      const { backend, writeOutside, readOutside } = current();
      await writeOutside('a', bytesOf('one'));
      const { token } = await settledFileAt(current(), 'a');
      await writeOutside('a', bytesOf('two'));
      expect(await backend.remove(at('a'), token)).toMatchObject(stale);
      expect(await backend.remove(at('a'), NO_TOKEN)).toMatchObject(stale);
      expect(textOf(await readOutside('a'))).toBe('two');
    });

    it('answers stale-token for a missing file and for a directory, which stays', async () => {
      const { backend, writeOutside, removeOutside } = current();
      await writeOutside('a', bytesOf('one'));
      const { token } = await fileAt(backend, 'a');
      expect(await backend.remove(at('a'), token)).toEqual(done);
      expect(await backend.remove(at('a'), token)).toMatchObject(stale);
      expect(await backend.remove(at('x/y'), token)).toMatchObject(stale);
      await removeOutside('a');
      await writeOutside('a/b', bytesOf('inner'));
      expect(await backend.remove(at('a'), token)).toMatchObject(stale);
      expect(await listKeys(backend)).toEqual(['a/', 'a/b']);
    });

    it('leaves the siblings', async () => {
      const { backend, writeOutside } = current();
      for (const path of ['a', 'a.txt', 'ab', 'd/a', 'd/b']) await writeOutside(path, bytesOf(path));
      await backend.remove(at('a'), (await fileAt(backend, 'a')).token);
      await backend.remove(at('d/a'), (await fileAt(backend, 'd/a')).token);
      expect(await listKeys(backend)).toEqual(['a.txt', 'ab', 'd/', 'd/b']);
    });
  });

  describe('makeDirectory', () => {
    it('makes a directory, and again is no failure (INV-18)', async () => {
      const { backend } = current();
      expect(await backend.makeDirectory(at('d'))).toEqual(done);
      expect(await backend.makeDirectory(at('d'))).toEqual(done);
      expect(await backend.makeDirectory(at('d/e'))).toEqual(done);
      expect(await put(backend, 'd/e/f', bytesOf('x'))).toMatchObject({ ok: true });
      expect(await backend.makeDirectory(at('d'))).toEqual(done);
      expect(await listKeys(backend)).toEqual(['d/', 'd/e/', 'd/e/f']);
    });

    it('answers exists where something else has the name, which stays', async () => {
      const { backend, writeOutside, symlinkOutside, readOutside } = current();
      await writeOutside('a', bytesOf('file'));
      expect(await backend.makeDirectory(at('a'))).toEqual({ ok: false, error: 'exists' });
      expect(textOf(await readOutside('a'))).toBe('file');
      if (symlinkOutside === undefined) return;
      await writeOutside('real/x', bytesOf('x'));
      await symlinkOutside('link', 'real');
      expect(await backend.makeDirectory(at('link'))).toEqual({ ok: false, error: 'exists' });
    });

    it('answers parent-missing where the parent is missing or a file', async () => {
      const { backend, writeOutside, namesOutside } = current();
      await writeOutside('a', bytesOf('file'));
      expect(await backend.makeDirectory(at('a/b'))).toEqual({ ok: false, error: 'parent-missing' });
      if (backend.capabilities.keepsEmptyDirectories) {
        expect(await backend.makeDirectory(at('no/such'))).toEqual({ ok: false, error: 'parent-missing' });
      }
      expect(await namesOutside()).toEqual(['a']);
    });
  });

  describe('removeDirectory', () => {
    it('removes an empty directory; missing already is success (INV-18)', async () => {
      const { backend, mkdirOutside } = current();
      await mkdirOutside('d/e');
      expect(await backend.removeDirectory(at('d/e'))).toEqual(done);
      expect(await backend.removeDirectory(at('d/e'))).toEqual(done);
      expect(await backend.removeDirectory(at('d'))).toEqual(done);
      expect(await backend.removeDirectory(at('x/y'))).toEqual(done);
      expect(await listKeys(backend, ROOT)).toEqual([]);
    });

    it('INV-9: leaves a directory with anything in it, whatever that is', async () => {
      const { backend, writeOutside, mkdirOutside, symlinkOutside, namesOutside } = current();
      await writeOutside('file/x', bytesOf('x'));
      expect(await backend.removeDirectory(at('file'))).toEqual({ ok: false, error: 'not-empty' });
      if (backend.capabilities.keepsEmptyDirectories) {
        await mkdirOutside('directory/x');
        expect(await backend.removeDirectory(at('directory'))).toEqual({ ok: false, error: 'not-empty' });
      }
      if (symlinkOutside !== undefined) {
        await mkdirOutside('link');
        await symlinkOutside('link/x', 'nowhere');
        expect(await backend.removeDirectory(at('link'))).toEqual({ ok: false, error: 'not-empty' });
      }
      expect(await namesOutside()).toContain('file/x');
    });

    it('answers not-a-directory for anything else, which stays', async () => {
      const { backend, writeOutside, symlinkOutside, namesOutside } = current();
      await writeOutside('a', bytesOf('x'));
      expect(await backend.removeDirectory(at('a'))).toEqual({ ok: false, error: 'not-a-directory' });
      expect(await namesOutside()).toEqual(['a']);
      if (symlinkOutside === undefined) return;
      await symlinkOutside('link', 'a');
      expect(await backend.removeDirectory(at('link'))).toEqual({ ok: false, error: 'not-a-directory' });
      expect([...(await namesOutside())].sort()).toEqual(['a', 'link']);
    });
  });
}

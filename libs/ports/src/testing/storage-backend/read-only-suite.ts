/** The contract of a `StorageBackend` that was opened read-only, as tests. */

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { at, bytesOf, failureOf, fileAt, listKeys, put, readFile, sha256Of, textOf } from './helpers.js';
import type { OpenBackend } from './open-backend.js';

/** Every adapter that can be opened read-only runs this with such a backend; people outside may still write. */
export function describeReadOnlyBackend(name: string, open: () => Promise<OpenBackend>): void {
  describe(`${name} as a read-only StorageBackend`, () => {
    let opened: OpenBackend;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());

    it('says that it is read-only', () => {
      expect(opened.backend.capabilities.isReadOnly).toBe(true);
    });

    it('lists, looks, hashes and reads', async () => {
      const { backend, writeOutside } = opened;
      await writeOutside('a/b', bytesOf('content'));
      expect(await listKeys(backend)).toEqual(['a/', 'a/b']);
      expect(textOf(await readFile(backend, 'a/b'))).toBe('content');
      expect(await backend.getHashes([at('a/b')])).toMatchObject([{ kind: 'hashed' }]);
    });

    it('INV-37: rejects every writing method with read-only and changes nothing', async () => {
      const { backend, writeOutside, mkdirOutside, namesOutside, readOutside } = opened;
      await writeOutside('a/b', bytesOf('content'));
      await mkdirOutside('empty');
      const before = [...(await namesOutside())].sort();
      const { token } = await fileAt(backend, 'a/b');
      expect(await failureOf(put(backend, 'new', bytesOf('x')))).toBe('read-only');
      expect(await failureOf(put(backend, 'a/b', bytesOf('x'), { expected: token }))).toBe('read-only');
      const content = bytesOf('x');
      const whole = await backend.wholeFiles?.write([{ path: at('new'), expected: undefined, content, sha256: sha256Of(content), attributes: { mtimeMs: 0 } }]);
      if (whole !== undefined) expect(whole).toMatchObject([{ kind: 'failed', error: { code: 'read-only' } }]);
      expect(await failureOf(backend.remove(at('a/b'), token))).toBe('read-only');
      expect(await failureOf(backend.makeDirectory(at('made')))).toBe('read-only');
      expect(await failureOf(backend.removeDirectory(at('empty')))).toBe('read-only');
      expect([...(await namesOutside())].sort()).toEqual(before);
      expect(textOf(await readOutside('a/b'))).toBe('content');
    });

    it('INV-10: knows its root without marking it', async () => {
      const { backend } = opened;
      const identity = await backend.rootIdentity({ mark: true });
      expect(identity.ids.length).toBeGreaterThan(0);
      expect(await backend.rootIdentity({ mark: false })).toEqual(identity);
    });
  });
}

/** The contract of `open`, `close`, `rootIdentity` and what describes a backend, as tests. */

import { describe, expect, it } from '@jest/globals';
import { ROOT } from '@wl/domain';

import { at, bytesOf, failureOf, listKeys, listRows, put, putOrFail, readFile, textOf } from './helpers.js';
import type { CurrentBackend } from './open-backend.js';

/** Tests of a backend's life and of its root. */
export function describeLiving(current: CurrentBackend): void {
  describe('open and close', () => {
    it('names itself', () => {
      const { backend } = current();
      expect(backend.backendId).not.toBe('');
      expect(backend.type).not.toBe('');
      expect(backend.displayLocation).not.toBe('');
      expect(backend.capabilities.isReadOnly).toBe(false);
    });

    it('opens again without harm', async () => {
      const { backend } = current();
      await putOrFail(backend, 'a', bytesOf('x'));
      await backend.open();
      expect(await listKeys(backend)).toEqual(['a']);
    });

    it('closes twice without harm', async () => {
      const { backend } = current();
      await backend.close();
      await backend.close();
    });

    it('shows nothing of a writer that was open when it closed', async () => {
      const { backend, namesOutside, reopen } = current();
      const writer = await backend.openForSafeReplace(at('a'), undefined, { mtimeMs: 0 });
      await writer.write(bytesOf('half'));
      await backend.close();
      expect(await namesOutside()).toEqual([]);
      await writer.abort().catch(() => undefined);
      if (reopen === undefined) return;
      expect(await listKeys(await reopen())).toEqual([]);
      expect(await namesOutside()).toEqual([]);
    });

    it('finds everything again after a restart, under the same tokens', async () => {
      const { backend, reopen } = current();
      if (reopen === undefined) return;
      await putOrFail(backend, 'a', bytesOf('content'));
      await backend.flush();
      const before = await listRows(backend);
      const again = await reopen();
      expect((await listRows(again)).map(({ key, token, sizeBytes }) => [key, token, sizeBytes])).toEqual(
        before.map(({ key, token, sizeBytes }) => [key, token, sizeBytes]),
      );
      expect(textOf(await readFile(again, 'a'))).toBe('content');
    });

    it('T04: rejects everything with not-found when the root is gone, and says nowhere that files are absent', async () => {
      const { backend, writeOutside, removeRoot } = current();
      if (removeRoot === undefined) return;
      await writeOutside('a', bytesOf('x'));
      await removeRoot();
      expect(await failureOf(backend.open())).toBe('not-found');
      expect(await failureOf(backend.rootIdentity({ mark: true }))).toBe('not-found');
      expect(await failureOf(listRows(backend))).toBe('not-found');
      const stat = await backend.stat(at('a')).catch(() => ({ kind: 'unknown' }));
      expect(stat.kind).toBe('unknown');
      expect(await failureOf(put(backend, 'b', bytesOf('x')))).toBeDefined();
    });
  });

  describe('rootIdentity', () => {
    it('INV-10: is the same whenever it is asked, and after a restart', async () => {
      const { backend, reopen } = current();
      const marked = await backend.rootIdentity({ mark: true });
      expect(marked.ids.length).toBeGreaterThan(0);
      expect(marked.location).not.toBe('');
      for (const mark of [false, true]) expect(await backend.rootIdentity({ mark })).toEqual(marked);
      if (reopen === undefined) return;
      const again = await (await reopen()).rootIdentity({ mark: false });
      expect(again.ids.some((id) => marked.ids.includes(id))).toBe(true);
      expect(again.location).toBe(marked.location);
    });

    it('is known without a mark too, and a mark adds to it', async () => {
      const { backend } = current();
      const unmarked = await backend.rootIdentity({ mark: false });
      expect(unmarked.ids.length).toBeGreaterThan(0);
      const marked = await backend.rootIdentity({ mark: true });
      for (const id of unmarked.ids) expect(marked.ids).toContain(id);
    });

    it('shows no mark to anybody', async () => {
      const { backend, namesOutside } = current();
      await backend.rootIdentity({ mark: true });
      expect(await listKeys(backend)).toEqual([]);
      expect(await namesOutside()).toEqual([]);
      expect(await backend.stat(ROOT)).toEqual({ kind: 'directory' });
    });
  });
}

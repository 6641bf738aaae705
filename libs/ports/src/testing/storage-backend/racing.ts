/** What holds when a `StorageBackend` is used by many at once, as tests (T56, T57). */

import { describe, expect, it } from '@jest/globals';

import { PATIENCE_MS } from '../patience.js';
import { at, bytesOf, listKeys, put, putOrFail, readFile, sha256Of, textOf } from './helpers.js';
import type { CurrentBackend } from './open-backend.js';

/** Tests of concurrency. */
export function describeRacing(current: CurrentBackend): void {
  describe('used concurrently', () => {
    it('does different paths at once', async () => {
      const { backend } = current();
      const paths = Array.from({ length: 40 }, (_, i) => `d${String(i % 4)}/f${String(i)}`);
      await Promise.all([0, 1, 2, 3].map((i) => backend.makeDirectory(at(`d${String(i)}`))));
      const results = await Promise.all(paths.map((path) => putOrFail(backend, path, bytesOf(path))));
      const contents = await Promise.all(paths.map((path) => readFile(backend, path)));
      expect(contents.map(textOf)).toEqual(paths);
      const outcomes = await Promise.all(paths.map((path, i) => backend.remove(at(path), results[i]?.token ?? ('' as never))));
      expect(outcomes.every((outcome) => outcome.ok)).toBe(true);
      expect((await listKeys(backend)).filter((key) => !key.endsWith('/'))).toEqual([]);
    }, PATIENCE_MS);

    it('T57: lets exactly one of many creators of a name win', async () => {
      const { backend, readOutside, namesOutside } = current();
      for (let round = 0; round < 10; round += 1) {
        const path = `f${String(round)}`;
        const contents = Array.from({ length: 6 }, (_, i) => `round ${String(round)} writer ${String(i)}`);
        const results = await Promise.all(contents.map((content) => put(backend, path, bytesOf(content))));
        const winners = contents.filter((_, i) => results[i]?.ok === true);
        expect(winners).toHaveLength(1);
        expect(textOf(await readOutside(path))).toBe(winners[0]);
      }
      expect(await namesOutside()).toHaveLength(10);
    }, PATIENCE_MS);

    it('T57: lets exactly one of two replacers of a version win, the other is told', async () => {
      const { backend, readOutside, trashOutside } = current();
      if (backend.capabilities.replace === 'window') return;
      for (let round = 0; round < 10; round += 1) {
        const path = `f${String(round)}`;
        const { token } = await putOrFail(backend, path, bytesOf('old'));
        const contents = Array.from({ length: 4 }, (_, i) => `round ${String(round)} writer ${String(i)}`);
        const results = await Promise.all(contents.map((content) => put(backend, path, bytesOf(content), { expected: token })));
        const winners = contents.filter((_, i) => results[i]?.ok === true);
        expect(winners).toHaveLength(1);
        expect(textOf(await readOutside(path))).toBe(winners[0]);
      }
      if (!backend.capabilities.hasTrash || trashOutside === undefined) return;
      // Where an answer can be lost, a version may be kept once more than it was replaced.
      expect((await trashOutside()).map(textOf).filter((content) => content === 'old').length).toBeGreaterThanOrEqual(10);
    }, PATIENCE_MS);

    it('lets either the removal or the replacement of a version win, never both', async () => {
      const { backend, readOutside } = current();
      if (backend.capabilities.replace === 'window' || backend.capabilities.remove === 'window') return;
      for (let round = 0; round < 10; round += 1) {
        const path = `f${String(round)}`;
        const { token } = await putOrFail(backend, path, bytesOf('old'));
        const [removed, replaced] = await Promise.all([
          backend.remove(at(path), token),
          put(backend, path, bytesOf('new'), { expected: token }),
        ]);
        expect([removed.ok, replaced.ok].filter(Boolean)).toHaveLength(1);
        expect(textOf(await readOutside(path))).toBe(replaced.ok ? 'new' : undefined);
      }
    }, PATIENCE_MS);

    it('T56: loses no save of somebody outside who replaces the file at any moment of a commit', async () => {
      const opened = current();
      const { backend, writeOutside, renameOutside, readOutside, trashOutside } = opened;
      if (trashOutside === undefined || opened.dropsMeetingWrites === true || backend.capabilities.replace === 'window') return;
      for (let round = 0; round < 15; round += 1) {
        const path = `f${String(round)}`;
        const { token } = await putOrFail(backend, path, bytesOf('old'));
        const [ours, theirs] = [`ours ${String(round)}`, `theirs ${String(round)}`];
        await writeOutside(`${path}.tmp`, bytesOf(theirs));
        const writer = await backend.openForSafeReplace(at(path), token, { mtimeMs: 0 });
        await writer.write(bytesOf(ours));
        const save = (async () => {
          for (let i = 0; i < round; i += 1) await new Promise((resolve) => setImmediate(resolve));
          await renameOutside(`${path}.tmp`, path);
        })();
        const [result] = await Promise.all([writer.commit({ sha256: sha256Of(bytesOf(ours)), sizeBytes: ours.length }), save]);
        await writer.abort();
        const inPlace = textOf(await readOutside(path));
        expect([inPlace, ...(await trashOutside()).map(textOf)]).toContain(theirs);
        // A commit that went through can only have been overwritten by a save that came after it.
        if (result.ok) expect([ours, theirs]).toContain(inPlace);
      }
    }, PATIENCE_MS);

    it('flushes while others write', async () => {
      const { backend } = current();
      await Promise.all([
        ...Array.from({ length: 10 }, (_, i) => putOrFail(backend, `f${String(i)}`, bytesOf('x'))),
        backend.flush(),
        backend.flush(),
      ]);
      await backend.flush();
      expect(await listKeys(backend)).toHaveLength(10);
    });
  });
}

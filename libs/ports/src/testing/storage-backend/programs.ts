/** The contract of `Programs`, as tests, for storages whose tokens tell which files are executable. */

import { describe, expect, it } from '@jest/globals';
import { NO_TOKEN, ROOT } from '@wl/domain';

import type { Programs } from '../../programs.js';
import { at, bytesOf, fileAt, listRows, put, putOrFail, settledFileAt, textOf } from './helpers.js';
import type { CurrentBackend, OpenBackend } from './open-backend.js';

type Chmod = NonNullable<OpenBackend['setExecutableOutside']>;

const stale = { ok: false, error: { kind: 'stale-token' } };

/** Tests of telling which files are programs, and of making them so. */
export function describePrograms(current: CurrentBackend): void {
  /** Runs a test where the storage has programs and somebody outside can make some. */
  const itHas = (name: string, test: (programs: Programs, chmod: Chmod) => Promise<void>): void =>
    it(name, async () => {
      const { backend, setExecutableOutside } = current();
      if (backend.programs !== undefined && setExecutableOutside !== undefined) await test(backend.programs, setExecutableOutside);
    });

  describe('programs', () => {
    itHas('are told by the tokens of a listing, of a look and of a hash, all the same', async (programs, chmod) => {
      const { backend, writeOutside } = current();
      await writeOutside('plain', bytesOf('x'));
      await writeOutside('program', bytesOf('x'));
      await chmod('program', true);
      for (const [path, expected] of [['plain', false], ['program', true]] as const) {
        const { token } = await fileAt(backend, path);
        expect(programs.isExecutable(token)).toBe(expected);
        expect((await listRows(backend, ROOT)).find(({ key }) => key === path)?.token).toBe(token);
        expect(await backend.getFileToken(at(path))).toBe(token);
        expect(await backend.getHashes([at(path)])).toMatchObject([{ kind: 'hashed', node: { token } }]);
      }
    });

    itHas('INV-24: have another token once they are none any more, of the same content', async (programs, chmod) => {
      const { backend, writeOutside } = current();
      await writeOutside('a', bytesOf('x'));
      const before = await settledFileAt(current(), 'a');
      await chmod('a', true);
      const between = await settledFileAt(current(), 'a');
      await chmod('a', false);
      const after = await fileAt(backend, 'a');
      expect(new Set([before.token, between.token, after.token]).size).toBe(3);
      expect([before, between, after].map(({ token }) => programs.isExecutable(token))).toEqual([false, true, false]);
    });

    itHas('are told by the token of what was written', async (programs) => {
      const { backend } = current();
      for (const isExecutable of [true, false]) {
        const { token } = await putOrFail(backend, String(isExecutable), bytesOf('x'), { attributes: { mtimeMs: 1_600_000_000_000, isExecutable } });
        expect(programs.isExecutable(token)).toBe(isExecutable);
      }
    });

    itHas('are told by a token that must not be trusted, which equals none', async (programs, chmod) => {
      const { backend, writeOutside } = current();
      await writeOutside('a', bytesOf('x'));
      const plain = await fileAt(backend, 'a');
      await chmod('a', true);
      const program = await fileAt(backend, 'a');
      expect(programs.isExecutable(programs.untrusted(plain.token))).toBe(false);
      expect(programs.isExecutable(programs.untrusted(program.token))).toBe(true);
      expect(programs.isExecutable(NO_TOKEN)).toBeUndefined();
      expect(await put(backend, 'a', bytesOf('y'), { expected: programs.untrusted(program.token) })).toMatchObject(stale);
    });

    itHas('are made and unmade; content and times stay', async (programs) => {
      const { backend, writeOutside, readOutside } = current();
      await writeOutside('d/a', bytesOf('content'));
      for (const isExecutable of [true, true, false, false]) {
        const before = await settledFileAt(current(), 'd/a');
        const set = await programs.setExecutable(at('d/a'), before.token, isExecutable);
        expect(set).toMatchObject({ ok: true });
        const after = await fileAt(backend, 'd/a');
        expect(set).toMatchObject({ value: { token: after.token } });
        expect(programs.isExecutable(after.token)).toBe(isExecutable);
        expect([after.mtimeMs, after.sizeBytes]).toEqual([before.mtimeMs, before.sizeBytes]);
      }
      expect(textOf(await readOutside('d/a'))).toBe('content');
    });

    itHas('are made many at a time', async (programs) => {
      const { backend, writeOutside } = current();
      const paths = Array.from({ length: 100 }, (_, i) => `${String(i % 7)}/${String(i)}`);
      for (const path of paths) await writeOutside(path, bytesOf(path));
      const tokens = await Promise.all(paths.map(async (path) => (await settledFileAt(current(), path)).token));
      const set = await Promise.all(paths.map((path, i) => programs.setExecutable(at(path), tokens[i]!, i % 2 === 0)));
      expect(set.filter(({ ok }) => !ok)).toEqual([]);
      const now = await Promise.all(paths.map(async (path) => programs.isExecutable((await fileAt(backend, path)).token)));
      expect(now).toEqual(paths.map((_, i) => i % 2 === 0));
    });

    itHas('INV-17, T55: of another version are left alone', async (programs) => {
      const { backend, writeOutside } = current();
      await writeOutside('a', bytesOf('one'));
      const { token } = await settledFileAt(current(), 'a');
      await writeOutside('a', bytesOf('other'));
      expect(await programs.setExecutable(at('a'), token, true)).toMatchObject(stale);
      expect(await programs.setExecutable(at('a'), NO_TOKEN, true)).toMatchObject(stale);
      expect(programs.isExecutable((await fileAt(backend, 'a')).token)).toBe(false);
    });

    itHas('are no missing files, no directories and nothing behind a link', async (programs) => {
      const { writeOutside, removeOutside, symlinkOutside } = current();
      await writeOutside('a', bytesOf('one'));
      const { token } = await settledFileAt(current(), 'a');
      await removeOutside('a');
      expect(await programs.setExecutable(at('a'), token, true)).toMatchObject(stale);
      expect(await programs.setExecutable(at('x/y'), token, true)).toMatchObject(stale);
      await writeOutside('a/b', bytesOf('inner'));
      expect(await programs.setExecutable(at('a'), token, true)).toMatchObject(stale);
      if (symlinkOutside === undefined) return;
      await symlinkOutside('link', 'a/b');
      const inner = await settledFileAt(current(), 'a/b');
      await programs.setExecutable(at('link'), inner.token, true).catch(() => undefined);
      expect(programs.isExecutable((await fileAt(current().backend, 'a/b')).token)).toBe(false);
    });
  });
}

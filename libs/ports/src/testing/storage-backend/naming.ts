/** Names that people give to files, as tests (T73, T75). */

import { describe, expect, it } from '@jest/globals';
import { compareKeys } from '@wl/domain';

import { PATIENCE_MS } from '../patience.js';
import { at, bytesOf, failureOf, fileAt, listKeys, put, putOrFail, readFile, textOf } from './helpers.js';
import type { CurrentBackend } from './open-backend.js';

/** 250 bytes in UTF-8, the last a multi-byte character. */
const LONG_NAME = `${'n'.repeat(246)}\u{1f4be}`;

const NAMES = [
  "it's",
  '"quoted"',
  'new\nline',
  'tab\tand\rreturn',
  'back\\slash',
  ' leading and trailing ',
  'trailing dot.',
  '.hidden',
  '...',
  '-rf',
  '*?[a]{b}',
  '$HOME `id` %s %2F + &amp; #?',
  'a:b|c<d>',
  'CON',
  'caf\u00e9',
  'cafe\u0301',
  '\u{1f469}\u200d\u{1f680}',
  '\u202egpj.exe',
  '\u0001\u001b[31m\u007f',
  'a..b',
  LONG_NAME,
];

/** Tests of names. */
export function describeNaming(current: CurrentBackend): void {
  describe('names', () => {
    it('T75: are kept byte for byte, from outside in and from inside out', async () => {
      const { backend, writeOutside, readOutside } = current();
      const kept: string[] = [];
      for (const name of NAMES) {
        const path = `dir ${name}`.slice(0, 200) + `/${name}`;
        await backend.makeDirectory(at(`dir ${name}`.slice(0, 200)));
        const failure = await failureOf(put(backend, path, bytesOf(name)));
        if (failure === 'name-not-representable') continue;
        expect(failure).toBeUndefined();
        expect(textOf(await readOutside(path))).toBe(name);
        await writeOutside(path, bytesOf(`${name} again`));
        expect(textOf(await readFile(backend, path))).toBe(`${name} again`);
        kept.push(path);
      }
      expect((await listKeys(backend)).filter((key) => !key.endsWith('/'))).toEqual([...kept].sort(compareKeys));
      const outcomes = await backend.getHashes(kept.map(at));
      expect(outcomes.every((outcome) => outcome.kind === 'hashed')).toBe(true);
      for (const path of kept) {
        const { token } = await fileAt(backend, path);
        expect(await backend.remove(at(path), token)).toMatchObject({ ok: true });
      }
    }, PATIENCE_MS);

    it('that the storage cannot hold are refused as such', async () => {
      const { backend, namesOutside } = current();
      const failure = await failureOf(put(backend, 'n'.repeat(5_000).slice(0, 4_000), bytesOf('x')));
      expect([undefined, 'name-not-representable']).toContain(failure);
      if (failure !== undefined) expect(await namesOutside()).toEqual([]);
    });

    it('T73: differing in case only are two files, or the second is refused', async () => {
      const { backend, readOutside, namesOutside } = current();
      await putOrFail(backend, 'Name', bytesOf('first'));
      const second = await put(backend, 'name', bytesOf('second'));
      expect(second.ok).toBe(backend.capabilities.isCaseSensitive);
      expect(textOf(await readOutside('Name'))).toBe('first');
      expect(await namesOutside()).toHaveLength(second.ok ? 2 : 1);
      const directory = await backend.makeDirectory(at('NAME'));
      expect(directory).toEqual(backend.capabilities.isCaseSensitive ? { ok: true, value: undefined } : { ok: false, error: 'exists' });
    });
  });
}

/** The contract of `StorageBackend.list`, as tests. */

import { describe, expect, it } from '@jest/globals';
import { compareKeys, RESERVED_NAME, ROOT } from '@wl/domain';

import { KEY_SEPARATOR, TOKEN_SEPARATOR } from '../../joined-rows.js';
import { EntryKind, type PathFilter, type UnrepresentableName } from '../../storage-backend.js';
import { PATIENCE_MS } from '../patience.js';
import { at, bytesOf, failureOf, fileAt, listKeys, listRows, rowsOf, settledFileAt } from './helpers.js';
import type { CurrentBackend } from './open-backend.js';

/** Tests of listing. */
export function describeListing(current: CurrentBackend): void {
  describe('list', () => {
    it('lists nothing in an empty storage', async () => {
      expect(await listRows(current().backend)).toEqual([]);
    });

    it('lists in the order of UTF-8 bytes with a slash behind directories', async () => {
      const { backend, writeOutside } = current();
      const files = ['a!', 'a-b', 'a.txt', 'a/z', 'a/b/c', 'a0', 'ab', 'b', 'b!', 'b.txt', '\u00e9', 'z'];
      for (const file of files) await writeOutside(file, bytesOf(file));
      expect(await listKeys(backend)).toEqual(['a!', 'a-b', 'a.txt', 'a/', 'a/b/', 'a/b/c', 'a/z', 'a0', 'ab', 'b', 'b!', 'b.txt', 'z', '\u00e9']);
    });

    it('lists names outside the Basic Multilingual Plane after U+E000 to U+FFFF', async () => {
      const { backend, writeOutside } = current();
      const names = ['\u{1f600}', '\ufb01', '\ue000', '\ud7ff', '\u{10ffff}x'];
      for (const name of names) await writeOutside(`d/${name}`, bytesOf('x'));
      expect(await listKeys(backend)).toEqual(['d/', 'd/\ud7ff', 'd/\ue000', 'd/\ufb01', 'd/\u{1f600}', 'd/\u{10ffff}x']);
    });

    it('keeps the order across batches and repeats nothing', async () => {
      const { backend, writeOutside } = current();
      const files = Array.from({ length: 300 }, (_, i) => `${String(i % 7)}/${i % 3 === 0 ? 'x' : 'x.y'}/${String(i)}`);
      for (const file of files) await writeOutside(file, bytesOf(file));
      const keys = await listKeys(backend);
      expect(keys.filter((key) => !key.endsWith('/'))).toEqual(files.sort(compareKeys));
      expect(keys.filter((key) => key.endsWith('/'))).toHaveLength(7 + 14);
    }, PATIENCE_MS);

    it('gives the same rows joined, where it joins them, and none of which something is unknown', async () => {
      const { backend, writeOutside, symlinkOutside } = current();
      for (let i = 0; i < 20; i += 1) await writeOutside(`a/${String(i)}`, bytesOf('x'));
      const check = async (): Promise<void> => {
        for await (const { joined, keys, tokens, kinds, reasons } of backend.list(ROOT)) {
          if (joined === undefined) continue;
          expect(joined).toEqual({ keys: keys.join(KEY_SEPARATOR), tokens: tokens.join(TOKEN_SEPARATOR) });
          expect([reasons.size, kinds.includes(EntryKind.unknown)]).toEqual([0, false]);
        }
      };
      await check();
      await symlinkOutside?.('a/link', '20');
      await check();
    });

    it('lists what lies below a directory only, with keys from the root', async () => {
      const { backend, writeOutside } = current();
      for (const file of ['a/b', 'a/c/d', 'ab', 'a.txt', 'a!', 'b/a/x']) await writeOutside(file, bytesOf(file));
      expect(await listKeys(backend, at('a'))).toEqual(['a/b', 'a/c/', 'a/c/d']);
      expect(await listKeys(backend, at('a/c'))).toEqual(['a/c/d']);
      expect(await listKeys(backend, at('b'))).toEqual(['b/a/', 'b/a/x']);
    });

    it('rejects a directory that is not there with not-found', async () => {
      const { backend, writeOutside } = current();
      await writeOutside('ab', bytesOf('x'));
      expect(await failureOf(listRows(backend, at('a')))).toBe('not-found');
      expect(await failureOf(listRows(backend, at('a/b/c')))).toBe('not-found');
    });

    it('rejects to list a file, since an empty listing would say that it was looked into', async () => {
      const { backend, writeOutside } = current();
      await writeOutside('a', bytesOf('x'));
      expect(['not-a-directory', 'not-found']).toContain(await failureOf(listRows(backend, at('a'))));
    });

    it('lists empty directories where they exist by themselves', async () => {
      const { backend, mkdirOutside } = current();
      await mkdirOutside('empty/inner');
      const expected = backend.capabilities.keepsEmptyDirectories ? ['empty/', 'empty/inner/'] : [];
      expect(await listKeys(backend)).toEqual(expected);
    });

    it('hides the reserved area, at the root and nowhere else', async () => {
      const { backend, writeOutside, listsDotNames = true } = current();
      if (!listsDotNames) return;
      await writeOutside(`${RESERVED_NAME}/stray`, bytesOf('x'));
      await writeOutside(`a/${RESERVED_NAME}/visible`, bytesOf('x'));
      await writeOutside(`${RESERVED_NAME}x`, bytesOf('x'));
      expect(await listKeys(backend)).toEqual([`${RESERVED_NAME}x`, 'a/', `a/${RESERVED_NAME}/`, `a/${RESERVED_NAME}/visible`]);
    });

    it('shows size, token and time of files, as stat does', async () => {
      const { backend, writeOutside } = current();
      await writeOutside('a/big', new Uint8Array(70_000));
      await writeOutside('empty', new Uint8Array(0));
      await settledFileAt(current(), 'a/big');
      await settledFileAt(current(), 'empty');
      const [, big, empty] = await listRows(backend);
      for (const [row, path] of [[big, 'a/big'], [empty, 'empty']] as const) {
        const node = await fileAt(backend, path);
        expect(row).toMatchObject({ key: path, kind: 'file', token: node.token, sizeBytes: node.sizeBytes, isRacy: node.isRacy });
        expect(row?.mtimeMs).toBeCloseTo(node.mtimeMs, 3);
      }
      expect([big?.sizeBytes, empty?.sizeBytes]).toEqual([70_000, 0]);
    });

    it('leaves nothing out but what lies below pruned directories', async () => {
      const { backend, writeOutside } = current();
      for (const file of ['keep/a', 'node_modules/x/y', 'z', 'keep/node_modules/q']) await writeOutside(file, bytesOf(file));
      const prune: PathFilter = {
        patterns: ['node_modules/'],
        ignores: (path, isDirectory) => isDirectory && path.split('/').at(-1) === 'node_modules',
      };
      const keys = (await listRows(backend, ROOT, { prune })).map((row) => row.key);
      expect(keys.filter((key) => !key.includes('node_modules'))).toEqual(['keep/', 'keep/a', 'z']);
    });

    it('stops with cancelled when the signal aborts, before and in the middle', async () => {
      const { backend, writeOutside } = current();
      for (let i = 0; i < 40; i += 1) await writeOutside(`d${String(i)}/f`, bytesOf('x'));
      expect(await failureOf(listRows(backend, ROOT, { signal: AbortSignal.abort() }))).toBe('cancelled');
      const abort = new AbortController();
      const keys: string[] = [];
      const failure = await failureOf(
        (async () => {
          for await (const batch of backend.list(ROOT, { signal: abort.signal })) {
            keys.push(...rowsOf(batch).map((row) => row.key));
            abort.abort();
          }
        })(),
      );
      // A backend that had everything in its first batch has nothing left to stop.
      expect(failure === 'cancelled' || keys.length === 80).toBe(true);
    });

    it('INV-8: a listing cut short by close does not end as if it were complete', async () => {
      const { backend, writeOutside } = current();
      for (let i = 0; i < 40; i += 1) await writeOutside(`d${String(i)}/f`, bytesOf('x'));
      const keys: string[] = [];
      const failure = await failureOf(
        (async () => {
          for await (const batch of backend.list(ROOT)) {
            keys.push(...rowsOf(batch).map((row) => row.key));
            await backend.close();
          }
        })(),
      );
      expect(failure !== undefined || keys.length === 80).toBe(true);
    });

    it('can be left early and started again', async () => {
      const { backend, writeOutside } = current();
      for (let i = 0; i < 20; i += 1) await writeOutside(`d${String(i)}/f`, bytesOf('x'));
      for await (const batch of backend.list(ROOT)) {
        expect(batch.keys.length).toBeGreaterThan(0);
        break;
      }
      expect(await listKeys(backend)).toHaveLength(40);
    });

    it('INV-8, T01: marks a directory that cannot be read and goes on with the others', async () => {
      const { backend, writeOutside, makeUnreadable } = current();
      if (makeUnreadable === undefined) return;
      for (const file of ['a/x', 'b/secret/x', 'c/x']) await writeOutside(file, bytesOf(file));
      await makeUnreadable('b/secret');
      const rows = await listRows(backend);
      expect(rows.map((row) => row.key)).toEqual(['a/', 'a/x', 'b/', 'b/secret/', 'c/', 'c/x']);
      expect(rows.filter((row) => row.reason !== undefined)).toMatchObject([{ key: 'b/secret/', reason: 'permission-denied' }]);
      expect(await failureOf(listRows(backend, at('b/secret')))).toBe('permission-denied');
      expect((await backend.stat(at('b/secret/x'))).kind).not.toBe('absent');
    });

    it('T72: lists links and special files as unknown and follows no link', async () => {
      const { backend, writeOutside, symlinkOutside, specialOutside } = current();
      if (symlinkOutside === undefined) return;
      await writeOutside('real/file', bytesOf('x'));
      await symlinkOutside('to-directory', 'real');
      await symlinkOutside('to-file', 'real/file');
      await symlinkOutside('dangling', 'nowhere');
      await symlinkOutside('real/loop', '..');
      await specialOutside?.('special');
      const rows = await listRows(backend);
      const expected = [
        ['dangling', 'symlink'],
        ['real/loop', 'symlink'],
        ...(specialOutside === undefined ? [] : [['special', 'special-file']]),
        ['to-directory', 'symlink'],
        ['to-file', 'symlink'],
      ];
      expect(rows.filter((row) => row.kind === 'unknown').map((row) => [row.key, row.reason])).toEqual(expected);
      expect(rows.filter((row) => row.kind !== 'unknown').map((row) => row.key)).toEqual(['real/', 'real/file']);
    });

    it('T75: reports names that are not Unicode beside the listing', async () => {
      const { backend, writeOutside, writeUnrepresentable } = current();
      if (writeUnrepresentable === undefined) return;
      await writeOutside('d/ok', bytesOf('x'));
      await writeUnrepresentable('d');
      const names: UnrepresentableName[] = [];
      const rows = await listRows(backend, ROOT, { onUnrepresentable: (name) => names.push(name) });
      expect(rows.map((row) => row.key)).toEqual(['d/', 'd/ok']);
      expect(names).toHaveLength(1);
      expect(names[0]?.directory).toBe('d');
      expect(names[0]?.display).toContain('\ufffd');
    });
  });
}

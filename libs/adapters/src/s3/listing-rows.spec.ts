import { describe, expect, it } from '@jest/globals';
import { compareKeys, ROOT, toRelativePath, type RelativePath } from '@wl/domain';
import { EntryKind, type UnrepresentableName } from '@wl/ports';

import { KeyLayout } from './key-layout.js';
import { ListingRows } from './listing-rows.js';
import type { ListedObject } from './s3-api.js';
import { PLACEHOLDER_SIZE, placeholderBytes } from './writing/placeholder.js';
import { md5Of } from './writing/digests.js';

interface Listed {
  readonly rows: string[];
  readonly names: UnrepresentableName[];
  readonly directories: string[];
  readonly placeholders: string[];
}

/** Lists keys below `p/`, as pages of `pageSize`; rows are told as `key` or `key?reason`. */
async function listed(keys: readonly string[], { directory = ROOT, pageSize = 2, etag = 'e' }: { readonly directory?: RelativePath; readonly pageSize?: number; readonly etag?: string } = {}): Promise<Listed> {
  const found: Listed = { rows: [], names: [], directories: [], placeholders: [] };
  const rows = new ListingRows(
    {
      layout: new KeyLayout('p/'),
      directory,
      onDirectory: (path) => found.directories.push(path),
      onUnrepresentable: (name) => found.names.push(name),
      onPlaceholder: (key) => found.placeholders.push(key),
    },
    (path) => Promise.resolve(keys.some((key) => key.startsWith(`${path}/`))),
  );
  const objects = [...keys].sort(compareKeys).map((key): ListedObject => ({ key: `p/${key}`, etag, sizeBytes: PLACEHOLDER_SIZE, lastModifiedMs: 1_600_000_000_999 }));
  const add = (batch: Awaited<ReturnType<ListingRows['take']>>): void => {
    batch?.keys.forEach((key, index) => {
      const reason = batch.reasons.get(index);
      found.rows.push(reason === undefined ? key : `${key}?${reason}`);
      if (batch.kinds[index] === EntryKind.file && batch.mtimes[index] !== 1_600_000_000_000) throw new Error(`${key} has another time`);
    });
  };
  for (let at = 0; at < objects.length; at += pageSize) add(await rows.take(objects.slice(at, at + pageSize)));
  add(rows.finish());
  return found;
}

describe('ListingRows', () => {
  it.each<[string, string[], string[]]>([
    ['directories before what is in them', ['a/b/c', 'a/b/d', 'a/x', 'e'], ['a/', 'a/b/', 'a/b/c', 'a/b/d', 'a/x', 'e']],
    ['markers as directories, once', ['a/', 'a/b', 'c/', 'd/e/'], ['a/', 'a/b', 'c/', 'd/', 'd/e/']],
    ['files beside names that they begin', ['a', 'a!', 'a-b/c', 'a.txt', 'a0', 'ab/c'], ['a', 'a!', 'a-b/', 'a-b/c', 'a.txt', 'a0', 'ab/', 'ab/c']],
    ['T76: a file and a directory of one name as unknown, hiding what is in it', ['a', 'a!', 'a.txt', 'a/b', 'a/c/d', 'a0'], ['a?file-and-directory', 'a!', 'a.txt', 'a0']],
    ['T76: the same with a marker', ['a', 'a/', 'b'], ['a?file-and-directory', 'b']],
    ['T76: the same deeper down', ['x/a', 'x/a-', 'x/a/b', 'y'], ['x/', 'x/a?file-and-directory', 'x/a-', 'y']],
    ['T76: two that begin alike', ['a', 'a!', 'a!/x', 'a/y'], ['a?file-and-directory', 'a!?file-and-directory']],
    ['our own area not at all', ['.wl/root-id', '.wl/trash/x', '.wlx', 'a/.wl/b'], ['.wlx', 'a/', 'a/.wl/', 'a/.wl/b']],
  ])('shows %s', async (_name, keys, rows) => {
    for (const pageSize of [1, 2, 100]) expect((await listed(keys, { pageSize })).rows).toEqual(rows);
  });

  it('T76, INV-34: reports keys that are no paths and never crosses them', async () => {
    const { rows, names } = await listed(['/x', 'a//b', 'a//c/d', 'a/../b', 'a/./c', 'a/ok', '../up', '.', 'nul\0']);
    expect(rows).toEqual(['a/', 'a/ok']);
    expect(names).toEqual(
      expect.arrayContaining([
        { directory: '', display: '/x' },
        { directory: 'a', display: '/b' },
        { directory: 'a', display: '/c/d' },
        { directory: 'a', display: '../b' },
        { directory: 'a', display: './c' },
        { directory: '', display: '../up' },
        { directory: '', display: '.' },
        { directory: '', display: 'nul\0' },
      ]),
    );
    expect(names).toHaveLength(8);
  });

  it('lists below a directory with keys from the root', async () => {
    expect((await listed(['a/', 'a/b', 'a/c/d'], { directory: toRelativePath('a') })).rows).toEqual(['a/b', 'a/c/', 'a/c/d']);
  });

  it('INV-40, T76: asks for a directory instead of holding back without end', async () => {
    const keys = ['a', ...Array.from({ length: 12_000 }, (_, i) => `a!${String(i)}`), 'a/x', 'b'];
    const { rows } = await listed(keys, { pageSize: 1000 });
    expect(rows.slice(0, 1)).toEqual(['a?file-and-directory']);
    expect(rows).not.toContain('a/');
    expect(rows.at(-1)).toBe('b');
    expect((await listed(keys.filter((key) => key !== 'a/x'), { pageSize: 1000 })).rows[0]).toBe('a');
  });

  it('shows a name in transition as changing', async () => {
    const { rows, placeholders } = await listed(['a', 'b/c'], { etag: md5Of(placeholderBytes(77)) });
    expect(rows).toEqual(['a?changing', 'b/', 'b/c?changing']);
    expect(placeholders).toEqual(['p/a', 'p/b/c']);
  });

  it('tells the directories it has seen', async () => {
    expect((await listed(['a/b/c', 'd/'])).directories).toEqual(['a', 'a/b', 'd']);
  });
});

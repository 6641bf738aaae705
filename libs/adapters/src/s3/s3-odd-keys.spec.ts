/**
 * T76: a bucket can hold keys that are no paths, and a file and a directory of one name. They are
 * reported and never crossed (INV-34, INV-35); names that are merely unusual are synced.
 */

import { afterEach, describe, expect, it } from '@jest/globals';
import { ROOT, toRelativePath, type Token } from '@wl/domain';

import { closeBenches, listed, openBench, read, tokenAt, write, written, type Bench } from './testing/bench.js';

afterEach(closeBenches);

/** Keys that no path can be made of, by where they are reported. */
const NO_PATHS = [
  ['/leading', '', '/leading'],
  ['a//b', 'a', '/b'],
  ['a/b//', 'a/b', '/'],
  ['//', '', '//'],
  ['.', '', '.'],
  ['..', '', '..'],
  ['../escape', '', '../escape'],
  ['c/../../escape', 'c', '../../escape'],
  ['c/./d', 'c', './d'],
  ['./e', '', './e'],
  ['c/..', 'c', '..'],
] as const;

/** Unusual, and paths nevertheless. */
const NAMES = [
  'plus + and %20 percent',
  'quote " and \' apostrophe',
  'ampersand & less < greater >',
  'new\nline',
  'carriage\rreturn',
  'tab\tand \u0001 control \u007f',
  'colon: star* question? pipe|',
  'back\\slash',
  ' leading and trailing ',
  'ends with dot.',
  '...',
  '~tilde',
  '#hash?query=1&x=%2F',
  'nfd e\u0301',
  'nfc \u00e9',
  '日本語',
  '\u{1f600} emoji',
  '\ufeff byte order mark',
  'CON',
  'x'.repeat(255),
  '%',
  '%2F',
  '=',
  'folder/with space/and+plus',
];

async function withKeys(keys: readonly string[], preset: 'aws' | 'ceph' = 'aws'): Promise<Bench> {
  const bench = await openBench({ preset });
  for (const key of keys) bench.put(key, 'content');
  return bench;
}

describe.each(['aws', 'ceph'] as const)('preset %s', (preset) => {
  it.each(NO_PATHS)('T76, INV-34: the key %j is reported, never crossed', async (key, directory, display) => {
    const bench = await withKeys([key, 'neighbour'], preset);
    const backend = await bench.machine();
    const { keys, unrepresentable, reasons } = await listed(backend);
    expect(keys.filter((path) => !path.endsWith('/'))).toEqual(['neighbour']);
    expect([unrepresentable, reasons]).toEqual([[{ directory, display }], {}]);
  });

  it('T76, INV-9: a directory that holds such keys is not removed', async () => {
    for (const key of ['d//b', 'd/./b', 'd/../b', 'd/.', 'd//', `d/${'x'.repeat(1000)}`]) {
      const bench = await withKeys([key], preset);
      const backend = await bench.machine();
      await listed(backend);
      expect([key, await backend.removeDirectory(toRelativePath('d'))]).toEqual([key, { ok: false, error: 'not-empty' }]);
      expect(bench.paths()).toEqual([key]);
    }
  });

  it.each(NAMES)('T76, INV-35: %j is a name like any other', async (name) => {
    const bench = await openBench({ preset });
    const backend = await bench.machine();
    const slash = name.lastIndexOf('/');
    for (let at = name.indexOf('/'); at >= 0 && at <= slash; at = name.indexOf('/', at + 1)) await backend.makeDirectory(toRelativePath(name.slice(0, at)));
    const token = await written(backend, name, 'one');
    expect(bench.text(name)).toBe('one');
    const other = await bench.machine();
    const { tokens, unrepresentable } = await listed(other);
    expect([[...tokens], unrepresentable]).toEqual([[[name, token]], []]);
    expect([await tokenAt(other, name), await read(other, name, token)]).toEqual([token, 'one']);
    const two = await written(other, name, 'two', token);
    expect(await write(backend, name, 'three', token)).toEqual({ kind: 'stale' });
    // What was replaced is in the trash under the same name.
    expect(bench.area('trash/').map((key) => key.endsWith(`/${name}`))).toEqual([true]);
    expect(await backend.remove(toRelativePath(name), two)).toEqual({ ok: true, value: undefined });
    expect(bench.paths().filter((path) => !path.endsWith('/'))).toEqual([]);
  });

  it('T76, INV-35: names that differ in case or composition only stand side by side', async () => {
    const names = ['a', 'A', 'e\u0301', '\u00e9', 'ß', 'SS'];
    const bench = await withKeys(names, preset);
    const { keys } = await listed(await bench.machine());
    expect([...keys].sort()).toEqual([...names].sort());
  });

  it('T76, INV-8: a file and a directory of one name are unknown, with all that is in it', async () => {
    const bench = await withKeys(['a', 'a-b', 'a/b', 'a/c/d', 'a0', 'z'], preset);
    const backend = await bench.machine();
    const { keys, reasons } = await listed(backend);
    expect([keys, reasons]).toEqual([['a', 'a-b', 'a0', 'z'], { a: 'file-and-directory' }]);
    expect(await backend.stat(toRelativePath('a'))).toEqual({ kind: 'unknown', reason: 'file-and-directory' });
    const token = `${bench.hands.head('photos/a')!.etag}:7`;
    // Nothing is written over it as though the directory were not there.
    expect(await write(backend, 'a', 'over', token as Token)).toEqual({ kind: 'stale' });
    expect(await write(backend, 'a', 'over')).toEqual({ kind: 'stale' });
    expect(bench.paths()).toEqual(['a', 'a-b', 'a/b', 'a/c/d', 'a0', 'z']);
  });

  it('T76: a marker with content is a directory, and its content stays', async () => {
    const bench = await openBench({ preset });
    bench.put('d/', '<html>a page of somebody</html>');
    const backend = await bench.machine();
    expect((await listed(backend)).keys).toEqual(['d/']);
    expect(await backend.stat(toRelativePath('d'))).toEqual({ kind: 'directory' });
    expect(await backend.makeDirectory(toRelativePath('d'))).toMatchObject({ ok: true });
    await written(backend, 'd/a', 'one');
    expect(bench.text('d/')).toBe('<html>a page of somebody</html>');
  });

  it('T76, INV-34: keys of 1,024 bytes are files, and longer paths are refused before anything is sent', async () => {
    const bench = await openBench({ preset });
    const backend = await bench.machine();
    const longest = `${'é'.repeat(500)}${'x'.repeat(1024 - 1000 - bench.prefix.length)}`;
    const token = await written(backend, longest, 'one');
    expect((await listed(backend)).keys).toEqual([longest]);
    await written(backend, longest, 'two', token);
    expect(bench.area('trash/')).toHaveLength(1);
    bench.server.log.clear();
    const longer = toRelativePath(`${longest}x`);
    expect(await write(backend, longer, 'one')).toMatchObject({ kind: 'failed', error: { code: 'name-not-representable' } });
    await expect(backend.makeDirectory(longer)).rejects.toMatchObject({ code: 'name-not-representable' });
    expect([await backend.stat(longer), await backend.getFileToken(longer)]).toEqual([{ kind: 'absent' }, undefined]);
    expect(bench.server.log.writes).toEqual([]);
  });
});

it('T76, INV-34: nothing of a neighbouring folder is seen or touched, whatever its name begins with', async () => {
  const bench = await openBench();
  const outside = ['photos', 'photos-old/a', 'photos.txt', 'photo/a', 'photos0', '.wl/root-id', 'a'];
  for (const key of outside) bench.hands.put(key, 'outside');
  bench.put('a', 'inside');
  const backend = await bench.machine();
  expect((await listed(backend)).keys).toEqual(['a']);
  await backend.remove(toRelativePath('a'), await tokenAt(backend, 'a'));
  await backend.flush();
  expect(bench.hands.keys().filter((key) => !key.startsWith('photos/'))).toEqual(outside.toSorted());
  expect(await backend.stat(ROOT)).toEqual({ kind: 'directory' });
});

it('T76, INV-8: a key that is not UTF-8 makes the listing fail with a sentence, not short', async () => {
  const bench = await withKeys(['a', 'b']);
  const backend = await bench.machine();
  const body = '<ListBucketResult><Name>bucket</Name><Prefix>photos%2F</Prefix><EncodingType>url</EncodingType><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated><Contents><Key>photos%2F%FF%FE</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>"x"</ETag><Size>1</Size></Contents></ListBucketResult>';
  bench.server.fault({ operation: 'ListObjectsV2', effect: { kind: 'replace-body', body } });
  await expect(listed(backend)).rejects.toMatchObject({ code: 'name-not-representable', message: expect.stringContaining('%FF%FE') });
});

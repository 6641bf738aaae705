import { describe, expect, it } from '@jest/globals';
import { compareKeys } from '@wl/domain';

import { rangesAt, readRanges, type KeyRange } from './key-ranges.js';
import { ListApi } from './testing/list-api.js';

const KEYS = Array.from({ length: 40 }, (_, i) => `p/${String(i).padStart(2, '0')}`);

async function read(api: ListApi, ranges: readonly KeyRange[], width = 3, signal?: AbortSignal): Promise<string[]> {
  const keys: string[] = [];
  for await (const page of readRanges(api, 'p/', ranges, width, signal)) keys.push(...page.map((object) => object.key));
  return keys;
}

describe('readRanges', () => {
  it.each<[string, readonly string[]]>([
    ['one range', []],
    ['ranges parted at keys that exist', ['p/10', 'p/20', 'p/21']],
    ['ranges parted at keys that do not exist', ['p/1', 'p/105', 'p/9']],
    ['ranges that are empty', ['p/', 'p/0', 'p/00', 'p/001', 'p/39', 'p/zz']],
  ])('gives every key once and in order, from %s', async (_name, parting) => {
    expect(await read(new ListApi(KEYS), rangesAt(parting))).toEqual(KEYS);
    expect(await read(new ListApi([]), rangesAt(parting))).toEqual([]);
  });

  it('asks for no page twice where nothing changed since the ranges were parted', async () => {
    const api = new ListApi(KEYS, 10);
    await read(api, rangesAt(['p/09', 'p/19', 'p/29']));
    // Four pages, and once more behind the end.
    expect(api.requests).toHaveLength(5);
  });

  it('INV-8, T06: goes on where a server claims too early that nothing follows', async () => {
    const api = new ListApi(KEYS);
    api.misbehave = (page, _request, count) => (count % 2 === 1 ? { ...page, next: undefined } : page);
    expect(await read(api, rangesAt(['p/10']), 1)).toEqual(KEYS);
  });

  it('INV-8, T06: rejects a page that repeats what was before', async () => {
    const api = new ListApi(KEYS);
    api.misbehave = (page, _request, count) => (count === 3 ? { ...page, objects: [{ ...page.objects[0]!, key: 'p/02' }] } : page);
    await expect(read(api, rangesAt([]))).rejects.toMatchObject({ kind: 'damaged' });
  });

  it('INV-8: rejects when any page fails, whatever was read ahead', async () => {
    for (let failing = 1; failing <= 6; failing += 1) {
      const api = new ListApi(KEYS, 10);
      api.misbehave = (page, _request, count) => {
        if (count === failing) throw new Error('no answer');
        return page;
      };
      if (failing <= 5) await expect(read(api, rangesAt(['p/09', 'p/19']))).rejects.toThrow('no answer');
      else expect(await read(api, rangesAt(['p/09', 'p/19']))).toEqual(KEYS);
    }
  });

  it('INV-40: reads only a few pages ahead of who takes them', async () => {
    const keys = Array.from({ length: 1000 }, (_, i) => `p/${String(i).padStart(4, '0')}`);
    const api = new ListApi(keys, 10);
    const pages = readRanges(api, 'p/', rangesAt(['p/0500']), 2, undefined);
    await pages.next();
    await new Promise((resolve) => setImmediate(resolve));
    expect(api.requests.length).toBeLessThan(8);
    await pages.return(undefined);
  });

  it('stops when the signal aborts', async () => {
    const abort = new AbortController();
    abort.abort();
    await expect(read(new ListApi(KEYS), rangesAt([]), 2, abort.signal)).rejects.toThrow('aborted');
  });

  it('keeps the order of UTF-8 bytes', async () => {
    const keys = ['p/\u{1f600}', 'p/\ufb01', 'p/\ue000', 'p/z'].sort(compareKeys);
    expect(await read(new ListApi(keys, 1), rangesAt(['p/\ue000']))).toEqual(keys);
  });
});

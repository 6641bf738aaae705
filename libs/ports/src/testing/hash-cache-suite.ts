/**
 * The contract of `HashCache`, as tests. That failures are swallowed is tested by each
 * implementation, which knows how it fails.
 */

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { NO_TOKEN, toRelativePath, toSha256, type Token } from '@wl/domain';

import type { HashCache, HashCacheEntry } from '../hash-cache.js';
import { AWKWARD_NAMES } from './sync-state/helpers.js';

/** What an implementation gives the suite for one test. */
export interface OpenHashCache {
  readonly cache: HashCache;
  /** Opens the cache again on what was stored; absent where closing forgets. */
  readonly reopen?: () => HashCache | Promise<HashCache>;
  /** Closes what is open and removes what was stored. */
  close(): void | Promise<void>;
}

const entry = (path: string, token: string, n: number): HashCacheEntry => ({
  path: toRelativePath(path),
  token: token as Token,
  hash: toSha256(n.toString(16).padStart(64, '0')),
});

/** Runs all tests of the port against caches that `open` makes, an empty one for each test. */
export function describeHashCache(name: string, open: () => OpenHashCache | Promise<OpenHashCache>): void {
  describe(`${name} as a HashCache`, () => {
    let opened: OpenHashCache;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());

    const look = (backendId: string, path: string, token: string): string | undefined =>
      opened.cache.get(backendId, toRelativePath(path), token as Token);

    it('knows nothing at first', () => {
      expect(look('disk', 'a', 't')).toBeUndefined();
    });

    it('INV-24: hits only under the token it was put with', () => {
      opened.cache.putMany('disk', [entry('a', 't1', 1), entry('b', 't2', 2)]);
      expect(look('disk', 'a', 't1')).toBe(entry('a', 't1', 1).hash);
      expect(look('disk', 'b', 't2')).toBe(entry('b', 't2', 2).hash);
      expect(look('disk', 'a', 't2')).toBeUndefined();
      expect(look('disk', 'a', 't')).toBeUndefined();
      expect(look('disk', 'a', '')).toBeUndefined();
      expect(look('disk', 'a/t1', 't1')).toBeUndefined();
    });

    it('never hits under NO_TOKEN, which equals no other', () => {
      opened.cache.putMany('disk', [entry('a', NO_TOKEN, 1)]);
      expect(look('disk', 'a', NO_TOKEN)).toBeUndefined();
    });

    it('keeps one entry per path, the latest', () => {
      opened.cache.putMany('disk', [entry('a', 'old', 1)]);
      opened.cache.putMany('disk', [entry('a', 'new', 2), entry('b', 'x', 3), entry('b', 'y', 4)]);
      expect(look('disk', 'a', 'old')).toBeUndefined();
      expect(look('disk', 'a', 'new')).toBe(entry('a', '', 2).hash);
      expect(look('disk', 'b', 'x')).toBeUndefined();
      expect(look('disk', 'b', 'y')).toBe(entry('b', '', 4).hash);
      opened.cache.putMany('disk', []);
      expect(look('disk', 'a', 'new')).toBe(entry('a', '', 2).hash);
    });

    it('keeps backends apart and drops one at a time', () => {
      const odd = "o'disk \"1\"\n\u{1F600}";
      opened.cache.putMany('disk', [entry('a', 't', 1)]);
      opened.cache.putMany(odd, [entry('a', 't', 2)]);
      expect(look('disk', 'a', 't')).toBe(entry('a', 't', 1).hash);
      expect(look(odd, 'a', 't')).toBe(entry('a', 't', 2).hash);
      opened.cache.drop('disk');
      opened.cache.drop('never there');
      expect(look('disk', 'a', 't')).toBeUndefined();
      expect(look(odd, 'a', 't')).toBe(entry('a', 't', 2).hash);
      opened.cache.putMany('disk', [entry('a', 't', 3)]);
      expect(look('disk', 'a', 't')).toBe(entry('a', 't', 3).hash);
    });

    it('T75: takes awkward names and any token', () => {
      const tokens = ['\0', 'two\nlines', '\u0001', 'lone \uD800', '\u{1F600}'];
      const entries = AWKWARD_NAMES.map((name, i) => entry(name, tokens[i % tokens.length] ?? '', i));
      opened.cache.putMany('disk', entries);
      for (const { path, token, hash } of entries) expect(look('disk', path, token)).toBe(hash);
    });

    it('remembers when it is opened again', async () => {
      if (opened.reopen === undefined) return;
      opened.cache.putMany('disk', [entry('a', 't', 1)]);
      const again = await opened.reopen();
      expect(again.get('disk', toRelativePath('a'), 't' as Token)).toBe(entry('a', 't', 1).hash);
    });
  });
}

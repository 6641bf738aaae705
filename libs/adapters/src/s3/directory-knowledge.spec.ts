import { describe, expect, it } from '@jest/globals';
import { toRelativePath as at } from '@wl/domain';

import { DirectoryKnowledge } from './directory-knowledge.js';

describe('DirectoryKnowledge', () => {
  const time = { ms: 0 };
  const start = (): DirectoryKnowledge => {
    time.ms = 0;
    return new DirectoryKnowledge({ monotonicMs: () => time.ms });
  };

  it('knows nothing before a listing, but that the root is a directory', () => {
    const known = start();
    expect([known.isDirectory(at('a')), known.isNone(at('a'))]).toEqual([false, false]);
    expect(known.isDirectory('' as never)).toBe(true);
  });

  it('knows what a listing has passed, and no more, while it goes on', () => {
    const known = start();
    const listed = known.begin();
    listed.seen(at('b'));
    listed.reached('b/x');
    expect(known.isDirectory(at('b'))).toBe(true);
    expect([known.isNone(at('a')), known.isNone(at('a/z')), known.isNone(at('b'))]).toEqual([true, true, false]);
    expect([known.isNone(at('b/y')), known.isNone(at('c'))]).toEqual([false, false]);
    // Keys in `b.txt/` come before `b/`, those in `b0/` after it.
    expect([known.isNone(at('b.txt')), known.isNone(at('b0'))]).toEqual([true, false]);
  });

  it('knows of everything once a listing has ended well, and nothing of one that failed', () => {
    const known = start();
    known.finish(known.begin(), true);
    expect(known.isNone(at('any/where'))).toBe(true);
    const failed = start();
    failed.finish(failed.begin(), false);
    expect(failed.isNone(at('any/where'))).toBe(false);
  });

  it('follows what is made and removed', () => {
    const known = start();
    known.finish(known.begin(), true);
    const again = known.begin();
    known.seen(at('new'));
    expect([known.isDirectory(at('new')), known.isNone(at('new'))]).toEqual([true, false]);
    known.gone(at('new'));
    expect([known.isDirectory(at('new')), known.isNone(at('new'))]).toEqual([false, true]);
    known.finish(again, true);
    expect(known.isNone(at('new'))).toBe(true);
  });

  it('forgets after ten minutes', () => {
    const known = start();
    known.finish(known.begin(), true);
    time.ms = 10 * 60_000;
    expect(known.isNone(at('a'))).toBe(false);
  });
});

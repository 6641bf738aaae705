import { describe, expect, it } from '@jest/globals';
import { toRelativePath } from '@wl/domain';

import { createIgnoreFilter } from './ignore-filter.js';

describe('createIgnoreFilter', () => {
  const cases: [string, string[], string, boolean, boolean][] = [
    ['leaves out a name at any depth', ['*.tmp'], 'a/b/c.tmp', false, true],
    ['leaves out a directory by a pattern that ends in a slash', ['build/'], 'build', true, true],
    ['keeps a file of that name', ['build/'], 'build', false, false],
    ['takes back what a later pattern excepts', ['*.log', '!keep.log'], 'keep.log', false, false],
    ['anchors a pattern that starts with a slash', ['/top'], 'a/top', false, false],
    ['tells upper from lower case', ['Thumbs.db'], 'thumbs.db', false, false],
    ['takes names with odd characters', ['we"ird\\ *'], 'we"ird \n', false, true],
  ];
  it.each(cases)('%s', (_sentence, patterns, path, isDirectory, expected) => {
    expect(createIgnoreFilter(patterns).ignores(toRelativePath(path), isDirectory)).toBe(expected);
  });
});

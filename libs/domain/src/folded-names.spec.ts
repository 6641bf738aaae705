import { describe, expect, it } from '@jest/globals';

import { FoldedNames } from './folded-names.js';

const lower = (name: string): string => name.toLowerCase();

describe('FoldedNames (INV-35, T73)', () => {
  it('finds nothing among names that stay apart', () => {
    const names = new FoldedNames(lower);
    expect(['a', 'b', 'a.txt'].flatMap((name) => names.note(name))).toEqual([]);
  });

  it('answers with both names of a collision, and with each further one, once', () => {
    const names = new FoldedNames(lower);
    expect(['NOTE', 'Note', 'note', 'Note'].map((name) => names.note(name))).toEqual([[], ['NOTE', 'Note'], ['note'], []]);
    expect(['NOTE', 'Note', 'note', 'other'].map((name) => names.isTaken(name))).toEqual([false, true, true, false]);
  });

  it('takes a name that is met as a file and as a directory for one', () => {
    const names = new FoldedNames(lower);
    expect([names.note('d'), names.note('d')]).toEqual([[], []]);
  });
});

import { describe, expect, it } from '@jest/globals';

import { editDistance, nearest } from './suggest.js';

describe('editDistance', () => {
  it.each([
    ['status', 'status', 0],
    ['sttus', 'status', 1],
    ['staus', 'status', 1],
    ['tsatus', 'status', 1],
    ['xtatuz', 'status', 2],
    ['', 'ab', 2],
    ['ab', '', 2],
  ])('from %j to %j is %d', (a, b, edits) => {
    expect(editDistance(a, b)).toBe(edits);
  });
});

describe('nearest', () => {
  it('names the word with the fewest edits', () => {
    expect(nearest('conatiner', ['storage', 'container', 'contain'])).toBe('container');
  });

  it('does not care about the case', () => {
    expect(nearest('Photo', ['photos'])).toBe('photos');
  });

  it.each(['xyz', 'st', 'completely'])('finds nothing near %j', (word) => {
    expect(nearest(word, ['status', 'stop', 'start'])).toBeUndefined();
  });
});

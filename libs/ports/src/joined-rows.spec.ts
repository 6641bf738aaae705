/** Joined texts are told apart where empty ones and the separator's own characters stand beside it. */

import { describe, expect, it } from '@jest/globals';

import { firstJoined, KEY_SEPARATOR, lastJoined, startOfJoined } from './joined-rows.js';

describe('joined texts', () => {
  it.each([
    ['', 'a'],
    ['', 'd/', 'd/x'],
    ['a/', 'a/.b', 'a/.b.'],
    ['d/', 'd/..x/', 'd/..x/y\n'],
    ['alone'],
    [''],
  ])('are found again by where they end: %j', (...texts) => {
    const joined = texts.join(KEY_SEPARATOR);
    let end = -KEY_SEPARATOR.length;
    for (const text of texts) {
      const start = end + KEY_SEPARATOR.length;
      end = start + text.length;
      expect(startOfJoined(joined, KEY_SEPARATOR, end)).toBe(start);
    }
    expect(firstJoined(joined)).toBe(texts[0]);
    expect(lastJoined(joined)).toBe(texts.at(-1));
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import {
  ancestorsOf,
  compareKeys,
  directoryKey,
  fileKey,
  isDirectoryKey,
  isWithin,
  MAX_PATH_BYTES,
  nameOf,
  parentOf,
  parseRelativePath,
  pathOfKey,
  ROOT,
  toRelativePath,
  utf8Length,
  type RelativePath,
} from './path.js';
import { propertySettings } from './testing/random-trees.js';

/** Text as file names hold it: any Unicode, surrogate pairs and the units around them included. */
const text = fc.string({ unit: fc.oneof(fc.constantFrom('a', '!', '/', '.', '\u{ffff}', '\u{e000}', '\u{10000}', '\u{10ffff}', '\ud7ff'), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })), maxLength: 12 });

describe('parseRelativePath', () => {
  it.each([
    ['a file', 'a.txt'],
    ['a nested file', 'a/b/c'],
    ['quotes and newlines', 'a"b\'c\nd\\e'],
    ['a name that only starts with dots', '...'],
    ['a hidden name', 'a/.hidden'],
    ['emoji', '🎉/📷.jpg'],
    ['spaces and trailing dots', ' a /b.'],
    ['the reserved name below the root', 'a/.wl'],
    ['a name that starts like the reserved one', '.wlx'],
    ['the longest path', 'x'.repeat(MAX_PATH_BYTES)],
  ])('takes %s', (_name, raw) => {
    expect(parseRelativePath(raw)).toEqual({ ok: true, value: raw });
  });

  it.each([
    ['nothing', '', 'empty'],
    ['an absolute path', '/a', 'absolute'],
    ['two slashes in front', '//a', 'absolute'],
    ['a step up', '..', 'escapes-root'],
    ['a step up in the middle (T76)', 'a/../b', 'escapes-root'],
    ['a step up at the end', 'a/..', 'escapes-root'],
    ['a step on the spot', './a', 'escapes-root'],
    ['an empty part (T76)', 'a//b', 'empty-part'],
    ['a trailing slash', 'a/', 'empty-part'],
    ['NUL', 'a\0b', 'nul'],
    ['half a surrogate pair', 'a\ud83c', 'not-unicode'],
    ['the wrong half of one', '\udf89b', 'not-unicode'],
    ['a path that is too long', 'x'.repeat(MAX_PATH_BYTES + 1), 'too-long'],
    ['a path that is too long in bytes only', 'é'.repeat(MAX_PATH_BYTES / 2 + 1), 'too-long'],
    ['our own area', '.wl', 'reserved'],
    ['what is in our own area', '.wl/trash/a', 'reserved'],
  ])('refuses %s', (_name, raw, error) => {
    expect(parseRelativePath(raw)).toEqual({ ok: false, error });
  });

  it('INV-34: lets nothing through that leaves the root or names the root', () => {
    const part = fc.oneof(fc.constantFrom('..', '.', '', 'a', '.wl', '\0'), text);
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        const parsed = parseRelativePath(parts.join('/'));
        if (!parsed.ok) return;
        const found = parsed.value.split('/');
        expect(found.some((one) => one === '' || one === '.' || one === '..' || one.includes('\0'))).toBe(false);
      }),
      propertySettings(500),
    );
  });

  it('INV-35: keeps names byte for byte, also where two spellings look alike', () => {
    const [composed, decomposed] = ['\u00e9', 'e\u0301'];
    expect(parseRelativePath(composed)).toEqual({ ok: true, value: composed });
    expect(parseRelativePath(decomposed)).toEqual({ ok: true, value: decomposed });
  });

  it('throws where the string was promised to be a path', () => {
    expect(() => toRelativePath('a/../b')).toThrow('escapes-root');
    expect(toRelativePath('a/b')).toBe('a/b');
  });
});

describe('keys', () => {
  it('sorts a directory as if its name ended in a slash', () => {
    const keys = ['d/', 'd.txt', 'd0', 'd-/x', 'd!', 'd/x', 'd', 'd-/', 'dé'];
    expect(keys.sort(compareKeys)).toEqual(['d', 'd!', 'd-/', 'd-/x', 'd.txt', 'd/', 'd/x', 'd0', 'dé']);
  });

  it('sorts by code points beyond the Basic Multilingual Plane, unlike JavaScript', () => {
    const [last, beyond] = ['\uffff', '\u{10000}'];
    expect(last > beyond).toBe(true);
    expect(compareKeys(last, beyond)).toBeLessThan(0);
  });

  it('compares any two keys as their UTF-8 bytes compare', () => {
    fc.assert(
      fc.property(text, text, text, (prefix, a, b) => {
        const [x, y] = [prefix + a, prefix + b];
        fc.pre(x.isWellFormed() && y.isWellFormed());
        expect(Math.sign(compareKeys(x, y))).toBe(Buffer.compare(Buffer.from(x), Buffer.from(y)));
      }),
      propertySettings(2000),
    );
  });

  it('leads from a path to its keys and back', () => {
    const path = toRelativePath('a/b');
    expect([fileKey(path), directoryKey(path), directoryKey(ROOT)]).toEqual(['a/b', 'a/b/', '']);
    expect([fileKey(path), directoryKey(path), directoryKey(ROOT)].map(pathOfKey)).toEqual(['a/b', 'a/b', '']);
    expect([fileKey(path), directoryKey(path), directoryKey(ROOT)].map(isDirectoryKey)).toEqual([false, true, true]);
  });

  it('puts everything below a directory between its key and the next that is not below', () => {
    fc.assert(
      fc.property(text, text, (name, other) => {
        fc.pre(parseRelativePath(name).ok && parseRelativePath(other).ok);
        const key = directoryKey(name as RelativePath);
        const below = `${key}${other}`;
        expect(compareKeys(key, below)).toBeLessThan(0);
        // Nothing outside the directory sorts between the two.
        if (compareKeys(key, other) < 0 && compareKeys(other, below) < 0) expect(other.startsWith(key)).toBe(true);
      }),
      propertySettings(500),
    );
  });
});

describe('utf8Length', () => {
  it('counts the bytes of any text', () => {
    fc.assert(
      fc.property(text, (one) => {
        fc.pre(one.isWellFormed());
        expect(utf8Length(one)).toBe(Buffer.byteLength(one));
      }),
      propertySettings(1000),
    );
  });
});

describe('the parts of a path', () => {
  it.each([
    ['a', '', 'a', []],
    ['a/b', 'a', 'b', ['a']],
    ['a/b/c', 'a/b', 'c', ['a', 'a/b']],
  ])('of %s are its parent, its name and its ancestors', (raw, parent, name, ancestors) => {
    const path = toRelativePath(raw);
    expect([parentOf(path), nameOf(path), ancestorsOf(path)]).toEqual([parent, name, ancestors]);
  });

  it.each([
    ['a', '', true],
    ['a', 'a', true],
    ['a/b', 'a', true],
    ['ab', 'a', false],
    ['a', 'a/b', false],
  ])('say whether %s lies within %j', (path, directory, expected) => {
    expect(isWithin(path as RelativePath, directory as RelativePath)).toBe(expected);
  });
});

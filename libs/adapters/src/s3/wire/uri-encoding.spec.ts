import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { decodeListed, decodeMetadata, encodeKey, encodeMetadata, encodePart, encodeQuery } from './uri-encoding.js';

const text = fc.string({ unit: 'grapheme' }).filter((one) => one.isWellFormed());

describe('the spelling of keys and values', () => {
  it('encodes all but letters, digits and -._~, and keeps the slashes of keys', () => {
    expect(encodeKey("a b/ä+%/!'()*~/./../x")).toBe('a%20b/%C3%A4%2B%25/%21%27%28%29%2A~/./../x');
    expect(encodePart('a/b')).toBe('a%2Fb');
  });

  it('sorts a query by its encoded names', () => {
    expect(encodeQuery([['prefix', 'a/ä'], ['list-type', '2'], ['uploads', '']])).toBe('list-type=2&prefix=a%2F%C3%A4&uploads=');
  });

  it('refuses broken Unicode', () => {
    expect(() => encodeKey('a\ud800')).toThrow('broken Unicode');
  });

  it('reads keys of listings in both spellings of a blank, and nothing that is no UTF-8', () => {
    expect(decodeListed('a+b%20c%2B%C3%A4')).toBe('a b c+ä');
    expect(decodeListed('a%FF')).toBeUndefined();
    expect(decodeListed('100%')).toBeUndefined();
  });

  it('carries any text as metadata in visible ASCII', () => {
    fc.assert(
      fc.property(text, (one) => {
        expect(encodeMetadata(one)).toMatch(/^[!-~]*$/);
        expect(decodeMetadata(encodeMetadata(one))).toBe(one);
      }),
    );
  });

  it('leaves metadata that is no percent-encoding as other tools wrote it', () => {
    expect(decodeMetadata('100%')).toBe('100%');
    expect(encodeMetadata('1700000000.123')).toBe('1700000000.123');
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { childText, parseXml, toText, type XmlElement } from './xml.js';

const LISTING = `<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <Name>photos</Name><Prefix/><KeyCount >2</KeyCount >
  <!-- <Contents> in a comment --><?target data?>
  <Contents><Key>a &amp; b &lt;1&gt; &#228; &#x1F600;</Key><Size>1</Size><Owner><ID a='>' b="'">x</ID></Owner></Contents>
  <Contents><Key><![CDATA[<raw> & plain]]></Key><Size>2</Size></Contents>
  <s3:Unknown s3:at="1"><Deep><Deeper></Deeper></Deep></s3:Unknown>
</ListBucketResult>`;

function root(document: string): XmlElement {
  const parsed = parseXml(document);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

describe('parseXml', () => {
  it('reads elements, text, entities, numeric references, CDATA, attributes, comments and namespaces', () => {
    const listing = root(LISTING);
    expect(listing.name).toBe('ListBucketResult');
    expect(listing.children.map(({ name }) => name)).toEqual(['Name', 'Prefix', 'KeyCount', 'Contents', 'Contents', 'Unknown']);
    expect(childText(listing, 'KeyCount')).toBe('2');
    expect(childText(listing, 'Prefix')).toBe('');
    expect(listing.children.filter(({ name }) => name === 'Contents').map((one) => childText(one, 'Key'))).toEqual(['a & b <1> ä 😀', '<raw> & plain']);
  });

  it('T02: refuses a document that is cut at any byte', () => {
    const bytes = Buffer.from(LISTING);
    const accepted: number[] = [];
    for (let length = 0; length < bytes.length; length += 1) {
      const text = toText(bytes.subarray(0, length));
      if (text !== undefined && parseXml(text).ok) accepted.push(length);
    }
    expect(accepted).toEqual([]);
  });

  it('accepts blanks before the document, which keep a connection alive, and after it', () => {
    expect(root(` \n ${LISTING}\n<!-- end -->\n`).children).toHaveLength(6);
    expect(root(`\ufeff${LISTING}`).name).toBe('ListBucketResult');
  });

  it.each([
    ['nothing', ''],
    ['blanks', '  \n'],
    ['words', 'Service Unavailable'],
    ['JSON', '{"ok":true}'],
    ['a page', '<!DOCTYPE html><html><body>Please log in</body></html>'],
    ['an unclosed page', '<html><head><meta charset="utf-8"><title>Log in</title></head></html>'],
    ['a second root', '<A></A><A></A>'],
    ['text after the end', '<A></A>x'],
    ['text before', 'x<A></A>'],
    ['tags that do not match', '<A><B></A></B>'],
    ['a longer closing tag', '<A><B>1</BB></A>'],
    ['a closing tag too many', '<A></A></A>'],
    ['an unknown entity', '<A>&nbsp;</A>'],
    ['a loose ampersand', '<A>a & b</A>'],
    ['a number that is no character', '<A>&#x110000;</A>'],
    ['entities of its own', '<!DOCTYPE A [<!ENTITY e "x">]><A>&e;</A>'],
    ['a tag without a name', '<A>< B></A>'],
    ['a broken attribute', '<A b=1></A>'],
    ['an open comment', '<A><!-- </A>'],
    ['too many levels', '<a>'.repeat(40) + '</a>'.repeat(40)],
  ])('T03: refuses %s', (_what, document) => {
    expect(parseXml(document).ok).toBe(false);
  });

  it('refuses bytes that are no UTF-8', () => {
    expect(toText(Buffer.from([0x3c, 0xff, 0x3e]))).toBeUndefined();
    expect(toText(Buffer.from('ä'))).toBe('ä');
  });

  it('gives back any text that was escaped', () => {
    const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${String(character.charCodeAt(0))};`);
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => expect(root(`<A>${escaped(text)}</A>`).text).toBe(text)));
  });
});

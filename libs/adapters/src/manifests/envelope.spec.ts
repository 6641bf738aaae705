import { describe, expect, it } from '@jest/globals';

import { parseEnvelope, toEnvelope } from './envelope.js';

const parse = (text: string) => {
  const result = parseEnvelope(Buffer.from(text, 'latin1'));
  return result.ok ? { signature: result.value.signature, body: Buffer.from(result.value.body).toString('latin1') } : result.error;
};

describe('the envelope of a manifest', () => {
  it.each([
    ['the block form', 'signature: |\n  0x1:abc=\n---\nbody\n', { signature: '0x1:abc=', body: 'body\n' }],
    ['the one-line form', 'signature: "dummy.0x111"\n---\nbody', { signature: 'dummy.0x111', body: 'body' }],
    ['blank lines at the end of a block', 'signature: |\n  0x1:abc=\n\n  \n---\nbody', { signature: '0x1:abc=', body: 'body' }],
    ['a legacy public key, which is passed over', 'pubkey: |\n  key\nsignature: |\n  s\n---\nb', { signature: 's', body: 'b' }],
    ['an empty header: not signed', '---\nbody\n---\nmore', { signature: undefined, body: 'body\n---\nmore' }],
    ['a body that has separators of its own', 'signature: |\n  s\n---\na\n---\nb', { signature: 's', body: 'a\n---\nb' }],
    ['an empty body', 'signature: |\n  s\n---\n', { signature: 's', body: '' }],
    ['a body of any bytes', 'signature: |\n  s\n---\n\xff\x00', { signature: 's', body: '\xff\x00' }],
  ])('reads %s', (_, text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  it.each([
    ['no separator', 'version: 1\n', 'has no line --- between header and body'],
    ['nothing at all', '', 'has no line --- between header and body'],
    ['a separator with spaces', 'signature: |\n  s\n --- \nb', 'has no line --- between header and body'],
    ['line ends of another system', 'signature: |\r\n  s\r\n---\r\nb', 'has no line --- between header and body'],
    ['another field', 'owner: "0x1"\n---\nb', "has the unknown header field 'owner'"],
    ['a field twice', 'signature: "a"\nsignature: "b"\n---\nb', "has the header field 'signature' twice"],
    ['an empty block', 'signature: |\n---\nb', "has the header field 'signature' without a value"],
    ['a block of blank lines', 'signature: |\n\n  \n---\nb', "has the header field 'signature' without a value"],
    ['a value without quotes', 'signature: abc\n---\nb', 'has a header line that cannot be read (line 1)'],
    ['a value with other characters', 'signature: "a:b"\n---\nb', 'has a header line that cannot be read (line 1)'],
    ['an indented field', ' signature: "a"\n---\nb', 'has a header line that cannot be read (line 1)'],
    ['text after the block', 'signature: |\n  s\nx\n---\nb', 'has a header line that cannot be read (line 3)'],
    ['letters beyond ASCII', 'signature: "\xe4"\n---\nb', 'has a header that is not plain ASCII text'],
  ])('refuses %s', (_, text, message) => {
    expect(parse(text)).toBe(message);
  });

  it('writes what it reads', () => {
    const bytes = toEnvelope('0xab:cd==', Buffer.from('version: 1\n'));
    expect(Buffer.from(bytes).toString()).toBe('signature: |\n  0xab:cd==\n---\nversion: 1\n');
    expect(parse(Buffer.from(bytes).toString('latin1'))).toEqual({ signature: '0xab:cd==', body: 'version: 1\n' });
  });
});

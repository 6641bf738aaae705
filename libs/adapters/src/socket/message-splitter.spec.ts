import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { MessageSplitter, type Frame } from './message-splitter.js';

const LIMIT = 100;

/** What the splitter makes of `chunks`: document texts, and `too-large`. */
function split(chunks: readonly Uint8Array[], limit = LIMIT): string[] {
  const splitter = new MessageSplitter(limit);
  const frames = chunks.flatMap((chunk) => splitter.push(chunk));
  const last = splitter.end();
  return [...frames, ...(last === undefined ? [] : [last])].map(toText);
}

function toText(frame: Frame): string {
  return frame.kind === 'document' ? Buffer.from(frame.bytes).toString('latin1') : 'too-large';
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** `stream` cut at `cuts`; equal cuts give empty chunks. */
function cutAt(stream: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b), stream.length];
  return places.slice(1).map((place, index) => stream.slice(places[index], place));
}

describe('MessageSplitter', () => {
  it.each([
    ['nothing at all', '', []],
    ['one document', '{"a":1}\n\n', ['{"a":1}']],
    ['the end of the stream as the end of the document', '{"a":1}', ['{"a":1}']],
    ['one newline before the end of the stream', '{"a":1}\n', ['{"a":1}']],
    ['two documents in one go', 'a\n\nb\n\n', ['a', 'b']],
    ['a document over several lines', '{\n  "a": 1\n}\n\nb', ['{\n  "a": 1\n}', 'b']],
    ['more empty lines than needed', '\n\n\na\n\n\n\n\nb\n\n\n', ['a', 'b']],
    ['white space around documents', ' \r\n\ta \n\n \n\n b\t\n\n', ['a ', 'b\t']],
    ['carriage returns, which make no empty line', 'a\r\n\r\nb\n\n', ['a\r\n\r\nb']],
    ['white space alone', ' \n\n\r\n\t \n\n\n', []],
  ])('splits %s', (_name, stream, documents) => {
    expect(split([bytes(stream)])).toEqual(documents);
  });

  it('gives the same frames however the stream is cut', () => {
    const piece = fc.constantFrom('\n', '\n\n', 'a', '{"k": "v"}', ' ', '\r\n', '\\n', 'x'.repeat(8), 'y'.repeat(12));
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 30 }).map((pieces) => bytes(pieces.join(''))),
        fc.array(fc.nat(400), { maxLength: 60 }),
        fc.integer({ min: 0, max: 20 }),
        (stream, cuts, limit) => {
          expect(split(cutAt(stream, cuts), limit)).toEqual(split([stream], limit));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('gives back the documents that were joined by empty lines', () => {
    const text = fc.json({ maxDepth: 3 });
    fc.assert(
      fc.property(fc.array(text), fc.array(fc.nat(5000)), (documents, cuts) => {
        const stream = Buffer.from(documents.map((document) => `${document}\n\n`).join(''));
        const splitter = new MessageSplitter(1_000_000);
        const frames = cutAt(stream, cuts).flatMap((chunk) => splitter.push(chunk));
        expect(frames.map((frame) => (frame.kind === 'document' ? Buffer.from(frame.bytes).toString() : frame.kind))).toEqual(
          documents.map((document) => document.trimStart()),
        );
        expect(splitter.end()).toBeUndefined();
      }),
    );
  });

  it('lets a document of exactly the limit through, whole or byte by byte', () => {
    const stream = bytes(`${'x'.repeat(LIMIT)}\n\nb\n\n`);
    const documents = ['x'.repeat(LIMIT), 'b'];
    expect(split([stream])).toEqual(documents);
    expect(split(cutAt(stream, [...stream.keys()]))).toEqual(documents);
  });

  it('reports a document one byte over the limit and nothing after it', () => {
    const stream = bytes(`a\n\n${'x'.repeat(LIMIT + 1)}\n\nb\n\nc`);
    expect(split([stream])).toEqual(['a', 'too-large']);
    expect(split(cutAt(stream, [...stream.keys()]))).toEqual(['a', 'too-large']);
  });

  it('reports an endless document as soon as it exceeds the limit and lets go of it', () => {
    const splitter = new MessageSplitter(LIMIT);
    expect(splitter.push(bytes('x'.repeat(LIMIT)))).toEqual([]);
    expect(splitter.push(bytes('x'))).toEqual([{ kind: 'too-large', limitBytes: LIMIT }]);
    expect(splitter.pendingBytes).toBe(0);
    expect(splitter.push(bytes('x'.repeat(1000)))).toEqual([]);
    expect(splitter.end()).toBeUndefined();
  });

  it('holds nothing of endless white space', () => {
    const splitter = new MessageSplitter(LIMIT);
    for (let round = 0; round < 100; round += 1) expect(splitter.push(bytes(' \n\n\r\n'.repeat(50)))).toEqual([]);
    expect(splitter.pendingBytes).toBe(0);
  });

  it('keeps its own copy of a pending document', () => {
    const splitter = new MessageSplitter(LIMIT);
    const chunk = Buffer.from('abc');
    splitter.push(chunk);
    chunk.fill('z');
    expect(splitter.push(bytes('d\n\n')).map(toText)).toEqual(['abcd']);
  });

  it('looks at each byte once: a megabyte byte by byte takes no square time', () => {
    const splitter = new MessageSplitter(2_000_000);
    const one = bytes('x');
    for (let count = 0; count < 1_000_000; count += 1) splitter.push(one);
    expect(splitter.push(bytes('\n\n'))).toHaveLength(1);
  });
});

/**
 * What the editors of the race torture save: files that say who wrote them and whether they are whole.
 *
 * A version is one record or, where a file was appended to, several with growing numbers. A record is a line
 * `WLR <author> <file> <number> <length> <sha256 of the body>` and the body. Bodies come from the seed, the file
 * and the number, so that any version can be made again to tell what a torn one was made of.
 */
import { createCipheriv, createHash } from 'node:crypto';

import { sha256 } from '../sha256.mjs';

/** One record. `size`: bytes of the body. */
export function record({ seed, author, file, number, size }) {
  const body = bodyOf(seed, file, number, size);
  return Buffer.concat([Buffer.from(`WLR ${author} ${file} ${number} ${size} ${sha256(body)}\n`), body]);
}

function bodyOf(seed, file, number, size) {
  const key = createHash('sha256').update(`${seed}/${file}/${number}`).digest().subarray(0, 16);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

/** Author, file and number of the last record when every byte belongs to a whole record, else `undefined`. */
export function lastRecord(bytes) {
  let last;
  for (let position = 0; position < bytes.length; ) {
    const end = bytes.indexOf(10, position);
    if (end < 0 || end - position > 300) return undefined;
    const [magic, author, file, number, size, hash] = bytes.toString('latin1', position, end).split(' ');
    const body = bytes.subarray(end + 1, end + 1 + Number(size));
    if (magic !== 'WLR' || body.length !== Number(size) || sha256(body) !== hash) return undefined;
    last = { author, file, number: Number(number) };
    position = end + 1 + body.length;
  }
  return last;
}

/** Sizes of bodies as people have them: mostly small, a few beyond what is copied in one piece. */
export function drawSize(die) {
  const draw = die.next();
  if (draw < 0.6) return die.between(0, 2_000);
  if (draw < 0.92) return die.between(2_000, 16_000);
  if (draw < 0.997) return die.between(16_000, 130_000);
  return die.between(1_000_000, 2_500_000);
}

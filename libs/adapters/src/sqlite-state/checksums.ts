/**
 * Checksums of rows: SQLite notices when its own structure is broken, not when a bit of a name
 * or a token has flipped on the disk (INV-11, T21).
 *
 * FNV-1a over UTF-16 units. Every step is a bijection of the 32 bits, so a change of any single
 * unit is always found, and any other but once in four thousand million. Written here because a
 * call per row out of JavaScript costs more than the sum itself.
 * Source: G. Fowler, L. C. Noll, K.-P. Vo, D. Eastlake, "The FNV Non-Cryptographic Hash
 * Algorithm", draft-eastlake-fnv.
 */

const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;
/** Ends a text; no UTF-16 unit has this value, so that 'ab','c' and 'a','bc' differ. */
const END = 0x10000;

/** Checksum of a row of few: of its fields in order. */
export function checksumOf(...fields: readonly (string | number)[]): number {
  let sum = OFFSET_BASIS;
  for (const field of fields) sum = typeof field === 'string' ? mixText(sum, field) : mixText(sum, String(field));
  return sum | 0;
}

/** Checksum of a baseline row, its hash excepted. `sizeBytes` is an integer; tokens are as stored. */
export function rowChecksum(pairId: number, key: string, sizeBytes: number, firstToken: string, secondToken: string): number {
  const sum = mixText(beginRow(pairId), key);
  return endRow(mixText(mixText(sum, firstToken), secondToken), sizeBytes);
}

/** Checksum of a baseline row's hash, `''` for a directory; apart, so that a scan need not read the hashes. */
export function hashChecksum(pairId: number, key: string, hash: string): number {
  return mixText(mixText(mixInteger(OFFSET_BASIS, pairId), key), hash) | 0;
}

/** What `rowChecksum` of every row of a pair begins with. */
export function beginRow(pairId: number): number {
  return mixInteger(OFFSET_BASIS, pairId);
}

/** Adds a field that stands in a longer text, from `start` up to `end`. */
export function mixPart(sum: number, text: string, start: number, end: number): number {
  let mixed = sum;
  for (let i = start; i < end; i += 1) mixed = Math.imul(mixed ^ text.charCodeAt(i), PRIME);
  return Math.imul(mixed ^ END, PRIME);
}

/** Ends a sum with the row's size. */
export function endRow(sum: number, sizeBytes: number): number {
  return mixInteger(sum, sizeBytes) | 0;
}

function mixText(sum: number, text: string): number {
  return mixPart(sum, text, 0, text.length);
}

function mixInteger(start: number, value: number): number {
  return Math.imul(Math.imul(start ^ (value >>> 0), PRIME) ^ Math.floor(value / 0x1_0000_0000), PRIME);
}

/** Orders of keys in listings, and a list of keys that keeps one. */

/** Compares two keys: negative when the first comes first. */
export type KeyOrder = (first: string, second: string) => number;

/** S3's order, that of UTF-8 bytes: by code point, which UTF-16 order is not above U+D7FF. */
export const utf8Order: KeyOrder = (first, second) => {
  const shorter = Math.min(first.length, second.length);
  for (let index = 0; index < shorter; index++) {
    const a = first.charCodeAt(index);
    const b = second.charCodeAt(index);
    if (a !== b) return rank(a) - rank(b);
  }
  return first.length - second.length;
};

/** JavaScript's own order, which some servers list in by mistake. */
export const utf16Order: KeyOrder = (first, second) => (first < second ? -1 : first > second ? 1 : 0);

/** Where the first key not before `key` is, or would be. */
export function lowerBound(keys: readonly string[], key: string, order: KeyOrder): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (order(keys[middle] as string, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Surrogates stand for code points above all others of sixteen bits. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

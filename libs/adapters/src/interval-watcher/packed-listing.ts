/**
 * A whole listing remembered in little memory, to be compared with the next one as both
 * stream by in key order: per entry about the part of its key in which it differs from
 * the key before, plus 10 bytes: 16 MB for a million photos with numbered names (measured).
 * While two listings are compared, both are held.
 */

/** Entries in a block. */
const BLOCK_ENTRIES = 1024;

/** A key and what was seen there. */
export interface PackedEntry {
  readonly key: string;
  /** 64 bits of a hash in two halves; the high one is `RACY` where a token may stand for two versions. */
  readonly high: number;
  readonly low: number;
}

/** High half of the fingerprint of a racy token; no hash has it. */
export const RACY = 0;

interface Block {
  readonly suffixes: Buffer;
  readonly sharedLengths: Uint16Array;
  readonly fingerprints: Uint32Array;
}

/** Keys in order with a fingerprint each; written once from front to back, then read so. */
export class PackedListing {
  readonly #blocks: Block[] = [];
  #suffixes: string[] = [];
  #sharedLengths: number[] = [];
  #fingerprints: number[] = [];
  #lastKey = '';

  /** Adds an entry; keys come in key order. */
  append(key: string, high: number, low: number): void {
    const shared = sharedLength(this.#lastKey, key);
    this.#suffixes.push(key.slice(shared));
    this.#sharedLengths.push(shared);
    this.#fingerprints.push(high, low);
    this.#lastKey = key;
    if (this.#suffixes.length >= BLOCK_ENTRIES) this.finish();
  }

  /** Packs what was added since the last full block. To be called after the last entry. */
  finish(): void {
    if (this.#suffixes.length === 0) return;
    this.#blocks.push({
      // No key holds a NUL.
      suffixes: Buffer.from(this.#suffixes.join('\0')),
      sharedLengths: Uint16Array.from(this.#sharedLengths),
      fingerprints: Uint32Array.from(this.#fingerprints),
    });
    this.#suffixes = [];
    this.#sharedLengths = [];
    this.#fingerprints = [];
  }

  /** The entries in order. */
  *entries(): Generator<PackedEntry> {
    let key = '';
    for (const { suffixes, sharedLengths, fingerprints } of this.#blocks) {
      for (const [index, suffix] of suffixes.toString().split('\0').entries()) {
        key = key.slice(0, sharedLengths[index]) + suffix;
        yield { key, high: fingerprints[2 * index] ?? 0, low: fingerprints[2 * index + 1] ?? 0 };
      }
    }
  }
}

/** Two 32-bit FNV-1a hashes with different offsets; the high half is never `RACY`. */
export function fingerprintOf(text: string): { readonly high: number; readonly low: number } {
  let high = 0x811c9dc5;
  let low = 0x5bd1e995;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    high = Math.imul(high ^ unit, 0x01000193);
    low = Math.imul(low ^ unit, 0x01000193) ^ (low >>> 15);
  }
  return { high: high >>> 0 || 1, low: low >>> 0 };
}

/** How many units two keys share, never ending between the halves of a surrogate pair. */
function sharedLength(before: string, key: string): number {
  const limit = Math.min(before.length, key.length, 0xffff);
  let shared = 0;
  while (shared < limit && before.charCodeAt(shared) === key.charCodeAt(shared)) shared += 1;
  const last = shared === 0 ? 0 : key.charCodeAt(shared - 1);
  return last >= 0xd800 && last <= 0xdbff ? shared - 1 : shared;
}

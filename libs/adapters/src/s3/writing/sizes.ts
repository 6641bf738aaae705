/** From which size an object is written how, and in parts of which size. */

const MIB = 1024 * 1024;

/** Sizes in bytes; the defaults are those of S3, tests use smaller ones. */
export interface Sizes {
  /** Up to here, content is held in memory and written by one `PUT`. */
  readonly small: number;
  /** Smallest part of an upload; a multiple of `step`. */
  readonly part: number;
  /** Parts are a multiple of this. */
  readonly step: number;
  /** Largest object that one `PUT` or one copy on the server can write. */
  readonly single: number;
  /** Smallest part of an upload that the server copies together; a multiple of `step`. */
  readonly copiedPart: number;
  /** What a streamed `PUT` holds in memory at most, beside the chunk in hand. */
  readonly pipe: number;
}

/** Up to this size, in bytes, content is held in memory and written by one `PUT`. */
export const SMALL_BYTES = 8 * MIB;

/** Sizes for real servers. */
export const SIZES: Sizes = { small: SMALL_BYTES, part: 8 * MIB, step: MIB, single: 5 * 1024 * MIB, copiedPart: 256 * MIB, pipe: 4 * MIB };

/** So many parts S3 takes. */
const MOST_PARTS = 10_000;

/** So many we plan: a file may grow by a tenth before its parts have to become larger, and none of them is what it was. */
const PLANNED_PARTS = 9000;

/** After so many parts of an upload of unknown size, the next ones are twice as large: 8 TiB in 10,000 parts. */
const PARTS_OF_A_SIZE = 1000;

/** How large the parts are when the whole is `sizeBytes` large; all but the last are of one size. */
export function partBytesFor(sizeBytes: number, sizes: Sizes): number {
  return Math.max(sizes.part, Math.ceil(sizeBytes / PLANNED_PARTS / sizes.step) * sizes.step);
}

/** How large part `partNumber` (from 1) is when it is not known how large the whole will be. */
export function growingPartBytes(partNumber: number, sizes: Sizes): number {
  return sizes.part * 2 ** Math.floor((partNumber - 1) / PARTS_OF_A_SIZE);
}

/** Whether the whole can be written in parts of the size that an earlier version had. */
export function isPartSize(partBytes: number, sizeBytes: number, sizes: Sizes): boolean {
  return partBytes >= sizes.part && partBytes <= partBytesFor(sizeBytes, sizes) && sizeBytes <= partBytes * MOST_PARTS;
}

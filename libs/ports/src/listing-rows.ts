/** Rows of a listing one by one, for storages that come by them so; `ListingBatch` says why they travel as arrays. */

import type { UnknownReason } from '@wl/domain';

import type { EntryKindValue, ListingBatch } from './storage-backend.js';

/** One row; what each field means is said at `ListingBatch`. */
export interface ListingRow {
  readonly key: string;
  readonly kind: EntryKindValue;
  readonly token: string;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  readonly isRacy: boolean;
  readonly reason: UnknownReason | undefined;
}

/** Packs rows, which are in key order, into a batch. */
export function packListing(rows: readonly ListingRow[]): ListingBatch {
  const { length } = rows;
  const keys = new Array<string>(length);
  const tokens = new Array<string>(length);
  const kinds = new Uint8Array(length);
  const sizes = new Float64Array(length);
  const mtimes = new Float64Array(length);
  const racy = new Uint8Array(length);
  const reasons = new Map<number, UnknownReason>();
  // One loop: `from` with a function takes ten times as long for pages of a few rows.
  for (let i = 0; i < length; i += 1) {
    const row = rows[i]!;
    keys[i] = row.key;
    tokens[i] = row.token;
    kinds[i] = row.kind;
    sizes[i] = row.sizeBytes;
    mtimes[i] = row.mtimeMs;
    if (row.isRacy) racy[i] = 1;
    if (row.reason !== undefined) reasons.set(i, row.reason);
  }
  return { keys, kinds, tokens, sizes, mtimes, racy, reasons };
}

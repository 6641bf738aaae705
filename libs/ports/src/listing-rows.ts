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
  const reasons = new Map<number, UnknownReason>();
  for (const [index, { reason }] of rows.entries()) if (reason !== undefined) reasons.set(index, reason);
  return {
    keys: rows.map((row) => row.key),
    kinds: Uint8Array.from(rows, (row) => row.kind),
    tokens: rows.map((row) => row.token),
    sizes: Float64Array.from(rows, (row) => row.sizeBytes),
    mtimes: Float64Array.from(rows, (row) => row.mtimeMs),
    racy: Uint8Array.from(rows, (row) => (row.isRacy ? 1 : 0)),
    reasons,
  };
}

/** How much both sides of a pair hold alike: the baseline less what is in conflict by now. */

import { fileKey } from '@wl/domain';
import type { PairState } from '@wl/ports';

/** Files and bytes in sync. */
export function agreedTotals(pair: PairState): { readonly files: number; readonly bytes: number } {
  let { files, bytes } = pair.totals();
  for (const { path } of pair.conflicts()) {
    const row = pair.get(fileKey(path));
    if (row?.kind !== 'file') continue;
    files -= 1;
    bytes -= row.sizeBytes;
  }
  return { files, bytes };
}

/**
 * Whether a file is a program: the one permission that goes along by itself. Between a bit that
 * both sides agreed on and two of which one changed there is no conflict: had both changed,
 * they would be alike.
 */

import type { SideName } from './content.js';

/** Whether a file is executable, side by side; `undefined` where a side does not tell. */
export interface Executability {
  readonly source: boolean | undefined;
  readonly target: boolean | undefined;
}

/**
 * The side that still has what both agreed on while the other has changed, and is to be given the
 * other's. `undefined` where they are alike, or where nobody knows which of them is the change.
 */
export function behindInExecutability(agreed: Executability | undefined, now: Executability): SideName | undefined {
  if (now.source === undefined || now.target === undefined || now.source === now.target) return undefined;
  if (agreed?.source === undefined || agreed.source !== agreed.target) return undefined;
  return now.source === agreed.source ? 'source' : 'target';
}

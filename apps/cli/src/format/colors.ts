/** Colours, or none: the same functions either way. */

import picocolors from 'picocolors';

/** Functions that colour a text. */
export type Colors = ReturnType<typeof picocolors.createColors>;

/** Colours for a stream that takes them. */
export function createColors(isRich: boolean): Colors {
  return picocolors.createColors(isRich);
}

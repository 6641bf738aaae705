/** What the daemon says of syncers, as lines for people. */

import type { StatusSyncer } from '@wl/ports/schemas';

import { oneLine } from './text.js';

/** A line for each: the chosen one first, marked. Names and reasons of plugins stay on one line. */
export function syncerLines(syncers: readonly StatusSyncer[]): string[] {
  const ordered = [...syncers].sort((a, b) => Number(b.chosen) - Number(a.chosen));
  return ordered.map(({ name, chosen, reason, origin }) => oneLine(`${chosen ? '*' : ' '} ${name} (${origin === undefined ? 'built in' : `plugin ${origin}`}): ${reason}`));
}

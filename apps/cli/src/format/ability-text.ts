/** What `wl storage check` found, as a table. */

import type { StorageParams } from '@wl/adapters/manifests';
import type { StatusAbility } from '@wl/ports/schemas';

import type { Colors } from './colors.js';
import { storagePlace } from './container-text.js';
import { oneLine } from './text.js';

const OUTCOME_WORDS: Readonly<Record<StatusAbility['outcome'], string>> = { works: 'works', missing: 'missing', 'not-tried': 'not tried' };
const OUTCOME_WIDTH = Math.max(...Object.values(OUTCOME_WORDS).map((word) => word.length));

/** `'s3'(backend_id=two) at s3://bucket/photos/`. */
export function storageHeading(storage: StorageParams): string {
  const place = storagePlace(storage);
  return `'${oneLine(storage.type)}'(backend_id=${oneLine(storage['backend-id'])})${place === undefined ? '' : ` at ${oneLine(place)}`}`;
}

/** A line for each ability: its name, how it came out, what was seen. */
export function abilityLines(abilities: readonly StatusAbility[], colors: Colors): string[] {
  const width = Math.max(0, ...abilities.map(({ ability }) => oneLine(ability).length));
  const paint = { works: colors.green, missing: colors.yellow, 'not-tried': colors.dim };
  return abilities.map(({ ability, outcome, detail }) =>
    `   ${oneLine(ability).padEnd(width)}  ${paint[outcome](OUTCOME_WORDS[outcome].padEnd(OUTCOME_WIDTH))}  ${oneLine(detail)}`.trimEnd(),
  );
}

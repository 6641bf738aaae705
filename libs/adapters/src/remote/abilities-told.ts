/** How a driver tells what was proved of its server. */

import type { AbilityReport, StorageCapabilities } from '@wl/ports';

/** Capabilities; before anything was tried (`abilities` undefined), the least that can be. */
export function capabilitiesFrom<A extends { readonly isCaseSensitive: boolean }>(abilities: A | undefined, isReadOnly: boolean, notesOf: (abilities: A) => string[]): StorageCapabilities {
  return {
    isReadOnly,
    replace: 'window',
    remove: 'checked',
    isCaseSensitive: abilities?.isCaseSensitive ?? true,
    keepsEmptyDirectories: true,
    hasTrash: !isReadOnly,
    hashesByTransfer: true,
    notes: abilities === undefined || isReadOnly ? [] : notesOf(abilities),
  };
}

/** A line of `wl storage check`. */
export function abilityReport(ability: string, works: boolean, there: string, missing: string): AbilityReport {
  return { ability, outcome: works ? 'works' : 'missing', detail: works ? there : missing };
}

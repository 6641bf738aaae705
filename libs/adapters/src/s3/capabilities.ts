/** What an S3 storage can do, from what its endpoint was proved to do (INV-26). */

import { FINDABLE_BYTES, type StorageCapabilities } from '@wl/ports';

import type { S3Abilities } from './abilities.js';
import { removalOf } from './remover.js';
import { isPlaceholderUsable } from './writing/placeholder.js';
import { SMALL_BYTES } from './writing/sizes.js';

/** Capabilities; before anything was tried, the least that can be. */
export function capabilitiesOf(abilities: S3Abilities | undefined, isReadOnly: boolean): StorageCapabilities {
  return {
    isReadOnly,
    replace: abilities === undefined ? 'window' : replacementOf(abilities),
    remove: abilities === undefined ? 'window' : removalOf(abilities),
    isCaseSensitive: true,
    keepsEmptyDirectories: true,
    hasTrash: !isReadOnly && (abilities === undefined || abilities.copies || abilities.isVersioned),
    hashFirstBytes: SMALL_BYTES + 1,
    hashesByTransfer: true,
    ...(abilities?.copies === true && { copyWithinBytes: FINDABLE_BYTES }),
    notes: abilities === undefined || isReadOnly ? [] : notesOf(abilities),
  };
}

function replacementOf(abilities: S3Abilities): 'atomic' | 'checked' | 'window' {
  if (abilities.createsIfAbsent && abilities.replacesIfMatch !== 'no') return 'atomic';
  return abilities.isVersioned ? 'checked' : 'window';
}

function notesOf(abilities: S3Abilities): string[] {
  const notes: string[] = [];
  const replace = replacementOf(abilities);
  if (replace === 'window') {
    notes.push('This server writes without comparing: two writes of one file within a moment may hide one of them. Turn on versioning for the bucket, or use a server with conditional writes.');
  } else if (replace === 'checked') {
    notes.push('This server does not compare when it writes; the bucket keeps every version, so wl looks afterwards and gives back what another machine wrote in between.');
  }
  if (removalOf(abilities) === 'window') {
    notes.push(
      isPlaceholderUsable(abilities)
        ? 'This server does not compare when it deletes: among machines with wl nothing is lost, but what another program writes over a file in the instant of its deletion may be.'
        : 'This server does not compare when it deletes: what is written to a file in the instant of its deletion may be lost.',
    );
  }
  if (!abilities.copies && !abilities.isVersioned) notes.push('This server cannot copy objects and keeps no versions: what a sync replaces or deletes is not kept in a trash.');
  if (!abilities.verifiesContent && !abilities.tagsByMd5) notes.push('This server does not verify what it is sent: every file is read back after it was written, which takes its time.');
  return notes;
}

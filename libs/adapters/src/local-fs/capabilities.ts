/** What a local storage can do, from what was found out about its file system (INV-26). */

import { FINDABLE_BYTES, type StorageCapabilities } from '@wl/ports';

import type { OpenedRoot } from './worker/root.js';

/** Capabilities of a root; the best before it was opened. */
export function capabilitiesOf(root: OpenedRoot | undefined, isReadOnly: boolean): StorageCapabilities {
  const canExchange = root?.abilities.canExchange ?? true;
  return {
    isReadOnly,
    replace: canExchange ? 'checked' : 'window',
    remove: 'checked',
    isCaseSensitive: root?.isCaseSensitive ?? true,
    keepsEmptyDirectories: true,
    hasTrash: !isReadOnly,
    // A copy within a disk is read, written and read back, or shares its blocks: no network does that faster.
    ...(!isReadOnly && { copyWithinBytes: FINDABLE_BYTES }),
    notes: root === undefined || isReadOnly ? [] : notesOf(root),
  };
}

function notesOf({ abilities, anchor }: OpenedRoot): string[] {
  const notes: string[] = [];
  const { canExchange, canRenameNoReplace, canLink, canSeeWriters } = abilities;
  if (!canRenameNoReplace && !canLink) {
    notes.push('Files cannot be written here: the file system has no hard links, and the optional package koffi is not installed or does not help.');
  } else if (!canExchange) {
    notes.push(
      canLink
        ? 'Two names cannot be exchanged in one step here: a save by another program in the very instant of a replacement may be lost.'
        : 'Existing files cannot be replaced here: the file system offers neither hard links nor exchanges.',
    );
  }
  if (!canSeeWriters) {
    notes.push(
      'It cannot be told here whether a program has a file open: one that goes on writing to a file that was replaced or removed writes into the trash, and what it writes through a memory mapping may be noticed late.',
    );
  }
  if (anchor === 'checked-path') {
    notes.push('There is no /proc here: a directory that is turned into a link in the very instant of an operation may be followed.');
  }
  return notes;
}

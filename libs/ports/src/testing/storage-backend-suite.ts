/**
 * The contract of `StorageBackend`, as tests. Every adapter and every wrapper runs it; a bug
 * found in one of them becomes a test here before it is fixed. The sentences are told by
 * theme in `storage-backend/`.
 */

import { afterEach, beforeEach, describe } from '@jest/globals';

import { describeCopyingWithin } from './storage-backend/copying-within.js';
import { describeCopying } from './storage-backend/copying.js';
import { describeListing } from './storage-backend/listing.js';
import { describeLiving } from './storage-backend/living.js';
import { describeNaming } from './storage-backend/naming.js';
import { describeObserving } from './storage-backend/observing.js';
import type { OpenBackend } from './storage-backend/open-backend.js';
import { describePrograms } from './storage-backend/programs.js';
import { describeRacing } from './storage-backend/racing.js';
import { describeReading } from './storage-backend/reading.js';
import { describeRemoving } from './storage-backend/removing.js';
import { describeReplacing } from './storage-backend/replacing.js';
import { describeWholeFiles } from './storage-backend/whole-files.js';

export type { OpenBackend } from './storage-backend/open-backend.js';
export { describeReadOnlyBackend } from './storage-backend/read-only-suite.js';

/** Runs what holds for looking and reading, for a kind of storage that can never be written; beside `describeReadOnlyBackend`. */
export function describeReadableBackend(name: string, open: () => Promise<OpenBackend>): void {
  describe(`${name} as a StorageBackend to read from`, () => {
    let opened: OpenBackend;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());

    const current = (): OpenBackend => opened;
    describeListing(current);
    describeObserving(current);
    describeReading(current);
  });
}

const PARTS = [
  describeLiving,
  describeListing,
  describeObserving,
  describeReading,
  describeReplacing,
  describeRemoving,
  describeNaming,
  describeRacing,
  describeCopying,
  describeWholeFiles,
  describeCopyingWithin,
  describePrograms,
];

/**
 * Runs all tests of the port against backends that `open` makes, one for each test. `share`: one of so many
 * parts of them, for a storage that makes its tests wait, to run them side by side.
 */
export function describeStorageBackend(name: string, open: () => Promise<OpenBackend>, share: { readonly part: number; readonly of: number } = { part: 0, of: 1 }): void {
  describe(`${name} as a StorageBackend`, () => {
    let opened: OpenBackend;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());

    const current = (): OpenBackend => opened;
    for (const [index, describePart] of PARTS.entries()) if (index % share.of === share.part) describePart(current);
  });
}

/**
 * The contract of `SyncState`, as tests. Every implementation runs it; a bug found in one of
 * them becomes a test here before it is fixed. The sentences are told by theme in `sync-state/`.
 */

import { afterEach, beforeEach, describe } from '@jest/globals';

import { describeCommitting } from './sync-state/committing.js';
import { describeConflicts } from './sync-state/conflicts.js';
import { describeFinding } from './sync-state/finding.js';
import type { OpenState } from './sync-state/open-state.js';
import { describeRemembering } from './sync-state/remembering.js';
import { describeScanning } from './sync-state/scanning.js';

export type { OpenState } from './sync-state/open-state.js';

/** Runs all tests of the port against states that `open` makes, an empty one for each test. */
export function describeSyncState(name: string, open: () => OpenState | Promise<OpenState>): void {
  describe(`${name} as a SyncState`, () => {
    let opened: OpenState;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());

    const current = (): OpenState => opened;
    describeCommitting(current);
    describeScanning(current);
    describeFinding(current);
    describeConflicts(current);
    describeRemembering(current);
  });
}

/** What an implementation of `SyncState` gives the suite for one test. */

import type { SyncState } from '../../sync-state.js';

/** An opened, empty state. */
export interface OpenState {
  readonly state: SyncState;
  /** Closes the state and opens it again on what was stored; absent where closing forgets. Called several times in one test. */
  readonly reopen?: () => SyncState | Promise<SyncState>;
  /** Closes what is open and removes what was stored. */
  close(): void | Promise<void>;
}

/** The state of the running test. */
export type CurrentState = () => OpenState;

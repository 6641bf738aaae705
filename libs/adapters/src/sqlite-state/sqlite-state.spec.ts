import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { describeHashCache, describeSyncState } from '@wl/ports/testing';

import { openSqliteState } from './index.js';

/** A state in a fresh directory, as the suites open, reopen and close it. */
function opened() {
  const directory = mkdtempSync(path.join(tmpdir(), 'wl-state-'));
  const open = () =>
    openSqliteState({
      path: path.join(directory, 'state.db'),
      onNotice: (message) => {
        throw new Error(`unexpected notice: ${message}`);
      },
    });
  let current = open();
  return {
    state: current,
    cache: current,
    reopen: () => {
      current.close();
      return (current = open());
    },
    close: () => {
      current.close();
      rmSync(directory, { recursive: true });
    },
  };
}

describeSyncState('SqliteState', opened);
describeHashCache('SqliteState', opened);

import { describe, expect, it } from '@jest/globals';

import { directoryKey, fileKey, ROOT, toRelativePath, toSha256, type Token } from '@wl/domain';
import { StateError, type BaselineRow } from '@wl/ports';
import { describeHashCache, describeSyncState } from '@wl/ports/testing';

import { MemoryState, type StateOperation } from './index.js';

/** A memory state as the suites open, reopen and close it. */
function opened() {
  let current = new MemoryState();
  return {
    state: current,
    cache: current,
    reopen: () => (current = current.reopened()),
    close: () => {
      current.close();
    },
  };
}

describeSyncState('MemoryState', opened);
describeHashCache('MemoryState', opened);

describe('MemoryState', () => {
  const identity = { scope: 's', sourceBackendId: 'a', targetBackendId: 'b' };
  const path = toRelativePath('f');
  const hash = toSha256('0'.repeat(64));
  const token = 't' as Token;
  const row: BaselineRow = { kind: 'file', hash, sizeBytes: 1, sourceToken: token, targetToken: token };

  /** A state whose operations fail while they are named in `failing`. */
  const failing = new Set<StateOperation>();
  const faulty = (): MemoryState =>
    new MemoryState({
      onOperation: (operation) => {
        if (failing.has(operation)) throw new StateError('no-space', operation);
      },
    });

  it('T09: fails where it is told to, having changed nothing', () => {
    const state = faulty();
    const pair = state.openPair(identity);
    failing.add('commit').add('scan').add('saveJob');
    expect(() => pair.commit([{ kind: 'put', key: fileKey(path), row }])).toThrow(StateError);
    expect(() => [...pair.scan(ROOT)]).toThrow('scan');
    expect(() => {
      state.saveJob({ jobId: 'j', request: '' });
    }).toThrow('saveJob');
    failing.clear();
    expect([...pair.scan(ROOT)]).toEqual([]);
    expect(state.jobs()).toEqual([]);
  });

  it('can fail in the middle of a scan', () => {
    const state = faulty();
    const pair = state.openPair(identity);
    pair.commit([{ kind: 'put', key: directoryKey(ROOT), row: { kind: 'directory' } }]);
    pair.commit(Array.from({ length: 3000 }, (_, i) => ({ kind: 'put' as const, key: fileKey(toRelativePath(String(i))), row })));
    let rows = 0;
    expect(() => {
      for (const batch of pair.scan(ROOT)) {
        rows += batch.keys.length;
        failing.add('scan');
      }
    }).toThrow('scan');
    failing.clear();
    expect(rows).toBe(1000);
  });

  it('forgets rather than fails as a hash cache', () => {
    const state = faulty();
    state.putMany('a', [{ path, token, hash }]);
    failing.add('cache.get').add('cache.putMany').add('cache.drop');
    expect(state.get('a', path, token)).toBeUndefined();
    state.putMany('a', [{ path, token: 'u' as Token, hash }]);
    state.drop('a');
    failing.clear();
    expect(state.get('a', path, token)).toBe(hash);
    state.close();
    expect(state.get('a', path, token)).toBeUndefined();
  });

  it('leaves a killed process with a closed state', () => {
    const state = new MemoryState();
    const pair = state.openPair(identity);
    state.reopened();
    expect(() => pair.totals()).toThrow('closed');
  });
});

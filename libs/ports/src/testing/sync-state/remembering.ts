/** The contract of what stands beside the baseline, as tests: roots, passes, deletion counts, jobs, and keeping it all. */

import { describe, expect, it } from '@jest/globals';

import { at, AWKWARD_NAMES, conflictAt, FLIPPED, IDENTITY, key, pairWith, put, fileRow, scannedKeys } from './helpers.js';
import type { CurrentState } from './open-state.js';

const HOUR_MS = 3_600_000;
/** Some time of a day, so that rounding to an hour or a day would show. */
const T0 = 1_700_000_000_000 + 23 * 60_000 + 45_678;

/** Tests of `summary`, `setRoots`, `reset`, `forgetBaseline` and the deletion counts. */
export function describeRemembering(current: CurrentState): void {
  describe('the summary', () => {
    it('is empty before the first pass', () => {
      const pair = current().state.openPair(IDENTITY);
      expect(pair.summary()).toEqual({ sourceRootIds: [], targetRootIds: [], areRootsLost: false });
    });

    it('INV-10: holds the roots last set, each on its side', () => {
      const { state } = current();
      const pair = state.openPair(IDENTITY);
      pair.setRoots(['first'], ['other']);
      pair.setRoots(['marker', 'uuid "x"\n'], ['bucket/\u{1F600}']);
      expect(pair.summary()).toEqual({
        sourceRootIds: ['marker', 'uuid "x"\n'],
        targetRootIds: ['bucket/\u{1F600}'],
        areRootsLost: false,
      });
      const flipped = state.openPair(FLIPPED);
      expect(flipped.summary().sourceRootIds).toEqual(['bucket/\u{1F600}']);
      flipped.setRoots(['t'], ['s']);
      expect(pair.summary().sourceRootIds).toEqual(['s']);
      expect(pair.summary().targetRootIds).toEqual(['t']);
    });
  });

  describe('a reset', () => {
    it('INV-12: forgets baseline, conflicts and roots, so that the next pass is a first one', () => {
      const { state } = current();
      const pair = pairWith(state, 'a/', 'a/b', 'c');
      const other = state.openPair({ ...IDENTITY, scope: 'other' });
      other.commit([put('kept')]);
      pair.setRoots(['s'], ['t']);
      pair.putConflicts([conflictAt('a')]);
      pair.reset();
      expect(scannedKeys(pair)).toEqual([]);
      expect(pair.get(key('c'))).toBeUndefined();
      expect(pair.totals()).toEqual({ files: 0, bytes: 0 });
      expect(pair.conflicts()).toEqual([]);
      expect(pair.summary()).toEqual({ sourceRootIds: [], targetRootIds: [], areRootsLost: false });
      expect(scannedKeys(state.openPair(FLIPPED))).toEqual([]);
      expect(scannedKeys(other)).toEqual(['kept']);
      pair.commit([put('new')]);
      expect(pair.totals()).toEqual({ files: 1, bytes: 1 });
    });
  });

  describe('forgetting the baseline', () => {
    it('INV-10, INV-11: forgets conflicts and passes with it, and keeps the roots, each on its side', () => {
      const { state } = current();
      const pair = pairWith(state, 'a/', 'a/b', 'c');
      pair.setRoots(['s'], ['t']);
      pair.putConflicts([conflictAt('a')]);
      pair.forgetBaseline();
      expect(scannedKeys(pair)).toEqual([]);
      expect(pair.totals()).toEqual({ files: 0, bytes: 0 });
      expect(pair.conflicts()).toEqual([]);
      expect(pair.summary()).toEqual({ sourceRootIds: ['s'], targetRootIds: ['t'], areRootsLost: false });
      expect(state.openPair(FLIPPED).summary()).toMatchObject({ sourceRootIds: ['t'], targetRootIds: ['s'] });
      pair.commit([put('new')]);
      expect(pair.totals()).toEqual({ files: 1, bytes: 1 });
    });

    it('of a pair that was never synced leaves it so', () => {
      const pair = current().state.openPair(IDENTITY);
      pair.forgetBaseline();
      expect(pair.summary()).toEqual({ sourceRootIds: [], targetRootIds: [], areRootsLost: false });
    });
  });

  describe('the deletion counts', () => {
    it('INV-39: sum up per side since a time', () => {
      const { state } = current();
      const pair = state.openPair(IDENTITY);
      expect(pair.deletionsSince('source', 0)).toBe(0);
      pair.addDeletions('source', 3, T0);
      pair.addDeletions('source', 4, T0);
      pair.addDeletions('source', 10, T0 + 5 * HOUR_MS);
      pair.addDeletions('target', 100, T0 + HOUR_MS);
      expect(pair.deletionsSince('source', 0)).toBe(17);
      expect(pair.deletionsSince('source', T0)).toBe(17);
      expect(pair.deletionsSince('source', T0 + 3 * HOUR_MS)).toBe(10);
      expect(pair.deletionsSince('source', T0 + 7 * HOUR_MS)).toBe(0);
      expect(pair.deletionsSince('target', 0)).toBe(100);
      expect(state.openPair({ ...IDENTITY, scope: 'other' }).deletionsSince('source', 0)).toBe(0);
    });

    it('lose nothing over months, in whatever order the times come', () => {
      const pair = current().state.openPair(IDENTITY);
      const hours = Array.from({ length: 100 }, (_, i) => (i * 1237) % 4000);
      for (const hour of hours) pair.addDeletions('target', 1, T0 + hour * HOUR_MS);
      expect(pair.deletionsSince('target', 0)).toBe(100);
      const middle = T0 + 2000 * HOUR_MS;
      const exact = hours.filter((hour) => hour >= 2000).length;
      // What is long past may be counted by the hour; never is anything left out.
      expect(pair.deletionsSince('target', middle)).toBeGreaterThanOrEqual(exact);
      expect(pair.deletionsSince('target', middle + HOUR_MS)).toBeLessThanOrEqual(exact);
    });

    it('INV-2: follow the storage when source and target are exchanged', () => {
      const { state } = current();
      const pair = state.openPair(IDENTITY);
      const flipped = state.openPair(FLIPPED);
      pair.addDeletions('source', 2, T0);
      expect(flipped.deletionsSince('target', 0)).toBe(2);
      expect(flipped.deletionsSince('source', 0)).toBe(0);
      flipped.addDeletions('source', 5, T0);
      expect(pair.deletionsSince('target', 0)).toBe(5);
    });

    it('are forgotten once the user has accepted them, and outlive a reset', () => {
      const pair = current().state.openPair(IDENTITY);
      pair.addDeletions('source', 2, T0);
      pair.addDeletions('target', 3, T0);
      pair.reset();
      expect(pair.deletionsSince('source', 0)).toBe(2);
      pair.clearDeletions();
      expect(pair.deletionsSince('source', 0)).toBe(0);
      expect(pair.deletionsSince('target', 0)).toBe(0);
    });
  });

  describe('the saved jobs', () => {
    it('are replaced by id and deleted by id', () => {
      const { state } = current();
      expect(state.jobs()).toEqual([]);
      const ids = ['ann|photos|usb', ...AWKWARD_NAMES];
      for (const jobId of ids) state.saveJob({ jobId, request: JSON.stringify({ old: jobId }) });
      for (const jobId of ids) state.saveJob({ jobId, request: JSON.stringify({ container: jobId }) });
      expect(new Set(state.jobs())).toEqual(new Set(ids.map((jobId) => ({ jobId, request: JSON.stringify({ container: jobId }) }))));
      state.deleteJob('ann|photos|usb');
      state.deleteJob('never there');
      expect(new Set(state.jobs().map((job) => job.jobId))).toEqual(new Set(AWKWARD_NAMES));
    });
  });

  describe('a state opened again', () => {
    it('INV-11, INV-36: holds all that was stored', async () => {
      const { state, reopen } = current();
      if (reopen === undefined) return;
      const pair = pairWith(state, 'd/', 'd/a', ...AWKWARD_NAMES);
      pair.setRoots(['s'], ['t']);
      pair.putConflicts([conflictAt('c', 7)]);
      pair.addDeletions('source', 4, T0);
      state.saveJob({ jobId: 'j', request: '{}' });
      const keys = scannedKeys(pair);
      const totals = pair.totals();

      const again = await reopen();
      const same = again.openPair(IDENTITY);
      expect(scannedKeys(same)).toEqual(keys);
      expect(same.get(key('d/a'))).toEqual(fileRow(2));
      expect(same.totals()).toEqual(totals);
      expect(same.summary()).toEqual({ sourceRootIds: ['s'], targetRootIds: ['t'], areRootsLost: false });
      expect(same.conflicts()).toEqual([conflictAt('c', 7)]);
      expect(same.deletionsSince('source', T0)).toBe(4);
      expect(again.jobs()).toEqual([{ jobId: 'j', request: '{}' }]);
      expect(again.openPair(FLIPPED).conflict(at('c'))?.source).toEqual(conflictAt('c').target);
      same.reset();

      const last = await reopen();
      expect(scannedKeys(last.openPair(IDENTITY))).toEqual([]);
      expect(last.openPair(IDENTITY).conflicts()).toEqual([]);
    });

    it('is not used any more once it is closed', () => {
      const { state } = current();
      const pair = pairWith(state, 'a');
      state.close();
      expect(() => pair.get(key('a'))).toThrow();
      expect(() => pair.commit([put('b')])).toThrow();
      expect(() => state.jobs()).toThrow();
      expect(() => {
        state.close();
      }).not.toThrow();
    });
  });
}

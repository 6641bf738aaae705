/** The contract of conflict records, as tests (INV-36). */

import { describe, expect, it } from '@jest/globals';

import { compareKeys } from '@wl/domain';

import type { ConflictReason, ConflictRecord } from '../../sync-state.js';
import { at, AWKWARD_NAMES, conflictAt, FLIPPED, hashOf, IDENTITY, key, ORDER_SENSITIVE_KEYS, put } from './helpers.js';
import type { CurrentState } from './open-state.js';

const REASONS: readonly ConflictReason[] = [
  'both-created',
  'both-changed',
  'changed-and-deleted',
  'file-against-directory',
  'name-collision',
  'target-changed',
];

/** Tests of `conflict`, `conflicts`, `putConflicts` and `deleteConflicts`. */
export function describeConflicts(current: CurrentState): void {
  describe('the conflicts', () => {
    it('INV-36: are given back as they were put', () => {
      const pair = current().state.openPair(IDENTITY);
      expect(pair.conflicts()).toEqual([]);
      expect(pair.conflict(at('a'))).toBeUndefined();
      const records = REASONS.map((reason, i): ConflictRecord => ({ ...conflictAt(`c${String(i)}`, i + 0.5), reason }));
      const versions: ConflictRecord[] = [
        { ...conflictAt('d/absent'), source: { kind: 'absent' }, target: { kind: 'directory' } },
        { ...conflictAt('d/unhashed'), source: { kind: 'file', sha256: undefined, sizeBytes: 2 ** 40 }, target: { kind: 'absent' } },
      ];
      pair.putConflicts([...records, ...versions]);
      expect(pair.conflicts()).toEqual([...records, ...versions]);
      for (const record of [...records, ...versions]) expect(pair.conflict(record.path)).toEqual(record);
    });

    it('are listed in key order', () => {
      const pair = current().state.openPair(IDENTITY);
      const paths = ORDER_SENSITIVE_KEYS.filter((text) => text !== '' && !text.endsWith('/'));
      pair.putConflicts([...paths].reverse().map((path) => conflictAt(path)));
      expect(pair.conflicts().map((record) => record.path)).toEqual(paths);
      expect([...paths].sort(compareKeys)).toEqual(paths);
    });

    it('are replaced by path, keeping since when', () => {
      const pair = current().state.openPair(IDENTITY);
      pair.putConflicts([conflictAt('a', 1000), conflictAt('b', 2000)]);
      const later: ConflictRecord = { ...conflictAt('a', 9000), reason: 'changed-and-deleted', target: { kind: 'absent' } };
      pair.putConflicts([later, conflictAt('c', 9000)]);
      expect(pair.conflict(at('a'))).toEqual({ ...later, sinceMs: 1000 });
      expect(pair.conflicts().map((record) => record.sinceMs)).toEqual([1000, 2000, 9000]);
      pair.deleteConflicts([at('a')]);
      pair.putConflicts([later]);
      expect(pair.conflict(at('a'))).toEqual(later);
    });

    it('of one call keep the first time and the last content when a path comes twice', () => {
      const pair = current().state.openPair(IDENTITY);
      pair.putConflicts([conflictAt('a', 1), { ...conflictAt('a', 2), reason: 'both-created' }]);
      expect(pair.conflicts()).toEqual([{ ...conflictAt('a', 1), reason: 'both-created' }]);
    });

    it('are deleted by path, whether known or not', () => {
      const pair = current().state.openPair(IDENTITY);
      pair.putConflicts([conflictAt('a'), conflictAt('a/b'), conflictAt('b')]);
      pair.deleteConflicts([at('a'), at('never there')]);
      expect(pair.conflicts().map((record) => record.path)).toEqual(['a/b', 'b']);
      pair.deleteConflicts([]);
      pair.putConflicts([]);
      expect(pair.conflicts()).toHaveLength(2);
    });

    it('INV-2: have their versions exchanged when source and target are exchanged', () => {
      const { state } = current();
      const pair = state.openPair(IDENTITY);
      const flipped = state.openPair(FLIPPED);
      pair.putConflicts([conflictAt('a', 5)]);
      const mirrored = { ...conflictAt('a', 5), source: conflictAt('a').target, target: conflictAt('a').source };
      expect(flipped.conflicts()).toEqual([mirrored]);
      expect(flipped.conflict(at('a'))).toEqual(mirrored);
      flipped.putConflicts([{ ...mirrored, source: { kind: 'file', sha256: hashOf('c'), sizeBytes: 3 }, sinceMs: 6 }]);
      expect(pair.conflicts()).toEqual([{ ...conflictAt('a', 5), target: { kind: 'file', sha256: hashOf('c'), sizeBytes: 3 } }]);
    });

    it('are the own ones of each pair, and stand apart from the baseline', () => {
      const { state } = current();
      const pair = state.openPair(IDENTITY);
      const other = state.openPair({ ...IDENTITY, scope: 'other' });
      pair.putConflicts([conflictAt('a')]);
      expect(other.conflicts()).toEqual([]);
      pair.commit([put('a'), { kind: 'delete-subtree', key: key('') }]);
      expect(pair.conflicts()).toHaveLength(1);
    });

    it('T75: take awkward names', () => {
      const pair = current().state.openPair(IDENTITY);
      pair.putConflicts(AWKWARD_NAMES.map((name) => conflictAt(name)));
      expect(new Set(pair.conflicts().map((record) => record.path))).toEqual(new Set(AWKWARD_NAMES));
      pair.deleteConflicts(AWKWARD_NAMES.map((name) => at(name)));
      expect(pair.conflicts()).toEqual([]);
    });
  });
}

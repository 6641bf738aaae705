/** The contract of `filesOfSize`, as tests: the index of large files is never more, less or other than the rows. */

import { describe, expect, it } from '@jest/globals';

import type { Token } from '@wl/domain';

import { FINDABLE_BYTES, type BaselineChange, type BaselineRow, type PairState } from '../../sync-state.js';
import { AWKWARD_NAMES, FLIPPED, hashOf, IDENTITY, key, put } from './helpers.js';
import type { CurrentState } from './open-state.js';

type FileRow = Extract<BaselineRow, { kind: 'file' }>;

const LARGE = 5_000_000_000;

/** A file of a size; `n` sets it apart from others of that size. */
function sized(sizeBytes: number, n = 1): FileRow {
  return { kind: 'file', hash: hashOf(n), sizeBytes, sourceToken: `source-${String(n)}` as Token, targetToken: `target-${String(n)}` as Token };
}

function putSized(text: string, sizeBytes: number, n = 1): BaselineChange {
  return { kind: 'put', key: key(text), row: sized(sizeBytes, n) };
}

function found(pair: PairState, sizeBytes: number, limit = 100): Record<string, FileRow> {
  return Object.fromEntries(pair.filesOfSize(sizeBytes, limit).map((file) => [file.key, file.row]));
}

/** Tests of `filesOfSize`. */
export function describeFinding(current: CurrentState): void {
  describe('files of a size', () => {
    it('are found with all that their rows hold, and no others', () => {
      const pair = current().state.openPair(IDENTITY);
      pair.commit([put('d/'), putSized('a', LARGE, 1), putSized('d/b', LARGE, 2), putSized('c', LARGE + 1, 3), putSized('e', LARGE - 1, 4)]);
      expect(found(pair, LARGE)).toEqual({ a: sized(LARGE, 1), 'd/b': sized(LARGE, 2) });
      expect(found(pair, LARGE + 1)).toEqual({ c: sized(LARGE + 1, 3) });
      expect(found(pair, LARGE + 2)).toEqual({});
    });

    it('are found from FINDABLE_BYTES on; smaller ones and directories are not', () => {
      const pair = current().state.openPair(IDENTITY);
      pair.commit([put('d/'), putSized('empty', 0), putSized('small', FINDABLE_BYTES - 1), putSized('large', FINDABLE_BYTES)]);
      expect(Object.keys(found(pair, FINDABLE_BYTES))).toEqual(['large']);
      expect(found(pair, FINDABLE_BYTES - 1)).toEqual({});
      expect(found(pair, 0)).toEqual({});
    });

    it('are no more than asked for', () => {
      const pair = current().state.openPair(IDENTITY);
      pair.commit(Array.from({ length: 20 }, (_, i) => putSized(`f${String(i)}`, LARGE, i)));
      expect(pair.filesOfSize(LARGE, 7)).toHaveLength(7);
      expect(new Set(pair.filesOfSize(LARGE, 20).map((file) => file.key)).size).toBe(20);
      expect(pair.filesOfSize(LARGE, 0)).toEqual([]);
    });

    it('follow every change of the rows', () => {
      const pair = current().state.openPair(IDENTITY);
      pair.commit([putSized('a', LARGE, 1), putSized('b', LARGE, 2), putSized('d/c', LARGE, 3), putSized('d/e', LARGE, 4), putSized('g', LARGE, 5)]);
      pair.commit([putSized('a', LARGE + 1, 1), putSized('b', LARGE, 7), { kind: 'delete-subtree', key: key('d/') }, { kind: 'delete', key: key('g') }]);
      expect(found(pair, LARGE)).toEqual({ b: sized(LARGE, 7) });
      expect(found(pair, LARGE + 1)).toEqual({ a: sized(LARGE + 1, 1) });
      pair.commit([putSized('a', 5, 1)]);
      expect(found(pair, LARGE + 1)).toEqual({});
      pair.commit([putSized('a', LARGE, 8)]);
      expect(found(pair, LARGE)).toEqual({ a: sized(LARGE, 8), b: sized(LARGE, 7) });
      pair.reset();
      expect(found(pair, LARGE)).toEqual({});
    });

    it('INV-2: have their tokens exchanged when source and target are exchanged', () => {
      const { state } = current();
      state.openPair(IDENTITY).commit([putSized('a', LARGE, 1)]);
      const flipped = state.openPair(FLIPPED);
      expect(found(flipped, LARGE)).toEqual({ a: { ...sized(LARGE, 1), sourceToken: 'target-1', targetToken: 'source-1' } });
      flipped.commit([putSized('a', LARGE, 2)]);
      expect(found(state.openPair(IDENTITY), LARGE)).toEqual({ a: { ...sized(LARGE, 2), sourceToken: 'target-2', targetToken: 'source-2' } });
    });

    it('are those of the pair alone', () => {
      const { state } = current();
      state.openPair(IDENTITY).commit([putSized('a', LARGE, 1)]);
      const other = state.openPair({ ...IDENTITY, scope: 'ann|docs' });
      expect(found(other, LARGE)).toEqual({});
      other.commit([putSized('b', LARGE, 2)]);
      expect(Object.keys(found(state.openPair(IDENTITY), LARGE))).toEqual(['a']);
    });

    it('T75: keep awkward names apart, byte for byte', async () => {
      const { state, reopen } = current();
      const pair = state.openPair(IDENTITY);
      pair.commit(AWKWARD_NAMES.map((name, i) => putSized(name, LARGE, i)));
      const expected = Object.fromEntries(AWKWARD_NAMES.map((name, i) => [name, sized(LARGE, i)]));
      expect(found(pair, LARGE)).toEqual(expected);
      if (reopen !== undefined) expect(found((await reopen()).openPair(IDENTITY), LARGE)).toEqual(expected);
    });
  });
}

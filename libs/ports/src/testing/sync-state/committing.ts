/** The contract of the baseline's rows, as tests: what is committed is what is read. */

import { describe, expect, it } from '@jest/globals';

import { NO_TOKEN, type Token } from '@wl/domain';

import type { BaselineChange, BaselineRow } from '../../sync-state.js';
import { AWKWARD_NAMES, DIRECTORY_ROW, fileRow, FLIPPED, hashOf, IDENTITY, key, pairWith, put, scanned, scannedKeys } from './helpers.js';
import type { CurrentState } from './open-state.js';

/** Tests of `commit`, `get` and `totals`. */
export function describeCommitting(current: CurrentState): void {
  describe('the baseline', () => {
    it('is empty at first', () => {
      const pair = current().state.openPair(IDENTITY);
      expect(pair.get(key('a'))).toBeUndefined();
      expect(scanned(pair)).toEqual([]);
      expect(pair.totals()).toEqual({ files: 0, bytes: 0 });
    });

    it('gives back a file and a directory as they were put', () => {
      const pair = pairWith(current().state, 'd/', 'd/a');
      expect(pair.get(key('d/'))).toEqual(DIRECTORY_ROW);
      expect(pair.get(key('d/a'))).toEqual(fileRow(2));
      expect(pair.get(key('d'))).toBeUndefined();
      expect(pair.get(key('d/a/'))).toBeUndefined();
      expect(scanned(pair)).toEqual([
        { key: 'd/', sizeBytes: 0, sourceToken: '', targetToken: '' },
        { key: 'd/a', sizeBytes: 2, sourceToken: 'source-2', targetToken: 'target-2' },
      ]);
    });

    it('replaces a row that is put again', () => {
      const pair = pairWith(current().state, 'a');
      pair.commit([put('a', 7)]);
      expect(pair.get(key('a'))).toEqual(fileRow(7));
      expect(scannedKeys(pair)).toEqual(['a']);
    });

    it('forgets a deleted row, and only that one', () => {
      const pair = pairWith(current().state, 'a/', 'a/b', 'c');
      pair.commit([{ kind: 'delete', key: key('a/') }]);
      expect(scannedKeys(pair)).toEqual(['a/b', 'c']);
      pair.commit([{ kind: 'delete', key: key('never there') }]);
      expect(scannedKeys(pair)).toEqual(['a/b', 'c']);
    });

    it('forgets a directory with everything below it, and neither its siblings nor a file of its name', () => {
      const pair = pairWith(current().state, 'a', 'a.txt', 'a/', 'a/b', 'a/b/', 'a/b/c', 'a/\u{10FFFF}', 'a0', 'ab/', 'ab/c');
      pair.commit([{ kind: 'delete-subtree', key: key('a/') }]);
      expect(scannedKeys(pair)).toEqual(['a', 'a.txt', 'a0', 'ab/', 'ab/c']);
    });

    it('forgets the subtree of a directory that has no row of its own', () => {
      const pair = pairWith(current().state, 'a/b/c', 'a/d', 'e');
      pair.commit([{ kind: 'delete-subtree', key: key('a/b/') }]);
      expect(scannedKeys(pair)).toEqual(['a/d', 'e']);
    });

    it('forgets only the file when the subtree is a file', () => {
      const pair = pairWith(current().state, 'a', 'a/', 'a/b', 'aa');
      pair.commit([{ kind: 'delete-subtree', key: key('a') }]);
      expect(scannedKeys(pair)).toEqual(['a/', 'a/b', 'aa']);
    });

    it('forgets everything with the subtree of the root', () => {
      const pair = pairWith(current().state, '', 'a', 'b/', 'b/c', '\u{10FFFF}', '\u{10FFFF}\u{10FFFF}');
      pair.commit([{ kind: 'delete-subtree', key: key('') }]);
      expect(scanned(pair)).toEqual([]);
      expect(pair.totals()).toEqual({ files: 0, bytes: 0 });
    });

    it('applies the changes of one commit in the order given', () => {
      const pair = pairWith(current().state, 'a/', 'a/old', 'b');
      pair.commit([
        { kind: 'delete-subtree', key: key('a/') },
        put('a/'),
        put('a/new', 5),
        put('z', 1),
        put('c', 1),
        { kind: 'delete', key: key('z') },
        put('c', 2),
      ]);
      expect(scannedKeys(pair)).toEqual(['a/', 'a/new', 'b', 'c']);
      expect(pair.get(key('c'))).toEqual(fileRow(2));
      pair.commit([put('a/late', 1), { kind: 'delete-subtree', key: key('a/') }]);
      expect(scannedKeys(pair)).toEqual(['b', 'c']);
    });

    it('INV-16: holds nothing of a commit that failed', () => {
      const pair = pairWith(current().state, 'a', 'b');
      // A change that cannot be read stands for any failure in the middle.
      const broken: BaselineChange = {
        kind: 'put',
        key: key('d'),
        get row(): BaselineRow {
          throw new Error('the plan broke');
        },
      };
      const changes: BaselineChange[] = [put('a', 9), { kind: 'delete', key: key('b') }, put('c', 3), broken, put('e', 4)];
      expect(() => pair.commit(changes)).toThrow('the plan broke');
      expect(pair.get(key('a'))).toEqual(fileRow(1));
      expect(scannedKeys(pair)).toEqual(['a', 'b']);
      expect(pair.totals()).toEqual({ files: 2, bytes: 3 });
      pair.commit([put('c', 3)]);
      expect(pair.totals()).toEqual({ files: 3, bytes: 6 });
    });

    it('refuses a file row under the key of a directory and the reverse, and keeps nothing of that commit', () => {
      const pair = pairWith(current().state, 'a');
      expect(() => pair.commit([put('b'), { kind: 'put', key: key('d/'), row: fileRow(1) }])).toThrow('INV-11');
      expect(() => pair.commit([put('b'), { kind: 'put', key: key('f'), row: DIRECTORY_ROW }])).toThrow('INV-11');
      expect(scannedKeys(pair)).toEqual(['a']);
    });

    it('takes an empty commit', () => {
      const pair = pairWith(current().state, 'a');
      pair.commit([]);
      expect(scannedKeys(pair)).toEqual(['a']);
    });

    it('T75: keeps awkward names apart, byte for byte', () => {
      const pair = pairWith(current().state, ...AWKWARD_NAMES, ...AWKWARD_NAMES.map((name) => `${name}/`));
      expect(new Set(scannedKeys(pair))).toEqual(new Set([...AWKWARD_NAMES, ...AWKWARD_NAMES.map((name) => `${name}/`)]));
      for (const [i, name] of AWKWARD_NAMES.entries()) expect(pair.get(key(name))).toEqual(fileRow(i + 1));
    });

    it('gives back any token, and sizes beyond 32 bits', () => {
      const pair = current().state.openPair(IDENTITY);
      const tokens = [NO_TOKEN, '\0', 'a\0b', 'two\nlines', '\u0001', '\u0001"\\n"', '"quoted"', 'lone \uD800 surrogate', '\u{1F600}', 'x'.repeat(5000)];
      const rows = tokens.map(
        (token, i): BaselineRow => ({
          kind: 'file',
          hash: hashOf(i),
          sizeBytes: Number.MAX_SAFE_INTEGER - i,
          sourceToken: token as Token,
          targetToken: tokens[tokens.length - 1 - i] as Token,
        }),
      );
      pair.commit(rows.map((row, i) => ({ kind: 'put', key: key(`file ${String(i)}`), row })));
      for (const [i, row] of rows.entries()) expect(pair.get(key(`file ${String(i)}`))).toEqual(row);
      expect(scanned(pair).map((row) => row.sourceToken)).toEqual(tokens);
      expect(scanned(pair).map((row) => row.targetToken)).toEqual([...tokens].reverse());
      expect(scanned(pair).map((row) => row.sizeBytes)).toEqual(rows.map((_, i) => Number.MAX_SAFE_INTEGER - i));
    });

    it('keeps pairs apart', () => {
      const { state } = current();
      const pair = pairWith(state, 'a');
      const others = [
        { ...IDENTITY, scope: 'ann|docs' },
        { ...IDENTITY, targetBackendId: 's3' },
        { ...IDENTITY, sourceBackendId: 's3' },
        { scope: 'ann|photos"', sourceBackendId: "o'disk\n", targetBackendId: '\u{1F600}' },
      ].map((identity) => state.openPair(identity));
      for (const [i, other] of others.entries()) {
        expect(scanned(other)).toEqual([]);
        other.commit([put(`only in ${String(i)}`, i)]);
      }
      pair.commit([{ kind: 'delete-subtree', key: key('') }]);
      for (const [i, other] of others.entries()) expect(scannedKeys(other)).toEqual([`only in ${String(i)}`]);
    });

    it('refuses a pair of one storage with itself', () => {
      const { state } = current();
      expect(() => state.openPair({ ...IDENTITY, targetBackendId: IDENTITY.sourceBackendId })).toThrow('INV-23');
    });

    it('INV-2: is the same baseline with tokens exchanged when source and target are exchanged', () => {
      const { state } = current();
      const pair = pairWith(state, 'd/', 'd/a');
      const flipped = state.openPair(FLIPPED);
      expect(flipped.get(key('d/'))).toEqual(DIRECTORY_ROW);
      expect(flipped.get(key('d/a'))).toEqual({ ...fileRow(2), sourceToken: 'target-2', targetToken: 'source-2' });
      expect(scanned(flipped)[1]).toEqual({ key: 'd/a', sizeBytes: 2, sourceToken: 'target-2', targetToken: 'source-2' });
      flipped.commit([put('d/b', 5), { kind: 'delete', key: key('d/a') }]);
      expect(pair.get(key('d/a'))).toBeUndefined();
      expect(pair.get(key('d/b'))).toEqual({ ...fileRow(5), sourceToken: 'target-5', targetToken: 'source-5' });
      expect(pair.totals()).toEqual({ files: 1, bytes: 5 });
      expect(flipped.totals()).toEqual(pair.totals());
    });

    it('counts files and their bytes through every kind of change', () => {
      const { state } = current();
      const pair = pairWith(state, 'd/', 'd/a', 'd/b', 'd/e/', 'd/e/f', 'g');
      const counted = (): { files: number; bytes: number } => {
        const files = scanned(pair).filter((row) => !row.key.endsWith('/'));
        return { files: files.length, bytes: files.reduce((sum, row) => sum + row.sizeBytes, 0) };
      };
      expect(pair.totals()).toEqual({ files: 4, bytes: 2 + 3 + 5 + 6 });
      pair.commit([put('d/a', 100), put('d/a', 200), put('g', 6), put('d/')]);
      expect(pair.totals()).toEqual({ files: 4, bytes: 200 + 3 + 5 + 6 });
      expect(pair.totals()).toEqual(counted());
      pair.commit([{ kind: 'delete', key: key('d/b') }, { kind: 'delete', key: key('d/b') }, { kind: 'delete', key: key('d/e/') }]);
      expect(pair.totals()).toEqual(counted());
      pair.commit([{ kind: 'delete-subtree', key: key('d/') }, put('d/e/f', 8)]);
      expect(pair.totals()).toEqual({ files: 2, bytes: 14 });
      expect(pair.totals()).toEqual(counted());
      state.openPair({ ...IDENTITY, scope: 'other' }).commit([put('x', 50)]);
      expect(pair.totals()).toEqual({ files: 2, bytes: 14 });
    });
  });
}

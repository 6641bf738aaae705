/** The contract of `scan`, as tests: key order, subtrees, laziness. */

import { describe, expect, it } from '@jest/globals';

import { ROOT, type Key, type Token } from '@wl/domain';

import { KEY_SEPARATOR, TOKEN_SEPARATOR } from '../../joined-rows.js';
import type { BaselineBatch, BaselineChange } from '../../sync-state.js';
import { PATIENCE_MS } from '../patience.js';
import { at, fileRow, IDENTITY, key, ORDER_SENSITIVE_KEYS, pairWith, put, scanned, scannedKeys } from './helpers.js';
import type { CurrentState } from './open-state.js';

/** More rows than one batch of any implementation. */
const MANY = 5000;

const numbered = (i: number): Key => key(`many/${String(i).padStart(5, '0')}`);

/** Asks for each row of a joined run, and for the place behind the last one. */
function verifyAll(batch: BaselineBatch): void {
  const place = { index: 0, key: 0, sourceToken: 0, targetToken: 0 };
  for (const [i, text] of batch.keys.entries()) {
    batch.verify?.(place);
    place.index += 1;
    place.key += text.length + KEY_SEPARATOR.length;
    place.sourceToken += batch.sourceTokens[i]!.length + TOKEN_SEPARATOR.length;
    place.targetToken += batch.targetTokens[i]!.length + TOKEN_SEPARATOR.length;
  }
  batch.verify?.(place);
}

/** Tests of `scan`. */
export function describeScanning(current: CurrentState): void {
  describe('a scan', () => {
    it('reads in the order of the UTF-8 bytes of the keys, which is not that of UTF-16', () => {
      const pair = current().state.openPair(IDENTITY);
      // Put in an order that is nobody's, in two commits.
      const shuffled = ORDER_SENSITIVE_KEYS.map((_, i) => ORDER_SENSITIVE_KEYS[(i * 7 + 3) % ORDER_SENSITIVE_KEYS.length] as Key);
      pair.commit(shuffled.slice(0, 9).map((text) => put(text)));
      pair.commit(shuffled.slice(9).map((text) => put(text)));
      expect(scannedKeys(pair)).toEqual(ORDER_SENSITIVE_KEYS);
      const astral = scannedKeys(pair).indexOf('\u{10000}');
      expect(astral).toBeGreaterThan(scannedKeys(pair).indexOf('\uFFFF'));
    });

    it('reads a subtree with its own row, and neither its siblings nor a file of its name', () => {
      const pair = pairWith(current().state, 'a', 'a.txt', 'a/', 'a/b', 'a/b/', 'a/b/c', 'a/\u{10FFFF}/', 'a0', 'ab/', 'ab/c');
      expect(scannedKeys(pair, at('a'))).toEqual(['a/', 'a/b', 'a/b/', 'a/b/c', 'a/\u{10FFFF}/']);
      expect(scannedKeys(pair, at('a/b'))).toEqual(['a/b/', 'a/b/c']);
      expect(scannedKeys(pair, at('ab'))).toEqual(['ab/', 'ab/c']);
      expect(scannedKeys(pair, at('nothing'))).toEqual([]);
      expect(scannedKeys(pair, at('a.txt'))).toEqual([]);
    });

    it("reads everything from the root, the root's own row included", () => {
      const pair = pairWith(current().state, '', 'a', '\u{10FFFF}');
      expect(scannedKeys(pair, ROOT)).toEqual(['', 'a', '\u{10FFFF}']);
    });

    it('gives parallel arrays of one length, never an empty batch, without repeats across batches', () => {
      const pair = current().state.openPair(IDENTITY);
      pair.commit(Array.from({ length: MANY }, (_, i) => put(numbered(i), i)));
      const seen: string[] = [];
      for (const batch of pair.scan(at('many'))) {
        expect(batch.keys.length).toBeGreaterThan(0);
        expect(batch.sizes.length).toBe(batch.keys.length);
        expect(batch.sourceTokens.length).toBe(batch.keys.length);
        expect(batch.targetTokens.length).toBe(batch.keys.length);
        seen.push(...batch.keys);
      }
      expect(seen).toEqual(Array.from({ length: MANY }, (_, i) => numbered(i)));
    }, PATIENCE_MS);

    it('gives the same rows joined, where it joins them, and no token with a line break among them', () => {
      const pair = current().state.openPair(IDENTITY);
      pair.commit([...Array.from({ length: 50 }, (_, i) => put(numbered(i), i)), put('', 0), put('many/', 0), put('other/', 0)]);
      const joinedOf = (batch: BaselineBatch): unknown => ({
        keys: batch.keys.join(KEY_SEPARATOR),
        sourceTokens: batch.sourceTokens.join(TOKEN_SEPARATOR),
        targetTokens: batch.targetTokens.join(TOKEN_SEPARATOR),
      });
      for (const batch of pair.scan(ROOT)) {
        expect(batch.joined ?? joinedOf(batch)).toEqual(joinedOf(batch));
        if (batch.joined !== undefined) expect(() => verifyAll(batch)).not.toThrow();
      }
      const strange = { ...fileRow(7), sourceToken: 'a\nb' as Token };
      pair.commit([{ kind: 'put', key: numbered(7), row: strange }]);
      for (const batch of pair.scan(ROOT)) {
        if (batch.keys.includes(numbered(7))) expect(batch.joined).toBeUndefined();
        expect(batch.sourceTokens.length).toBe(batch.keys.length);
      }
    });

    it('leaves no row out and repeats none, wherever runs are asked to end', () => {
      const pair = current().state.openPair(IDENTITY);
      pair.commit(Array.from({ length: MANY }, (_, i) => put(numbered(i), i)));
      const scan = pair.scan(ROOT);
      const seen: string[] = [];
      let through: string | undefined;
      for (let run = scan.next(through); run.done !== true; run = scan.next(through)) {
        const { keys } = run.value;
        seen.push(...keys);
        // In the middle of the next rows, far behind, before the position, and nowhere in turn.
        const n = seen.length;
        through = [numbered(Math.min(n + 10, MANY - 1)), 'zzz', numbered(0), undefined][n % 4];
      }
      expect(seen).toEqual(Array.from({ length: MANY }, (_, i) => numbered(i)));
    }, PATIENCE_MS);

    it('can be left early, started anew, and run beside another one', () => {
      const pair = current().state.openPair(IDENTITY);
      pair.commit(Array.from({ length: MANY }, (_, i) => put(numbered(i), i)));
      for (const batch of pair.scan(ROOT)) {
        expect(batch.keys[0]).toBe(numbered(0));
        break;
      }
      expect(scanned(pair)).toHaveLength(MANY);
      const beside = pair.scan(ROOT)[Symbol.iterator]();
      let rows = 0;
      for (const batch of pair.scan(ROOT)) {
        expect(beside.next().value).toEqual(batch);
        rows += batch.keys.length;
      }
      expect(beside.next().done).toBe(true);
      expect(rows).toBe(MANY);
    }, PATIENCE_MS);

    it('goes on undisturbed while rows behind its position are changed, deleted and added', () => {
      const pair = current().state.openPair(IDENTITY);
      pair.commit(Array.from({ length: MANY }, (_, i) => put(numbered(i), i)));
      const seen: string[] = [];
      let round = 0;
      for (const batch of pair.scan(ROOT)) {
        seen.push(...batch.keys);
        const changes: BaselineChange[] = [];
        for (const text of batch.keys) {
          const n = Number(text.slice(-5));
          if (n % 3 === 0) changes.push({ kind: 'delete', key: text as Key });
          if (n % 3 === 1) changes.push(put(text, n + MANY));
        }
        changes.push(put(`before ${String(round)}`));
        round += 1;
        pair.commit(changes);
      }
      expect(seen).toEqual(Array.from({ length: MANY }, (_, i) => numbered(i)));
      const left = scannedKeys(pair, at('many'));
      expect(left).toHaveLength(MANY - Math.ceil(MANY / 3));
      expect(pair.get(numbered(4))).toEqual(fileRow(4 + MANY));
      expect(pair.totals().files).toBe(left.length + round);
    }, PATIENCE_MS);
  });
}

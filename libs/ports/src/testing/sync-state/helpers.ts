/** Small words for the tests of `SyncState`: a pair, rows, and what a scan gave. */

import {
  compareKeys,
  directoryKey,
  fileKey,
  ROOT,
  toRelativePath,
  toSha256,
  type Key,
  type RelativePath,
  type Sha256,
  type Token,
} from '@wl/domain';

import type { BaselineChange, BaselineRow, ConflictRecord, PairIdentity, PairState, SyncState } from '../../sync-state.js';

/** The pair of most tests. */
export const IDENTITY: PairIdentity = { scope: 'ann|photos', sourceBackendId: 'disk', targetBackendId: 'usb' };

/** The same pair with the sides exchanged. */
export const FLIPPED: PairIdentity = { scope: 'ann|photos', sourceBackendId: 'usb', targetBackendId: 'disk' };

/** Names that break stores which quote, split or compare carelessly: each is one path at the root. */
export const AWKWARD_NAMES: readonly string[] = [
  '"double" and \'single\'',
  "'); DROP TABLE baseline; --",
  '%_?*[a-z]',
  'back\\slash',
  'comma, semicolon; colon:',
  'line\nbreak\r\ttab',
  ' leading and trailing ',
  '\u0001control\u001f',
  '\u{1F600}\u{1F468}\u200D\u{1F469}\u200D\u{1F467}',
  'e\u0301 decomposed',
  '\u00e9 composed',
  '\u202Eright-to-left',
  '\uFEFFbyte order mark',
  '\uFFFDreplacement',
  '-',
  '...',
  '.hidden',
  `${'x'.repeat(246)}.txt`,
  '\u00e4'.repeat(125),
];

/** Paths whose order by UTF-8 bytes is not their order by UTF-16 units, or by anything that knows of directories only. */
export const ORDER_SENSITIVE_KEYS: readonly Key[] = [
  key(''),
  key('a'),
  key('a.txt'),
  key('a/'),
  key('a/b'),
  key('a/b/'),
  key('a/b/c'),
  key('a/b0'),
  key('a0'),
  key('ab/'),
  key('ab/c'),
  key('\uD7FF'),
  key('\uE000'),
  key('\uE000/'),
  key('\uE000/x'),
  key('\uFFFF'),
  key('\u{10000}'),
  key('\u{1F600}/'),
  key('\u{1F600}/x'),
  key('\u{10FFFF}'),
].sort(compareKeys);

/** A path, or the root for `''`. */
export function at(path: string): RelativePath {
  return path === '' ? ROOT : toRelativePath(path);
}

/** A key, told by its trailing slash; `''` is the root's. */
export function key(text: string): Key {
  if (text === '') return directoryKey(ROOT);
  return text.endsWith('/') ? directoryKey(at(text.slice(0, -1))) : fileKey(at(text));
}

/** A hash of 64 times the same digit, or of a number in hex. */
export function hashOf(seed: number | string): Sha256 {
  return toSha256(typeof seed === 'string' ? seed.repeat(64) : seed.toString(16).padStart(64, '0'));
}

/** A file row that differs from every other row of another number in all its fields. */
export function fileRow(n: number): BaselineRow {
  return {
    kind: 'file',
    hash: hashOf(n),
    sizeBytes: n,
    sourceToken: `source-${String(n)}` as Token,
    targetToken: `target-${String(n)}` as Token,
  };
}

/** A directory row. */
export const DIRECTORY_ROW: BaselineRow = { kind: 'directory' };

/** Puts a key: a directory's row for a directory's key, `fileRow(n)` otherwise. */
export function put(text: string | Key, n = 1): BaselineChange {
  const at = key(text);
  return { kind: 'put', key: at, row: at === '' || at.endsWith('/') ? DIRECTORY_ROW : fileRow(n) };
}

/** One scanned row. */
export interface ScannedRow {
  readonly key: string;
  readonly sizeBytes: number;
  readonly sourceToken: string;
  readonly targetToken: string;
}

/** All rows of a scan, one after the other. */
export function scanned(pair: PairState, directory: RelativePath = ROOT): ScannedRow[] {
  const rows: ScannedRow[] = [];
  for (const batch of pair.scan(directory)) {
    for (const [i, text] of batch.keys.entries()) {
      rows.push({
        key: text,
        sizeBytes: batch.sizes[i] ?? Number.NaN,
        sourceToken: batch.sourceTokens[i] ?? 'missing',
        targetToken: batch.targetTokens[i] ?? 'missing',
      });
    }
  }
  return rows;
}

/** The keys of a scan. */
export function scannedKeys(pair: PairState, directory: RelativePath = ROOT): string[] {
  return scanned(pair, directory).map((row) => row.key);
}

/** Opens the pair of most tests with these keys in its baseline. */
export function pairWith(state: SyncState, ...keys: readonly string[]): PairState {
  const pair = state.openPair(IDENTITY);
  pair.commit(keys.map((text, i) => put(text, i + 1)));
  return pair;
}

/** A conflict of two changed files at a path. */
export function conflictAt(path: string, sinceMs = 1000): ConflictRecord {
  return {
    path: at(path),
    reason: 'both-changed',
    source: { kind: 'file', sha256: hashOf('a'), sizeBytes: 1 },
    target: { kind: 'file', sha256: hashOf('b'), sizeBytes: 2 },
    sinceMs,
  };
}

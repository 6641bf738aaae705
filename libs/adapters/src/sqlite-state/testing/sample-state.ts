/** A small state with something in every table, and all that can be read of it, for the tests of damage. */

import { directoryKey, fileKey, parentOf, ROOT, toRelativePath, toSha256, type RelativePath, type Sha256, type Token } from '@wl/domain';
import type { BaselineChange, BaselineRow, HashCache, PairIdentity, SyncState } from '@wl/ports';

/** The pairs of the sample. */
export const PAIRS: readonly PairIdentity[] = [
  { scope: 'ann|photos', sourceBackendId: 'disk', targetBackendId: 'usb' },
  { scope: 'ann|docs', sourceBackendId: 's3', targetBackendId: 'disk' },
];

/** Files of each pair; no number, and so no name and no token, stands for two files of the sample. */
const FILES = 300;
const FILES_IN_EACH = 60;
const CACHED = 100;
/** Size of every third file, in bytes: they are in the index of sizes. */
const LARGE = 1_000_000;
const T0 = 1_700_000_000_000;

/** The token of the n-th file on a side. */
export function tokenOf(side: string, n: number): Token {
  return `${side}-token-of-file-${String(n).padStart(4, '0')}-1699999999.123456789` as Token;
}

/** The path of the n-th file; those of the first pair begin at 0. */
export function pathOf(n: number): RelativePath {
  return toRelativePath(`directory-${String(Math.floor(n / FILES_IN_EACH))}/file-${String(n).padStart(4, '0')}.jpg`);
}

/** The hash of the n-th file. */
export function hashOf(n: number): Sha256 {
  return toSha256((n * 2_654_435_761).toString(16).padStart(64, 'a'));
}

/** The row of the n-th file. */
export function rowOf(n: number): BaselineRow {
  return { kind: 'file', hash: hashOf(n), sizeBytes: n % 3 === 0 ? LARGE : 1000 + n, sourceToken: tokenOf('source', n), targetToken: tokenOf('target', n) };
}

/** Fills an empty state. */
export function fillSample(state: SyncState & HashCache): void {
  for (const [p, identity] of PAIRS.entries()) {
    const pair = state.openPair(identity);
    const changes: BaselineChange[] = [];
    for (const n of filesOf(p)) {
      if (n % FILES_IN_EACH === 0) changes.push({ kind: 'put', key: directoryKey(parentOf(pathOf(n))), row: { kind: 'directory' } });
      changes.push({ kind: 'put', key: fileKey(pathOf(n)), row: rowOf(n) });
    }
    pair.setRoots([`root of ${identity.sourceBackendId} in pair ${String(p)}`], [`root of ${identity.targetBackendId}`]);
    pair.commit(changes);
    pair.addDeletions('source', 7, T0);
    pair.putConflicts(
      Array.from({ length: 5 }, (_, n) => ({
        path: toRelativePath(`conflict-${String(n)}`),
        reason: 'both-changed' as const,
        source: { kind: 'file' as const, sha256: hashOf(n), sizeBytes: n },
        target: { kind: 'absent' as const },
        sinceMs: T0 + 100 * p + n,
      })),
    );
  }
  for (let n = 0; n < 5; n += 1) state.saveJob({ jobId: `job-${String(n)}`, request: JSON.stringify({ container: n }) });
  state.putMany('disk', cachedFiles().map((n) => ({ path: pathOf(n), token: tokenOf('cached', n), hash: hashOf(n) })));
}

/** Everything of one pair. */
export function readPair(state: SyncState, identity: PairIdentity): { readonly rows: readonly unknown[] } {
  const pair = state.openPair(identity);
  const rows: unknown[] = [];
  for (const batch of pair.scan(ROOT)) {
    for (const [i, key] of batch.keys.entries()) rows.push([key, batch.sizes[i], batch.sourceTokens[i], batch.targetTokens[i]]);
  }
  const content = {
    rows,
    large: pair.filesOfSize(LARGE, FILES),
    single: filesOf(PAIRS.indexOf(identity)).map((n) => pair.get(fileKey(pathOf(n)))),
    summary: pair.summary(),
    totals: pair.totals(),
    conflicts: pair.conflicts(),
    deletions: pair.deletionsSince('source', 0),
  };
  return content;
}

/** What the hash cache says of its files; `undefined` is always right. */
export function readCache(cache: HashCache): ReadonlyMap<number, Sha256 | undefined> {
  return new Map(cachedFiles().map((n) => [n, cache.get('disk', pathOf(n), tokenOf('cached', n))]));
}

function filesOf(pairIndex: number): number[] {
  return Array.from({ length: FILES }, (_, i) => pairIndex * FILES + i);
}

function cachedFiles(): number[] {
  return Array.from({ length: CACHED }, (_, i) => PAIRS.length * FILES + i);
}

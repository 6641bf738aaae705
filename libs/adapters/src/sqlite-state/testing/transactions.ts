/** Numbered transactions whose order shows in the rows, for the tests of crashes: told to a state, or to a model of one. */

import { compareKeys, directoryKey, fileKey, ROOT, toRelativePath, toSha256, type Key, type Token } from '@wl/domain';
import type { BaselineChange, PairIdentity, PairState } from '@wl/ports';

/** The pair they are of. */
export const IDENTITY: PairIdentity = { scope: 'ann|photos', sourceBackendId: 'disk', targetBackendId: 'usb' };

const NEW_FILES = 20;

/** The n-th transaction: makes a directory of files, changes a file that many change, forgets an older directory. */
export function transaction(n: number): BaselineChange[] {
  const directory = `directory-${String(n)}`;
  const changes: BaselineChange[] = [{ kind: 'put', key: directoryKey(toRelativePath(directory)), row: { kind: 'directory' } }];
  for (let i = 0; i < NEW_FILES; i += 1) changes.push(putFile(`${directory}/${String(i)}`, n));
  changes.push(putFile(`shared-${String(n % 7)}`, n));
  if (n % 2 === 0) changes.push({ kind: 'delete-subtree', key: directoryKey(toRelativePath(`directory-${String(n / 2)}`)) });
  return changes;
}

/** The keys and sizes that a baseline holds after the transactions 1 to n, in key order. */
export function after(n: number): [string, number][] {
  const rows = new Map<Key, number>();
  for (let i = 1; i <= n; i += 1) {
    for (const { key, ...change } of transaction(i)) {
      if (change.kind === 'put') rows.set(key, change.row.kind === 'file' ? change.row.sizeBytes : 0);
      else for (const candidate of [...rows.keys()]) if (candidate.startsWith(key)) rows.delete(candidate);
    }
  }
  return [...rows].sort(([a], [b]) => compareKeys(a, b));
}

/** The keys and sizes that a baseline holds. */
export function held(pair: PairState): [string, number][] {
  const rows: [string, number][] = [];
  for (const batch of pair.scan(ROOT)) {
    for (const [i, key] of batch.keys.entries()) rows.push([key, batch.sizes[i] ?? Number.NaN]);
  }
  return rows;
}

function putFile(path: string, n: number): BaselineChange {
  const token = `token-${String(n)}` as Token;
  const hash = toSha256(n.toString(16).padStart(64, '0'));
  return { kind: 'put', key: fileKey(toRelativePath(path)), row: { kind: 'file', hash, sizeBytes: n, sourceToken: token, targetToken: token } };
}

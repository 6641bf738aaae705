/** The listing of a whole tree from the entries of its directories, in key order (INV-8). */

import { compareKeys, directoryKey, fileKey, parseRelativePath, RESERVED_NAME, ROOT, type RelativePath, type UnknownReason } from '@wl/domain';
import { EntryKind, packListing, type ListingBatch, type ListingRow, type ListOptions } from '@wl/ports';

import type { Driver, Entry } from './driver.js';
import { assertGoing, failure, toBackendError } from './translate.js';

/** Rows in a batch, at most. */
const BATCH_ROWS = 500;

/** What listing needs. */
export interface ListingParts {
  readonly driver: Driver;
  /** Throws once the storage was closed. */
  readonly assertOpen: () => void;
}

/** A directory being listed: what is left of its entries. */
interface Level {
  readonly entries: readonly Row[];
  next: number;
}

interface Row {
  readonly path: RelativePath;
  readonly key: string;
  readonly entry: Entry;
}

/** Lists everything below `directory`, which is there. */
export async function* listTree(directory: RelativePath, options: ListOptions, parts: ListingParts): AsyncGenerator<ListingBatch> {
  const { signal, prune } = options;
  const stack: Level[] = [{ entries: await rowsOf(directory, options, parts), next: 0 }];
  let batch: ListingRow[] = [];
  while (stack.length > 0) {
    assertGoing(signal, 'list', directory);
    parts.assertOpen();
    const level = stack.at(-1);
    const row = level?.entries[level.next];
    if (level === undefined || row === undefined) {
      stack.pop();
      continue;
    }
    level.next += 1;
    if (row.entry.kind !== 'directory' || prune?.ignores(row.path, true) === true) {
      batch.push(toListingRow(row, undefined));
    } else {
      // Looked into before its own row is told: the row says whether what follows is all there is.
      const inner = await rowsOf(row.path, options, parts).catch((error: unknown) => reasonOf(error, row.path));
      batch.push(toListingRow(row, typeof inner === 'string' ? inner : undefined));
      if (typeof inner !== 'string') stack.push({ entries: inner, next: 0 });
    }
    if (batch.length < BATCH_ROWS) continue;
    yield packListing(batch);
    batch = [];
  }
  if (batch.length > 0) yield packListing(batch);
}

/** The entries of a directory in key order; names that no path can be made of are told beside. */
async function rowsOf(directory: RelativePath, { signal, onUnrepresentable }: ListOptions, { driver }: ListingParts): Promise<Row[]> {
  assertGoing(signal, 'list', directory);
  const rows: Row[] = [];
  for (const entry of await driver.readdir(directory)) {
    const { name } = entry;
    if (directory === ROOT && name === RESERVED_NAME) continue;
    const parsed = name.includes('/') ? undefined : parseRelativePath(`${directoryKey(directory)}${name}`);
    if (parsed?.ok !== true) {
      onUnrepresentable?.({ directory, display: name.toWellFormed().replaceAll('\0', '\ufffd') });
      continue;
    }
    const path = parsed.value;
    rows.push({ path, entry, key: entry.kind === 'directory' ? directoryKey(path) : fileKey(path) });
  }
  return rows.sort((a, b) => compareKeys(a.key, b.key));
}

/** Why a directory could not be looked into; whatever ends the listing as a whole is thrown on. */
function reasonOf(error: unknown, path: RelativePath): UnknownReason {
  const { code } = toBackendError(error, 'list', path);
  switch (code) {
    case 'permission-denied':
      return 'permission-denied';
    case 'not-found':
    case 'not-a-directory':
      return 'vanished';
    case 'io-error':
      return 'read-error';
    default:
      throw toBackendError(error, 'list', path);
  }
}

function toListingRow({ key, entry }: Row, reason: UnknownReason | undefined): ListingRow {
  const nothing = { token: '', sizeBytes: 0, mtimeMs: 0, isRacy: false };
  switch (entry.kind) {
    case 'file':
      if (entry.token === '') throw failure('io-error', 'list', key, 'the driver gave a file no token');
      return { key, kind: EntryKind.file, token: entry.token, sizeBytes: entry.size, mtimeMs: entry.mtime_ms, isRacy: entry.is_racy ?? false, reason };
    case 'directory':
      return { key, kind: EntryKind.directory, ...nothing, reason };
    case 'other':
      return { key, kind: EntryKind.unknown, ...nothing, reason: entry.reason };
  }
}

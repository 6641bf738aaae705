/**
 * Walks a memory tree in key order. A directory is looked at in one moment, as `readdir`
 * with `lstat` is; between two batches anybody may change what was not reached yet.
 */

import { compareKeys, directoryKey, nameOf, parseRelativePath, ROOT, type RelativePath, type UnknownReason } from '@wl/domain';
import { EntryKind, type EntryKindValue, type ListingRow, type ListOptions } from '@wl/ports';

import type { MemoryDirectory } from './memory-entry.js';
import type { MemoryFaults } from './memory-faults.js';
import { failure } from './memory-gate.js';
import type { MemoryTree } from './memory-tree.js';

/** The rows below `directory`, in key order. Throws where the directory itself cannot be listed. */
export function* walk(tree: MemoryTree, faults: MemoryFaults, directory: RelativePath, options: ListOptions): Generator<ListingRow> {
  const place = tree.locate(directory, true);
  if (place.kind === 'absent') throw failure('not-found', 'list', directory);
  if (place.kind === 'unknown') throw failure(place.reason === 'permission-denied' ? 'permission-denied' : 'not-found', 'list', directory, place.reason);
  if (place.entry.kind !== 'directory') throw failure('not-a-directory', 'list', directory);
  if (place.entry.isUnreadable) throw failure('permission-denied', 'list', directory);
  const open = [rowsOf(tree, faults, directory, place.entry, options)];
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const next = top.next();
    if (next.done === true) {
      open.pop();
      continue;
    }
    const row = next.value;
    if (row.kind !== EntryKind.directory) {
      yield row;
      continue;
    }
    // Looked at when it is reached: it may have gone since its parent was read.
    const path = row.key.slice(0, -1) as RelativePath;
    const child = tree.locate(path, true);
    const isThere = child.kind === 'found' && child.entry.kind === 'directory';
    const marked = faults.take('list', path, 'mark-unknown')?.reason;
    const reason = marked ?? (!isThere ? 'vanished' : child.entry.isUnreadable ? 'permission-denied' : undefined);
    yield reason === undefined ? row : { ...row, reason };
    if (!isThere || child.entry.isUnreadable || (marked !== undefined && marked !== 'listing-incomplete')) continue;
    if (options.prune?.ignores(path, true) === true) continue;
    const rows = [...rowsOf(tree, faults, path, child.entry, options)];
    open.push((marked === undefined ? rows : rows.slice(0, rows.length >> 1)).values());
  }
}

/** The rows of one directory at this moment. */
function rowsOf(tree: MemoryTree, faults: MemoryFaults, path: RelativePath, directory: MemoryDirectory, options: ListOptions): IterableIterator<ListingRow> {
  const rows: ListingRow[] = [];
  for (const { name, entry } of directory.children.values()) {
    if (path === ROOT && tree.isReserved(name)) continue;
    const key = `${directoryKey(path)}${name}`;
    const parsed = parseRelativePath(key);
    if (!parsed.ok) {
      options.onUnrepresentable?.({ directory: path, display: nameOf(key as RelativePath).toWellFormed() });
      continue;
    }
    const marked = entry.kind === 'directory' ? undefined : faults.take('list', key, 'mark-unknown');
    if (marked !== undefined) rows.push(bare(key, EntryKind.unknown, marked.reason));
    else if (entry.kind === 'directory') rows.push(bare(`${key}/`, EntryKind.directory, undefined));
    else if (entry.kind === 'symlink') rows.push(bare(key, EntryKind.unknown, 'symlink'));
    else if (entry.kind === 'special') rows.push(bare(key, EntryKind.unknown, 'special-file'));
    else {
      const previous = faults.take('list', key, 'stale') === undefined ? undefined : tree.previousOf(key);
      if (previous === null) continue;
      const { token, sizeBytes, mtimeMs, isRacy } = tree.nodeOf(previous ?? entry);
      rows.push({ key, kind: EntryKind.file, token, sizeBytes, mtimeMs, isRacy, reason: undefined });
    }
  }
  return rows.sort((a, b) => compareKeys(a.key, b.key)).values();
}

function bare(key: string, kind: EntryKindValue, reason: UnknownReason | undefined): ListingRow {
  return { key, kind, token: '', sizeBytes: 0, mtimeMs: 0, isRacy: false, reason };
}

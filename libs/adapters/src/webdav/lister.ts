/**
 * Lists a folder directory by directory, in key order, asking for some directories ahead. INV-8: a
 * directory that the server does not list is in the listing with the reason; an answer that makes
 * no sense ends it as a failure. Memory: the entries of the directories that are open (INV-40).
 */

import { compareKeys, directoryKey, parseRelativePath, RESERVED_NAME, ROOT, type RelativePath, type UnknownReason } from '@wl/domain';
import { EntryKind, packListing, type ListingBatch, type ListingRow, type ListOptions } from '@wl/ports';

import type { DavApi, DavDirectory } from './dav-api.js';
import { failure, statusFailure } from './failure.js';
import type { DavFound } from './multistatus.js';

const BATCH_ROWS = 500;
/** Directories asked for before their turn, on each level. */
const AHEAD = 4;

type Listed = DavDirectory | { readonly status: number };

/** Lists everything below a directory. */
export async function* listFolder(api: DavApi, directory: RelativePath, options: ListOptions): AsyncGenerator<ListingBatch> {
  const concern = { operation: 'list', path: directory };
  const listed = await api.directory(directory, concern, options.signal);
  if ('status' in listed) {
    if (listed.status !== 404 && listed.status !== 400) throw statusFailure(listed.status, concern);
    await api.assertRoot(concern, options.signal);
    throw failure('not-found', concern, 'there is no such directory');
  }
  if (listed.isIncomplete) throw failure('damaged', concern, 'the server did not list all of it', true);
  let rows: ListingRow[] = [];
  for await (const row of new Walk(api, options).below(directory, listed)) {
    rows.push(row);
    if (rows.length < BATCH_ROWS) continue;
    yield packListing(rows);
    rows = [];
  }
  if (rows.length > 0) yield packListing(rows);
}

/** One walk. */
class Walk {
  constructor(
    private readonly api: DavApi,
    private readonly options: ListOptions,
  ) {}

  /** Rows below a directory that was listed. */
  async *below(directory: RelativePath, { entries, notUnicode }: DavDirectory): AsyncGenerator<ListingRow> {
    for (const display of notUnicode) this.options.onUnrepresentable?.({ directory, display });
    const rows = this.#rowsOf(directory, entries);
    const asked = new Map<string, Promise<Listed>>();
    const directories = rows.filter(({ kind }) => kind === EntryKind.directory).map(({ key }) => key);
    let next = 0;
    const askAhead = (): void => {
      for (; asked.size < AHEAD && next < directories.length; next += 1) asked.set(directories[next]!, this.#ask(directories[next]!));
    };
    for (const row of rows) {
      if (row.kind !== EntryKind.directory) {
        yield row;
        continue;
      }
      askAhead();
      const listed = await asked.get(row.key)!;
      asked.delete(row.key);
      const reason = reasonOf(listed);
      yield { ...row, reason };
      if ('entries' in listed) yield* this.below(row.key.slice(0, -1) as RelativePath, listed);
    }
  }

  #ask(key: string): Promise<Listed> {
    const path = key.slice(0, -1) as RelativePath;
    if (this.options.prune?.ignores(path, true) === true) return Promise.resolve({ entries: new Map(), notUnicode: [], isIncomplete: false });
    const asking = this.api.directory(path, { operation: 'list', path }, this.options.signal);
    // Whoever left the listing early does not wait for it any more.
    asking.catch(() => undefined);
    return asking;
  }

  #rowsOf(directory: RelativePath, entries: ReadonlyMap<string, DavFound>): ListingRow[] {
    const rows: ListingRow[] = [];
    for (const [name, found] of entries) {
      const path = `${directoryKey(directory)}${name}`;
      if (directory === ROOT && name === RESERVED_NAME) continue;
      if (parseRelativePath(path).ok) rows.push(rowOf(path, found));
      else this.options.onUnrepresentable?.({ directory, display: name.toWellFormed() });
    }
    return rows.sort((a, b) => compareKeys(a.key, b.key));
  }
}

/** Servers refuse single directories by a status; one that cannot say anything at all is no listing. */
function reasonOf(listed: Listed): UnknownReason | undefined {
  if ('entries' in listed) return listed.isIncomplete ? 'listing-incomplete' : undefined;
  const { status } = listed;
  if (status === 403 || status === 401) return 'permission-denied';
  if (status === 404 || status === 410) return 'vanished';
  if (status === 423) return 'changing';
  return 'read-error';
}

function rowOf(path: string, found: DavFound): ListingRow {
  const empty = { token: '', sizeBytes: 0, mtimeMs: 0, isRacy: false };
  if (found.kind === 'directory') return { key: `${path}/`, kind: EntryKind.directory, ...empty, reason: undefined };
  if (found.kind === 'unknown') return { key: path, kind: EntryKind.unknown, ...empty, reason: found.reason };
  const { token, sizeBytes, mtimeMs, isRacy } = found;
  // A file that the server gives no version of cannot be told from a changed one.
  if (token === '') return { key: path, kind: EntryKind.unknown, ...empty, reason: 'read-error' };
  return { key: path, kind: EntryKind.file, token, sizeBytes, mtimeMs, isRacy, reason: undefined };
}

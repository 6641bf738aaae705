/**
 * Lists what lies below a directory of a server, directory by directory, in key order, asking for
 * some directories ahead. INV-8: a directory that the server does not list is in the listing with
 * the reason. Memory: the entries of the directories that are open (INV-40).
 */

import { compareKeys, directoryKey, parseRelativePath, RESERVED_NAME, ROOT, type RelativePath, type UnknownReason } from '@wl/domain';
import { EntryKind, packListing, type ListingBatch, type ListingRow, type ListOptions } from '@wl/ports';

/** A directory's content as the server told it. */
export interface FolderPage<Found> {
  /** By name; each once. */
  readonly entries: ReadonlyMap<string, Found>;
  /** Names that no key can be made of, for display. */
  readonly notUnicode: readonly string[];
  /** The entries are not all there. */
  readonly isIncomplete: boolean;
}

/** What asking for a directory came to: its content, or why there is none. */
export type FolderAnswer<Found> = FolderPage<Found> | { readonly reason: UnknownReason };

/** How the walk asks, and what it makes of what it is told. */
export interface FolderWalkParts<Found> {
  /** Rejects only where the listing as a whole has failed. */
  readonly ask: (directory: RelativePath) => Promise<FolderAnswer<Found>>;
  readonly rowOf: (path: string, found: Found) => ListingRow;
}

const BATCH_ROWS = 500;
/** Directories asked for before their turn, on each level. */
const AHEAD = 4;

/** Lists everything below a directory whose content is known. */
export async function* walkFolder<Found>(parts: FolderWalkParts<Found>, directory: RelativePath, page: FolderPage<Found>, options: ListOptions): AsyncGenerator<ListingBatch> {
  let rows: ListingRow[] = [];
  for await (const row of new Walk(parts, options).below(directory, page)) {
    rows.push(row);
    if (rows.length < BATCH_ROWS) continue;
    yield packListing(rows);
    rows = [];
  }
  if (rows.length > 0) yield packListing(rows);
}

/** A row of something that is no file and has no version. */
export function plainRow(key: string, kind: ListingRow['kind'], reason?: UnknownReason): ListingRow {
  return { key, kind, token: '', sizeBytes: 0, mtimeMs: 0, isRacy: false, reason };
}

/** One walk. */
class Walk<Found> {
  constructor(
    private readonly parts: FolderWalkParts<Found>,
    private readonly options: ListOptions,
  ) {}

  /** Rows below a directory that was listed. */
  async *below(directory: RelativePath, { entries, notUnicode }: FolderPage<Found>): AsyncGenerator<ListingRow> {
    for (const display of notUnicode) this.options.onUnrepresentable?.({ directory, display });
    const rows = this.#rowsOf(directory, entries);
    const asked = new Map<string, Promise<FolderAnswer<Found>>>();
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
      const answer = await asked.get(row.key)!;
      asked.delete(row.key);
      yield { ...row, reason: reasonOf(answer) };
      if ('entries' in answer) yield* this.below(row.key.slice(0, -1) as RelativePath, answer);
    }
  }

  #ask(key: string): Promise<FolderAnswer<Found>> {
    const path = key.slice(0, -1) as RelativePath;
    if (this.options.prune?.ignores(path, true) === true) return Promise.resolve({ entries: new Map(), notUnicode: [], isIncomplete: false });
    const asking = this.parts.ask(path);
    // Whoever left the listing early does not wait for it any more.
    asking.catch(() => undefined);
    return asking;
  }

  #rowsOf(directory: RelativePath, entries: ReadonlyMap<string, Found>): ListingRow[] {
    const rows: ListingRow[] = [];
    for (const [name, found] of entries) {
      const path = `${directoryKey(directory)}${name}`;
      if (directory === ROOT && name === RESERVED_NAME) continue;
      if (parseRelativePath(path).ok) rows.push(this.parts.rowOf(path, found));
      else this.options.onUnrepresentable?.({ directory, display: name.toWellFormed() });
    }
    return rows.sort((a, b) => compareKeys(a.key, b.key));
  }
}

function reasonOf<Found>(answer: FolderAnswer<Found>): UnknownReason | undefined {
  if (!('entries' in answer)) return answer.reason;
  return answer.isIncomplete ? 'listing-incomplete' : undefined;
}

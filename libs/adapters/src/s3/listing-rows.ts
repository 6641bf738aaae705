/**
 * Makes rows of a listing out of objects in key order: directories are put in before the first
 * key in them, keys that are no paths are reported and never crossed (T76), and a name that is
 * both a file and a directory is unknown, with all below it.
 *
 * `a` and `a/` are not adjacent (`a`, `a.txt`, `a/`), so a file is held back with all that
 * follows until no key can come that is in `a/`; nearly always the next key settles it.
 */

import { parseRelativePath, ROOT, type RelativePath, type UnknownReason } from '@wl/domain';
import { EntryKind, packListing, type ListingBatch, type ListingRow, type UnrepresentableName } from '@wl/ports';

import type { KeyLayout } from './key-layout.js';
import type { ListedObject } from './s3-api.js';
import { tokenOf } from './version-token.js';
import { isPlaceholder } from './writing/placeholder.js';

/** What the rows are made for. */
export interface RowsOptions {
  readonly layout: KeyLayout;
  /** What is listed. */
  readonly directory: RelativePath;
  readonly onDirectory: (path: RelativePath) => void;
  readonly onUnrepresentable: (name: UnrepresentableName) => void;
  /** A name that some machine is just about to remove or write (placeholder.ts). */
  readonly onPlaceholder: (key: string) => void;
}

type Row = { -readonly [Field in keyof ListingRow]: ListingRow[Field] };

/** Rows held back at most; then it is asked whether a directory stands beside the file that holds them up. */
const HELD_ROWS = 10_000;

/** Turns pages of one listing into batches. */
export class ListingRows {
  readonly #options: RowsOptions;
  readonly #hasDirectory: (path: RelativePath) => Promise<boolean>;
  /** Rows not yet given out: the first ones may still turn out to clash. */
  #rows: Row[] = [];
  /** Files among them that may clash, outermost first: each starts with the one before. */
  #held: Row[] = [];
  /** Directories open at the last key, as prefixes of it. */
  #open: string[];
  /** Prefix of what is not listed, because a file has the directory's name. */
  #hidden: string | undefined;

  /** `hasDirectory` asks the storage whether anything is in a directory. */
  constructor(options: RowsOptions, hasDirectory: (path: RelativePath) => Promise<boolean>) {
    this.#options = options;
    this.#hasDirectory = hasDirectory;
    this.#open = [options.directory === ROOT ? '' : `${options.directory}/`];
  }

  /** Takes a page; gives what of it and of those before is certain. */
  async take(objects: readonly ListedObject[]): Promise<ListingBatch | undefined> {
    const { layout } = this.#options;
    for (const object of objects) {
      if (object.key.startsWith(layout.area)) continue;
      this.#add(layout.relative(object.key), object);
    }
    if (this.#held.length > 0 && this.#rows.length > HELD_ROWS) await this.#settle();
    return this.#give();
  }

  /** The end: nothing can clash any more. */
  finish(): ListingBatch | undefined {
    this.#held = [];
    return this.#give();
  }

  #add(key: string, object: ListedObject): void {
    if (this.#hidden !== undefined && key.startsWith(this.#hidden)) return;
    this.#hidden = undefined;
    this.#release(key);
    const isMarker = key.endsWith('/');
    const path = isMarker ? key.slice(0, -1) : key;
    // The marker of the listed directory itself is no row.
    if (isMarker && key === this.#open[0]) return;
    if (key === '') return;
    const isValid = parseRelativePath(path).ok;
    if (!this.#openDirectories(key)) return;
    if (!isValid) {
      const directory = this.#open.at(-1)!.slice(0, -1) as RelativePath;
      this.#options.onUnrepresentable({ directory, display: key.slice(this.#open.at(-1)!.length).toWellFormed() });
      return;
    }
    if (isMarker) return;
    const row = this.#fileRow(key, object);
    this.#rows.push(row);
    this.#held.push(row);
  }

  #fileRow(key: string, object: ListedObject): Row {
    const { etag, sizeBytes, lastModifiedMs } = object;
    if (isPlaceholder(etag, sizeBytes)) {
      this.#options.onPlaceholder(object.key);
      return unknown(key, 'changing');
    }
    // Whole seconds, as `HEAD` tells it.
    const mtimeMs = Math.floor(lastModifiedMs / 1000) * 1000;
    return { key, kind: EntryKind.file, token: tokenOf(object), sizeBytes, mtimeMs, isRacy: false, reason: undefined };
  }

  /** Opens the directories that a key is in, as far as they make paths; `false` when one has the name of a file. */
  #openDirectories(key: string): boolean {
    while (!key.startsWith(this.#open.at(-1)!)) this.#open.pop();
    for (let slash = key.indexOf('/', this.#open.at(-1)!.length); slash >= 0; slash = key.indexOf('/', slash + 1)) {
      const directory = key.slice(0, slash + 1);
      const path = directory.slice(0, -1);
      if (!parseRelativePath(path).ok) return true;
      const clash = this.#held.find((row) => row.key === path);
      if (clash !== undefined) {
        Object.assign(clash, unknown(path, 'file-and-directory'));
        this.#hidden = directory;
        return false;
      }
      this.#open.push(directory);
      this.#options.onDirectory(path as RelativePath);
      this.#rows.push({ key: directory, kind: EntryKind.directory, token: '', sizeBytes: 0, mtimeMs: 0, isRacy: false, reason: undefined });
    }
    return true;
  }

  /** Files that the next key is too late for have no directory beside them. */
  #release(key: string): void {
    for (let top = this.#held.at(-1); top !== undefined; top = this.#held.at(-1)) {
      // `a` is held while keys start with it and go on with a byte up to `/`.
      if (key.startsWith(top.key) && key.charCodeAt(top.key.length) <= 0x2f) return;
      this.#held.pop();
    }
  }

  /** Asks about the files that hold back too much. */
  async #settle(): Promise<void> {
    const held = this.#held;
    this.#held = [];
    for (const row of held) {
      if (!(await this.#hasDirectory(row.key as RelativePath))) continue;
      // It stays held, so that what lies in the directory is hidden when it comes.
      this.#held.push(row);
      Object.assign(row, unknown(row.key, 'file-and-directory'));
    }
  }

  /** Rows before the first that may still change; those known to clash may go. */
  #give(): ListingBatch | undefined {
    const waiting = this.#held.find((row) => row.kind !== EntryKind.unknown);
    const end = waiting === undefined ? this.#rows.length : this.#rows.indexOf(waiting);
    const ready = this.#rows.slice(0, end);
    this.#rows = this.#rows.slice(end);
    return ready.length === 0 ? undefined : packListing(ready);
  }
}

function unknown(key: string, reason: UnknownReason): Row {
  return { key, kind: EntryKind.unknown, token: '', sizeBytes: 0, mtimeMs: 0, isRacy: false, reason };
}

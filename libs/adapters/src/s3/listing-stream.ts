/**
 * `list` of the port over a bucket: ranges of keys side by side, rows in key order. The keys that
 * part the ranges come from the listing before, and are kept in the storage's notes.
 */

import { compareKeys, ROOT, type RelativePath } from '@wl/domain';
import { BackendError, type ListingBatch, type ListOptions } from '@wl/ports';

import type { DirectoryKnowledge, ListedDirectories } from './directory-knowledge.js';
import type { KeyLayout } from './key-layout.js';
import { rangesAt, readRanges } from './key-ranges.js';
import { ListingRows } from './listing-rows.js';
import type { Observer } from './observer.js';
import type { S3Api } from './s3-api.js';
import { S3Error, toBackendError } from './s3-error.js';
import type { S3Notes } from './s3-params.js';

/** Ranges read at the same time. */
const WIDTH = 4;

/** Most keys remembered to part the next listing at. */
const PARTING_KEYS = 16;

const NOTE = 'parting-keys';

/** Lists one storage. */
export class Lister {
  constructor(
    private readonly api: S3Api,
    private readonly layout: KeyLayout,
    private readonly observer: Observer,
    private readonly known: DirectoryKnowledge,
    private readonly notes: S3Notes,
    /** Told the keys of placeholders met, after a listing has ended. */
    private readonly onPlaceholders: (keys: readonly string[]) => Promise<void>,
  ) {}

  async *list(directory: RelativePath, options: ListOptions): AsyncGenerator<ListingBatch> {
    const listed = directory === ROOT ? this.known.begin() : undefined;
    let hasEndedWell = false;
    try {
      yield* this.#rows(directory, options, listed);
      hasEndedWell = true;
    } catch (error) {
      throw toBackendError(error, 'list', directory === ROOT ? undefined : directory);
    } finally {
      if (listed !== undefined) this.known.finish(listed, hasEndedWell);
    }
  }

  async *#rows(directory: RelativePath, { signal, onUnrepresentable }: ListOptions, listed: ListedDirectories | undefined): AsyncGenerator<ListingBatch> {
    const placeholders: string[] = [];
    const rows = new ListingRows(
      {
        layout: this.layout,
        directory,
        onDirectory: (path) => (listed === undefined ? this.known.seen(path) : listed.seen(path)),
        onUnrepresentable: (name) => onUnrepresentable?.(name),
        onPlaceholder: (key) => void placeholders.push(key),
      },
      (path) => this.observer.hasEntries(path, signal),
    );
    const prefix = this.layout.directory(directory, 'list');
    const parting = new PartingKeys();
    let isEmpty = true;
    for await (const page of readRanges(this.api, prefix, this.#ranges(directory), WIDTH, signal)) {
      isEmpty = false;
      const batch = await rows.take(page);
      parting.add(page.at(-1)!.key);
      listed?.reached(this.layout.relative(page.at(-1)!.key));
      if (batch !== undefined) yield batch;
      if (signal?.aborted === true) throw new S3Error('cancelled', 'stopped on request', { isRetryable: false });
    }
    const rest = rows.finish();
    if (rest !== undefined) yield rest;
    if (isEmpty && directory !== ROOT) throw new BackendError('not-found', { operation: 'list', path: directory, retryable: false }, { explanation: 'there is no such directory' });
    if (directory === ROOT) this.#remember(parting.keys());
    if (placeholders.length > 0) await this.onPlaceholders(placeholders);
  }

  /** Everything but our own area, which may hold more than the rest. */
  #ranges(directory: RelativePath): ReturnType<typeof rangesAt> {
    if (directory !== ROOT) return rangesAt([]);
    const { area } = this.layout;
    // Nothing in our area starts with the highest code point there is.
    const behind = `${area}\u{10ffff}`;
    const [before, first, ...others] = rangesAt([area, ...this.#remembered(behind)]);
    return [before!, { ...first!, after: behind }, ...others];
  }

  /** Keys after `start` that the last listing left, as long as they are in order. */
  #remembered(start: string): string[] {
    const keys: string[] = [];
    const noted = this.notes.get(NOTE);
    if (!Array.isArray(noted)) return keys;
    for (const key of noted) if (typeof key === 'string' && compareKeys(keys.at(-1) ?? start, key) < 0) keys.push(key);
    return keys;
  }

  #remember(keys: readonly string[]): void {
    const before = this.notes.get(NOTE);
    const isAlike = Array.isArray(before) && before.length === keys.length;
    if (!isAlike) this.notes.put(NOTE, keys.length === 0 ? undefined : keys);
  }
}

/** Last keys of pages, thinned out evenly as they become too many. */
class PartingKeys {
  #keys: string[] = [];
  #every = 1;
  #pages = 0;

  add(lastKey: string): void {
    this.#pages += 1;
    if (this.#pages % this.#every !== 0) return;
    this.#keys.push(lastKey);
    if (this.#keys.length < PARTING_KEYS * 2) return;
    this.#keys = this.#keys.filter((_, index) => index % 2 === 1);
    this.#every *= 2;
  }

  /** The last one ends the listing and parts nothing; a page or two are not worth parting. */
  keys(): readonly string[] {
    return this.#keys.slice(0, -1);
  }
}

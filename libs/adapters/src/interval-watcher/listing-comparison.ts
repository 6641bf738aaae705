/**
 * Compares a remembered listing with a new one while both stream by, and tells where they
 * differ. INV-8: what lies below a directory that could not be enumerated is neither told
 * as removed nor forgotten.
 */

import { compareKeys, isDirectoryKey, pathOfKey, type Key, type UnknownReason } from '@wl/domain';
import { EntryKind, type Hint, type ListingBatch, type PathFilter } from '@wl/ports';

import { fingerprintOf, RACY, type PackedEntry, PackedListing } from './packed-listing.js';

/** A directory whose entries could not be (completely) enumerated. */
export interface UnseenDirectory {
  readonly key: string;
  readonly reason: UnknownReason;
}

/** One comparison, from the first batch to `finish`. */
export class ListingComparison {
  /** What is remembered for the next comparison; complete after `finish`. */
  readonly next = new PackedListing();
  readonly #previous: Iterator<PackedEntry>;
  readonly #filter: PathFilter | undefined;
  #old: PackedEntry | undefined;
  /** Where something is there that was not there before, or is not what it was. */
  #found: Hint[] = [];
  /** Where something is gone; valid only once the listing has ended well. */
  readonly #gone: Hint[] = [];
  /** Keys below these are left out, hinted at by their directory, or unknown. */
  #ignored: string | undefined;
  #hintedNew: string | undefined;
  #hintedGone: string | undefined;
  /** Prefixes below which nothing counts as gone; those that the reading has passed are dropped. */
  #unseen: string[] = [];
  readonly #unseenDirectories: UnseenDirectory[] = [];

  constructor(previous: PackedListing, filter: PathFilter | undefined) {
    this.#previous = previous.entries();
    this.#filter = filter;
    this.#old = this.#advance();
  }

  /** Takes the next batch of the new listing. */
  add(batch: ListingBatch): void {
    for (const [index, key] of batch.keys.entries()) {
      if (this.#isIgnored(key)) continue;
      while (this.#old !== undefined && compareKeys(this.#old.key, key) < 0) this.#passMissing(this.#old);
      const reason = batch.reasons.get(index);
      const { high, low } = stateOf(batch, index, reason);
      this.next.append(key, high, low);
      const old = this.#old?.key === key ? this.#old : undefined;
      if (old !== undefined) this.#old = this.#advance();
      if (old === undefined || old.high !== high || old.low !== low) this.#noteFound(key, old === undefined);
      if (reason === undefined) continue;
      // Of an unknown entry it is not even known that it is no directory.
      this.#unseen.push(isDirectoryKey(key as Key) ? key : `${key}/`);
      if (isDirectoryKey(key as Key)) this.#unseenDirectories.push({ key, reason });
    }
  }

  /** The differences found since the last call that are certain already: all but removals. */
  takeFound(): Hint[] {
    const found = this.#found;
    this.#found = [];
    return found;
  }

  /** Ends a listing that ended well, and tells what is gone and what could not be looked into. */
  finish(): { readonly gone: readonly Hint[]; readonly unseen: readonly UnseenDirectory[] } {
    while (this.#old !== undefined) this.#passMissing(this.#old);
    this.next.finish();
    return { gone: this.#gone, unseen: this.#unseenDirectories };
  }

  #advance(): PackedEntry | undefined {
    const next = this.#previous.next();
    return next.done === true ? undefined : next.value;
  }

  /** A remembered entry that the new listing does not have. */
  #passMissing(old: PackedEntry): void {
    this.#old = this.#advance();
    this.#unseen = this.#unseen.filter((prefix) => old.key.startsWith(prefix) || compareKeys(prefix, old.key) > 0);
    if (this.#unseen.some((prefix) => old.key.startsWith(prefix))) {
      this.next.append(old.key, old.high, old.low);
      return;
    }
    if (this.#hintedGone !== undefined && old.key.startsWith(this.#hintedGone)) return;
    if (isDirectoryKey(old.key as Key)) this.#hintedGone = old.key;
    this.#gone.push(hintAt(old.key));
  }

  #noteFound(key: string, isNew: boolean): void {
    if (this.#hintedNew !== undefined && key.startsWith(this.#hintedNew)) return;
    // A hint at a new directory leads to everything in it.
    if (isNew && isDirectoryKey(key as Key)) this.#hintedNew = key;
    this.#found.push(hintAt(key));
  }

  #isIgnored(key: string): boolean {
    if (this.#filter === undefined) return false;
    if (this.#ignored !== undefined && key.startsWith(this.#ignored)) return true;
    const isDirectory = isDirectoryKey(key as Key);
    if (!this.#filter.ignores(pathOfKey(key as Key), isDirectory)) return false;
    if (isDirectory) this.#ignored = key;
    return true;
  }
}

function hintAt(key: string): Hint {
  return { scope: 'entry', path: pathOfKey(key as Key) };
}

/**
 * What a row of a listing shows, as a fingerprint. A racy token may stand for two versions:
 * the file is told once more when its token is no longer racy.
 */
function stateOf(batch: ListingBatch, index: number, reason: UnknownReason | undefined): { readonly high: number; readonly low: number } {
  if (batch.racy[index] === 1) return { high: RACY, low: fingerprintOf(batch.tokens[index] ?? '').low };
  const kind = batch.kinds[index];
  if (kind === EntryKind.file) return fingerprintOf(`f${batch.tokens[index] ?? ''}`);
  return fingerprintOf(`${kind === EntryKind.directory ? 'd' : 'u'}${reason ?? ''}`);
}

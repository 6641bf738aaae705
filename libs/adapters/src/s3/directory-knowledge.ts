/**
 * What is known of directories without asking again. A bucket has no directories, so whether a
 * file's parent is one, and whether a directory stands where a file is to be made, are questions
 * of their own: two requests for each file written. A listing has answered both a moment ago.
 *
 * What is remembered may be outdated when another machine changed it meanwhile. Nothing rests on
 * it that could lose a version: at worst a file and a directory of one name come to stand side by
 * side, which every listing reports (T76). INV-40: a directory costs one number.
 */

import { compareKeys, ROOT, type RelativePath } from '@wl/domain';
import type { Clock } from '@wl/ports';

/** For how long an answer serves, in milliseconds. */
const LIFETIME_MS = 10 * 60_000;

/** What one listing of everything has shown so far. */
export class ListedDirectories {
  readonly #startedMs: number;
  readonly #directories = new Set<number>();
  /** Keys before this one were looked at; `undefined`: all. */
  #position: string | undefined = '';

  constructor(startedMs: number) {
    this.#startedMs = startedMs;
  }

  /** There is a directory at `path`. */
  seen(path: RelativePath): void {
    this.#directories.add(hashOf(path));
  }

  /** Forgetting one of two that share a hash costs a request, nothing more. */
  gone(path: RelativePath): void {
    this.#directories.delete(hashOf(path));
  }

  /** The listing has come as far as `key`. */
  reached(key: string): void {
    this.#position = key;
  }

  /** The listing has ended well: what it did not show is not there. */
  end(): void {
    this.#position = undefined;
  }

  has(path: RelativePath): boolean {
    return this.#directories.has(hashOf(path));
  }

  /** Whether the listing has passed the place where a directory at `path` would have shown. */
  hasPassed(path: RelativePath): boolean {
    // Keys in a directory start with its own, so the listing must be behind all of them.
    return this.#position === undefined || compareKeys(`${path}0`, this.#position) <= 0;
  }

  isFresh(nowMs: number): boolean {
    return nowMs - this.#startedMs < LIFETIME_MS;
  }
}

/** Directories seen, made and missed. */
export class DirectoryKnowledge {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  /** The last listing that has ended, and those that go on. */
  #ended: ListedDirectories | undefined;
  readonly #running = new Set<ListedDirectories>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** A listing of everything begins; it tells what it sees. */
  begin(): ListedDirectories {
    const listed = new ListedDirectories(this.#clock.monotonicMs());
    this.#running.add(listed);
    return listed;
  }

  /** It is over; only one that ended well is of use from now on. */
  finish(listed: ListedDirectories, hasEndedWell: boolean): void {
    this.#running.delete(listed);
    if (!hasEndedWell) return;
    listed.end();
    this.#ended = listed;
  }

  /** A directory was made or looked at. */
  seen(path: RelativePath): void {
    for (const listed of this.#all()) listed.seen(path);
  }

  /** A directory was removed. */
  gone(path: RelativePath): void {
    for (const listed of this.#all()) listed.gone(path);
  }

  /** Whether there is a directory at `path`, as far as is known. */
  isDirectory(path: RelativePath): boolean {
    return path === ROOT || this.#fresh().some((listed) => listed.has(path));
  }

  /** Whether no directory is at `path`, as far as is known. */
  isNone(path: RelativePath): boolean {
    return this.#fresh().some((listed) => listed.hasPassed(path) && !listed.has(path));
  }

  #all(): ListedDirectories[] {
    return this.#ended === undefined ? [...this.#running] : [this.#ended, ...this.#running];
  }

  #fresh(): ListedDirectories[] {
    const now = this.#clock.monotonicMs();
    return this.#all().filter((listed) => listed.isFresh(now));
  }
}

/** 53 bits of a string (two hashes of 32 and 21 bits): in a tree of a million directories hardly two share one. */
function hashOf(path: string): number {
  let low = 0x811c9dc5;
  let high = 0x9747b28c;
  for (let i = 0; i < path.length; i += 1) {
    const unit = path.charCodeAt(i);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ (unit + 0x9e37), 0x85ebca6b);
  }
  return (high >>> 11) * 2 ** 32 + (low >>> 0);
}

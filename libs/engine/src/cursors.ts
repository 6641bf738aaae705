/**
 * Reading positions in the three sorted streams that a pass merges. They hide batches,
 * apply the ignore rules, and refuse a stream that is not in key order: a page that
 * repeats or goes backwards makes a listing worthless, never shorter (INV-8, T06).
 */

import {
  compareKeys,
  DIRECTORY,
  IGNORED,
  pathOfKey,
  SKIP_REASONS,
  type FileNode,
  type Key,
  type Node,
  type Token,
  type UnknownReason,
} from '@wl/domain';
import { BackendError, EntryKind, type BaselineBatch, type ListingBatch, type PathFilter } from '@wl/ports';

/** A position in one side's listing. `key` is `undefined` at the end. */
export class ListingCursor {
  key: string | undefined;
  /** Files met so far that the rules do not leave out. */
  filesSeen = 0;
  /** Places that could not be observed so far: with any, the side cannot be called empty. What is no file at all is none of them. */
  unknownSeen = 0;

  readonly #batches: AsyncIterator<ListingBatch>;
  readonly #filter: PathFilter | undefined;
  #batch: ListingBatch | undefined;
  #index = -1;
  #last = '';
  #isStarted = false;
  #isIgnored = false;
  #ignoredPrefix: string | undefined;

  constructor(batches: AsyncIterable<ListingBatch>, filter: PathFilter | undefined) {
    this.#batches = batches[Symbol.asyncIterator]();
    this.#filter = filter;
  }

  /** Moves to the next entry within the batch at hand; `false` when `fill` is needed. */
  step(): boolean {
    const batch = this.#batch;
    if (batch === undefined) return false;
    for (;;) {
      this.#index += 1;
      const key = batch.keys[this.#index];
      if (key === undefined) {
        this.#batch = undefined;
        return false;
      }
      if (this.#isStarted && compareKeys(this.#last, key) >= 0) throw outOfOrder(this.#last, key);
      this.#isStarted = true;
      this.#last = key;
      if (this.#filter !== undefined && this.#isBelowIgnored(key, batch.kinds[this.#index])) continue;
      this.key = key;
      if (!this.#isIgnored) this.#count(batch);
      return true;
    }
  }

  /** Fetches batches until there is an entry or the listing ended normally; rejects when it failed. */
  async fill(): Promise<void> {
    do {
      const next = await this.#batches.next();
      if (next.done === true) {
        this.key = undefined;
        return;
      }
      this.#batch = next.value;
      this.#index = -1;
    } while (!this.step());
  }

  /** Stops the listing early. */
  async close(): Promise<void> {
    await this.#batches.return?.();
  }

  /** Whether the entry is the plain directory or the file of this token, so that nothing needs deciding. */
  isDirectory(): boolean {
    const batch = this.#batch!;
    return !this.#isIgnored && batch.kinds[this.#index] === EntryKind.directory && !batch.reasons.has(this.#index);
  }

  /** Token of the entry if it is a file, else `''`. */
  get token(): string {
    return this.#isIgnored ? '' : this.#batch!.tokens[this.#index]!;
  }

  /** The entry as the planner takes it. */
  node(): Node {
    if (this.#isIgnored) return IGNORED;
    const batch = this.#batch!;
    const i = this.#index;
    switch (batch.kinds[i]) {
      case EntryKind.file:
        return fileNode(batch, i);
      case EntryKind.directory: {
        const unlisted = batch.reasons.get(i);
        return unlisted === undefined ? DIRECTORY : { kind: 'directory', unlisted };
      }
      default:
        return { kind: 'unknown', reason: batch.reasons.get(i) ?? 'read-error' };
    }
  }

  #count(batch: ListingBatch): void {
    if (batch.kinds[this.#index] === EntryKind.file) this.filesSeen += 1;
    const reason = batch.reasons.size > 0 ? batch.reasons.get(this.#index) : undefined;
    if (reason !== undefined && !SKIP_REASONS.has(reason)) this.unknownSeen += 1;
  }

  /** Applies the rules to the entry; `true` when it lies below a directory that they leave out. */
  #isBelowIgnored(key: string, kind: number | undefined): boolean {
    if (this.#ignoredPrefix !== undefined) {
      if (key.startsWith(this.#ignoredPrefix)) return true;
      this.#ignoredPrefix = undefined;
    }
    const isDirectory = kind === EntryKind.directory;
    this.#isIgnored = this.#filter!.ignores(pathOfKey(key as Key), isDirectory);
    if (this.#isIgnored && isDirectory) this.#ignoredPrefix = key;
    return false;
  }
}

/** A position in the baseline. */
export class BaselineCursor {
  key: string | undefined;
  readonly #batches: Iterator<BaselineBatch>;
  #batch: BaselineBatch | undefined;
  #index = -1;

  constructor(batches: Iterable<BaselineBatch>) {
    this.#batches = batches[Symbol.iterator]();
    this.step();
  }

  /** Moves to the next row. */
  step(): void {
    for (;;) {
      this.#index += 1;
      this.key = this.#batch?.keys[this.#index];
      if (this.key !== undefined) return;
      const next = this.#batches.next();
      if (next.done === true) return;
      this.#batch = next.value;
      this.#index = -1;
    }
  }

  get sourceToken(): Token {
    return this.#batch!.sourceTokens[this.#index]! as Token;
  }

  get targetToken(): Token {
    return this.#batch!.targetTokens[this.#index]! as Token;
  }

  close(): void {
    this.#batches.return?.();
  }
}

/** Makes a listing batch of single observations, for names that were looked at one by one. */
export function batchOf(entries: readonly { readonly key: Key; readonly node: Node }[]): ListingBatch {
  const count = entries.length;
  const batch = {
    keys: entries.map((entry) => entry.key as string),
    kinds: new Uint8Array(count),
    tokens: new Array<string>(count).fill(''),
    sizes: new Float64Array(count),
    mtimes: new Float64Array(count),
    racy: new Uint8Array(count),
    reasons: new Map<number, UnknownReason>(),
  };
  entries.forEach(({ node }, i) => {
    if (node.kind === 'file') {
      batch.kinds[i] = EntryKind.file;
      batch.tokens[i] = node.token;
      batch.sizes[i] = node.sizeBytes;
      batch.mtimes[i] = node.mtimeMs;
      batch.racy[i] = node.isRacy ? 1 : 0;
    } else if (node.kind === 'directory') {
      batch.kinds[i] = EntryKind.directory;
      if (node.unlisted !== undefined) batch.reasons.set(i, node.unlisted);
    } else {
      batch.kinds[i] = EntryKind.unknown;
      batch.reasons.set(i, node.kind === 'unknown' ? node.reason : 'read-error');
    }
  });
  return batch;
}

function fileNode(batch: ListingBatch, i: number): FileNode {
  return {
    kind: 'file',
    token: batch.tokens[i]! as Token,
    sizeBytes: batch.sizes[i]!,
    mtimeMs: batch.mtimes[i]!,
    hash: undefined,
    isRacy: batch.racy[i] === 1,
  };
}

function outOfOrder(before: string, after: string): BackendError {
  return new BackendError('damaged', { operation: 'list', retryable: true }, {
    explanation: `the listing is not in order: ${JSON.stringify(after)} follows ${JSON.stringify(before)}`,
  });
}

/**
 * Reading position in a listing, one of the sorted streams that a pass merges. It hides batches,
 * applies the ignore rules, and refuses a stream that is not in key order: a page that
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
import {
  BackendError,
  EntryKind,
  firstJoined,
  KEY_SEPARATOR,
  lastJoined,
  TOKEN_SEPARATOR,
  type JoinedRows,
  type ListingBatch,
  type PathFilter,
} from '@wl/ports';

import { JoinedColumn, ListColumn, NO_COLUMN, type Column } from './column.js';
import type { ListingColumns, Stretch } from './settled-stretch.js';

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
  #keys: Column = NO_COLUMN;
  #tokens: Column = NO_COLUMN;
  #index = -1;
  #whole: JoinedRows | undefined;
  #columns: ListingColumns | undefined;
  #through: string | undefined;
  #last = '';
  #isStarted = false;
  #isIgnored = false;
  #ignoredPrefix: string | undefined;

  constructor(batches: AsyncIterable<ListingBatch>, filter: PathFilter | undefined) {
    this.#batches = batches[Symbol.asyncIterator]();
    this.#filter = filter;
  }

  /**
   * The batch at hand as joined text, as long as none of its rows was stepped to. Then only `key`
   * is known, that of its first row; `skipWhole` or `unfold` leads on.
   */
  get whole(): JoinedRows | undefined {
    return this.#whole;
  }

  /** The row at hand within joined texts, where the batch has them: see `passOver`. */
  get columns(): ListingColumns | undefined {
    return this.#columns;
  }

  /** The last key of the batch at hand. */
  get through(): string | undefined {
    return this.#through;
  }

  /** Passes over a whole batch, of which the caller knows that its rows are in order; answers how many there are. `fillWhole` is needed next. */
  skipWhole(): number {
    const batch = this.#batch!;
    const first = firstJoined(this.#whole!.keys);
    if (this.#isStarted && compareKeys(this.#last, first) >= 0) throw outOfOrder(this.#last, first);
    this.#isStarted = true;
    this.#last = this.#through!;
    for (const kind of batch.kinds) if (kind === EntryKind.file) this.filesSeen += 1;
    this.#whole = undefined;
    this.#batch = undefined;
    return batch.kinds.length;
  }

  /** Goes from a whole batch to its rows, the first of which is the one at hand. */
  unfold(): void {
    if (this.#whole === undefined) return;
    const { keys, tokens } = this.#whole;
    this.#whole = undefined;
    this.#columns = { keys: new JoinedColumn(keys, KEY_SEPARATOR), tokens: new JoinedColumn(tokens, TOKEN_SEPARATOR) };
    this.#open(this.#columns.keys, this.#columns.tokens);
    this.step();
  }

  /** Passes over rows of `columns`, of which the caller knows that they are in order, and moves to the one behind them. */
  passOver({ rows, keys: keysLength }: Stretch, tokensLength: number): void {
    const { keys, tokens } = this.#columns!;
    keys.passOver(keysLength);
    tokens.passOver(tokensLength);
    this.#last = keys.value;
    // The row at hand was counted when it was stepped to.
    for (let more = rows - 1; more > 0; more -= 1) {
      this.#index += 1;
      this.#count(this.#batch!);
    }
    this.step();
  }

  /** Moves to the next entry within the batch at hand; `false` when `fill` is needed. */
  step(): boolean {
    const batch = this.#batch;
    if (batch === undefined) return false;
    for (;;) {
      this.#index += 1;
      if (!this.#keys.next()) {
        this.#batch = undefined;
        this.#columns = undefined;
        return false;
      }
      this.#tokens.next();
      const key = this.#keys.value;
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
    await this.fillWhole();
    this.unfold();
  }

  /** `fill` for a caller that takes a whole batch as well: see `whole`. */
  async fillWhole(): Promise<void> {
    do {
      const next = await this.#batches.next();
      if (next.done === true) {
        this.key = undefined;
        this.#through = undefined;
        return;
      }
      const batch = (this.#batch = next.value);
      // The rules look at each name.
      this.#whole = this.#filter === undefined ? batch.joined : undefined;
      if (this.#whole !== undefined) {
        this.key = firstJoined(this.#whole.keys);
        this.#through = lastJoined(this.#whole.keys);
        return;
      }
      this.#open(new ListColumn(batch.keys), new ListColumn(batch.tokens));
      this.#through = batch.keys.at(-1);
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
    return this.#isIgnored ? '' : this.#tokens.value;
  }

  /** The entry as the planner takes it. */
  node(): Node {
    if (this.#isIgnored) return IGNORED;
    const batch = this.#batch!;
    const i = this.#index;
    switch (batch.kinds[i]) {
      case EntryKind.file:
        return fileNode(batch, i, this.#tokens.value as Token);
      case EntryKind.directory: {
        const unlisted = batch.reasons.get(i);
        return unlisted === undefined ? DIRECTORY : { kind: 'directory', unlisted };
      }
      default:
        return { kind: 'unknown', reason: batch.reasons.get(i) ?? 'read-error' };
    }
  }

  #open(keys: Column, tokens: Column): void {
    this.#keys = keys;
    this.#tokens = tokens;
    this.#index = -1;
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

function fileNode(batch: ListingBatch, i: number, token: Token): FileNode {
  return {
    kind: 'file',
    token,
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

/**
 * A run of a listing, packed to cross a thread cheaply: one joined string carries the keys;
 * tokens are joined bytes and numbers typed arrays that change hands. Who gets it compares the
 * joined texts first and takes them apart only where something has changed (ADR 0015).
 */

import type { UnknownReason } from '@wl/domain';
import { EntryKind, KEY_SEPARATOR, TOKEN_SEPARATOR, type JoinedRows, type ListingBatch, type UnrepresentableName } from '@wl/ports';

import type { FileStats } from './file-stats.js';
import type { QuickLook } from './quick-look.js';
import { TextColumn } from './text-column.js';
import { isRacy, mtimeMsOf, tokenOf } from './token.js';

/** A batch as it crosses a thread. */
export interface PackedRows {
  readonly count: number;
  readonly keys: string;
  /** Joined ASCII. */
  readonly tokens: Uint8Array<ArrayBuffer>;
  readonly kinds: Uint8Array<ArrayBuffer>;
  readonly sizes: Float64Array<ArrayBuffer>;
  readonly mtimes: Float64Array<ArrayBuffer>;
  readonly racy: Uint8Array<ArrayBuffer>;
  readonly reasons: readonly (readonly [number, UnknownReason])[];
  readonly unrepresentable: readonly UnrepresentableName[];
}

/** Tokens of local files are a little shorter. */
const USUAL_TOKEN_BYTES = 64;
/** Columns begin with so many and grow with the longest batch so far; a usual one has a thousand. */
const FIRST_ROWS = 256;

/**
 * Collects the batches of a walk one after the other. Its columns are used again and what is packed is
 * a copy of just the rows there are: memory that changes hands is only given back when the collector of the
 * thread that got it comes round, which at rest may be never.
 */
export class RowCollector {
  private keys: string[] = [];
  private readonly tokens = new TextColumn(FIRST_ROWS * USUAL_TOKEN_BYTES);
  private kinds = new Uint8Array(FIRST_ROWS);
  private sizes = new Float64Array(FIRST_ROWS);
  private mtimes = new Float64Array(FIRST_ROWS);
  private racy = new Uint8Array(FIRST_ROWS);
  private reasons: [number, UnknownReason][] = [];
  private unrepresentable: UnrepresentableName[] = [];
  private isEnded = false;

  /** `limit`: rows of a batch at most. */
  constructor(private limit: number) {}

  get isFull(): boolean {
    return this.isEnded || this.keys.length >= this.limit;
  }

  /** Says that the row added last is the last of its run. */
  endRun(): void {
    this.isEnded = true;
  }

  get isEmpty(): boolean {
    return this.keys.length === 0 && this.unrepresentable.length === 0;
  }

  addFile(key: string, stats: FileStats, nowMs: number): void {
    const index = this.place(key);
    this.tokens.add(tokenOf(stats));
    this.kinds[index] = EntryKind.file;
    this.sizes[index] = stats.sizeBytes;
    this.mtimes[index] = mtimeMsOf(stats);
    this.racy[index] = isRacy(stats, nowMs) ? 1 : 0;
  }

  /** Adds the file that `look` has just seen. */
  addSeenFile(key: string, look: QuickLook, nowMs: number): void {
    const index = this.place(key);
    look.writeToken(this.tokens);
    this.kinds[index] = EntryKind.file;
    this.sizes[index] = look.sizeBytes;
    this.mtimes[index] = look.mtimeMs;
    this.racy[index] = look.isRacy(nowMs) ? 1 : 0;
  }

  addDirectory(key: string, reason: UnknownReason | undefined): void {
    this.addOther(key, EntryKind.directory, reason);
  }

  addUnknown(key: string, reason: UnknownReason): void {
    this.addOther(key, EntryKind.unknown, reason);
  }

  addUnrepresentable(name: UnrepresentableName): void {
    this.unrepresentable.push(name);
  }

  /** The batch there is; the next one, of `limit` rows at most, is begun. */
  pack(limit: number): PackedRows {
    const count = this.keys.length;
    const packed = {
      count,
      keys: this.keys.join(KEY_SEPARATOR),
      tokens: this.tokens.take(),
      kinds: this.kinds.slice(0, count),
      sizes: this.sizes.slice(0, count),
      mtimes: this.mtimes.slice(0, count),
      racy: this.racy.slice(0, count),
      reasons: this.reasons,
      unrepresentable: this.unrepresentable,
    };
    this.keys = [];
    this.reasons = [];
    this.unrepresentable = [];
    this.isEnded = false;
    this.limit = limit;
    return packed;
  }

  private addOther(key: string, kind: number, reason: UnknownReason | undefined): void {
    const index = this.place(key);
    this.tokens.add('');
    this.kinds[index] = kind;
    this.sizes[index] = 0;
    this.mtimes[index] = 0;
    this.racy[index] = 0;
    if (reason !== undefined) this.reasons.push([index, reason]);
  }

  /** Adds a key; the index of its row, for which there is room then. */
  private place(key: string): number {
    const index = this.keys.push(key) - 1;
    if (index < this.kinds.length) return index;
    this.kinds = larger(this.kinds, new Uint8Array(2 * index));
    this.racy = larger(this.racy, new Uint8Array(2 * index));
    this.sizes = larger(this.sizes, new Float64Array(2 * index));
    this.mtimes = larger(this.mtimes, new Float64Array(2 * index));
    return index;
  }
}

function larger<T extends Uint8Array | Float64Array>(full: T, roomy: T): T {
  roomy.set(full);
  return roomy;
}

/** What of a packed batch is handed over instead of copied. */
export function transferablesOf(rows: PackedRows): ArrayBuffer[] {
  return [rows.tokens.buffer, rows.kinds.buffer, rows.sizes.buffer, rows.mtimes.buffer, rows.racy.buffer];
}

/** The batch as the port has it. */
export function unpackRows(rows: PackedRows): ListingBatch {
  return new UnpackedRows(rows);
}

/** Its arrays of keys and tokens are made when they are asked for. */
class UnpackedRows implements ListingBatch {
  readonly kinds: Uint8Array;
  readonly sizes: Float64Array;
  readonly mtimes: Float64Array;
  readonly racy: Uint8Array;
  readonly reasons: ReadonlyMap<number, UnknownReason>;
  readonly joined?: JoinedRows;
  private readonly texts: JoinedRows;
  private keyList: readonly string[] | undefined;
  private tokenList: readonly string[] | undefined;

  constructor({ count, keys, tokens, kinds, sizes, mtimes, racy, reasons }: PackedRows) {
    this.texts = { keys, tokens: Buffer.from(tokens.buffer, tokens.byteOffset, tokens.byteLength).toString('latin1') };
    this.kinds = kinds;
    this.sizes = sizes;
    this.mtimes = mtimes;
    this.racy = racy;
    this.reasons = new Map(reasons);
    // What could not be observed always has a reason here.
    if (count > 0 && reasons.length === 0) this.joined = this.texts;
  }

  get keys(): readonly string[] {
    return (this.keyList ??= split(this.texts.keys, KEY_SEPARATOR, this.kinds.length));
  }

  get tokens(): readonly string[] {
    return (this.tokenList ??= split(this.texts.tokens, TOKEN_SEPARATOR, this.kinds.length));
  }
}

function split(column: string, separator: string, count: number): string[] {
  return count === 0 ? [] : column.split(separator);
}

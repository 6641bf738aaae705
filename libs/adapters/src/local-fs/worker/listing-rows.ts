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

/** Collects rows up to a limit. */
export class RowCollector {
  private readonly keys: string[] = [];
  private readonly tokens: TextColumn;
  private readonly kinds: Uint8Array<ArrayBuffer>;
  private readonly sizes: Float64Array<ArrayBuffer>;
  private readonly mtimes: Float64Array<ArrayBuffer>;
  private readonly racy: Uint8Array<ArrayBuffer>;
  private readonly reasons: [number, UnknownReason][] = [];
  private readonly unrepresentable: UnrepresentableName[] = [];
  private isEnded = false;

  constructor(private readonly limit: number) {
    this.tokens = new TextColumn(limit * USUAL_TOKEN_BYTES);
    this.kinds = new Uint8Array(limit);
    this.sizes = new Float64Array(limit);
    this.mtimes = new Float64Array(limit);
    this.racy = new Uint8Array(limit);
  }

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
    const index = this.keys.length;
    this.keys.push(key);
    this.tokens.add(tokenOf(stats));
    this.sizes[index] = stats.sizeBytes;
    this.mtimes[index] = mtimeMsOf(stats);
    if (isRacy(stats, nowMs)) this.racy[index] = 1;
  }

  /** Adds the file that `look` has just seen. */
  addSeenFile(key: string, look: QuickLook, nowMs: number): void {
    const index = this.keys.length;
    this.keys.push(key);
    look.writeToken(this.tokens);
    this.sizes[index] = look.sizeBytes;
    this.mtimes[index] = look.mtimeMs;
    if (look.isRacy(nowMs)) this.racy[index] = 1;
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

  pack(): PackedRows {
    const count = this.keys.length;
    // Most batches are full; the last one is cut to what it holds.
    const cut = <T extends Uint8Array<ArrayBuffer> | Float64Array<ArrayBuffer>>(column: T): T =>
      count === this.limit ? column : (column.slice(0, count) as T);
    return {
      count,
      keys: this.keys.join(KEY_SEPARATOR),
      tokens: this.tokens.take(),
      kinds: cut(this.kinds),
      sizes: cut(this.sizes),
      mtimes: cut(this.mtimes),
      racy: cut(this.racy),
      reasons: this.reasons,
      unrepresentable: this.unrepresentable,
    };
  }

  private addOther(key: string, kind: number, reason: UnknownReason | undefined): void {
    const index = this.keys.length;
    this.keys.push(key);
    this.tokens.add('');
    this.kinds[index] = kind;
    if (reason !== undefined) this.reasons.push([index, reason]);
  }
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

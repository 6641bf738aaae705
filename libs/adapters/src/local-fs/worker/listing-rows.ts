/**
 * A batch of a listing, packed to cross a thread cheaply: names cannot hold a NUL, so one
 * joined string carries a column, and numbers travel as typed arrays that change hands.
 */

import type { UnknownReason } from '@wl/domain';
import { EntryKind, type ListingBatch, type UnrepresentableName } from '@wl/ports';

/** A batch as it crosses a thread. */
export interface PackedRows {
  readonly count: number;
  readonly keys: string;
  readonly tokens: string;
  readonly kinds: Uint8Array<ArrayBuffer>;
  readonly sizes: Float64Array<ArrayBuffer>;
  readonly mtimes: Float64Array<ArrayBuffer>;
  readonly racy: Uint8Array<ArrayBuffer>;
  readonly reasons: readonly (readonly [number, UnknownReason])[];
  readonly unrepresentable: readonly UnrepresentableName[];
}

const SEPARATOR = '\0';

/** Collects rows up to a limit. */
export class RowCollector {
  private readonly keys: string[] = [];
  private readonly tokens: string[] = [];
  private readonly kinds: Uint8Array<ArrayBuffer>;
  private readonly sizes: Float64Array<ArrayBuffer>;
  private readonly mtimes: Float64Array<ArrayBuffer>;
  private readonly racy: Uint8Array<ArrayBuffer>;
  private readonly reasons: [number, UnknownReason][] = [];
  private readonly unrepresentable: UnrepresentableName[] = [];

  constructor(private readonly limit: number) {
    this.kinds = new Uint8Array(limit);
    this.sizes = new Float64Array(limit);
    this.mtimes = new Float64Array(limit);
    this.racy = new Uint8Array(limit);
  }

  get isFull(): boolean {
    return this.keys.length >= this.limit;
  }

  get isEmpty(): boolean {
    return this.keys.length === 0 && this.unrepresentable.length === 0;
  }

  addFile(key: string, token: string, sizeBytes: number, mtimeMs: number, isRacy: boolean): void {
    const index = this.keys.length;
    this.keys.push(key);
    this.tokens.push(token);
    this.sizes[index] = sizeBytes;
    this.mtimes[index] = mtimeMs;
    if (isRacy) this.racy[index] = 1;
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
      keys: this.keys.join(SEPARATOR),
      tokens: this.tokens.join(SEPARATOR),
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
    this.tokens.push('');
    this.kinds[index] = kind;
    if (reason !== undefined) this.reasons.push([index, reason]);
  }
}

/** What of a packed batch is handed over instead of copied. */
export function transferablesOf(rows: PackedRows): ArrayBuffer[] {
  return [rows.kinds.buffer, rows.sizes.buffer, rows.mtimes.buffer, rows.racy.buffer];
}

/** The batch as the port has it. */
export function unpackRows(rows: PackedRows): ListingBatch {
  const { kinds, sizes, mtimes, racy } = rows;
  return { keys: split(rows.keys, rows.count), tokens: split(rows.tokens, rows.count), kinds, sizes, mtimes, racy, reasons: new Map(rows.reasons) };
}

function split(column: string, count: number): string[] {
  return count === 0 ? [] : column.split(SEPARATOR);
}

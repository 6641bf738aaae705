/** The rows of `conflicts` of one pair, told from its first end (INV-36). */

import type { RelativePath, Version } from '@wl/domain';
import type { ConflictReason, ConflictRecord } from '@wl/ports';

import { checksumOf } from './checksums.js';
import type { Database } from './database.js';
import { DamageError } from './sqlite-errors.js';
import type { SqliteRow } from './sqlite-module.js';

const SELECT_ALL = 'SELECT path, record, checksum FROM conflicts WHERE pair_id = ? ORDER BY path';
const SELECT = 'SELECT path, record, checksum FROM conflicts WHERE pair_id = ? AND path = ?';
const REPLACE = 'INSERT OR REPLACE INTO conflicts VALUES (?, ?, ?, ?)';
const DELETE = 'DELETE FROM conflicts WHERE pair_id = ? AND path = ?';
const CLEAR = 'DELETE FROM conflicts WHERE pair_id = ?';

/** The column `record`. */
interface StoredRecord {
  readonly reason: ConflictReason;
  readonly first: Version;
  readonly second: Version;
  readonly sinceMs: number;
}

/** The conflicts of one pair. Its methods are called within `Database.attempt` and throw `DamageError` on a row that is not what was written. */
export class ConflictTable {
  constructor(
    private readonly database: Database,
    private readonly pairId: number,
  ) {}

  get(path: RelativePath): ConflictRecord | undefined {
    const row = this.database.statement(SELECT).get(this.pairId, path);
    return row === undefined ? undefined : this.#decoded(row);
  }

  /** In key order. */
  all(): ConflictRecord[] {
    const rows = this.database.statement(SELECT_ALL).all(this.pairId);
    return rows.map((row) => this.#decoded(row));
  }

  /** Inserts or replaces by path, keeping since when. */
  put(record: ConflictRecord): void {
    const stored: StoredRecord = {
      reason: record.reason,
      first: record.source,
      second: record.target,
      sinceMs: this.get(record.path)?.sinceMs ?? record.sinceMs,
    };
    const text = JSON.stringify(stored);
    this.database.statement(REPLACE).run(this.pairId, record.path, text, checksumOf(this.pairId, record.path, text));
  }

  delete(path: RelativePath): void {
    this.database.statement(DELETE).run(this.pairId, path);
  }

  clear(): void {
    this.database.statement(CLEAR).run(this.pairId);
  }

  #decoded(row: SqliteRow): ConflictRecord {
    const { path, record } = row;
    if (row['checksum'] !== checksumOf(this.pairId, String(path), String(record))) {
      throw new DamageError('the checksum of a conflict does not match');
    }
    const { reason, first, second, sinceMs } = JSON.parse(record as string) as StoredRecord;
    return { path: path as RelativePath, reason, source: withHash(first), target: withHash(second), sinceMs };
  }
}

/** JSON leaves out a hash that is not known. */
function withHash(version: Version): Version {
  return version.kind === 'file' ? { kind: 'file', sha256: version.sha256, sizeBytes: version.sizeBytes } : version;
}

/** The rows of `pairs`: what is known of a pair as a whole, and the totals of its baseline. */

import type { OrientedPair } from '@wl/ports';

import type { Database } from './database.js';
import { checksumOf } from './checksums.js';
import { DamageError } from './sqlite-errors.js';
import type { SqliteRow } from './sqlite-module.js';
import { toStored } from './stored-text.js';

/** How many rows a baseline has. Kept with every commit, so that nobody needs to count. */
export interface Totals {
  files: number;
  directories: number;
  bytes: number;
}

/** What a pair's roots are known by. */
export interface KnownRoots {
  firstRootIds: readonly string[];
  secondRootIds: readonly string[];
  /** They were stored once and are damaged. */
  areRootsLost: boolean;
}

/** One pair. */
export interface PairRow extends Totals, KnownRoots {
  readonly id: number;
  /** Something of the pair was found damaged: its baseline is forgotten when the pair is next opened. */
  isDistrusted: boolean;
}

/** Bits of the column `is_distrusted`. */
const DISTRUSTED = 1;
const ROOTS_LOST = 2;

const INSERT = `INSERT INTO pairs (scope, first_backend, second_backend, first_roots, second_roots,
  files, directories, bytes, is_distrusted, checksum) VALUES (?, ?, ?, '[]', '[]', 0, 0, 0, 0, 0) RETURNING id`;
const SELECT_ID = 'SELECT id FROM pairs WHERE scope = ? AND first_backend = ? AND second_backend = ?';
const SELECT = 'SELECT * FROM pairs WHERE id = ?';
const REPLACE = 'INSERT OR REPLACE INTO pairs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)';

/** The row of one pair. Its methods are called within `Database.attempt` and throw `DamageError` when it is not what was written. */
export class PairTable {
  constructor(private readonly database: Database) {}

  /** The id of a pair, inserted when it is new; within a transaction. */
  idOf(pair: OrientedPair): number {
    const names = [toStored(pair.scope), toStored(pair.first), toStored(pair.second)];
    const known = this.database.statement(SELECT_ID).get(...names)?.['id'];
    if (known !== undefined) return Number(known);
    const id = Number(this.database.statement(INSERT).get(...names)?.['id']);
    this.write(pair, emptyPair(id));
    return id;
  }

  /** What is left of the roots of a pair of which something is damaged: they stand in a row of their own, with a checksum of its own. */
  rootsLeft(pair: OrientedPair, id: number): KnownRoots {
    try {
      const { firstRootIds, secondRootIds, areRootsLost } = this.read(pair, id);
      return { firstRootIds, secondRootIds, areRootsLost };
    } catch (error) {
      if (!(error instanceof DamageError)) throw error;
      return { firstRootIds: [], secondRootIds: [], areRootsLost: true };
    }
  }

  read(pair: OrientedPair, id: number): PairRow {
    const row = this.database.statement(SELECT).get(id);
    if (row === undefined) throw new DamageError('a pair is missing');
    if (row['checksum'] !== checksumOfRow(row)) throw new DamageError('the checksum of a pair does not match');
    const isThisPair = row['scope'] === toStored(pair.scope) && row['first_backend'] === toStored(pair.first) && row['second_backend'] === toStored(pair.second);
    if (!isThisPair) throw new DamageError('a pair has changed its name');
    return {
      id,
      firstRootIds: JSON.parse(row['first_roots'] as string) as string[],
      secondRootIds: JSON.parse(row['second_roots'] as string) as string[],
      files: row['files'] as number,
      directories: row['directories'] as number,
      bytes: row['bytes'] as number,
      isDistrusted: (Number(row['is_distrusted']) & DISTRUSTED) !== 0,
      areRootsLost: (Number(row['is_distrusted']) & ROOTS_LOST) !== 0,
    };
  }

  /** Writes the whole row, whatever stands in its place. */
  write(pair: OrientedPair, row: PairRow): void {
    const values = {
      id: row.id,
      scope: toStored(pair.scope),
      first_backend: toStored(pair.first),
      second_backend: toStored(pair.second),
      first_roots: JSON.stringify(row.firstRootIds),
      second_roots: JSON.stringify(row.secondRootIds),
      last_full_pass_ms: null,
      files: row.files,
      directories: row.directories,
      bytes: row.bytes,
      is_distrusted: (row.isDistrusted ? DISTRUSTED : 0) | (row.areRootsLost ? ROOTS_LOST : 0),
    };
    this.database.statement(REPLACE).run(...Object.values(values), checksumOfRow(values));
  }
}

/** A pair before its first pass. */
export function emptyPair(id: number): PairRow {
  return {
    id,
    firstRootIds: [],
    secondRootIds: [],
    areRootsLost: false,
    files: 0,
    directories: 0,
    bytes: 0,
    isDistrusted: false,
  };
}

/** Over all columns but the checksum, in the order of the table; `null` and text stay apart. */
function checksumOfRow(row: SqliteRow): number {
  const { checksum: _, ...fields } = row;
  return checksumOf(JSON.stringify(Object.values(fields)));
}

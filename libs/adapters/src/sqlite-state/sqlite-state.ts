/** `SyncState` and `HashCache` of one base directory on one SQLite file. */

import type { RelativePath, Sha256, Token } from '@wl/domain';
import { orient, type OrientedPair, type HashCache, type HashCacheEntry, type PairIdentity, type PairState, type SavedJob, type StateError, type SyncState } from '@wl/ports';

import type { Database } from './database.js';
import { HashCacheTable } from './hash-cache-table.js';
import { JobTable } from './job-table.js';
import { PairTable } from './pair-table.js';
import { DamageError, stateError, translated } from './sqlite-errors.js';
import { SqlitePair, type SharedPair } from './sqlite-pair.js';

/** The state over an open database, which it closes. */
export class SqliteState implements SyncState, HashCache {
  readonly #database: Database;
  readonly #onNotice: (message: string) => void;
  readonly #jobs: JobTable;
  readonly #hashes: HashCacheTable;
  readonly #pairs = new Map<number, SharedPair>();

  constructor(database: Database, onNotice: (message: string) => void) {
    this.#database = database;
    this.#onNotice = onNotice;
    this.#jobs = new JobTable(database, onNotice);
    this.#hashes = new HashCacheTable(database);
  }

  openPair(identity: PairIdentity): PairState {
    const oriented = orient(identity);
    const table = new PairTable(this.#database);
    const id = this.#database.transaction('open the pair', () => table.idOf(oriented));
    let shared = this.#pairs.get(id);
    if (shared === undefined) this.#pairs.set(id, (shared = { id, commits: 0, distrust: undefined }));
    shared.distrust ??= this.#distrustOf(table, oriented, id);
    const pair = new SqlitePair(this.#database, oriented, shared);
    if (shared.distrust !== undefined) {
      pair.forgetBaseline();
      this.#onNotice(
        `What was stored of the pair ${identity.sourceBackendId} and ${identity.targetBackendId} was damaged and has been forgotten. ` +
          'Nothing is deleted because of this: the next sync compares both storages in full, and files that differ are listed as conflicts.',
      );
    }
    return pair;
  }

  jobs(): readonly SavedJob[] {
    return this.#jobs.all();
  }

  saveJob(job: SavedJob): void {
    this.#jobs.save(job);
  }

  deleteJob(jobId: string): void {
    this.#jobs.delete(jobId);
  }

  get(backendId: string, path: RelativePath, token: Token): Sha256 | undefined {
    return this.#hashes.get(backendId, path, token);
  }

  putMany(backendId: string, entries: readonly HashCacheEntry[]): void {
    this.#hashes.putMany(backendId, entries);
  }

  drop(backendId: string): void {
    this.#hashes.drop(backendId);
  }

  close(): void {
    try {
      this.#database.close();
    } catch (error) {
      throw translated(error, 'close the state', this.#database.file);
    }
  }

  /** Why a pair was distrusted before it was opened now, if it was. */
  #distrustOf(table: PairTable, pair: OrientedPair, id: number): StateError | undefined {
    return this.#database.attempt('open the pair', () => {
      try {
        if (!table.read(pair, id).isDistrusted) return undefined;
      } catch (error) {
        if (error instanceof DamageError) return stateError('damaged', 'open the pair', this.#database.file, error);
        throw error;
      }
      return stateError('damaged', 'open the pair', this.#database.file, new DamageError('it was found damaged before'));
    });
  }
}

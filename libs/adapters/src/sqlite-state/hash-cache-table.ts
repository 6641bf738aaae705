/**
 * `HashCache` over the tables. Failures are swallowed, as the port says, and an entry that is
 * not what was written is one that is not there (INV-24).
 */

import { NO_TOKEN, type RelativePath, type Sha256, type Token } from '@wl/domain';
import type { HashCache, HashCacheEntry } from '@wl/ports';

import { checksumOf } from './checksums.js';
import type { Database } from './database.js';
import { toStored } from './stored-text.js';

const SELECT_BACKEND = 'SELECT id FROM cached_backends WHERE name = ?';
const INSERT_BACKEND = 'INSERT INTO cached_backends (name) VALUES (?) RETURNING id';
const DELETE_BACKEND = 'DELETE FROM cached_backends WHERE id = ?';
const SELECT = 'SELECT token, lower(hex(hash)) AS hash, checksum FROM cached_hashes WHERE backend_id = ? AND path = ?';
const REPLACE = 'INSERT OR REPLACE INTO cached_hashes VALUES (?, ?, ?, unhex(?), ?)';
const DELETE = 'DELETE FROM cached_hashes WHERE backend_id = ?';

/** The hash cache of one base directory. */
export class HashCacheTable implements HashCache {
  constructor(private readonly database: Database) {}

  get(backendId: string, path: RelativePath, token: Token): Sha256 | undefined {
    if (token === NO_TOKEN) return undefined;
    return this.#swallowing(() =>
      this.database.attempt('read the hash cache', () => {
        const id = this.#idOf(backendId);
        const row = id === undefined ? undefined : this.database.statement(SELECT).get(id, path);
        const stored = toStored(token);
        if (row?.['token'] !== stored || row['checksum'] !== checksumOf(backendId, path, stored, String(row['hash']))) return undefined;
        return row['hash'] as Sha256;
      }),
    );
  }

  putMany(backendId: string, entries: readonly HashCacheEntry[]): void {
    if (entries.length === 0) return;
    this.#swallowing(() => {
      this.database.transaction('write the hash cache', () => {
        const id = this.#idOf(backendId) ?? Number(this.database.statement(INSERT_BACKEND).get(toStored(backendId))?.['id']);
        const replace = this.database.statement(REPLACE);
        for (const { path, token, hash } of entries) {
          const stored = toStored(token);
          replace.run(id, path, stored, hash, checksumOf(backendId, path, stored, hash));
        }
      });
    });
  }

  drop(backendId: string): void {
    this.#swallowing(() => {
      this.database.transaction('write the hash cache', () => {
        const id = this.#idOf(backendId);
        if (id === undefined) return;
        this.database.statement(DELETE).run(id);
        this.database.statement(DELETE_BACKEND).run(id);
      });
    });
  }

  #idOf(backendId: string): number | undefined {
    const id = this.database.statement(SELECT_BACKEND).get(toStored(backendId))?.['id'];
    return id === undefined ? undefined : Number(id);
  }

  #swallowing<T>(action: () => T): T | undefined {
    try {
      return action();
    } catch {
      return undefined;
    }
  }
}

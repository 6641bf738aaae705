/**
 * One open state database: prepared statements, transactions, and failures in the words of the
 * port. How a file becomes one is told in open-database.ts.
 */

import { invariant } from '@wl/domain';
import type { StateError } from '@wl/ports';

import { isFileDamage, translated } from './sqlite-errors.js';
import { disconnect, type SqliteConnection, type SqliteStatement } from './sqlite-module.js';

/** A database that has been opened and found whole. */
export class Database {
  readonly #connection: SqliteConnection;
  readonly #statements = new Map<string, SqliteStatement>();
  #isOpen = true;
  /** Set once SQLite met a broken page: nothing is read or written after that. */
  #damage: StateError | undefined;

  constructor(
    readonly file: string,
    connection: SqliteConnection,
  ) {
    this.#connection = connection;
  }

  /** The statement of a fixed text, prepared at its first use. */
  statement(sql: string): SqliteStatement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#connection.prepare(sql)));
    return statement;
  }

  /** Does `body`, which reads or writes; throws `StateError` naming the operation ("read the baseline"). */
  attempt<T>(operation: string, body: () => T): T {
    invariant(this.#isOpen, `unable to ${operation}: the state is closed`);
    if (this.#damage !== undefined) throw this.#damage;
    try {
      return body();
    } catch (error) {
      const failure = translated(error, operation, this.file);
      if (isFileDamage(error)) this.#damage = failure as StateError;
      throw failure;
    }
  }

  /** `attempt` as one durable transaction: when it throws, nothing of it is in the database. */
  transaction<T>(operation: string, body: () => T): T {
    return this.attempt(operation, () => {
      this.#connection.exec('BEGIN IMMEDIATE');
      try {
        const result = body();
        this.#connection.exec('COMMIT');
        return result;
      } catch (error) {
        this.#rollBack();
        throw error;
      }
    });
  }

  /** Closes; again does nothing. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    disconnect(this.#connection);
  }

  #rollBack(): void {
    try {
      this.#connection.exec('ROLLBACK');
    } catch {
      // Some failures (a full disk) have rolled back already; there is no transaction left then.
    }
  }
}

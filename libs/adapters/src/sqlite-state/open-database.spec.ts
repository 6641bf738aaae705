import { chmodSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeSync, closeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { directoryKey, ROOT, toRelativePath, type RelativePath } from '@wl/domain';
import { StateError, type BaselineChange } from '@wl/ports';

import { openDatabase } from './open-database.js';
import { openSqliteState } from './open-sqlite-state.js';
import { connect, disconnect, readValues } from './sqlite-module.js';
import { SqliteState } from './sqlite-state.js';
import { fillSample, PAIRS, pathOf, readPair, tokenOf } from './testing/sample-state.js';
import { held, transaction } from './testing/transactions.js';

const [PHOTOS, DOCS] = PAIRS as [(typeof PAIRS)[0], (typeof PAIRS)[0]];

describe('the state database', () => {
  let directory: string;
  let file: string;
  let notices: string[];
  const options = () => ({ path: file, onNotice: (message: string) => notices.push(message), busyTimeoutMs: 20 });
  const failureOf = (action: () => unknown): StateError => {
    try {
      action();
    } catch (error) {
      if (error instanceof StateError) return error;
      throw error;
    }
    throw new Error('it did not fail');
  };

  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'wl-database-'));
    file = path.join(directory, 'state.db');
    notices = [];
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it('is readable by its owner alone, and one file once it is closed', () => {
    const state = openSqliteState(options());
    fillSample(state);
    for (const name of readdirSync(directory)) expect(statSync(path.join(directory, name)).mode & 0o777).toBe(0o600);
    state.close();
    expect(readdirSync(directory)).toEqual(['state.db']);
    expect(notices).toEqual([]);
  });

  it('INV-23: is opened once at a time, and goes on undisturbed by who comes second', () => {
    const state = openSqliteState(options());
    const failure = failureOf(() => openSqliteState(options()));
    expect(failure.code).toBe('locked');
    expect(failure.message).toBe(
      `unable to open the state in ${file}: locked (database is locked). Another process is using it: end that one, then try again.`,
    );
    fillSample(state);
    expect(failureOf(() => openSqliteState(options())).code).toBe('locked');
    expect(readPair(state, PHOTOS).rows).toHaveLength(305);
    state.close();
    openSqliteState(options()).close();
    expect(notices).toEqual([]);
  });

  it('INV-11, T21: is refused when a newer wl has written it, and left to that one', () => {
    const state = openSqliteState(options());
    fillSample(state);
    state.close();
    alter("PRAGMA user_version = 3; UPDATE about SET value = 3 WHERE name = 'schema'; CREATE TABLE newer (a); DROP TABLE conflicts");
    const before = readFileSync(file);
    const failure = failureOf(() => openSqliteState(options()));
    expect(failure.code).toBe('newer-version');
    expect(failure.message).toMatch(/written by a newer wl \(schema 3, this one knows 2\)\. Install that version again; or move the file away/);
    expect(failureOf(() => openSqliteState(options())).code).toBe('newer-version');
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(readdirSync(directory)).toEqual(['state.db']);
    expect(notices).toEqual([]);
  });

  describe('of version 1, which has no index', () => {
    const toVersion1 = "DROP INDEX baseline_by_size; UPDATE about SET value = 1 WHERE name = 'schema'; PRAGMA user_version = 1";
    const large = { kind: 'file', hash: 'c'.repeat(64), sizeBytes: 7_000_000, sourceToken: 's', targetToken: 't' } as const;
    const putLarge = { kind: 'put', key: 'large', row: large } as unknown as BaselineChange;

    it('keeps all its rows, finds those that were there and those that come, and is of this version from then on', () => {
      const filled = openSqliteState(options());
      fillSample(filled);
      filled.openPair(PHOTOS).commit([putLarge]);
      const before = [readPair(filled, PHOTOS), readPair(filled, DOCS), filled.jobs()];
      filled.close();
      alter(toVersion1);
      for (const round of [1, 2]) {
        const state = openSqliteState(options());
        expect([readPair(state, PHOTOS), readPair(state, DOCS), state.jobs()]).toEqual(before);
        expect([round, state.openPair(PHOTOS).filesOfSize(7_000_000, 10)]).toEqual([round, [{ key: 'large', row: large }]]);
        state.close();
      }
      const connection = connect(file);
      expect(readValues(connection, 'user_version', 'pragma_user_version')).toEqual([2]);
      expect(readValues(connection, 'name', "sqlite_schema WHERE sql IS NOT NULL AND type = 'index'")).toEqual(['baseline_by_size']);
      connection.close();
      expect(notices).toEqual([]);
    });
  });

  it('INV-11: is not taken for ours with an index that is not', () => {
    openSqliteState(options()).close();
    alter('DROP INDEX baseline_by_size; CREATE INDEX baseline_by_size ON baseline (pair_id, size_bytes) WHERE size_bytes >= 131073');
    const begun = openSqliteState(options());
    expect(notices).toEqual([expect.stringContaining('its tables are not those of wl')]);
    begun.close();
  });

  it('says what to do when there is no place for it', () => {
    file = path.join(directory, 'missing', 'state.db');
    expect(failureOf(() => openSqliteState(options()))).toMatchObject({ code: 'io-error' });
    expect(failureOf(() => openSqliteState(options())).message).toMatch(/ENOENT.*Check that its directory exists and may be written/);
    file = path.join(directory, 'a directory');
    mkdirSync(file);
    expect(failureOf(() => openSqliteState(options()))).toMatchObject({ code: 'io-error' });
    expect(existsSync(file)).toBe(true);
    expect(notices).toEqual([]);
  });

  it('is not set aside because it may not be read', () => {
    openSqliteState(options()).close();
    chmodSync(file, 0o000);
    // The superuser may read everything.
    if (process.getuid?.() === 0) return;
    expect(failureOf(() => openSqliteState(options())).code).toBe('io-error');
    expect(readdirSync(directory)).toEqual(['state.db']);
  });

  it('T09: holds nothing of a commit that found no room, and goes on when there is some', () => {
    const database = openDatabase(options());
    const state = new SqliteState(database, (message) => notices.push(message));
    const pair = state.openPair(PHOTOS);
    const changes = (directoryName: string): BaselineChange[] =>
      transaction(1).map((change) => ({ ...change, key: `${directoryName}/${change.key}` as typeof change.key }));
    pair.commit([{ kind: 'put', key: directoryKey(ROOT), row: { kind: 'directory' } }]);
    const limit = (pages: number): unknown => database.statement(`PRAGMA max_page_count = ${String(pages)}`).get();
    limit(30);
    let commits = 0;
    const failure = failureOf(() => {
      for (;;) {
        pair.commit(changes(`d${String(commits)}`));
        commits += 1;
      }
    });
    expect(failure).toMatchObject({ code: 'no-space' });
    expect(failure.message).toMatch(/no-space \(database or disk is full\)\. Free some space on its disk/);
    const rowsInEach = transaction(1).length;
    expect(commits).toBeGreaterThan(0);
    expect(held(pair)).toHaveLength(1 + commits * rowsInEach);
    expect(pair.totals().files).toBe(commits * (rowsInEach - 1));
    expect(failureOf(() => {
      pair.commit(changes('again'));
    }).code).toBe('no-space');
    // A cache forgets where the baseline fails.
    const entries = Array.from({ length: 2000 }, (_, n) => ({ path: pathOf(n), token: tokenOf('x', n), hash: 'a'.repeat(64) as never }));
    state.putMany('disk', entries);
    expect(state.get('disk', pathOf(1), tokenOf('x', 1))).toBeUndefined();
    limit(10_000);
    pair.commit(changes('again'));
    state.putMany('disk', entries);
    expect(state.get('disk', pathOf(1), tokenOf('x', 1))).toBe('a'.repeat(64));
    state.close();
    const reopened = openSqliteState(options());
    expect(held(reopened.openPair(PHOTOS))).toHaveLength(1 + (commits + 1) * rowsInEach);
    expect(notices).toEqual([]);
    reopened.close();
  });

  it('INV-11: is not used any more once SQLite has met a broken page', () => {
    const database = openDatabase(options());
    const state = new SqliteState(database, (message) => notices.push(message));
    fillSample(state);
    database.statement('PRAGMA cache_size = 1').get();
    const pair = state.openPair(DOCS);
    expect(held(pair)).toHaveLength(305);
    const bytes = readFileSync(file);
    const page = Math.floor(bytes.indexOf(pathOf(450)) / 4096);
    const descriptor = openSync(file, 'r+');
    writeSync(descriptor, Buffer.alloc(4096, 0xff), 0, 4096, page * 4096);
    closeSync(descriptor);
    const failure = failureOf(() => readPair(state, DOCS));
    expect(failure).toMatchObject({ code: 'damaged' });
    expect(failureOf(() => state.jobs())).toMatchObject({ code: 'damaged' });
    expect(failureOf(() => state.openPair(PHOTOS))).toMatchObject({ code: 'damaged' });
    expect(state.get('disk', pathOf(600), tokenOf('cached', 600))).toBeUndefined();
    expect(() => {
      state.close();
    }).not.toThrow();
    const begun = openSqliteState(options());
    expect(held(begun.openPair(PHOTOS))).toEqual([]);
    expect(notices).toHaveLength(1);
    begun.close();
  });

  it('keeps deletion counts by the hour once they are old', () => {
    const database = openDatabase(options());
    const pair = new SqliteState(database, (message) => notices.push(message)).openPair(PHOTOS);
    const start = Date.UTC(2026, 0, 1);
    const minutes = Array.from({ length: 240 }, (_, i) => i * 36);
    for (const minute of minutes) pair.addDeletions('source', 1, start + minute * 60_000);
    const rows = Number(database.statement('SELECT count(*) AS n FROM deletions').get()?.['n']);
    const [oldHours, recent] = [4 * 24, (2 * 24 * 60) / 36];
    expect(rows).toBeLessThanOrEqual(oldHours + recent + 1);
    expect(pair.deletionsSince('source', 0)).toBe(240);
    expect(pair.deletionsSince('source', start + 200 * 36 * 60_000)).toBe(40);
    database.close();
  });

  it('leaves nothing of a directory to be scanned below a name that merely begins like it', () => {
    const state = openSqliteState(options());
    const pair = state.openPair(PHOTOS);
    const odd = ['a\u0001', 'a/\u0001', 'a/b\u0001c', 'a0/x'].map((text) => toRelativePath(text) as string);
    pair.commit(odd.map((key) => ({ kind: 'put' as const, key: key as never, row: { kind: 'file' as const, hash: 'b'.repeat(64) as never, sizeBytes: 1, sourceToken: '' as never, targetToken: '' as never } })));
    expect([...pair.scan('a' as RelativePath)].flatMap((batch) => batch.keys)).toEqual(['a/\u0001', 'a/b\u0001c']);
    state.close();
  });

  function alter(sql: string): void {
    const connection = connect(file);
    connection.exec(sql);
    disconnect(connection);
  }
});

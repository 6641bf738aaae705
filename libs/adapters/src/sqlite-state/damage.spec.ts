/** T20, T21: whatever happens to the file, nothing that was not written is ever read from it. */

import { copyFileSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { directoryKey, fileKey, ROOT, toRelativePath } from '@wl/domain';
import { KEY_SEPARATOR, StateError, type HashCache, type PairIdentity, type PairState, type SyncState } from '@wl/ports';

import { openSqliteState } from './index.js';
import { connect, disconnect } from './sqlite-module.js';
import { fillSample, PAIRS, pathOf, readCache, readPair, rowOf, tokenOf } from './testing/sample-state.js';

/** Seed of the random damages; printed with each failure, and taken from the environment to repeat one. */
const SEED = Number(process.env['WL_SEED'] ?? '20240607');
const [PHOTOS, DOCS] = PAIRS as [PairIdentity, PairIdentity];
/** Roots of the first pair of the sample. */
const ROOTS = { sourceRootIds: ['root of disk in pair 0'], targetRootIds: ['root of usb'] };
const ROUNDS = Number(process.env['WL_ROUNDS'] ?? '30');

describe('a damaged state database', () => {
  /** The state as it is before any damage: filled once, copied for each test. */
  const sample = mkdtempSync(path.join(tmpdir(), 'wl-damage-sample-'));
  let directory: string;
  let file: string;
  let notices: string[];
  let open: (SyncState & HashCache)[];

  const openState = (): SyncState & HashCache => {
    const state = openSqliteState({ path: file, onNotice: (message) => notices.push(message), busyTimeoutMs: 20 });
    open.push(state);
    return state;
  };
  const closeAll = (): void => {
    for (const state of open.splice(0)) state.close();
  };

  beforeAll(() => {
    notices = [];
    const state = openSqliteState({ path: path.join(sample, 'state.db'), onNotice: (message) => notices.push(message) });
    fillSample(state);
    state.close();
  });
  afterAll(() => {
    rmSync(sample, { recursive: true });
  });
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'wl-damage-'));
    cpSync(sample, directory, { recursive: true });
    file = path.join(directory, 'state.db');
    notices = [];
    open = [];
  });
  afterEach(() => {
    closeAll();
    rmSync(directory, { recursive: true });
  });

  /** Writes over a text wherever it stands in the file: pages keep leftovers of rows that were moved. */
  const spoil = (text: string, replacement: string): void => {
    const bytes = readFileSync(file);
    if (!bytes.includes(text) || text.length !== replacement.length) throw new Error(`nothing to spoil: ${text}`);
    for (let offset = bytes.indexOf(text); offset >= 0; offset = bytes.indexOf(text, offset + 1)) bytes.write(replacement, offset);
    writeFileSync(file, bytes);
  };

  /** Flips a bit at a distance from wherever a text begins. */
  const flipBit = (text: string, distance: number): void => {
    const bytes = readFileSync(file);
    for (let offset = bytes.indexOf(text); offset >= 0; offset = bytes.indexOf(text, offset + 1)) {
      bytes.writeUInt8(bytes.readUInt8(offset + distance) ^ 4, offset + distance);
    }
    writeFileSync(file, bytes);
  };

  const expectEmptied = (state: SyncState & HashCache): void => {
    expect(state.jobs()).toEqual([]);
    expect([...state.openPair(PHOTOS).scan(ROOT)]).toEqual([]);
    expect(state.openPair(PHOTOS).summary().sourceRootIds).toEqual([]);
    expect([...readCache(state).values()].every((hash) => hash === undefined)).toBe(true);
  };

  const setAside: readonly [name: string, damage: () => void][] = [
    ['is no database', () => writeFileSync(file, 'x'.repeat(20_000))],
    ['has lost its header', () => writeFileSync(file, Buffer.concat([Buffer.alloc(100), readFileSync(file).subarray(100)]))],
    ['is empty', () => truncateSync(file, 0)],
    ['is a stub', () => truncateSync(file, 50)],
    ['ends early', () => truncateSync(file, Math.floor(readFileSync(file).length / 2))],
    ['ends within a page', () => truncateSync(file, readFileSync(file).length - 100)],
    ['is missing while its log is there', () => renameSync(file, `${file}-wal`)],
    ['has lost a page', () => writeFileSync(file, readFileSync(file).fill(0, 5 * 4096, 6 * 4096))],
    ['is of another program', () => replaceBy('CREATE TABLE t (a); PRAGMA application_id = 17;')],
    ['is of another program and has no id', () => replaceBy('CREATE TABLE t (a)')],
    ['has another table', () => change('CREATE TABLE more (a)')],
    ['has lost a table', () => change('DROP TABLE conflicts')],
    ['claims a newer version in its header alone', () => change('PRAGMA user_version = 513')],
    ['claims an older version', () => change("PRAGMA user_version = 0; UPDATE about SET value = 0 WHERE name = 'schema'")],
  ];
  const change = (sql: string): void => {
    const connection = connect(file);
    connection.exec(sql);
    disconnect(connection);
  };
  const replaceBy = (sql: string): void => {
    rmSync(file);
    change(sql);
  };

  it.each(setAside)('INV-11, T21: that %s is set aside, and an empty one begun', (_name, damage) => {
    damage();
    const before = existsSync(file) ? readFileSync(file) : undefined;
    expectEmptied(openState());
    expect(notices).toHaveLength(1);
    expect(notices[0]).toContain(`It was set aside as ${file}.damaged-1`);
    expect(notices[0]).toContain('Nothing is deleted because of this');
    const kept = readdirSync(directory).filter((name) => name.includes('.damaged-1'));
    expect(kept.length).toBeGreaterThan(0);
    if (before !== undefined) expect(readFileSync(`${file}.damaged-1`).length).toBe(before.length);
    closeAll();
    const state = openState();
    expect(notices).toHaveLength(1);
    fillSample(state);
    expect(readPair(state, DOCS)).toMatchObject({ totals: { files: 300 } });
  });

  it('is set aside under the next free name, with its log', () => {
    for (const n of [1, 2]) {
      writeFileSync(file, `garbage ${String(n)}`.padEnd(10_000));
      writeFileSync(`${file}-wal`, `log ${String(n)}`);
      openState();
      closeAll();
    }
    expect(readFileSync(`${file}.damaged-1`, 'utf8').trimEnd()).toBe('garbage 1');
    expect(readFileSync(`${file}.damaged-2`, 'utf8').trimEnd()).toBe('garbage 2');
    expect(readFileSync(`${file}.damaged-2-wal`, 'utf8')).toBe('log 2');
    expect(existsSync(`${file}-wal`)).toBe(false);
  });

  describe('with one flipped bit in a row', () => {
    const key = fileKey(pathOf(17));

    const expectDistrusted = (read: (pair: PairState) => unknown): void => {
      const before = readQuietly(DOCS);
      const state = openState();
      const pair = state.openPair(PHOTOS);
      let failure: unknown;
      try {
        read(pair);
      } catch (error) {
        failure = error;
      }
      expect(failure).toBeInstanceOf(StateError);
      expect((failure as StateError).code).toBe('damaged');
      expect((failure as StateError).message).toMatch(/checksum of a.* does not match.*Nothing was changed because of what it says/);
      // All of the pair is distrusted from here on, from either end; the other pair is not.
      expect(() => pair.get(fileKey(pathOf(18)))).toThrow(StateError);
      expect(() => pair.conflicts()).toThrow(StateError);
      expect(() => {
        pair.addDeletions('source', 1, 0);
      }).toThrow(StateError);
      expect(readPair(state, DOCS)).toEqual(before);
      closeAll();

      // The next start begins the pair anew, without a command.
      const again = openState();
      const emptied = again.openPair(PHOTOS);
      expect(notices).toHaveLength(1);
      expect(notices[0]).toMatch(/pair disk and usb was damaged and has been forgotten. Nothing is deleted/);
      expect([...emptied.scan(ROOT)]).toEqual([]);
      // INV-10: an unmounted disk is no new root because a row of a file was damaged.
      expect(emptied.summary()).toEqual({ ...ROOTS, areRootsLost: false });
      expect(emptied.totals()).toEqual({ files: 0, bytes: 0 });
      expect(emptied.conflicts()).toEqual([]);
      expect(emptied.deletionsSince('source', 0)).toBeLessThanOrEqual(7);
      emptied.commit([{ kind: 'put', key, row: rowOf(17) }]);
      expect(readPair(again, DOCS)).toEqual(before);
      again.openPair(PHOTOS);
      expect(notices).toHaveLength(1);
    };
    const readQuietly = (pair: PairIdentity): unknown => {
      const copy = `${file}.copy`;
      copyFileSync(file, copy);
      const state = openSqliteState({ path: copy, onNotice: () => undefined });
      const content = readPair(state, pair);
      state.close();
      return content;
    };

    it('INV-11: throws and distrusts the pair when a token is read singly', () => {
      spoil(tokenOf('source', 17), tokenOf('source', 17).replace('-', '='));
      expectDistrusted((pair) => pair.get(key));
    });

    it('INV-11: throws and distrusts the pair when a token is scanned, before any row of its run is given', () => {
      spoil(tokenOf('target', 17), tokenOf('target', 17).replace('-', '='));
      expectDistrusted((pair) => [...pair.scan(toRelativePath('directory-0'))].map((batch) => batch.sourceTokens));
    });

    /** What is found wrong with the rows of a joined run, as they are asked for one by one, from either end. */
    const wrongRows = (pair: PairState): unknown[] => {
      const [batch] = pair.scan(toRelativePath('directory-0'));
      const { keys, sourceTokens, targetTokens } = batch!.joined!;
      const [texts, sources, targets] = [keys.split(KEY_SEPARATOR), sourceTokens.split('\n'), targetTokens.split('\n')];
      const place = { index: 0, key: 0, sourceToken: 0, targetToken: 0 };
      const wrong: unknown[] = [];
      for (; place.index <= texts.length; place.index += 1) {
        try {
          batch!.verify!(place);
        } catch (error) {
          wrong.push(place.index === texts.length ? 'the end' : texts[place.index], (error as Error).message);
          return wrong;
        }
        place.key += (texts[place.index]?.length ?? 0) + KEY_SEPARATOR.length;
        place.sourceToken += (sources[place.index]?.length ?? 0) + 1;
        place.targetToken += (targets[place.index]?.length ?? 0) + 1;
      }
      return wrong;
    };
    const flipped = { ...PHOTOS, sourceBackendId: PHOTOS.targetBackendId, targetBackendId: PHOTOS.sourceBackendId };

    it.each([
      ['one end', PHOTOS],
      ['the other end', flipped],
    ])('INV-11: throws and distrusts the pair when just this row is taken out of a joined run, seen from %s', (_, identity) => {
      expect(wrongRows(openState().openPair(identity))).toEqual([]);
      closeAll();
      spoil(tokenOf('target', 17), tokenOf('target', 17).replace('-', '='));
      const pair = openState().openPair(identity);
      expect(wrongRows(pair)).toEqual([key, expect.stringContaining('checksum of a baseline row does not match')]);
      expect(() => pair.get(fileKey(pathOf(18)))).toThrow(StateError);
    });

    it('INV-11: throws behind the last row of a joined run when more is left', () => {
      change(`UPDATE baseline SET first_token = first_token || char(10) || 'more'
        WHERE (pair_id, key) IN (SELECT pair_id, max(key) FROM baseline WHERE key LIKE 'directory-0/%' GROUP BY pair_id)`);
      expect(wrongRows(openState().openPair(PHOTOS))).toEqual(['the end', expect.stringContaining('has lost a part')]);
    });

    it('INV-11: throws and distrusts the pair when a key is scanned', () => {
      spoil(pathOf(17), pathOf(17).replace('jpg', 'jpG'));
      expectDistrusted((pair) => [...pair.scan(ROOT)].map((batch) => batch.keys));
    });

    it('INV-11: throws and distrusts the pair when a hash is read', () => {
      // The hash stands before the first token.
      flipBit(tokenOf('source', 17), -1);
      expectDistrusted((pair) => pair.get(key));
    });

    it('INV-11: throws and distrusts the pair when a damaged row is to be replaced, deleted, or deleted with its directory', () => {
      const intact = readFileSync(file);
      for (const kind of ['put', 'delete', 'delete-subtree'] as const) {
        writeFileSync(file, intact);
        notices.length = 0;
        spoil(tokenOf('source', 17), tokenOf('source', 17).replace('-', '='));
        expectDistrusted((pair) => {
          const directory = directoryKey(toRelativePath('directory-0'));
          pair.commit([kind === 'put' ? { kind, key, row: rowOf(18) } : { kind, key: kind === 'delete' ? key : directory }]);
        });
        closeAll();
      }
    });

    it('INV-11: throws and distrusts the pair when a conflict is read', () => {
      spoil('"sinceMs":1700000000003', '"sinceMs":1700000000007');
      expectDistrusted((pair) => pair.conflicts());
    });

    it('INV-10, INV-11: begins the pair anew when its roots are damaged, and keeps in mind that there were some until others are set', () => {
      spoil('root of disk in pair 0', 'root of dISK in pair 0');
      const pair = openState().openPair(PHOTOS);
      expect(notices).toHaveLength(1);
      expect([...pair.scan(ROOT)]).toEqual([]);
      const lost = { sourceRootIds: [], targetRootIds: [], areRootsLost: true };
      expect(pair.summary()).toEqual(lost);
      closeAll();
      const again = openState().openPair(PHOTOS);
      expect(notices).toHaveLength(1);
      expect(again.summary()).toEqual(lost);
      again.forgetBaseline();
      expect(again.summary()).toEqual(lost);
      again.setRoots(['s'], ['t']);
      expect(again.summary()).toMatchObject({ sourceRootIds: ['s'], areRootsLost: false });
    });

    it('INV-10, INV-11: keeps its roots when it is begun anew while the state is open', () => {
      spoil(tokenOf('source', 17), tokenOf('source', 17).replace('-', '='));
      const pair = openState().openPair(PHOTOS);
      expect(() => pair.get(key)).toThrow(StateError);
      pair.forgetBaseline();
      expect([...pair.scan(ROOT)]).toEqual([]);
      expect(pair.summary()).toMatchObject(ROOTS);
      expect(notices).toEqual([]);
    });

    it('INV-12: can be reset at once instead', () => {
      spoil(tokenOf('source', 17), tokenOf('source', 17).replace('-', '='));
      const pair = openState().openPair(PHOTOS);
      expect(() => pair.get(key)).toThrow(StateError);
      pair.reset();
      expect([...pair.scan(ROOT)]).toEqual([]);
      expect(pair.summary()).toMatchObject({ sourceRootIds: [], areRootsLost: false });
      expect(notices).toEqual([]);
    });

    it('forgets a damaged job with a notice, and resumes the others', () => {
      spoil('{"container":3}', '{"container":7}');
      const state = openState();
      expect(state.jobs().map((job) => job.jobId)).toEqual(['job-0', 'job-1', 'job-2', 'job-4']);
      expect(notices).toEqual(['The saved job "job-3" was damaged and is not resumed. Start its sync again.']);
      expect(state.jobs()).toHaveLength(4);
      expect(notices).toHaveLength(1);
    });

    it('INV-24: forgets a damaged hash', () => {
      // The hash stands behind the token.
      flipBit(tokenOf('cached', 617), tokenOf('cached', 617).length);
      const hashes = readCache(openState());
      expect([...hashes].filter(([, hash]) => hash === undefined)).toEqual([[617, undefined]]);
    });
  });

  it('INV-11: misses rows that are gone without a trace', () => {
    change("DELETE FROM baseline WHERE key LIKE '%0017.jpg'");
    const pair = openState().openPair(PHOTOS);
    expect(() => [...pair.scan(ROOT)]).toThrow('rows of the baseline are missing');
    expect(() => [...pair.scan(ROOT)]).toThrow(StateError);
  });

  it('INV-11, T21: never gives anything but what was written, wherever bits flip or the file ends', () => {
    const intact = readFileSync(file);
    const state = openState();
    const expected = PAIRS.map((identity) => readPair(state, identity));
    const jobs = state.jobs();
    const hashes = readCache(state);
    closeAll();
    const outcomes = { intact: 0, refused: 0, setAside: 0 };
    for (let round = 0; round < ROUNDS; round += 1) {
      const random = randomFrom(SEED + round);
      const bytes = Buffer.from(intact);
      const flips = [1, 1, 1, 2, 8, 200][random(6)] ?? 1;
      for (let i = 0; i < flips; i += 1) {
        const offset = random(bytes.length);
        bytes.writeUInt8(bytes.readUInt8(offset) ^ (1 << random(8)), offset);
      }
      writeFileSync(file, random(8) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes);
      notices.length = 0;
      try {
        const damaged = openState();
        for (const [i, identity] of PAIRS.entries()) {
          const noticesBefore = notices.length;
          try {
            const content = readPair(damaged, identity);
            // Set aside or begun anew, which the user was told of; or whole.
            if (notices.length > 0 && content.rows.length === 0) outcomes.setAside += 1;
            else {
              expect({ seed: SEED + round, content }).toEqual({ seed: SEED + round, content: expected[i] });
              outcomes.intact += 1;
            }
          } catch (error) {
            if (!(error instanceof StateError)) throw error;
            expect(notices.length).toBe(noticesBefore);
            outcomes.refused += 1;
          }
        }
        const known = new Map(jobs.map((job) => [job.jobId, job.request]));
        const left = damaged.jobs();
        for (const job of left) expect(known.get(job.jobId)).toBe(job.request);
        if (left.length < jobs.length) expect(notices.length).toBeGreaterThan(0);
        for (const [n, hash] of readCache(damaged)) if (hash !== undefined) expect(hash).toBe(hashes.get(n));
      } catch (error) {
        if (!(error instanceof StateError)) throw new Error(`seed ${String(SEED + round)}`, { cause: error });
        outcomes.refused += 1;
      }
      closeAll();
      for (const name of readdirSync(directory)) rmSync(path.join(directory, name));
    }
    // The damages are no mere no-ops, and not all end the same way.
    expect(outcomes.intact).toBeGreaterThan(0);
    expect(outcomes.refused).toBeGreaterThan(0);
    expect(outcomes.setAside).toBeGreaterThan(0);
  });
});

/** Whole numbers below a limit, the same for the same seed (mulberry32). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

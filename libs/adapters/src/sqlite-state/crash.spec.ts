/** `kill -9` at any instant: what a commit has acknowledged is there, whole, and nothing else is. */

import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { StateError } from '@wl/ports';

import { openSqliteState } from './index.js';
import { after, held, IDENTITY } from './testing/transactions.js';

const ROUNDS = Number(process.env['WL_ROUNDS'] ?? '5');

const require = createRequire(import.meta.url);
const directory = mkdtempSync(path.join(tmpdir(), 'wl-crash-'));
const program = path.join(directory, 'commit-loop.cjs');
const file = path.join(directory, 'state.db');

/** Lets another process commit from a number on, and kills it after so many commits; returns the last number it said. */
async function commitUntilKilled(first: number, commits: number): Promise<number> {
  // The bundle stands outside of the workspace, where it would not find the package.
  const NODE_PATH = path.resolve(path.dirname(require.resolve('@photostructure/sqlite/package.json')), '../..');
  const child = spawn(process.execPath, [program, file, String(first)], { env: { ...process.env, NODE_PATH }, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (said.split('\n').length > commits) child.kill('SIGKILL');
  });
  await new Promise((resolve) => child.once('close', resolve));
  expect(child.signalCode).toBe('SIGKILL');
  return Number(said.trim().split('\n').at(-1));
}

describe('a killed process', () => {
  beforeAll(() => {
    // A single file of CommonJS, as the daemon is shipped: it finds SQLite from there as well.
    const source = path.join(import.meta.dirname, 'testing/commit-loop.ts');
    const options = ['--bundle', '--platform=node', '--format=cjs', '--target=node20', '--conditions=@wl/source', '--log-level=error'];
    execFileSync(require.resolve('esbuild/bin/esbuild'), [source, ...options, `--outfile=${program}`]);
  });
  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  it('T16, T22, INV-11: loses no commit that has returned, and leaves none in part', async () => {
    let last = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const acknowledged = await commitUntilKilled(last + 1, 10 + 17 * (round % 5));
      const state = openState(file);
      const pair = state.openPair(IDENTITY);
      const rows = held(pair);
      // The one under way may have made it.
      last = rows.some(([key]) => key === `directory-${String(acknowledged + 1)}/`) ? acknowledged + 1 : acknowledged;
      expect(rows).toEqual(after(last));
      const files = rows.filter(([key]) => !key.endsWith('/'));
      expect(pair.totals()).toEqual({ files: files.length, bytes: files.reduce((sum, [, size]) => sum + size, 0) });
      state.close();
    }
  }, 240_000 + ROUNDS * 5000);

  it('INV-11, T21: leaves a log whose damage or loss takes back nothing that was acknowledged', async () => {
    const before = openState(file);
    const first = Math.max(0, ...held(before.openPair(IDENTITY)).map(([, size]) => size));
    before.close();
    const acknowledged = await commitUntilKilled(first + 1, 30);
    const main = readFileSync(file);
    const log = readFileSync(`${file}-wal`);
    expect(log.length).toBeGreaterThan(0);
    const allowed = [JSON.stringify(after(acknowledged)), JSON.stringify(after(acknowledged + 1))];
    const copy = path.join(directory, 'copy.db');
    for (let i = 0; i <= 12; i += 1) {
      const damaged = Buffer.from(log);
      const offset = Math.floor(((damaged.length - 1) * i) / 12);
      damaged.writeUInt8(damaged.readUInt8(offset) ^ 16, offset);
      for (const bytes of [damaged, log.subarray(0, offset)]) {
        for (const name of readdirSync(directory)) if (name.startsWith('copy.db')) rmSync(path.join(directory, name));
        writeFileSync(copy, main);
        writeFileSync(`${copy}-wal`, bytes);
        const notices: string[] = [];
        try {
          const state = openSqliteState({ path: copy, onNotice: (message) => notices.push(message) });
          const rows = held(state.openPair(IDENTITY));
          state.close();
          if (notices.length === 0) expect(allowed).toContain(JSON.stringify(rows));
          else expect(rows).toEqual([]);
        } catch (error) {
          // A transaction that was being copied from a log now lost, and is noticed.
          if (!(error instanceof StateError)) throw error;
          expect(error.code).toBe('damaged');
        }
      }
    }
  }, 240_000 + ROUNDS * 5000);

  it('leaves a half-made database that the next start does not stumble over', () => {
    const place = path.join(directory, 'new.db');
    writeFileSync(`${place}.new`, 'half made');
    writeFileSync(`${place}.new-journal`, 'half made');
    openState(place).close();
    expect(readdirSync(directory).filter((name) => name.startsWith('new.db'))).toEqual(['new.db']);
    copyFileSync(place, `${place}-again`);
    openState(`${place}-again`).close();
    expect(existsSync(`${place}-again-wal`)).toBe(false);
  });

  function openState(at: string) {
    return openSqliteState({
      path: at,
      onNotice: (message) => {
        throw new Error(`unexpected notice: ${message}`);
      },
    });
  }
});

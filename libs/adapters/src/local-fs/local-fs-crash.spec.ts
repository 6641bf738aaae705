/** T49: killed at any moment, a copy leaves whole files only, and the next start needs no help. */

import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { bundle } from './testing/bundle.js';
import { filesBelow, openLocal, type OpenLocal } from './testing/open-local.js';

const FILES = 60;
const MOMENTS = 9;

/** A version of a file that shows in every part of it. */
function contentOf(version: string, file: number): Buffer {
  return Buffer.alloc(20_000 + 5_000 * file, `${version} of ${String(file)}; `);
}

function write(storage: OpenLocal, version: string, files: number): void {
  for (let i = 0; i < files; i += 1) fs.writeFileSync(join(storage.location, `f${String(i)}`), contentOf(version, i));
}

/** Runs the program, which may kill itself so many milliseconds after it began to copy. How long it copied, in milliseconds, or `undefined` when it was killed before. */
async function run(program: string, source: string, target: string, killAfterMs?: number): Promise<number | undefined> {
  const args = [program, source, target, ...(killAfterMs === undefined ? [] : [String(killAfterMs)])];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  await ended;
  if (said !== '') return Number(said);
  expect(child.signalCode).toBe('SIGKILL');
  return undefined;
}

describe('a copy that is killed', () => {
  let program: string;
  beforeAll(() => {
    program = bundle('copy-everything.ts');
  });
  afterAll(() => fs.rmSync(dirname(program), { recursive: true }));

  it('INV-6, T49: leaves every visible file old or new, loses no version, and is cleaned up after', async () => {
    const source = await openLocal();
    write(source, 'new', FILES);
    const undisturbed = await openLocal();
    write(undisturbed, 'old', FILES / 2);
    const wholeMs = (await run(program, source.location, undisturbed.location))!;
    await undisturbed.close();
    let killed = 0;
    // Moments all over the time that the copy takes on this machine, today.
    for (let moment = 0; moment < MOMENTS; moment += 1) {
      const target = await openLocal();
      write(target, 'old', FILES / 2);
      if ((await run(program, source.location, target.location, (wholeMs * moment) / MOMENTS)) === undefined) killed += 1;

      const versions = new Map<number, string>();
      for (const name of await target.namesOutside()) {
        const file = Number(name.slice(1));
        const content = fs.readFileSync(join(target.location, name));
        const version = ['old', 'new'].find((candidate) => content.equals(contentOf(candidate, file)));
        expect([name, version]).toEqual([name, expect.any(String)]);
        versions.set(file, version ?? '');
      }
      // The old version of each replaced file is in the trash, whole.
      const trash = filesBelow(join(target.location, '.wl/trash')).map((path) => fs.readFileSync(path));
      for (let i = 0; i < FILES / 2; i += 1) {
        expect(versions.has(i)).toBe(true);
        if (versions.get(i) === 'new') expect(trash.some((content) => content.equals(contentOf('old', i)))).toBe(true);
      }

      const again = await target.reopen?.();
      // A process that was killed early may not even have made the directory.
      const staging = join(target.location, '.wl/staging');
      expect(fs.existsSync(staging) ? filesBelow(staging) : []).toEqual([]);
      await again?.close();
      await target.close();
    }
    expect(killed).toBeGreaterThan(2);
    await source.close();
  });
});

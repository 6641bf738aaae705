import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { GOOD_BACKEND, GOOD_SYNCER } from './testing/plugin-folder.js';
import { startTrial } from './trial.js';

/** Enough for a good module on a machine with other things to do. */
const PATIENCE_MS = 30_000;

describe('the trial of a module', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'wl-trial-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const attempt = async (text: string, limitMs = PATIENCE_MS) => {
    const file = path.join(directory, 'index.mjs');
    await writeFile(file, text);
    return startTrial(limitMs)(pathToFileURL(file).href);
  };

  it('tells what a class is, inherited methods too', async () => {
    const derived = `${GOOD_SYNCER.replace('export default class', 'class Base')}\nexport default class extends Base { start_sync() {} }`;
    expect(await attempt(derived)).toMatchObject({
      ok: true,
      value: { kind: 'function', values: { SYNCER_NAME: 'fast', SOURCE_TYPES: ['local'], ONE_SHOT: true }, methods: expect.arrayContaining(['one_shot_sync', 'iter_errors', 'start_sync']) },
    });
  });

  it('tells what an object is', async () => {
    expect(await attempt(GOOD_BACKEND)).toMatchObject({ ok: true, value: { kind: 'object', values: { TYPE: 'shelf' }, functions: ['create'] } });
  });

  it.each<[string, string, string | RegExp]>([
    ['throws', 'throw new Error("no such luck\\nand more");', /^throws when it is loaded: no such luck$/],
    ['is no module', 'export default class {', /^throws when it is loaded: .*Unexpected/],
    ['ends the process', 'process.exit(3);', /^ends the process when it is loaded \(exit code 3\)$/],
  ])('refuses one that %s', async (_what, text, error) => {
    expect(await attempt(text)).toEqual({ ok: false, error: expect.stringMatching(error) });
  });

  it.each([
    ['waits', 'await new Promise((resolve) => setTimeout(resolve, 1e9));'],
    ['loops', 'for (;;) {}'],
  ])('gives up on one that %s for ever', async (_what, text) => {
    expect(await attempt(text, 300)).toEqual({ ok: false, error: 'did not load within 0.3 s' });
  });
});

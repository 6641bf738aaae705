#!/usr/bin/env node
/**
 * Plants deliberate defects, one at a time, and sees whether the tests notice: `npm run mutants`. A
 * defect that survives is a test that is missing. Run it after larger changes of the engine or its
 * tests.
 *
 * A defect is planted while the sources are bundled, so the tree itself is never touched; the bundle holds
 * the specs of the subset that has to notice and runs in a process of its own.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { build, transformSync } from 'esbuild';

import { mutants, subsets } from './mutants/list.mjs';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    list: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h' },
  },
});
if (options.help) {
  console.log(`usage: npm run mutants -- [--only 1,2,5-9] [--list] [--json] [--verbose]

Plants ${mutants.length} defects one at a time and runs the tests that should notice. Exits with 1 when one survives.`);
  process.exit(0);
}

const root = path.resolve(import.meta.dirname, '..');
const wanted = selection(options.only);
const chosen = mutants.map((mutant, i) => ({ ...mutant, number: i + 1 })).filter(({ number }) => wanted === undefined || wanted.has(number));
// A defect that is no program would be caught by everything.
for (const mutant of chosen) transformSync(patched(mutant), { loader: 'ts' });
if (options.list) {
  for (const { number, file, defect } of chosen) console.log(`${String(number).padStart(3)}  ${file}: ${defect}`);
  process.exit(0);
}

/** Longer than any subset takes: a defect may make a test wait for ever. */
const LIMIT_MS = 300_000;

const scratch = mkdtempSync(path.join(os.tmpdir(), 'wl-mutants-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));
symlinkSync(path.join(root, 'node_modules'), path.join(scratch, 'node_modules'));

for (const subset of new Set(chosen.map((mutant) => mutant.subset))) {
  const { caughtBy, output } = await runTests(subset);
  if (caughtBy !== undefined) throw new Error(`the tests fail without any defect (${subset}): ${caughtBy}\n${output}`);
}
const results = [];
for (const mutant of chosen) {
  const { caughtBy, seconds, output } = await runTests(mutant.subset, mutant);
  results.push({ number: mutant.number, file: mutant.file, defect: mutant.defect, caughtBy });
  console.log(`${String(mutant.number).padStart(3)}  ${caughtBy === undefined ? 'SURVIVED' : 'caught  '}  ${path.basename(mutant.file, '.ts')}: ${mutant.defect}\n       ${caughtBy ?? `by nothing in ${mutant.subset}`} (${seconds.toFixed(1)} s)`);
  if (options.verbose) console.log(output);
}
const survivors = results.filter(({ caughtBy }) => caughtBy === undefined);
if (options.json) console.log(JSON.stringify(results));
console.log(`${results.length} defects planted, ${results.length - survivors.length} caught, ${survivors.length} survived.`);
process.exitCode = survivors.length === 0 ? 0 : 1;

/** The text of a file with a defect in it; throws where the text to change is not there. */
function patched({ file, find, replace, at = 1 }) {
  const parts = readFileSync(path.join(root, file), 'utf8').split(find);
  if (parts.length <= at) throw new Error(`${file} does not contain (${at}): ${find}`);
  return parts.slice(0, at).join(find) + replace + parts.slice(at).join(find);
}

/** Runs the specs of a subset on sources with a defect, or without one. */
async function runTests(subset, mutant) {
  const start = performance.now();
  const outfile = path.join(scratch, 'specs.mjs');
  await build({
    absWorkingDir: root,
    stdin: { contents: entryOf(subset), resolveDir: root, loader: 'js' },
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    keepNames: true,
    conditions: ['@wl/source'],
    external: ['expect', 'fast-check'],
    alias: { '@jest/globals': path.join(root, 'tools/mutants/quick-jest.mjs') },
    tsconfig: path.join(root, 'tsconfig.base.json'),
    logLevel: 'warning',
    plugins: mutant === undefined ? [] : [planting(mutant)],
  });
  const { status, stdout, stderr } = spawnSync(process.execPath, [outfile], { cwd: root, encoding: 'utf8', timeout: LIMIT_MS, env: { ...process.env, WL_SEED: '1' } });
  const output = `${stdout}${stderr}`;
  const failed = /^FAILED (.*)$/m.exec(output)?.[1];
  const caughtBy = status === 0 ? undefined : status === null ? 'it does not end' : (failed ?? `when the tests are made: ${/^\w*Error: .*$/m.exec(output)?.[0] ?? output.trim().split('\n')[0]}`);
  return { caughtBy, output, seconds: (performance.now() - start) / 1000 };
}

function planting(mutant) {
  const file = path.join(root, mutant.file);
  return {
    name: 'planting',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, (args) => (args.path === file ? { contents: patched(mutant), loader: 'ts' } : undefined));
    },
  };
}

/** Imports all specs whose path begins with one of the subset's, then runs them. */
function entryOf(subset) {
  const specs = subsets[subset].flatMap((prefix) => {
    const directory = path.dirname(prefix);
    const found = readdirSync(path.join(root, directory)).filter((name) => name.endsWith('.spec.ts') && `${directory}/${name}`.startsWith(prefix));
    if (found.length === 0) throw new Error(`there is no spec ${prefix}`);
    return found.map((name) => `./${directory}/${name}`);
  });
  return `import { runAll } from '@jest/globals';
${specs.map((spec) => `import ${JSON.stringify(spec)};`).join('\n')}
const failed = await runAll();
if (failed !== undefined) {
  console.log('FAILED ' + failed.title + '\\n' + failed.message);
  process.exit(1);
}
process.exit(0);
`;
}

function selection(text) {
  if (text === undefined) return undefined;
  return new Set(
    text.split(',').flatMap((part) => {
      const [from, to = from] = part.split('-').map(Number);
      return Array.from({ length: to - from + 1 }, (_, i) => from + i);
    }),
  );
}

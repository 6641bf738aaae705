#!/usr/bin/env node
/**
 * Plants deliberate defects, one at a time, and sees whether the tests notice: `npm run mutants`. A
 * defect that survives is a test that is missing. Run it after larger changes of the engine or its
 * tests. Works on a copy of the tree in a scratch directory, never on the tree itself.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { mutants, subsets } from './mutants/list.mjs';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    list: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    scratch: { type: 'string', default: os.tmpdir() },
    help: { type: 'boolean', short: 'h' },
  },
});
if (options.help) {
  console.log(`usage: npm run mutants -- [--only 1,2,5-9] [--list] [--json] [--scratch DIR]

Plants ${mutants.length} defects one at a time and runs the tests that should notice. Exits with 1 when one survives.`);
  process.exit(0);
}

const root = path.resolve(import.meta.dirname, '..');
const wanted = selection(options.only);
const chosen = mutants.map((mutant, i) => ({ ...mutant, number: i + 1 })).filter(({ number }) => wanted === undefined || wanted.has(number));
for (const mutant of chosen) patched(root, mutant);
if (options.list) {
  for (const { number, file, defect } of chosen) console.log(`${String(number).padStart(3)}  ${file}: ${defect}`);
  process.exit(0);
}

const copy = mkdtempSync(path.join(options.scratch, 'wl-mutants-'));
process.on('exit', () => rmSync(copy, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));
copyTree();

const results = [];
for (const subset of Object.keys(subsets)) {
  if (!chosen.some((mutant) => mutant.subset === subset)) continue;
  const { isGreen, output } = runTests(subset);
  if (!isGreen) throw new Error(`the tests fail without any defect (${subset}):\n${output}`);
}
for (const mutant of chosen) {
  const file = path.join(copy, mutant.file);
  const before = readFileSync(file, 'utf8');
  writeFileSync(file, patched(copy, mutant));
  const { isGreen, caughtBy, seconds } = runTests(mutant.subset);
  writeFileSync(file, before);
  results.push({ number: mutant.number, file: mutant.file, defect: mutant.defect, caughtBy: isGreen ? undefined : caughtBy });
  console.log(`${String(mutant.number).padStart(3)}  ${isGreen ? 'SURVIVED' : 'caught  '}  ${mutant.file.replace(/^libs\/|src\//g, '')}: ${mutant.defect}\n     ${isGreen ? '' : `${caughtBy} `}(${seconds.toFixed(1)} s)`);
}
const survivors = results.filter(({ caughtBy }) => caughtBy === undefined);
if (options.json) console.log(JSON.stringify(results));
console.log(`${results.length} defects planted, ${results.length - survivors.length} caught, ${survivors.length} survived.`);
process.exitCode = survivors.length === 0 ? 0 : 1;

/** The text of a file with a defect in it; throws where the text to change is not there exactly as often as said. */
function patched(directory, { file, find, replace, at = 1 }) {
  const text = readFileSync(path.join(directory, file), 'utf8');
  const parts = text.split(find);
  if (parts.length <= at) throw new Error(`${file} does not contain (${at}): ${find}`);
  return parts.slice(0, at).join(find) + replace + parts.slice(at).join(find);
}

/** Sources and configuration are copied, dependencies linked; the workspace's own packages lead into the copy. */
function copyTree() {
  for (const entry of ['libs', 'apps', 'schemas', 'package.json', 'jest.config.mjs', 'jest.preset.mjs', 'tsconfig.base.json']) {
    cpSync(path.join(root, entry), path.join(copy, entry), { recursive: true, filter: (from) => !/\/(dist|dist-spec|node_modules)$/.test(from) });
  }
  const modules = path.join(root, 'node_modules');
  mkdirSync(path.join(copy, 'node_modules', '@wl'), { recursive: true });
  for (const name of readdirSync(modules)) {
    if (name !== '@wl' && !name.startsWith('.')) symlinkSync(path.join(modules, name), path.join(copy, 'node_modules', name));
  }
  for (const name of readdirSync(path.join(modules, '@wl'))) {
    const place = ['libs', 'apps'].map((folder) => path.join(copy, folder, name)).find((candidate) => existsSync(candidate));
    if (place !== undefined) symlinkSync(place, path.join(copy, 'node_modules', '@wl', name));
  }
}

function runTests(subset) {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js', '-c', 'jest.config.mjs', '--bail', '--runInBand', '--silent', ...subsets[subset]],
    { cwd: copy, encoding: 'utf8', timeout: 600_000 },
  );
  const output = `${stdout}${stderr}`;
  const failed = /^FAIL \S+ (\S+)/m.exec(output)?.[1];
  const sentence = /^\s*● (.+)$/m.exec(output)?.[1];
  return {
    isGreen: status === 0,
    output,
    caughtBy: status === null ? 'it does not end' : `${path.basename(failed ?? '?')} › ${sentence ?? '?'}`,
    seconds: (performance.now() - start) / 1000,
  };
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

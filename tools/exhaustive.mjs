#!/usr/bin/env node
/**
 * Checks every pair of small triples of trees at two names: `npm run exhaustive`. 594,823,321 cases,
 * of which exchanging contents and sides leaves a few million (libs/domain/src/testing/two-names.ts
 * says why). Run it after a change to reconcile or the tree planner; exits with 1 at a violation.
 *
 * The cases are rows of a square, one row per first triple; a shard takes every n-th row, and the
 * resume file remembers the rows that are done.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { importSource } from './bundle-testing.mjs';

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    shard: { type: 'string', default: '1/1' },
    resume: { type: 'string' },
    names: { type: 'string', default: 'd d.txt' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h' },
  },
});
if (options.help) {
  console.log(`usage: npm run exhaustive -- [--minutes M] [--shard K/N] [--resume FILE] [--names "d d.txt"] [--json]

  --minutes M    stop after so long (default 60); with --resume the next run goes on from there
  --shard K/N    take part K of N
  --resume FILE  remember there how far this shard has come
  --names "A B"  the two names (default d and d.txt, which lies between the keys d and d/)`);
  process.exit(0);
}

const root = path.resolve(import.meta.dirname, '..');
const { canonicalKey, mirrored, pairFaults, renamingFaults, representatives } = await importSource(root, 'libs/domain/src/testing/two-names.ts');
const names = options.names.split(' ');
const [shard, shards] = options.shard.split('/').map(Number);
const triples = representatives();
const size = triples.length;
const index = new Map(triples.map((triple, i) => [canonicalKey(triple), i]));
const mirror = triples.map((triple) => index.get(canonicalKey(mirrored(triple))));
const MODES = ['two-way', 'one-way'];

const rows = [];
for (const mode of MODES) for (let i = shard - 1; i < size; i += shards) rows.push({ mode, i });
let next = options.resume !== undefined && existsSync(options.resume) ? readState() : 0;

const start = performance.now();
const end = start + Number(options.minutes) * 60_000;
let toldAt = start;
let checked = 0;
const failures = [];
if (next === 0) for (const isUnidirectional of [false, true]) failures.push(...renamingFaults(isUnidirectional).map((fault) => `contents are not exchangeable: ${fault}`));

for (; next < rows.length && performance.now() < end && failures.length < 5; next += 1) {
  checkRow(rows[next]);
  if (options.resume !== undefined) writeState(next + 1);
  if (performance.now() - toldAt > 10_000) tell();
}

const seconds = (performance.now() - start) / 1000;
for (const failure of failures) console.log(failure);
if (options.json) console.log(JSON.stringify({ names, shard: options.shard, rows: rows.length, done: next, checked, seconds: Math.round(seconds), failures: failures.length }));
console.log(
  `${checked} cases in ${seconds.toFixed(0)} s: ${Math.round(checked / seconds)} a second. ${next} of ${rows.length} rows of this shard are done; ` +
    `${size} of 24389 triples stand for all, ${size}² cases one-way, about half of that two-way. ${failures.length} broke something.`,
);
process.exitCode = failures.length === 0 ? 0 : 1;

function checkRow({ mode, i }) {
  const isUnidirectional = mode === 'one-way';
  for (let j = 0; j < size && failures.length < 5; j += 1) {
    // Two-way, the mirrored case is checked with this one.
    if (!isUnidirectional && mirror[i] * size + mirror[j] < i * size + j) continue;
    checked += 1;
    const faults = pairFaults(names, triples[i], triples[j], isUnidirectional);
    if (faults.length > 0) failures.push(`${mode} ${JSON.stringify(triples[i])} beside ${JSON.stringify(triples[j])}:\n  ${faults.join('\n  ')}`);
  }
}

function tell() {
  toldAt = performance.now();
  const seconds = (toldAt - start) / 1000;
  console.error(`${next + 1} of ${rows.length} rows, ${checked} cases, ${Math.round(checked / seconds)} a second, ${failures.length} failures`);
}

function readState() {
  const state = JSON.parse(readFileSync(options.resume, 'utf8'));
  if (state.names !== options.names || state.shard !== options.shard || state.size !== size) throw new Error(`${options.resume} is of another check`);
  return state.next;
}

function writeState(done) {
  const text = JSON.stringify({ names: options.names, shard: options.shard, size, next: done });
  writeFileSync(`${options.resume}.new`, text);
  renameSync(`${options.resume}.new`, options.resume);
}

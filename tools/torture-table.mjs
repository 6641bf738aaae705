#!/usr/bin/env node
/**
 * Writes the table of docs/torture.md: which test covers which line of what a syncer must survive.
 * Run it by `npm run torture:table` after adding or renaming tests; with `--check` it only says
 * whether the page is up to date. Tests are found by their numbers (T01…T92) in specs, suites and
 * end-to-end tests.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { lines } from './torture/lines.mjs';

if (process.argv.includes('--help')) {
  console.log('usage: npm run torture:table [-- --check]');
  process.exit(0);
}

const root = path.resolve(import.meta.dirname, '..');
const page = path.join(root, 'docs/torture.md');
const START = '<!-- table: npm run torture:table -->';
const END = '<!-- end of table -->';
/** Tests named in one row; more are counted. */
const SHOWN = 3;

const tests = new Map();
for (const file of testFiles()) collect(file);
const missing = lines.filter(([number, , note]) => !tests.has(number) && note === undefined);
const table = ['| | what | tests, and what else to know |', '|---|---|---|', ...lines.map(row), '', `${lines.length} lines; ${lines.filter(([number]) => tests.has(number)).length} have tests by their number, ${missing.length} are missing altogether${missing.length > 0 ? `: ${missing.map(([number]) => number).join(', ')}` : ''}.`];

const before = readFileSync(page, 'utf8');
const [head, rest] = before.split(START);
const tail = rest.split(END)[1];
const after = `${head}${START}\n${table.join('\n')}\n${END}${tail}`;
if (process.argv.includes('--check')) {
  if (before !== after) console.error('docs/torture.md is not up to date: run `npm run torture:table`');
  process.exitCode = before === after ? 0 : 1;
} else {
  writeFileSync(page, after);
  console.log(`${lines.length} lines, ${missing.length} missing`);
}

function row([number, title, note]) {
  const found = tests.get(number) ?? [];
  const shown = spread(found).map(({ file, sentence }) => `${path.basename(file)} › ${sentence}`);
  const more = found.length > shown.length ? [`and ${found.length - shown.length} more`] : [];
  const cell = [...shown, ...more, ...(note === undefined ? [] : [`*${note}*`])];
  return `| ${number} | ${escaped(title)} | ${cell.length === 0 ? '**missing**' : escaped(cell.join('<br>'))} |`;
}

/** A few tests from as many rooms as there are. */
function spread(found) {
  const rooms = new Map();
  for (const one of found) rooms.set(roomOf(one.file), [...(rooms.get(roomOf(one.file)) ?? []), one]);
  const shown = [];
  for (let round = 0; shown.length < Math.min(SHOWN, found.length); round += 1) {
    for (const list of rooms.values()) if (list[round] !== undefined && shown.length < SHOWN) shown.push(list[round]);
  }
  return shown;
}

function roomOf(file) {
  return file.split('/').slice(0, 2).join('/');
}

function escaped(text) {
  return text.replaceAll('|', '\\|');
}

function collect(file) {
  const text = readFileSync(path.join(root, file), 'utf8');
  const opening = /\b(?:it|describe|test)(?:\.each\b)?[^'"`\n]*(?:\n\s*)?(['"`])((?:(?!\1)[^\\\n]|\\.)*T\d\d(?:(?!\1)[^\\\n]|\\.)*)\1/g;
  const titles = [...text.matchAll(opening)].map((match) => match[2]);
  const rows = [...text.matchAll(/\[\s*(['"`])((?:(?!\1)[^\\\n]|\\.)*T\d\d(?:(?!\1)[^\\\n]|\\.)*)\1/g)].map((match) => match[2]);
  // What stands between quotes within an it.each may be data; a sentence has several words.
  const sentences = new Set([...titles, ...rows, ...sentencesAfterEach(text)].filter((sentence) => /T\d\d.*\s.*\s|\(T\d\d/.test(sentence)));
  for (const sentence of sentences) {
    for (const [, number] of sentence.matchAll(/\b(T\d\d)\b/g)) {
      const list = tests.get(number) ?? [];
      list.push({ file, sentence: sentence.replaceAll('\\', '') });
      tests.set(number, list);
    }
  }
}

/** Sentences of `it.each(…)(` calls, whose data may hold quotes of their own. */
function* sentencesAfterEach(text) {
  for (const match of text.matchAll(/\)\(\s*(['"`])((?:(?!\1)[^\\\n]|\\.)*T\d\d(?:(?!\1)[^\\\n]|\\.)*)\1/g)) yield match[2];
}

function testFiles() {
  const found = [];
  const walk = (directory) => {
    for (const entry of readdirSync(path.join(root, directory), { withFileTypes: true })) {
      const name = `${directory}/${entry.name}`;
      if (entry.isDirectory() && !['dist', 'dist-spec', 'node_modules', 'generated'].includes(entry.name)) walk(name);
      else if (/\.(spec|e2e)\.ts$/.test(entry.name) || (/\/testing\//.test(name) && name.endsWith('.ts') && !name.includes('/simulator/'))) found.push(name);
    }
  };
  for (const directory of ['libs/engine', 'libs/domain', 'libs/ports', 'libs/adapters', 'apps']) walk(directory);
  return found;
}

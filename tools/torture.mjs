#!/usr/bin/env node
/**
 * Everything that could show a loss, in one command: `npm run torture`. Plays the simulator on one
 * core and the campaigns against the built programs on the other, for so many minutes, and prints
 * the figures. Builds the programs when they are not built. What each part does: docs/torture.md.
 */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { areBuilt, ROOT } from './torture/programs.mjs';

const PAGE = path.join(ROOT, 'docs/torture.md');
const START = '<!-- torture: npm run torture -- --write -->';
const END = '<!-- end of torture -->';
/** No seed of a whole run is larger, so that one can be typed. */
const SEEDS = 1_000_000;
/** Scenarios of the simulator that a whole run could play at most; its seeds begin at a multiple of this. */
const SCENARIOS = 10_000_000;
/** After this a part that should have ended is ended. Milliseconds. */
const GRACE_MS = 10 * 60_000;

/**
 * The parts. `share`: of the minutes, those of one lane one after the other. `read`: what its JSON
 * says, as `{ done, lost, torn, deleted, other }`: a sentence and four counts.
 */
const PARTS = {
  simulator: {
    lane: 0,
    share: 1,
    command: (minutes, seed) => ['simulate.mjs', '--once', '--json', '--failures', '20', '--minutes', minutes, '--from', String(seed * SCENARIOS)],
    read: ({ scenarios, passes, crashes, failures }) => ({ done: `${scenarios} scenarios, ${passes} passes, ${crashes} crashes`, lost: 0, torn: 0, deleted: 0, other: failures.length }),
  },
  crash: { lane: 1, share: 10, command: (minutes, seed) => ['torture/crash.mjs', '--json', '--minutes', minutes, '--seed', String(seed)], read: readCrash },
  races: {
    lane: 1,
    share: 4,
    command: (minutes, seed) => ['torture/races.mjs', '--json', '--minutes', minutes, '--seed', String(seed)],
    read: ({ saves, files, versionsSampled, lost, torn, broken }) => ({
      done: `${saves} saves on ${files} files, ${versionsSampled} versions read`, lost: lost.length, torn: torn.length, deleted: 0, other: broken.length,
    }),
  },
  faults: {
    lane: 1,
    share: 4,
    command: (minutes, seed) => ['torture/faults.mjs', '--json', '--minutes', minutes, '--seed', String(seed)],
    read: ({ rounds, faults, acts, lost, torn, falseDelete, ...rest }) => ({
      done: `${rounds} worlds, ${faults} faults, ${acts} acts of people`, lost, torn, deleted: falseDelete, other: sumOf(rest, ['resurrected', 'foreign', 'restless', 'unclear', 'broken']),
    }),
  },
  fuzz: {
    lane: 1,
    share: 2,
    command: (minutes, seed) => ['torture/fuzz.mjs', '--json', '--minutes', minutes, '--seed', String(seed)],
    read: ({ requests, commands, probes, memoryMb, failures }) => ({
      done: `${requests} requests, ${commands} commands on spoiled files, ${probes} files synced meanwhile, ${memoryMb} MiB at most`, lost: 0, torn: 0, deleted: 0, other: failures.length,
    }),
  },
};

function readCrash(rows) {
  const points = sumAll(rows, 'played');
  return {
    done: `${points} crash points of ${sumAll(rows, 'points')}`,
    lost: sumAll(rows, 'lost'),
    torn: sumAll(rows, 'torn'),
    deleted: sumAll(rows, 'deleted'),
    other: rows.filter(({ lost = 0, torn = 0, deleted = 0, failures }) => failures > lost + torn + deleted).length,
  };
}

function sumAll(rows, field) {
  return rows.reduce((sum, row) => sum + (row[field] ?? 0), 0);
}

function sumOf(figures, fields) {
  return fields.reduce((sum, field) => sum + figures[field], 0);
}

/** Plays the wanted parts, lane beside lane. Gives `{ name, code, figures }` of each; `figures` is absent where a part broke off. */
async function playAll(names, { minutes, seed }) {
  const lanes = [0, 1].map((lane) => names.filter((name) => PARTS[name].lane === lane));
  const played = await Promise.all(lanes.map((lane) => playLane(lane, minutes, seed)));
  return played.flat();
}

/** What one part does not need of its time goes to those after it. */
async function playLane(names, minutes, seed) {
  const end = performance.now() + minutes * 60_000;
  let shares = sumAll(names.map((name) => PARTS[name]), 'share');
  const played = [];
  for (const name of names) {
    const own = (Math.max(end - performance.now(), 0) * PARTS[name].share) / shares;
    shares -= PARTS[name].share;
    played.push(await play(name, own / 60_000, seed));
  }
  return played;
}

function play(name, minutes, seed) {
  const [script, ...args] = PARTS[name].command(minutes.toFixed(2), seed);
  console.log(`${name}: npm run ${script === 'simulate.mjs' ? 'simulate' : `torture:${name}`} -- ${args.join(' ')}`);
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [path.join(import.meta.dirname, script), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let json;
    const tell = (line) => {
      // Figures come as one line; all else is for people.
      if (/^[[{]/.test(line)) json = line;
      else if (line !== '') console.log(`${name}: ${line}`);
    };
    eachLine(child.stdout, tell);
    eachLine(child.stderr, tell);
    const timer = setTimeout(() => child.kill('SIGTERM'), minutes * 60_000 + GRACE_MS);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ name, code: code ?? signal, figures: json === undefined ? undefined : PARTS[name].read(JSON.parse(json)) });
    });
  });
}

function eachLine(stream, tell) {
  let rest = '';
  stream.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) tell(line);
  });
  stream.once('end', () => tell(rest));
}

/** A row of the table for each part. */
function rowsOf(played, { minutes, seed }) {
  const date = new Date().toISOString().slice(0, 10);
  return played.map(({ name, code, figures }) => {
    const end = figures === undefined ? `broke off (${code})` : figures.done;
    const counts = figures === undefined ? ['?', '?', '?', '?'] : [figures.lost, figures.torn, figures.deleted, figures.other];
    return `| ${date} | ${seed} | ${minutes} | ${name} | ${end}${code === 2 ? '; some left out, this machine lacks what they need' : ''} | ${counts.join(' | ')} |`;
  });
}

function writePage(rows) {
  const text = readFileSync(PAGE, 'utf8');
  const end = text.indexOf(END);
  if (!text.includes(START) || end < 0) throw new Error(`${PAGE} has no place for the figures: ${START} … ${END}`);
  writeFileSync(PAGE, `${text.slice(0, end)}${rows.join('\n')}\n${text.slice(end)}`);
}

function build() {
  if (areBuilt()) return true;
  console.log('building the programs first');
  return spawnSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: 'inherit' }).status === 0;
}

async function main() {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '20' },
      seed: { type: 'string', default: String(Math.floor(Date.now() / 1000) % SEEDS) },
      only: { type: 'string', default: Object.keys(PARTS).join(',') },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const [minutes, seed, names] = [Number(values.minutes), Number(values.seed), values.only.split(',')];
  const isWrong = !(minutes > 0) || !Number.isInteger(seed) || seed < 0 || seed >= SEEDS || names.some((name) => PARTS[name] === undefined);
  if (values.help || isWrong) {
    console.log(`usage: npm run torture -- [--minutes M] [--seed S] [--only A,B] [--write]

  --minutes M  how long in all (default 20); a part that is in the middle of something may take some more
  --seed S     from 0 to ${SEEDS - 1} (default: another one each time)
  --only A,B   of ${Object.keys(PARTS).join(', ')}
  --write      add the figures to docs/torture.md

Exits with 1 when anything was lost, torn, falsely deleted or otherwise wrong; with 2 when this machine could not play all of it.`);
    return values.help ? 0 : 2;
  }
  if (!build()) return 2;
  const played = await playAll(names, { minutes, seed });
  const rows = rowsOf(played, { minutes, seed });
  console.log(['', '| date | seed | minutes | part | what it went through | lost | torn | false deletes | otherwise wrong |', '|---|---|---:|---|---|---:|---:|---:|---:|', ...rows].join('\n'));
  if (values.write) writePage(rows);
  if (played.some(({ code }) => code !== 0 && code !== 2)) return 1;
  return played.some(({ code }) => code === 2) ? 2 : 0;
}

process.exitCode = await main();

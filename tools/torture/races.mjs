#!/usr/bin/env node
/**
 * Races of real editors: `npm run torture:races`.
 *
 * The built daemon keeps two folders in sync while processes save on both sides with every habit editors have. Every
 * saved file says who wrote it and whether it is whole. In the end each file's last save has to be on both sides, or in
 * a recorded conflict, or in a trash where somebody else's came over it; and no version that the daemon brought may be
 * one that never was on the other side's disk (INV-5, INV-6, INV-17, INV-27, INV-28; T39, T42, T55, T56).
 *
 * Run it after a change to the local storage, the copier or the continuous job. Exits with 1 when a save was lost or torn.
 */
import { fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { loadMemory } from './races/habits.mjs';
import { chanceOf } from './chance.mjs';
import { Home, requireBuild } from './home.mjs';
import { judgeTorn, versionMaker } from './races/torn.mjs';
import { missingContested, missingSaves } from './races/verdict.mjs';
import { editorOrders, sampledDirectories } from './races/world.mjs';

/** How long the job may take to come to rest once nobody saves any more. */
const REST_MS = 120_000;
/** How often a conflict is decided, as a person at the side would. */
const DECIDE_MS = 3_000;

/**
 * Runs the torture.
 * @param {{ minutes?: number, seed?: number, saves?: number, pauseMs?: number, parent?: string, keep?: boolean, log?: (line: string) => void }} options
 *   `minutes`: no longer than this, whatever was saved; `parent`: on which disk; `keep`: leave the scratch directory
 * @returns figures; `lost`, `torn` and `broken` are lists of sentences and have to be empty
 */
export async function run({ minutes = 15, seed = 1, saves = 100_000, pauseMs = 20, parent = os.tmpdir(), keep = false, log = () => undefined } = {}) {
  requireBuild();
  const scratch = mkdtempSync(path.join(parent, 'wl-races-'));
  const roots = { left: path.join(scratch, 'left'), right: path.join(scratch, 'right') };
  for (const root of Object.values(roots)) mkdirSync(root);
  mkdirSync(path.join(scratch, 'home'));
  const home = new Home({ directory: path.join(scratch, 'home') });
  const children = [];
  try {
    await home.wlOk(['container', 'create', 'pair', '--storage', roots.left, '--storage', roots.right]);
    await home.wlOk(['container', 'sync', 'pair']);
    const started = Date.now();
    const sampler = start('sampler.mjs', { directories: sampledDirectories(roots), keep: path.join(scratch, 'torn') }, children);
    const editors = editorOrders({ seed, saves, pauseMs, roots }).map((order) => start('editor.mjs', order, children));
    const decided = await duringRace({ home, editors, end: started + minutes * 60_000, seed, log });
    const answers = await Promise.all(editors.map(({ done }) => done));
    const seconds = Math.round((Date.now() - started) / 1000);
    log(`${sum(answers, 'saves')} saves in ${seconds} s; waiting for the job to come to rest`);
    const ledger = answers.flatMap((answer) => answer.ledger);
    const rest = await comeToRest(home, { ledger, roots }, log);
    sampler.child.send({ stop: true });
    const sampled = await sampler.done;
    return { seed, disk: parent, seconds, decided, ...judge({ answers, ledger, roots, rest, sampled }) };
  } finally {
    await home.wl(['stop']);
    for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
    if (keep) log(`kept ${scratch}`);
    else rmSync(scratch, { recursive: true, force: true });
  }
}

/** Starts a process with its order. `done` is its answer. */
function start(file, order, children) {
  const child = fork(path.join(import.meta.dirname, 'races', file), { serialization: 'advanced' });
  children.push(child);
  const done = new Promise((resolve, reject) => {
    child.on('message', (message) => {
      if (!message.done) return;
      resolve(message);
      child.disconnect();
    });
    child.on('exit', (code, signal) => reject(new Error(`${file} ended with ${code ?? signal} before it was done`)));
  });
  child.send(order);
  return { child, done };
}

/** Decides conflicts while the editors save, and ends the race in time. Answers how many were decided. */
async function duringRace({ home, editors, end, seed, log }) {
  const die = chanceOf(seed);
  let isRacing = true;
  let decided = 0;
  const finished = Promise.allSettled(editors.map(({ done }) => done)).then(() => (isRacing = false));
  while (isRacing) {
    await Promise.race([finished, sleep(DECIDE_MS)]);
    if (!isRacing) break;
    if (Date.now() > end) for (const { child } of editors) if (child.connected) child.send({ stop: true });
    const job = await home.job();
    log(`${job.state}, ${job.conflicts.length} conflicts, ${job.problems.length} problems${job.halt === undefined ? '' : `, halted: ${job.halt.reason}`}`);
    for (let times = 0; times < 2 && job.conflicts.length > 0; times += 1) {
      const { path: name } = die.pick(job.conflicts);
      // Refused when a version changed meanwhile (INV-36): then it is another conflict.
      if ((await home.wl(['container', 'resolve', 'pair', name, '--keep', die.pick(['source', 'target'])])).code === 0) decided += 1;
    }
  }
  return decided;
}

/**
 * Waits until everything is where it has to be. What no event told of (saves through mappings) is left to a full pass,
 * which a restart makes at once instead of within 15 minutes.
 */
async function comeToRest(home, state, log) {
  const look = async () => {
    const job = await home.job();
    const conflicts = job.conflicts.map(({ path: name }) => name);
    return { job, conflicts, missing: missingSaves({ ...state, conflicts }), contested: missingContested({ ...state, conflicts }) };
  };
  const settle = async (limitMs) => {
    let last;
    for (const end = Date.now() + limitMs; Date.now() < end; await sleep(500)) {
      last = await look();
      if (last.job.state === 'SYNCED' && last.missing.length === 0 && last.contested.missing.length === 0) break;
    }
    return last;
  };
  const first = await settle(30_000);
  if (first.missing.length + first.contested.missing.length === 0) return { ...first, late: [] };
  log(`not there yet: ${summary([...first.missing, ...first.contested.missing])}; a full pass`);
  await home.wlOk(['stop']);
  await home.wlOk(['start']);
  const second = await settle(REST_MS);
  return { ...second, late: [...first.missing, ...first.contested.missing] };
}

function judge({ answers, ledger, roots, rest, sampled }) {
  const states = new Set(answers.flatMap((answer) => answer.states));
  const histories = new Map(answers.flatMap((answer) => answer.history));
  const torn = judgeTorn(sampled.torn, states, versionMaker(histories));
  const missing = [...rest.missing, ...rest.contested.missing];
  return {
    saves: sum(answers, 'saves'),
    byHabit: answers.reduce((total, { counts }) => Object.fromEntries(Object.entries(counts).map(([habit, count]) => [habit, count + (total[habit] ?? 0)])), {}),
    files: ledger.length,
    handovers: sum(answers, 'handovers'),
    lateHandovers: sum(answers, 'lateHandovers'),
    versionsSampled: sampled.versions,
    tornInTransit: torn.figures,
    contested: rest.contested.where,
    conflictsLeft: rest.conflicts.length,
    foundByFullPassOnly: rest.late.length,
    notes: rest.job.notes,
    lost: missing.filter(({ what }) => what !== 'remains').map(sentence),
    torn: torn.foreign.map(({ place, size }) => `${path.relative(path.dirname(roots.left), place)}, ${size} bytes, never was on the other side`),
    broken: [
      ...missing.filter(({ what }) => what === 'remains').map(sentence),
      ...(rest.job.state === 'SYNCED' ? [] : [`the job ended in ${rest.job.state}: ${rest.job.halt?.reason ?? rest.job.error ?? ''}`]),
    ],
    late: rest.late.map(sentence),
    editorFaults: answers.flatMap(({ faults }) => faults),
  };
}

function sentence({ what, file, side, kind, number, habit }) {
  return `${what}: ${file}${side === undefined ? '' : ` on the ${side}`}${number === undefined ? '' : `, number ${number}, ${kind}, saved by ${habit}`}`;
}

function summary(missing) {
  return missing.slice(0, 5).map(sentence).join('; ');
}

function sum(list, field) {
  return list.reduce((total, one) => total + one[field], 0);
}

async function main() {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '15' },
      saves: { type: 'string', default: '100000' },
      seed: { type: 'string', default: String(Math.floor(Date.now() / 1000) % 1_000_000) },
      pause: { type: 'string', default: '20' },
      in: { type: 'string', default: os.tmpdir() },
      keep: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    console.log(`usage: npm run torture:races -- [--saves N] [--minutes M] [--seed S] [--pause MS] [--in DIRECTORY] [--keep] [--json]

  --saves N     saves in total (default 100000)
  --minutes M   the editors stop after so many, whatever was saved (default 15)
  --seed S      what the editors draw from; the race itself is real and never the same twice
  --pause MS    how long a hand rests between two saves, on average (default 20)
  --in DIR      where to work: the disk matters, e.g. /dev/shm (default: the temporary directory)`);
    return 0;
  }
  requireBuild();
  if ((await loadMemory()) === undefined) {
    console.error('Error: saves through mappings need the optional package koffi: run `npm install` without `--omit=optional`');
    return 2;
  }
  const figures = await run({ minutes: Number(values.minutes), saves: Number(values.saves), seed: Number(values.seed), pauseMs: Number(values.pause), parent: values.in, keep: values.keep, log: (line) => console.error(line) });
  console.log(JSON.stringify(figures, null, values.json ? 0 : 2));
  const { lost, torn, broken } = figures;
  console.log(`${figures.saves} saves on ${figures.files} files in ${figures.seconds} s (seed ${figures.seed}): lost ${lost.length}, torn ${torn.length}, otherwise wrong ${broken.length}.`);
  return lost.length + torn.length + broken.length === 0 ? 0 : 1;
}

if (import.meta.filename === process.argv[1]) process.exitCode = await main();

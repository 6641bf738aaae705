#!/usr/bin/env node
/**
 * The same scenarios put to `wl` and to other programs that sync two folders: `npm run torture:peers`.
 *
 * Each program runs with the settings its own manual recommends for running unattended, in a scratch world of its own;
 * what became of every version is found out by an eye that knows none of them. `--write` puts the table into
 * docs/torture.md. Run it after a change to what `wl` does in one of the scenarios, or for another version of a peer.
 * Exits with 1 when `wl` lost, tore, overwrote or wrongly deleted anything.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { requireBuild } from './home.mjs';
import { drivers } from './peers/drivers.mjs';
import { isWrong, tableOf, writePage } from './peers/page.mjs';
import { scenarios } from './peers/scenarios.mjs';
import { World } from './peers/world.mjs';

/** Programs tried at the same time, each in a world of its own. */
const LANES = 2;
/** Root without the right to read everything; nothing for everybody else. */
const ORDINARY = process.getuid() === 0 ? ['setpriv', '--inh-caps=-all', '--bounding-set=-dac_override,-dac_read_search'] : [];

/**
 * Plays the scenarios.
 * @param {{ seed?: number, only?: string, programs?: readonly string[], parent?: string, log?: (line: string) => void }} options `only`: a T-number or part of a title
 * @returns rows of `{ id, title, cells }`, a cell being `{ verdict, because, seconds }`, in the order of `drivers`
 */
export async function run({ seed = 1, only = '', programs, parent = os.tmpdir(), log = () => undefined } = {}) {
  const installed = drivers.map((driver) => ({ ...driver, version: driver.version() })).filter(({ name, version }) => version !== undefined && (programs ?? [name]).includes(name));
  const rows = [];
  for (const scenario of scenarios.filter(({ id, title }) => `${id} ${title}`.includes(only))) {
    const cells = await inLanes(installed, async (driver) => {
      const begin = performance.now();
      const cell = await play(scenario, driver, { seed, parent }).catch((error) => ({ verdict: 'failed', because: error.message.split('\n')[0] }));
      const seconds = Math.round((performance.now() - begin) / 1000);
      log(`${scenario.id} ${driver.name}: ${cell.verdict}: ${cell.because} (${seconds} s)`);
      return { ...cell, seconds };
    });
    rows.push({ id: scenario.id, title: scenario.title, cells });
  }
  return { seed, programs: installed, rows };
}

/** Runs a step for each, a few at a time: most of it is waiting. Answers in order. */
async function inLanes(items, step) {
  const answers = [];
  const queue = [...items.entries()];
  const lane = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) answers[next[0]] = await step(next[1]);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return answers;
}

async function play(scenario, driver, { seed, parent }) {
  if (scenario.needs === 'mount' && process.getuid() !== 0) return { verdict: 'n/a', because: 'only root may mount here' };
  const world = new World(mkdtempSync(path.join(parent, 'wl-peers-')));
  const program = driver.make(world, scenario.isOrdinary ? ORDINARY : []);
  try {
    scenario.place?.(world);
    scenario.before(world);
    await program.setup();
    const begun = await (program.first ?? program.sync)();
    if (begun.code !== 0 && world.names('right').length < world.names('left').length) throw new Error(`the first sync failed: ${begun.said.slice(-300)}`);
    // Times of a second's precision must not hide what happens next.
    await sleep(1_100);
    const tools = {
      seed,
      sync: program.sync,
      kill: () => program.processes.end(),
      forget: async () => program.forget !== undefined && (await program.forget(), true),
      recover: async (result) => (program.needsRecovery?.(result) ? { ...(await program.recover()), recovered: true } : result),
      ready: async () => program.ready?.(),
      unlock: () => program.unlock?.() ?? false,
      asks: program.asks,
    };
    const result = await scenario.act(world, tools);
    return scenario.judge(world, result, tools);
  } finally {
    await program.processes.end();
    scenario.cleanup?.(world);
    rmSync(world.dir, { recursive: true, force: true });
  }
}

/** Adds what an earlier run found of what this one did not play, and keeps all of it. */
function withEarlier(played, file) {
  const results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  for (const { id, title, cells } of played.rows) {
    for (const [index, cell] of cells.entries()) (results[`${id} ${title}`] ??= {})[played.programs[index].name] = cell;
  }
  writeFileSync(file, `${JSON.stringify(results, undefined, 1)}\n`);
  const programs = drivers.map((driver) => ({ ...driver, version: driver.version() })).filter(({ name }) => Object.values(results).some((cells) => cells[name] !== undefined));
  const unplayed = { verdict: 'n/a', because: 'not played' };
  const rows = scenarios.filter(({ id, title }) => results[`${id} ${title}`] !== undefined).map(({ id, title }) => ({ id, title, cells: programs.map(({ name }) => results[`${id} ${title}`][name] ?? unplayed) }));
  return { seed: played.seed, programs, rows };
}

async function main() {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      only: { type: 'string', default: '' },
      program: { type: 'string', multiple: true },
      in: { type: 'string', default: os.tmpdir() },
      results: { type: 'string' },
      write: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    console.log(`usage: npm run torture:peers -- [--only TEXT] [--program NAME]... [--seed S] [--in DIRECTORY] [--results FILE] [--write] [--json]

  --only TEXT     scenarios whose number or title has that in it
  --program NAME  ${drivers.map(({ name }) => name).join(', ')} (all that are installed)
  --in DIR        where to work (default: the temporary directory)
  --results FILE  keep results there; what this run does not play is taken from it
  --write         put the table into docs/torture.md`);
    return 0;
  }
  requireBuild();
  const missing = drivers.filter((driver) => driver.version() === undefined).map(({ name }) => name.split(' ')[0]);
  if (missing.length > 0) console.error(`Not installed and left out: ${[...new Set(missing)].join(', ')} (Debian: apt-get install ${[...new Set(missing)].join(' ')})`);
  if (ORDINARY.length > 0 && spawnSync(ORDINARY[0], [...ORDINARY.slice(1), 'true']).status !== 0) {
    console.error('Error: setpriv is missing, to try as an ordinary user what root may do: apt-get install util-linux');
    return 2;
  }
  const played = await run({ seed: Number(values.seed), only: values.only, programs: values.program, parent: values.in, log: (line) => console.error(line) });
  const outcome = values.results === undefined ? played : withEarlier(played, values.results);
  console.log(values.json ? JSON.stringify(outcome) : tableOf(outcome).join('\n'));
  if (values.write) writePage(outcome);
  const ours = outcome.programs.findIndex(({ name }) => name === 'wl');
  return outcome.rows.some(({ cells }) => ours >= 0 && isWrong(cells[ours])) ? 1 : 0;
}

if (import.meta.filename === process.argv[1]) process.exitCode = await main();

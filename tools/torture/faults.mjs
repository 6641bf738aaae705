#!/usr/bin/env node
/**
 * Puts the built programs through the faults of the world: `npm run torture:faults`. Worlds take
 * turns; in each a person works on both sides while faults come and go, and afterwards everything
 * must come to rest with every version accounted for, by a checker of its own (walk and SHA-256).
 * Run it after a change to a backend, the engine or the daemon. Exits with 1 at anything lost,
 * torn, falsely deleted, brought back, or without rest; with 2 where a world lacks its means.
 */
import { parseArgs } from 'node:util';

import { chanceOf } from './chance.mjs';
import { clocks } from './faults/clocks.mjs';
import { diskFull } from './faults/disk-full.mjs';
import { openFiles } from './faults/open-files.mjs';
import { permissions } from './faults/permissions.mjs';
import { readErrors } from './faults/read-errors.mjs';
import { s3Proxy } from './faults/s3-proxy.mjs';
import { watches } from './faults/watches.mjs';
import { requireBuild } from './home.mjs';

const WORLDS = { 'disk-full': diskFull, permissions, 'read-errors': readErrors, clocks, watches, 'open-files': openFiles, s3: s3Proxy };
/** What a checker can find. */
const KINDS = ['lost', 'torn', 'falseDelete', 'resurrected', 'foreign', 'restless', 'unclear', 'broken'];

/**
 * Plays worlds for so many minutes, each once at least; `seed` is that of the first round, every
 * round has the next one. Gives figures: rounds, acts, faults, files, leftToPeople
 * (conflicts where a fault kept the baseline from knowing a version), and what was found by kind.
 */
export async function run({ minutes = 5, seed = 1, log = console.log, worlds = Object.keys(WORLDS), rounds = Infinity } = {}) {
  requireBuild();
  const usable = worlds.filter((name) => {
    const missing = WORLDS[name].needs();
    if (missing !== undefined) log(`left out: ${WORLDS[name].name}: ${missing}`);
    return missing === undefined;
  });
  const figures = { seed, rounds: 0, acts: 0, faults: 0, files: 0, leftToPeople: 0, leftOut: worlds.length - usable.length, ...Object.fromEntries(KINDS.map((kind) => [kind, 0])), worlds: {}, failures: [] };
  const end = performance.now() + minutes * 60_000;
  for (let round = 0; usable.length > 0 && round < rounds && (round < usable.length || performance.now() < end); round += 1) {
    const name = usable[round % usable.length];
    // Each world meets its kinds of faults one after the other.
    await playRound(name, seed + Math.floor(round / usable.length), figures, log);
  }
  return figures;
}

async function playRound(name, seed, figures, log) {
  log(`${WORLDS[name].name}, seed ${seed}`);
  let outcome;
  try {
    outcome = await WORLDS[name].play({ seed, chance: chanceOf(seed), log });
  } catch (error) {
    outcome = { figures: {}, findings: [{ kind: 'broken', text: error.stack }] };
  }
  const own = (figures.worlds[name] ??= { rounds: 0, acts: 0, faults: 0, files: 0, leftToPeople: 0, found: 0 });
  for (const sum of [figures, own]) {
    sum.rounds += 1;
    for (const key of ['acts', 'faults', 'files', 'leftToPeople']) sum[key] += outcome.figures[key] ?? 0;
  }
  own.found += outcome.findings.length;
  for (const { kind, text } of outcome.findings) {
    figures[kind] += 1;
    log(`  ${kind.toUpperCase()}: ${text}`);
  }
  if (outcome.findings.length > 0) figures.failures.push(`${name} ${seed}`);
}

async function main() {
  const { values: options } = parseArgs({
    options: {
      minutes: { type: 'string', default: '5' },
      seed: { type: 'string', default: '1' },
      rounds: { type: 'string', default: 'Infinity' },
      worlds: { type: 'string', default: Object.keys(WORLDS).join(',') },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const unknown = options.worlds.split(',').filter((name) => WORLDS[name] === undefined);
  if (options.help || unknown.length > 0) {
    console.log(`usage: npm run torture:faults -- [--minutes M] [--seed S] [--worlds A,B] [--rounds N] [--json]

  --minutes M   how long to play (default 5); each world once at least
  --seed S      seed of the first round (default 1); a round that failed is replayed by
                --worlds NAME --seed S --rounds 1
  --worlds A,B  of ${Object.keys(WORLDS).join(', ')}
  --rounds N    at most so many rounds
  --json        figures as one line of JSON at the end`);
    return options.help ? 0 : 2;
  }
  const figures = await run({ minutes: Number(options.minutes), seed: Number(options.seed), worlds: options.worlds.split(','), rounds: Number(options.rounds) });
  if (options.json) console.log(JSON.stringify(figures));
  for (const [name, own] of Object.entries(figures.worlds)) console.log(`${name}: ${own.rounds} rounds, ${own.faults} faults, ${own.acts} acts, ${own.files} files checked, ${own.leftToPeople} left to people, ${own.found} findings`);
  console.log(`${figures.rounds} rounds from seed ${figures.seed}: ${KINDS.map((kind) => `${kind} ${figures[kind]}`).join(', ')}`);
  if (figures.failures.length > 0) console.log(`failed: ${figures.failures.join('; ')}`);
  if (figures.failures.length > 0) return 1;
  return figures.leftOut > 0 ? 2 : 0;
}

if (process.argv[1] === import.meta.filename) process.exitCode = await main();

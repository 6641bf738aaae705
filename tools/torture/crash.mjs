#!/usr/bin/env node
/**
 * Crashes, power losses and failing system calls of the built programs: `npm run torture:crash`.
 * Run it after a change to how files, rows or batches are written. Builds nothing: run
 * `npm run build` first. What it does and found: docs/torture.md, "Crashes and power loss".
 */
import path from 'node:path';
import { parseArgs } from 'node:util';

import { playWorld, points, scratchFor } from './crash/campaign.mjs';
import { playChaos } from './crash/chaos.mjs';
import { playCommands } from './crash/commands.mjs';
import { disks } from './crash/disks.mjs';
import { scenarios } from './crash/scenarios.mjs';
import { endInOrder, isOver } from './crash/time.mjs';
import { MissingMeans, tracer } from './crash/tracer.mjs';
import { areBuilt } from './programs.mjs';

/**
 * Everything there is, in the order it is worth most when time is short. Shares of the time; what
 * one does not need goes to those after it.
 */
const PROGRAM = [
  { kind: 'power-defective', disk: 'ext4', worlds: ['choices'], share: 1, mustFail: true },
  ...Object.keys(scenarios).map((world) => ({ kind: 'kill', disk: 'tmpfs', worlds: [world], share: 4 })),
  { kind: 'kill', disk: 'tmpfs', isBucket: true, worlds: ['changes', 'first', 'sizes'], share: 2 },
  { kind: 'request', disk: 'tmpfs', isBucket: true, worlds: ['changes', 'first', 'sizes'], share: 1 },
  ...['changes', 'first', 'choices', 'programs'].map((world) => ({ kind: 'power', disk: 'ext4', worlds: [world], share: 3 })),
  { kind: 'power', disk: 'ext4-writeback', worlds: ['changes', 'sizes'], share: 3 },
  { kind: 'power', disk: 'xfs', worlds: ['changes', 'first'], share: 2 },
  { kind: 'power-unflushed', disk: 'ext4', worlds: ['changes', 'first'], share: 1 },
  { kind: 'fault', disk: 'tmpfs', worlds: ['changes', 'first', 'choices', 'programs', 'sizes'], share: 4 },
  { kind: 'kill', disk: 'ext4', worlds: ['changes', 'first'], share: 2 },
  { kind: 'random', disk: 'tmpfs', worlds: ['continuous'], share: 2 },
  { kind: 'random', disk: 'directory', worlds: ['continuous'], share: 1 },
  { kind: 'wl', disk: 'tmpfs', worlds: ['command'], share: 1 },
];

/** Kinds that have a world of their own and no points to go through. */
const OF_THEIR_OWN = { random: playChaos, wl: playCommands };

/** Plays it all for so long; gives `{ rows, failures }`. `log` gets lines as they come. */
export async function run({ minutes, seed, log }) {
  const program = tracer();
  const end = performance.now() + minutes * 60_000;
  let shares = PROGRAM.reduce((sum, { share }) => sum + share, 0);
  const rows = [];
  for (const step of PROGRAM) {
    if (isOver(end)) break;
    const stepEnd = performance.now() + ((end - performance.now()) * step.share) / shares;
    shares -= step.share;
    for (const [index, world] of step.worlds.entries()) {
      const deadline = performance.now() + (stepEnd - performance.now()) / (step.worlds.length - index);
      rows.push(await playStep({ ...step, world, deadline, seed, tracer: program, log }));
    }
  }
  return { rows, failures: failuresIn(rows) };
}

/** Plays every point there is, however long that takes; what has no points to come to an end of, for `minutes` each. */
async function sweep({ minutes, seed, log }) {
  const program = tracer();
  const rows = [];
  for (const step of PROGRAM) {
    for (const world of step.worlds) {
      const deadline = OF_THEIR_OWN[step.kind] === undefined ? Infinity : performance.now() + minutes * 60_000;
      if (!isOver(deadline)) rows.push(await playStep({ ...step, world, deadline, seed, tracer: program, log }));
    }
  }
  return { rows, failures: failuresIn(rows) };
}

const failuresIn = (rows) => rows.reduce((sum, row) => sum + row.failures, 0);

/** One row. What this machine has no means for is said, and not played. */
async function playStep(step) {
  const { world, disk, kind, deadline, seed, log } = step;
  const ofItsOwn = OF_THEIR_OWN[kind];
  const onFailure = (failure) => log(sentence(failure, seed));
  try {
    if (step.mustFail) return await checkTheCheck(step);
    const scratch = scratchFor(disk);
    const row = await (ofItsOwn === undefined ? playWorld({ ...step, scenario: scenarios[world], scratch, onFailure }) : ofItsOwn({ scratch, deadline, seed, onFailure }));
    log(line(row));
    return row;
  } catch (error) {
    if (!(error instanceof MissingMeans)) throw error;
    log(`NOT PLAYED: ${kind} on ${disk}, ${world}: ${error.message}`);
    return { world, disk, kind, calls: 0, points: 0, played: 0, past: 0, failures: 0, outcomes: { 'not played': 1 } };
  }
}

/**
 * A defect is planted: the row is wrong if nothing of it is seen. About every second point shows
 * it, so this is over soon; it takes its time where the machine is slow.
 */
async function checkTheCheck(step) {
  const deadline = Math.max(step.deadline, performance.now() + 5 * 60_000);
  const found = [];
  const isTorn = ({ wrong }) => wrong.some((text) => text.includes('torn:'));
  const row = await playWorld({
    ...step, deadline, scenario: scenarios[step.world], scratch: scratchFor(step.disk), onFailure: (failure) => found.push(failure), isEnough: () => found.some(isTorn),
  });
  const torn = found.find(isTorn);
  step.log(
    torn === undefined
      ? `self-check FAILED: ${row.played} power losses while flushes did nothing, and nothing torn was seen`
      : `self-check: power losses while flushes do nothing tear files, seen at point ${row.played}: ${torn.wrong.find((text) => text.includes('torn:'))}`,
  );
  return { ...row, failures: torn === undefined ? 1 : 0, torn: 0, lost: 0, deleted: 0 };
}

function line({ world, disk, kind, calls, points: all, played, past, failures, outcomes }) {
  const told = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`).join(', ');
  return `${kind.padEnd(16)} ${disk.padEnd(15)} ${world.padEnd(8)} ${calls} calls, ${played} of ${all} points${past > 0 ? ` (${past} past the end)` : ''}: ${failures} wrong${told === '' ? '' : `; ${told}`}`;
}

function sentence({ world, disk, kind, point, wrong }, seed) {
  const [name, bucket] = disk.split(' + ');
  const again = `--world ${world} --disk ${name}${bucket === undefined ? '' : ' --bucket'} --kind ${kind} --point '${JSON.stringify(point)}'`;
  return `WRONG ${world} on ${disk}, ${kind}, seed ${seed}:\n  ${wrong.join('\n  ')}\n  again: npm run torture:crash -- ${again}`;
}

async function main() {
  const { values: options } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' }, seed: { type: 'string', default: '1' }, world: { type: 'string' }, disk: { type: 'string' },
      kind: { type: 'string', default: 'kill' }, bucket: { type: 'boolean', default: false }, point: { type: 'string' }, kill: { type: 'string' }, json: { type: 'boolean', default: false },
      sweep: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (options.help) {
    console.log(`usage: npm run torture:crash -- [--minutes M] [--seed S] [--json] [--sweep]
       npm run torture:crash -- --world W [--disk D] [--bucket] [--kind K] [--minutes M] [--kill N | --point JSON]

Kills the built daemon at every system call that changes something, cuts its power, fails its calls, and looks
whether anything is lost, torn or deleted. Without --world everything is played for M minutes (default 10); what was
not reached in that time is said. With --sweep every point is played, which takes some three hours, and M minutes of
each kind that has no points to come to an end of. Exits with 1 when something was wrong, with 2 when this machine lacks something.

  --world W   one of ${Object.keys(scenarios).join(', ')}
  --disk D    (default tmpfs; ext4 for power) one of ${Object.keys(disks).join(', ')} (those with a name of a file system need root, for loop devices)
  --bucket    the right side is a bucket on the S3 server of the tests
  --kind K    one of ${Object.keys(points).join(', ')}
  --kill N    only SIGKILL before the N-th call; --point JSON: only the point that a failure printed`);
    return 0;
  }
  if (!areBuilt()) throw new MissingMeans('the programs are not built: npm run build');
  endInOrder();
  const log = (text) => console.log(text);
  const seed = Number(options.seed);
  if (options.world === undefined) {
    const { rows, failures } = await (options.sweep ? sweep : run)({ minutes: Number(options.minutes), seed, log });
    if (options.json) console.log(JSON.stringify(rows));
    return failures === 0 ? 0 : 1;
  }
  const disk = options.disk ?? (options.kind.startsWith('power') ? 'ext4' : 'tmpfs');
  for (const [word, known] of [[options.world, scenarios], [disk, disks], [options.kind, points]]) {
    if (known[word] === undefined) throw new MissingMeans(`there is no ${word}: ${Object.keys(known).join(', ')}`);
  }
  const only = options.kill === undefined ? options.point && JSON.parse(options.point) : { play: 'kill', how: 'kill', n: Number(options.kill) };
  const deadline = performance.now() + Number(options.minutes) * 60_000;
  const row = await playStep({ world: options.world, disk, kind: options.kind, isBucket: options.bucket, deadline, seed, tracer: tracer(), log, only });
  if (options.json) console.log(JSON.stringify(row));
  return row.failures === 0 ? 0 : 1;
}

if (process.argv[1] !== undefined && path.resolve(process.argv[1]) === import.meta.filename) {
  main().then(
    (code) => process.exit(code),
    (error) => {
      console.error(error instanceof MissingMeans ? `Error: ${error.message}` : error);
      process.exit(error instanceof MissingMeans ? 2 : 1);
    },
  );
}

/**
 * The rows of the benchmark: what is run, at which size, and what is to be reached. A row gives
 * data that the page is made of, again and again; `minutes` is what it takes on a quiet machine of
 * two cores, of a round where it has rounds.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';

import { GOALS } from './goals.mjs';
import { idle } from './idle.mjs';
import { latency } from './latency.mjs';
import { cp, cpSync, find, ours, rcloneBisync, rcloneSync, root, rsyncFsync, rsyncPlain, sha256sum, unison } from './peers.mjs';
import { race } from './race.mjs';
import { DELTA_PEERS, s3Delta } from './s3-delta.mjs';
import { startup } from './startup.mjs';
import { SYNCER_ROWS } from './syncers.mjs';
import { syncthingOnce } from './syncthing-once.mjs';
import { changeTree, makeLargeFile, makeTree } from './tree.mjs';
import * as watchers from './watchers.mjs';

const MIB = 1024 * 1024;
const [COLD, RUNNING, WARM] = ['cold', 'running', 'warm'].map((daemon) => ours({ daemon }));
/** Sizes are divided by this for a quick try. */
const QUICK = 40;

const thousands = (count) => count.toLocaleString('en');

/** A race over many small files. */
function files({ title, count, minBytes, maxBytes, peers, phases, looks, minutes, rounds }) {
  return {
    kind: 'race',
    title,
    minutes,
    rounds,
    peers,
    run: (context) => {
      const size = context.isQuick ? Math.ceil(count / QUICK) : count;
      const makeSource = (dir) => makeTree(dir, { files: size, minBytes, maxBytes });
      return race({ ...context, phases, looks, makeSource, change: (dir) => changeTree(dir, { files: size }) });
    },
  };
}

/** A race over large files, which are removed after each round: they fill a disk. */
function large({ title, count, bytes, minutes }) {
  return {
    kind: 'race',
    title,
    minutes,
    peers: [cp, cpSync, sha256sum, rsyncPlain, rsyncFsync, rcloneSync, rcloneBisync, unison, COLD, RUNNING],
    run: (context) => {
      const size = context.isQuick ? 4 * MIB : bytes;
      const makeSource = (dir) => {
        for (let index = 0; index < count; index += 1) makeLargeFile(path.join(dir, `large-${index}.bin`), size, index + 10);
      };
      return race({ ...context, phases: ['first'], makeSource, endOfRound: (dir) => rmSync(dir, { recursive: true }) });
    },
  };
}

function changes(count, minutes, peers) {
  return {
    kind: 'latency',
    title: `One changed file until it shows on the other side, ${thousands(count)} files, continuous`,
    minutes,
    peers,
    run: (context) => latency({ ...context, files: context.isQuick ? Math.ceil(count / QUICK) : count }),
  };
}

const PROMPT = [watchers.ours, watchers.lsyncdPrompt, watchers.unisonRepeat, watchers.syncthingPrompt];

/** All rows by name, in the order of the page. */
export const ROWS = {
  small: files({
    title: '20,000 files of 1–16 KiB',
    count: 20_000,
    minBytes: 1024,
    maxBytes: 16_384,
    phases: ['first', 'again', 'changed'],
    looks: 5,
    minutes: 2,
    peers: [cp, cpSync, sha256sum, find, rsyncPlain, rsyncFsync, rcloneSync, rcloneBisync, unison, syncthingOnce, COLD, WARM],
  }),
  tiny: files({
    title: '200,000 files of 100 bytes',
    count: 200_000,
    minBytes: 100,
    maxBytes: 100,
    phases: ['first', 'again', 'changed'],
    looks: 3,
    minutes: 6,
    peers: [cp, cpSync, find, rsyncPlain, rsyncFsync, rcloneSync, unison, COLD, WARM],
  }),
  large: large({ title: '4 files of 512 MiB', count: 4, bytes: 512 * MIB, minutes: 1 }),
  single: large({ title: 'One file of 1 GiB', count: 1, bytes: 1024 * MIB, minutes: 0.6 }),
  million: files({
    title: '1,000,000 files of 100 bytes',
    count: 1_000_000,
    minBytes: 100,
    maxBytes: 100,
    phases: ['first', 'again'],
    minutes: 9,
    rounds: 1,
    peers: [find, rsyncPlain, WARM],
  }),
  entries: {
    kind: 'entries',
    title: 'No-change pass with listings made up on the way and a real baseline',
    minutes: 4,
    peers: [],
    run: madeUp,
  },
  'latency-2k': changes(2_000, 3, [...PROMPT, watchers.lsyncdAsItComes, watchers.syncthingAsItComes]),
  'latency-20k': changes(20_000, 3, PROMPT),
  'latency-200k': changes(200_000, 8, PROMPT),
  idle: {
    kind: 'idle',
    title: 'Idle daemon: 10 containers, 200,000 files in all, kept in sync',
    minutes: 3,
    peers: [],
    run: (context) => idle({ ...context, containers: 10, files: context.isQuick ? 1000 : 200_000, seconds: context.isQuick ? 5 : 60 }),
  },
  startup: {
    kind: 'startup',
    title: 'Start of a command',
    minutes: 0.7,
    peers: [],
    run: (context) => startup({ ...context, times: context.isQuick ? 3 : 30 }),
  },
  's3-delta': {
    kind: 's3-delta',
    title: 'One file of 1 GiB in an S3 bucket, changed in one place',
    minutes: 3,
    peers: DELTA_PEERS,
    run: s3Delta,
  },
  simulator: {
    kind: 'simulator',
    title: 'Scenarios of the simulator',
    minutes: 2,
    peers: [],
    run: ({ isQuick, progress }) => simulated(isQuick ? 0.2 : 2, progress),
  },
};

Object.assign(ROWS, SYNCER_ROWS);

for (const [name, row] of Object.entries(ROWS)) row.goals = GOALS[name] ?? [];

/** What `npm run simulate` plays in so many minutes on one core, each scenario once; its figures. */
function simulated(minutes, progress) {
  const args = [path.join(root, 'tools/simulate.mjs'), '--once', '--json', '--minutes', String(minutes), '--from', String(Date.now() % 1_000_000_000)];
  const done = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  const json = done.stdout.split('\n').find((line) => line.startsWith('{'));
  if (json === undefined) throw new Error(`simulate: ${done.stderr}`);
  const figures = JSON.parse(json);
  progress(`simulator: ${Math.round(figures.scenarios / figures.seconds)} scenarios a second`);
  return figures;
}

/** Passes of the engine over 20 thousand to 10 million entries, by number. */
function madeUp({ scratch, label, isQuick, progress }) {
  const results = {};
  for (const count of isQuick ? [2_000, 20_000] : [20_000, 1_000_000, 10_000_000]) {
    const dir = path.join(scratch, `${label}-${count}`);
    mkdirSync(dir, { recursive: true });
    const run = (task) => {
      const done = spawnSync(process.execPath, [path.join(root, 'tools/bench/entries.mjs'), task, dir, String(count)], { encoding: 'utf8', maxBuffer: 1 << 26 });
      if (done.status !== 0) throw new Error(`entries ${task} ${count}: ${done.stderr}`);
      return JSON.parse(done.stdout);
    };
    run('fill');
    results[count] = run('pass');
    rmSync(dir, { recursive: true });
    progress(`entries ${thousands(count)}: ${results[count].seconds.toFixed(1)} s, ${results[count].peakMiB.toFixed(0)} MiB`);
  }
  return results;
}

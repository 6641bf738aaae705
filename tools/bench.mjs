#!/usr/bin/env node
/**
 * Side-by-side benchmark of `wl` and its peers: `npm run bench`.
 *
 * Builds nothing (run `npm run build` first), installs the peers from Debian packages when they
 * are missing and apt-get may be used, generates deterministic trees in a scratch directory, runs
 * everybody in turn for several rounds, and writes docs/benchmarks.md (all but its S3 section, which
 * is of tools/bench-s3.mjs). Ratios within one run
 * count; seconds belong to the machine. Every round writes into fresh directories, and nothing is
 * deleted before the end: on ext4 without a journal, creating files after deleting many is slow
 * for minutes.
 */
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, cpSync as copyTree, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { cleanEnv, median, quantile } from './bench/measure.mjs';
import { writeMain } from './bench/page.mjs';
import { cp, cpSync, find, ours, rcloneBisync, rcloneSync, unison, wl, wlEnv } from './bench/peers.mjs';
import { makeLargeFile, makeTree } from './bench/tree.mjs';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    scratch: { type: 'string', default: os.tmpdir() },
    out: { type: 'string', default: 'docs/benchmarks.md' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (options.help) {
  console.log(`usage: npm run bench -- [--rounds N] [--only small,large,latency,memory] [--scratch DIR] [--out FILE]

Compares wl with cp, rclone and unison on this machine and writes docs/benchmarks.md.`);
  process.exit(0);
}
const rounds = Number(options.rounds);
const wanted = new Set((options.only ?? 'small,large,latency,memory').split(','));
const root = path.resolve(import.meta.dirname, '..');
const scratch = mkdtempSync(path.join(options.scratch, 'wl-bench-'));
const page = [];

ensurePeers();
try {
  page.push(...header());
  if (wanted.has('small')) page.push(...small());
  if (wanted.has('large')) page.push(...large());
  if (wanted.has('latency')) page.push(...(await latency()));
  if (wanted.has('memory')) page.push(...memory());
  page.push(...readMore());
  writeMain(path.resolve(root, options.out), page);
  console.log(`wrote ${options.out}`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** First sync and no-change pass of many small files. */
function small() {
  const tree = { files: 20_000, minBytes: 1024, maxBytes: 16_384 };
  const peers = [cp, cpSync, find, rcloneSync, rcloneBisync, unison, ours({ isWarm: false }), ours({ isWarm: true })];
  const { first, again } = race('small', tree, peers);
  return [
    '## First sync of 20,000 files of 1–16 KiB',
    '',
    ...table(first, 'cp -a + sync'),
    '',
    '## No-change pass over the same files',
    '',
    ...table(again, 'find, both sides'),
    '',
  ];
}

/** One large file. */
function large() {
  const peers = [cp, cpSync, rcloneSync, unison, ours({ isWarm: true })];
  const { first } = race('large', { largeBytes: 1 << 30 }, peers);
  return ['## First sync of one file of 1 GiB', '', ...table(first, 'cp -a + sync'), ''];
}

/** Runs every peer in every round, each into fresh directories. */
function race(label, tree, peers) {
  const first = new Map();
  const again = new Map();
  for (let round = 0; round < rounds; round += 1) {
    for (const peer of peers) {
      const dir = path.join(scratch, `${label}-${round}-${peers.indexOf(peer)}`);
      const [source, target] = ['source', 'target'].map((name) => path.join(dir, name));
      for (const made of [source, target]) mkdirSync(made, { recursive: true });
      if (tree.largeBytes) makeLargeFile(path.join(source, 'large.bin'), tree.largeBytes);
      else makeTree(source, tree);
      if (!('first' in peer.make(dir))) copyTree(source, target, { recursive: true });
      // What was just written must not be written back while somebody is being measured.
      spawnSync('sync');
      const instance = peer.make(dir);
      if (instance.first) add(first, peer.name, instance.first(source, target));
      if (instance.again && !tree.largeBytes) add(again, peer.name, instance.again(source, target));
      instance.stop();
      progress(`${label} round ${round + 1}/${rounds}: ${peer.name} ${first.get(peer.name)?.at(-1)?.seconds.toFixed(2) ?? ''} ${again.get(peer.name)?.at(-1)?.seconds.toFixed(2) ?? ''}`);
    }
  }
  return { first, again };
}

/** One changed file until it shows on the other side, continuous. */
async function latency() {
  const rows = [];
  for (const files of [2_000, 20_000]) {
    const dir = path.join(scratch, `latency-${files}`);
    const [source, target] = ['source', 'target'].map((name) => path.join(dir, name));
    for (const made of [source, target]) mkdirSync(made, { recursive: true });
    makeTree(source, { files, minBytes: 1024, maxBytes: 4096 });
    const env = wlEnv(dir);
    mkdirSync(env.XDG_RUNTIME_DIR, { recursive: true, mode: 0o700 });
    wl(env, 'container', 'create', 'bench', '--storage', source, '--storage', target);
    wl(env, 'container', 'sync', 'bench');
    await until(() => JSON.parse(wl(env, 'status', '--json')).jobs[0]?.state === 'SYNCED', 120_000);
    rows.push([`wl, ${files.toLocaleString('en')} files`, await edits(source, target, 40)]);
    wl(env, 'stop');
    progress(`latency ${files}`);
    if (files > 2_000) continue;
    const unisonDir = path.join(scratch, 'latency-unison');
    const sides = ['source', 'target'].map((name) => path.join(unisonDir, name));
    for (const made of sides) mkdirSync(made, { recursive: true });
    makeTree(sides[0], { files, minBytes: 1024, maxBytes: 4096 });
    const peer = unison.make(unisonDir);
    peer.first(...sides);
    const polling = spawn('unison', ['-ui', 'text', '-batch', '-auto', '-silent', '-repeat', '1', ...sides], {
      env: cleanEnv({ HOME: unisonDir, UNISON: path.join(unisonDir, 'unison') }),
      stdio: 'ignore',
    });
    await new Promise((resolve) => setTimeout(resolve, 3000));
    rows.push([`unison -repeat 1, ${files.toLocaleString('en')} files`, await edits(...sides, 15)]);
    polling.kill();
  }
  return [
    '## One changed file until it shows on the other side (continuous)',
    '',
    'From the end of the write on one side until the other side reads the same bytes, in milliseconds; looked at every millisecond.',
    '',
    '| | median | 95 % | worst | edits |',
    '|---|---:|---:|---:|---:|',
    ...rows.map(([name, times]) => `| ${name} | ${median(times).toFixed(0)} | ${quantile(times, 0.95).toFixed(0)} | ${Math.max(...times).toFixed(0)} | ${times.length} |`),
    '',
    'rclone has no continuous two-way mode.',
    '',
  ];
}

async function edits(source, target, count) {
  const times = [];
  for (let i = 0; i < count; i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 400 + (i % 7) * 37));
    const name = path.join('d0', `s${i % 17}`, `edited-${i}.txt`);
    const text = `edit ${i} ${'x'.repeat(i)}`;
    writeFileSync(path.join(source, name), text);
    const started = performance.now();
    await until(() => existsSync(path.join(target, name)) && readFileSync(path.join(target, name), 'utf8') === text, 60_000, 1);
    times.push(performance.now() - started);
  }
  return times;
}

/** Peak memory on trees of two sizes. */
function memory() {
  const rows = [];
  for (const files of [20_000, 200_000]) {
    for (const peer of [rcloneSync, unison, ours({ isWarm: true })]) {
      const dir = path.join(scratch, `memory-${files}-${peer.name}`);
      const [source, target] = ['source', 'target'].map((name) => path.join(dir, name));
      for (const made of [source, target]) mkdirSync(made, { recursive: true });
      makeTree(source, { files, minBytes: 100, maxBytes: 100 });
      spawnSync('sync');
      const instance = peer.make(dir);
      const first = instance.first(source, target);
      const again = instance.again(source, target);
      instance.stop();
      rows.push({ files, name: peer.name, first, again });
      progress(`memory ${files}: ${peer.name} ${first.peakMiB.toFixed(0)} MiB, first ${first.seconds.toFixed(1)} s, again ${again.seconds.toFixed(2)} s`);
    }
  }
  return [
    '## Peak memory and time, files of 100 bytes',
    '',
    'One run each. For wl the memory is the command plus the daemon, which is also a Node.js runtime each (about 45 MiB bare).',
    '',
    '| files | | first sync, s | no-change pass, s | peak memory, MiB |',
    '|---:|---|---:|---:|---:|',
    ...rows.map(
      ({ files, name, first, again }) =>
        `| ${files.toLocaleString('en')} | ${name} | ${first.seconds.toFixed(1)} | ${again.seconds.toFixed(2)} | ${Math.max(first.peakMiB, again.peakMiB).toFixed(0)} |`,
    ),
    '',
  ];
}

function table(results, yardstick) {
  const base = median(results.get(yardstick).map(({ seconds }) => seconds));
  return [
    `| | median, s | × ${yardstick} | CPU of the command, s | rounds |`,
    '|---|---:|---:|---:|---|',
    ...[...results].map(([name, runs]) => {
      const seconds = median(runs.map((run) => run.seconds));
      const all = runs.map((run) => run.seconds.toFixed(2)).join(', ');
      return `| ${name} | ${seconds.toFixed(2)} | ${(seconds / base).toFixed(2)} | ${median(runs.map((run) => run.cpu)).toFixed(2)} | ${all} |`;
    }),
  ];
}

function header() {
  const version = (command, ...args) => String(spawnSync(command, args, { encoding: 'utf8' }).stdout).split('\n')[0];
  return [
    '# Benchmarks',
    '',
    'Written by `npm run bench`; do not edit by hand. All programs ran on the same machine in the same hour, in turn; ratios count, seconds belong to the machine. `wl` hashes every file it copies (sha256), verifies the copy, and makes both sides and its baseline durable before it reports; of the others only `cp -a + sync` is durable.',
    '',
    `${new Date().toISOString().slice(0, 10)}; ${os.cpus().length} cores (${os.cpus()[0].model.trim()}), ${(os.totalmem() / 2 ** 30).toFixed(0)} GiB, Linux ${os.release()}, ${fileSystem()}; Node ${process.version}; ${version('rclone', 'version')}; ${version('unison', '-version')}. ${rounds} rounds.`,
    '',
  ];
}

function readMore() {
  return ['How the trees are made and what exactly is run: `tools/bench.mjs` and `tools/bench/`.'];
}

function fileSystem() {
  const line = String(spawnSync('df', ['-T', scratch], { encoding: 'utf8' }).stdout).trim().split('\n').at(-1);
  return line.split(/\s+/)[1];
}

function ensurePeers() {
  const packages = { rclone: 'rclone', unison: 'unison', '/usr/bin/time': 'time' };
  const missing = Object.entries(packages).filter(([program]) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0);
  if (missing.length === 0) return;
  const names = missing.map(([, name]) => name);
  const install = spawnSync('apt-get', ['install', '-y', ...names], { stdio: 'inherit' });
  if (install.status !== 0) {
    console.error(`Error: the benchmark needs ${names.join(', ')}; install them and run it again`);
    process.exit(1);
  }
}

function add(map, key, value) {
  map.set(key, [...(map.get(key) ?? []), value]);
}

async function until(condition, limitMs, everyMs = 50) {
  const end = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error('what was waited for has not come');
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

function progress(line) {
  process.stderr.write(`${line}\n`);
  appendFileSync(path.join(scratch, 'progress.log'), `${line}\n`);
}

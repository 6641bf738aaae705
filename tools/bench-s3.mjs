#!/usr/bin/env node
/**
 * Benchmark of a folder and a bucket, side by side with peers: `npm run bench:s3`.
 *
 * Builds nothing (run `npm run build` first). Starts an S3 server of its own on loopback
 * (tools/s3-server), lets everybody sync the same deterministic trees in turn for several rounds, and
 * writes the S3 section of docs/benchmarks.md. Ratios within one run count; seconds belong to the
 * machine, and the server shares it. Every turn has fresh directories and a bucket of its own;
 * small files are deleted at the end only (see tools/bench.mjs), large objects at once, since the
 * server keeps them in memory.
 */
import { spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { ensurePrograms, installCommand } from './bench/debian.mjs';
import { median } from './bench/measure.mjs';
import { writeS3Section } from './bench/page.mjs';
import { LONG_LOOK_SECONDS } from './bench/race.mjs';
import { makeBucket, ours, rcloneBisync, rcloneFast, rcloneSync, s3cmd } from './bench/s3-peers.mjs';
import { startServer } from './bench/s3-server.mjs';
import { changeTree, makeLargeFile, makeTree } from './bench/tree.mjs';

const PEERS = { wl: ours({ isWarm: false }), 'wl-warm': ours({ isWarm: true }), rclone: rcloneSync, 'rclone-fast': rcloneFast, bisync: rcloneBisync, s3cmd };
const MIB = 1024 * 1024;
const STORE_MIB = 12_000;
/** What is to be reached, in times of the best of the others: on small files, and on large ones. */
const AHEAD = 0.5;
const LARGE = 1;
/** How often in a row everybody is asked to see that nothing has changed, but those that take long. */
const LOOKS = 3;

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: 'many,few,large' },
    peers: { type: 'string', default: Object.keys(PEERS).join(',') },
    scratch: { type: 'string', default: os.tmpdir() },
    out: { type: 'string', default: 'docs/benchmarks.md' },
    install: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h' },
  },
});
if (options.help) {
  console.log(`usage: npm run bench:s3 -- [--rounds N] [--only many,few,large] [--peers ${Object.keys(PEERS).join(',')}] [--install] [--scratch DIR] [--out FILE]

Compares wl with rclone and s3cmd on a real S3 server on this machine and writes the S3 section of docs/benchmarks.md.
many: 20,000 small files (the quick ones only); few: 5,000 (everybody); large: 4 files of 512 MiB. --install (as root) installs missing peers from Debian's packages; else they are left out.`);
  process.exit(0);
}
const rounds = Number(options.rounds);
const wanted = new Set(options.only.split(','));
const asked = options.peers.split(',').map((name) => PEERS[name] ?? fail(`there is no peer ${name}: ${Object.keys(PEERS).join(', ')}`));
const root = path.resolve(import.meta.dirname, '..');

const missing = ensurePrograms(['rclone', 's3cmd'], options.install);
// Buckets are made by rclone.
if (missing.includes('rclone')) fail(`the benchmark needs rclone; as root run: ${installCommand(['rclone'])}`);
const chosen = asked.filter(({ name }) => !missing.some((program) => name.startsWith(program)));
const scratch = mkdtempSync(path.join(options.scratch, 'wl-bench-s3-'));
const server = startServer(path.join(scratch, 'server'), STORE_MIB);
try {
  const page = [...header()];
  if (wanted.has('many')) page.push(...small('many', 20_000, [rcloneBisync, s3cmd]));
  if (wanted.has('few')) page.push(...small('few', 5_000, []));
  if (wanted.has('large')) page.push(...large());
  page.push('What exactly is run: `tools/bench-s3.mjs` and `tools/bench/`.');
  writeS3Section(path.resolve(root, options.out), page);
  console.log(`wrote the S3 section of ${options.out}`);
} finally {
  server.stop();
  rmSync(scratch, { recursive: true, force: true });
}

/** All passes over small files. */
function small(label, files, without) {
  const peers = chosen.filter((peer) => !without.includes(peer));
  const results = { first: new Map(), same: new Map(), changed: new Map(), down: new Map() };
  for (let round = 0; round < rounds; round += 1) {
    for (const peer of turns(peers, round)) {
      const { dir, bucket, folder, instance } = turn(label, round, peer);
      makeTree(folder, { files, minBytes: 1024, maxBytes: 16_384 });
      spawnSync('sync');
      note(results.first, peer, () => instance.upload(folder));
      for (let look = 0; look < LOOKS; look += 1) {
        note(results.same, peer, () => instance.again(folder));
        if (results.same.get(peer.name).at(-1).seconds > LONG_LOOK_SECONDS) break;
      }
      changeTree(folder, { files });
      note(results.changed, peer, () => instance.again(folder));
      const other = path.join(dir, 'downloaded');
      mkdirSync(other);
      spawnSync('sync');
      note(results.down, peer, () => instance.download(other));
      instance.stop();
      expectSame(peer, folder, other);
      progress(`${bucket} ${peer.name}: ${Object.entries(results).map(([name, map]) => `${name} ${map.get(peer.name).at(-1).seconds.toFixed(2)}`).join(', ')}`);
    }
  }
  const many = files.toLocaleString('en');
  return [
    ...chapter(`First upload of ${many} files of 1–16 KiB`, results.first, AHEAD),
    ...chapter(`No-change pass over them, ${LOOKS} in a row`, results.same, AHEAD),
    ...chapter('Pass after 1 % changed, 1 % added, 1 % deleted in the folder', results.changed, AHEAD),
    ...chapter('First download into an empty folder', results.down, AHEAD),
  ];
}

/** First upload of files that are larger than anybody's parts. */
function large() {
  const results = new Map();
  const peers = chosen.filter((peer) => ![rcloneBisync, PEERS['wl-warm']].includes(peer));
  const master = path.join(scratch, 'master');
  mkdirSync(master);
  for (let i = 0; i < 4; i += 1) makeLargeFile(path.join(master, `large-${i}.bin`), 512 * MIB, i + 10);
  spawnSync('sync');
  for (let round = 0; round < rounds; round += 1) {
    for (const peer of turns(peers, round)) {
      const { bucket, folder, instance } = turn('large', round, peer);
      // The same bytes in memory for everybody, and nothing to be written back meanwhile.
      for (const name of readdirSync(master)) linkSync(path.join(master, name), path.join(folder, name));
      note(results, peer, () => instance.upload(folder));
      instance.stop();
      server.removeBucket(bucket);
      progress(`${bucket} ${peer.name}: ${results.get(peer.name).at(-1).seconds.toFixed(2)}`);
    }
  }
  return chapter('First upload of 4 files of 512 MiB', results, LARGE);
}

/** Each starts once in every place of the order. */
function turns(peers, round) {
  const first = round % peers.length;
  return [...peers.slice(first), ...peers.slice(0, first)];
}

/** Fresh directories and a fresh bucket. */
function turn(label, round, peer) {
  const bucket = `bench-${label}-${round}-${chosen.indexOf(peer)}`;
  const dir = path.join(scratch, bucket);
  const folder = path.join(dir, 'folder');
  mkdirSync(folder, { recursive: true });
  makeBucket(dir, server, bucket);
  return { dir, bucket, folder, instance: peer.make(dir, server, bucket) };
}

/** A program that leaves files out would be fast. */
function expectSame(peer, one, other) {
  const { status, stdout } = spawnSync('diff', ['-rq', '-x', '.wl', '-x', 'first', one, other], { encoding: 'utf8' });
  if (status !== 0) fail(`${peer.name} has not brought everything over:\n${stdout.slice(0, 500)}`);
}

/** `goal`: what ours may take, in times of the best of the others. */
function chapter(title, results, goal) {
  const medians = new Map([...results].map(([name, runs]) => [name, median(runs.map(({ seconds }) => seconds))]));
  const best = Math.min(...[...medians].filter(([name]) => !name.startsWith('wl')).map(([, seconds]) => seconds));
  return [
    `### ${title}`,
    '',
    ...verdict(results, medians, best, goal),
    '| | median, s | × best of the others | CPU, s | server’s CPU, s | peak memory, MiB | rounds |',
    '|---|---:|---:|---:|---:|---:|---|',
    ...[...results].map(([name, runs]) => {
      const ratio = Number.isFinite(best) ? (medians.get(name) / best).toFixed(2) : '';
      const all = runs.map(({ seconds }) => seconds.toFixed(2)).join(', ');
      return `| ${name} | ${medians.get(name).toFixed(2)} | ${ratio} | ${median(runs.map(({ cpu }) => cpu)).toFixed(2)} | ${serverCpuOf(runs).toFixed(2)} | ${Math.max(...runs.map(({ peakMiB }) => peakMiB)).toFixed(0)} | ${all} |`;
    }),
    '',
  ];
}

/** What was reached; where it was not, how much of it the server takes by itself. */
function verdict(results, medians, best, goal) {
  const own = [...results].filter(([name]) => name.startsWith('wl')).sort(([one], [other]) => medians.get(one) - medians.get(other));
  if (own.length === 0 || !Number.isFinite(best)) return [];
  const [[name, runs]] = own;
  const seconds = medians.get(name);
  if (seconds <= goal * best) return [`To reach: ≤ ${goal} × the best of the others. Reached: ${(seconds / best).toFixed(2)} ×.`, ''];
  const atLeast = serverCpuOf(runs) / os.cpus().length;
  return [
    `To reach: ≤ ${goal} × the best of the others. **Not reached**: ${(seconds / best).toFixed(2)} ×. The server, on the same ${os.cpus().length} cores, needs ${(atLeast / best).toFixed(2)} × for our requests even if nobody else runs.`,
    '',
  ];
}

function serverCpuOf(runs) {
  return median(runs.map(({ serverCpu }) => serverCpu));
}

function header() {
  const version = (command, ...args) => String(spawnSync(command, args, { encoding: 'utf8' }).stdout).split('\n')[0];
  return [
    '## A folder and an S3 bucket',
    '',
    `${new Date().toISOString().slice(0, 10)}; ${os.cpus().length} cores (${os.cpus()[0].model.trim()}), ${(os.totalmem() / 2 ** 30).toFixed(0)} GiB, Linux ${os.release()}; Node ${process.version}; ${version('rclone', 'version')}; ${version('s3cmd', '--version')}; server: ${version('radosgw', '--version').replace(/ \(.*/, '')}, objects in memory, on the same machine. ${rounds} ${rounds === 1 ? "round" : "rounds"}, in turn; memory is the largest of all rounds, of \`wl\` that of command and daemon together, as is its CPU. The server shares the cores with whoever asks it.`,
    '',
    ...chosen.map(({ name, about }) => `- ${name}: ${about}.`),
    '',
    'rclone ran with `--transfers 16 --checkers 16 --fast-list --s3-no-check-bucket --s3-chunk-size 16M --s3-upload-concurrency 4`.',
    '',
  ];
}

/** Runs a turn and keeps what was measured of it, with what the server used meanwhile. */
function note(map, peer, run) {
  const before = server.cpu();
  const result = run();
  map.set(peer.name, [...(map.get(peer.name) ?? []), { ...result, serverCpu: server.cpu() - before }]);
}

function progress(line) {
  process.stderr.write(`${line}\n`);
}

function fail(message) {
  console.error(`Error: ${message}`);
  process.exit(1);
}

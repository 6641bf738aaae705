#!/usr/bin/env node
/**
 * Side-by-side benchmark of `wl` and its peers: `npm run bench`. Run it on a quiet machine.
 *
 * Builds nothing (run `npm run build` first), generates deterministic trees in a scratch directory,
 * runs everybody in turn for several rounds, keeps what was measured in docs/benchmarks.json, row
 * by row, and makes docs/benchmarks.md of it (all but its S3 section, which is of
 * tools/bench-s3.mjs). Ratios within one run count; seconds belong to the machine. Every round
 * writes into fresh directories, and small files are deleted at the end only: on ext4 without a
 * journal, creating files after deleting many is slow for minutes.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { ensurePrograms } from './bench/debian.mjs';
import { writeMain } from './bench/page.mjs';
import { root } from './bench/peers.mjs';
import { report } from './bench/report.mjs';
import { describeMachine, keepRow, readResults } from './bench/results.mjs';
import { ROWS } from './bench/rows.mjs';

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: Object.keys(ROWS).join(',') },
    without: { type: 'string', default: '' },
    rounds: { type: 'string', default: '3' },
    quick: { type: 'boolean', default: false },
    install: { type: 'boolean', default: false },
    'page-only': { type: 'boolean', default: false },
    scratch: { type: 'string', default: os.tmpdir() },
    out: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (options.help) {
  console.log(`usage: npm run bench -- [--rows ROW,ROW] [--rounds N] [--without PEER,PEER] [--quick] [--install] [--scratch DIR] [--out FILE]
       npm run bench -- --page-only

Compares wl with cp, find, sha256sum, rsync, rclone, unison, syncthing and lsyncd on this machine; s3-delta starts an S3 server (radosgw).

  --rows ROW,..    which rows to run (default: all); the others keep what was measured before
  --rounds N       rounds of the races (default 3; a row of a million files has one)
  --without PEER,. leaves out peers by a part of their name, e.g. --without unison,bisync
  --quick          a try at a fortieth of the size, into the system's temporary directory
  --install        installs missing peers from Debian's packages first (as root); else they are left out
  --page-only      makes the page anew of what was measured, measures nothing
  --scratch DIR    where trees are made; needs up to 30 GiB
  --out FILE       the page; what was measured is kept beside it as .json (default: docs/benchmarks.md)

Rows, and minutes on a quiet machine of two cores:
${Object.entries(ROWS).map(([name, row]) => `  ${name.padEnd(14)} ${String(row.minutes).padStart(4)}${isRace(row) ? ' a round' : '        '}  ${row.title}`).join('\n')}

In about 25 minutes with 3 rounds each, the removal of all trees at the end included:
  --rows small,large,single,latency-2k,latency-20k,startup,idle      (about 19)
  --rows tiny,entries                                                (about 21)
  --rows million,latency-200k                                        (about 17)`);
  process.exit(0);
}

const out = options.out ?? (options.quick ? path.join(os.tmpdir(), 'wl-bench-quick.md') : path.join(root, 'docs/benchmarks.md'));
const kept = out.replace(/\.md$/, '') + '.json';
const names = options.rows.split(',');
const unknown = names.find((name) => !Object.hasOwn(ROWS, name));
if (unknown !== undefined) fail(`there is no row ${unknown}: ${Object.keys(ROWS).join(', ')}`);

if (!options['page-only']) await measureRows();
const { rows } = readResults(kept);
writeMain(out, report(rows));
console.log(`wrote ${out}`);

async function measureRows() {
  const without = options.without.split(',').filter((part) => part !== '');
  const programs = [...new Set(names.flatMap((name) => ROWS[name].peers.flatMap(({ needs = [] }) => needs)))];
  const missing = ensurePrograms(programs, options.install);
  const scratch = mkdtempSync(path.join(options.scratch, 'wl-bench-'));
  try {
    for (const name of names) {
      const row = ROWS[name];
      const peers = row.peers.filter(({ name: peer, needs }) => !missing.includes(needs) && !without.some((part) => peer.includes(part)));
      const rounds = isRace(row) ? (row.rounds ?? Number(options.rounds)) : 1;
      const started = performance.now();
      const data = await row.run({ scratch, label: name, rounds, peers, isQuick: options.quick, progress });
      const left = row.peers.filter(({ needs }) => missing.includes(needs)).map((peer) => peer.name);
      keepRow(kept, name, { date: new Date().toISOString().slice(0, 10), machine: describeMachine(scratch), rounds, isQuick: options.quick, missing: left, data });
      progress(`${name}: ${((performance.now() - started) / 60_000).toFixed(1)} minutes`);
    }
  } finally {
    // Millions of files: several times faster than from here.
    spawnSync('rm', ['-rf', scratch], { stdio: 'inherit' });
  }
}

function isRace({ kind }) {
  return kind === 'race' || kind === 'syncers';
}

function progress(line) {
  process.stderr.write(`${line}\n`);
}

function fail(message) {
  console.error(`Error: ${message}`);
  process.exit(2);
}

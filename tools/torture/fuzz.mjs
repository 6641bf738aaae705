#!/usr/bin/env node
/**
 * Attacks the daemon through its control socket and `wl` through the files a person writes:
 * `npm run torture:fuzz`. Meanwhile a continuous job goes on, whose probe file has to arrive
 * within seconds; the daemon stays alive and small, and nothing outside its places changes. Run it
 * after a change to the socket, the commands or the manifests. Exits with 1 at any finding.
 */
import { cpSync, readdirSync, readFileSync, lstatSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { chanceOf } from './chance.mjs';
import { makeFolderPair } from './faults/campaign.mjs';
import { spoilFiles } from './fuzz/files.mjs';
import { startProbe } from './fuzz/probe.mjs';
import { attacks } from './fuzz/socket.mjs';
import { Home, requireBuild, until } from './home.mjs';
import { sha256 } from './sha256.mjs';

const KINDS = ['dead', 'late', 'silent', 'unclear', 'leak', 'touched', 'fat', 'broken'];
/** Resident memory that no attack may drive the daemon beyond, MiB. */
const MEMORY_LIMIT_MB = 600;
/** Time a good client may have to wait after an attack, milliseconds. */
const ANSWER_LIMIT_MS = 10_000;

/**
 * Attacks for so many minutes, each kind once at least. Gives figures: rounds, requests, commands,
 * probes, slowestProbeMs, memoryMb (largest), and what was found by kind.
 */
export async function run({ minutes = 5, seed = 1, log = console.log, only = Object.keys(attacks).concat('files') } = {}) {
  requireBuild();
  const figures = { seed, rounds: 0, requests: 0, commands: 0, probes: 0, slowestProbeMs: 0, memoryMb: 0, ...Object.fromEntries(KINDS.map((kind) => [kind, 0])), failures: [] };
  const end = performance.now() + minutes * 60_000;
  for (let round = 0; round === 0 || performance.now() < end; round += 1) {
    const findings = await playRound(seed + round, figures, only, log);
    figures.rounds += 1;
    for (const { kind, text } of findings) {
      figures[kind] += 1;
      log(`  ${kind.toUpperCase()}: ${text.slice(0, 1000)}`);
    }
    if (findings.length > 0) figures.failures.push(seed + round);
  }
  return figures;
}

async function playRound(seed, figures, only, log) {
  const chance = chanceOf(seed);
  const home = new Home();
  const findings = [];
  try {
    log(`seed ${seed}`);
    const { left, right } = await prepare(home);
    const template = home.path('template');
    cpSync(home.base, template, { recursive: true, filter: (file) => !/wl-state|wl-daemon|\/s3(\/|$)/.test(file) });
    const before = surroundings(home);
    const { 'job-id': jobId } = await home.job();
    const probe = startProbe(home, left, right);
    for (const name of only) {
      const outcome = name === 'files' ? await spoilFiles({ home, chance, count: 15, template }) : await attacks[name]({ home, chance, jobId, count: 300 });
      figures.requests += outcome.requests ?? 0;
      figures.commands += outcome.commands ?? 0;
      findings.push(...outcome.findings, ...(await answersStill(home, name)));
      log(`  ${name}: ${outcome.findings.length} findings, ${home.daemonMemoryMb} MiB`);
    }
    await stopForeignJobs(home, jobId);
    const { figures: probed, findings: late } = await probe.stop();
    findings.push(...late, ...touched(before, surroundings(home)));
    figures.probes += probed.probes;
    for (const key of ['slowestProbeMs', 'memoryMb']) figures[key] = Math.max(figures[key], probed[key]);
    if (probed.memoryMb > MEMORY_LIMIT_MB) findings.push({ kind: 'fat', text: `the daemon took ${probed.memoryMb} MiB` });
    findings.push(...(await home.close()).map((text) => ({ kind: 'broken', text })));
  } catch (error) {
    findings.push({ kind: 'broken', text: `${error.stack}\n${home.logTail()}` });
  } finally {
    await home.close().catch(() => undefined);
  }
  return findings;
}

/** A running job, and a neighbourhood that nobody may touch. */
async function prepare(home) {
  await home.startDaemon();
  const roots = await makeFolderPair(home);
  writeFileSync(path.join(roots.left, 'probe.txt'), 'first');
  writeFileSync(path.join(home.folder('canary'), 'secret.txt'), 'secret');
  writeFileSync(path.join(home.folder('canary/inner'), 'x'), 'x');
  await home.wlOk(['container', 'sync', 'photos']);
  await until(() => readFileSync(path.join(roots.right, 'probe.txt'), 'utf8') === 'first', 'the first sync');
  return roots;
}

async function answersStill(home, name) {
  const start = performance.now();
  try {
    await until(() => home.ask('version', undefined, 2000), 'an answer', ANSWER_LIMIT_MS);
    return [];
  } catch (error) {
    return [{ kind: 'silent', text: `after ${name} no good client is served for ${Math.round(performance.now() - start)} ms: ${error.message}` }];
  }
}

/** What an attack started, too, ends here; only the probe's job may go on. */
async function stopForeignJobs(home, jobId) {
  const { jobs } = await home.ask('status-json');
  for (const { 'job-id': other } of jobs) if (other !== jobId) await home.ask('stop', { 'job-id': other });
  if (!jobs.some((job) => job['job-id'] === jobId)) throw new Error('the job of the probe is gone');
}

/** Everything in the home that belongs to no program, by hash; and what stands in places that tricks may lead to. */
function surroundings(home) {
  const found = new Map();
  const walk = (directory) => {
    for (const name of readdirSync(directory)) {
      const place = path.join(directory, name);
      const stats = lstatSync(place);
      if (stats.isDirectory()) walk(place);
      else found.set(place, stats.isFile() ? sha256(readFileSync(place)) : 'special');
    }
  };
  walk(home.path('canary'));
  for (const place of [home.directory, home.path('config'), home.path('run'), path.dirname(home.directory), '/']) {
    for (const name of readdirSync(place)) if (!isOurs(place, name)) found.set(path.join(place, name), 'there');
  }
  return found;
}

/** Names that come and go without the daemon: of these commands, and of others who use the machine. */
function isOurs(place, name) {
  return /^(case-\d+|wlsync\.sock.*)$/.test(name) || (place === path.dirname(path.dirname(place)) ? false : !/^(x|odd|canary.*|secret.*|passwd|missing.*|nobody|polluted|windows.*)$/.test(name) && (place === '/tmp' || place === '/'));
}

function touched(before, after) {
  const findings = [];
  for (const [place, hash] of before) if (after.get(place) !== hash) findings.push({ kind: 'touched', text: `${place} was changed or removed` });
  for (const place of after.keys()) if (!before.has(place)) findings.push({ kind: 'touched', text: `${place} was made` });
  return findings;
}

async function main() {
  const { values: options } = parseArgs({
    options: {
      minutes: { type: 'string', default: '5' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string', default: Object.keys(attacks).concat('files').join(',') },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (options.help) {
    console.log(`usage: npm run torture:fuzz -- [--minutes M] [--seed S] [--only A,B] [--json]

  --minutes M  how long to attack (default 5); one round at least
  --seed S     seed of the first round (default 1); --minutes 0 --seed S replays one
  --only A,B   of ${Object.keys(attacks).concat('files').join(', ')}
  --json       figures as one line of JSON at the end`);
    return 0;
  }
  const figures = await run({ minutes: Number(options.minutes), seed: Number(options.seed), only: options.only.split(',') });
  if (options.json) console.log(JSON.stringify(figures));
  console.log(
    `${figures.rounds} rounds from seed ${figures.seed}: ${figures.requests} requests, ${figures.commands} commands on spoiled files, ${figures.probes} probes, the slowest ${figures.slowestProbeMs} ms, ` +
      `${figures.memoryMb} MiB at most; ${KINDS.map((kind) => `${kind} ${figures[kind]}`).join(', ')}`,
  );
  return figures.failures.length === 0 ? 0 : 1;
}

if (process.argv[1] === import.meta.filename) process.exitCode = await main();

/**
 * `wl` itself is killed or interrupted while it waits for a sync: the daemon lives on or ends its
 * work in order, and the same command run again brings everything over.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { WL } from '../programs.mjs';
import { environment } from './daemon.mjs';
import { AREA, DIRECTORY, everything, hashed, plant, visible } from './files.mjs';
import { randomOf } from './random.mjs';
import { isOver } from './time.mjs';

const ONE_SHOT = ['container', 'sync', '--one-shot', 'photos'];
const SIGNALS = ['SIGKILL', 'SIGINT', 'SIGTERM', 'SIGHUP'];

/** Rounds until the deadline, an instant of `performance.now()`. */
export async function playCommands({ scratch, deadline, seed, onFailure }) {
  const row = { world: 'command', disk: scratch, kind: 'wl', calls: 0, points: 0, played: 0, past: 0, failures: 0, outcomes: {} };
  const home = mkdtempSync(path.join(scratch, 'wl-command-'));
  const random = randomOf(seed);
  const [left, right] = ['left', 'right'].map((side) => path.join(home, side));
  try {
    for (const dir of ['run', 'left', 'right']) mkdirSync(path.join(home, dir), { mode: 0o700 });
    await runs(home, 0, 'container', 'create', 'photos', '--storage', left, '--storage', right);
    for (let round = 0; !isOver(deadline); round += 1) {
      const sides = [left, right].map((root, index) => treeOfRound(round, index));
      const before = everything(right);
      plant(left, sides[0]);
      plant(right, sides[1]);
      const signal = SIGNALS[round % SIGNALS.length];
      const command = start(home, ONE_SHOT);
      await sleep(random.below(900));
      command.process.kill(signal);
      const { code } = await command.ended;
      const wrong = torn(right, before, sides);
      const again = await start(home, ONE_SHOT).ended;
      // Where the first one's sync still runs, the second is told so, and the third finds it done.
      const last = again.code === 0 ? again : await patient(home);
      if (last.code !== 0) wrong.push(`status: the command run again ended with ${last.code}: ${last.said}`);
      wrong.push(...different(left, right, hashed({ ...sides[0], ...sides[1] })));
      const outcome = `${signal} → ${code}`;
      row.outcomes[outcome] = (row.outcomes[outcome] ?? 0) + 1;
      row.played += 1;
      if (wrong.length > 0) {
        row.failures += 1;
        onFailure({ ...row, point: { round, signal }, wrong });
      }
    }
    row.points = row.played;
    return row;
  } finally {
    await start(home, ['stop']).ended;
    rmSync(home, { recursive: true, force: true });
  }
}

/** New versions of some files, new files in a batch, on one side. */
function treeOfRound(round, index) {
  const side = ['left', 'right'][index];
  const batch = Object.fromEntries(Array.from({ length: 12 }, (_, number) => [`${side}/${round}/${number}.txt`, `${side} ${round} ${number}`]));
  return { ...batch, [`${side}/same.txt`]: `${side} ${round}`, [`${side}/large.bin`]: { tag: `${side} ${round}`, bytes: 2 * 1024 * 1024 } };
}

function torn(right, before, sides) {
  const wanted = hashed({ ...sides[0], ...sides[1] });
  const wrong = [];
  for (const [name, hash] of Object.entries(visible(right))) if (hash !== wanted[name] && hash !== before[name]) wrong.push(`torn: right ${name} is no version it ever had`);
  return wrong;
}

function different(left, right, wanted) {
  const wrong = [];
  const [one, other] = [left, right].map((root) => everything(root));
  for (const [name, hash] of Object.entries(wanted)) if (one[name] !== hash || other[name] !== hash) wrong.push(`different: ${name} in the end`);
  for (const name of new Set([...Object.keys(one), ...Object.keys(other)])) {
    const isOurs = name === AREA || name.startsWith(`${AREA}/`);
    if (!isOurs && one[name] !== other[name]) wrong.push(`different: ${name} on the two sides`);
    if (name.startsWith(`${AREA}/staging/`) && [one[name], other[name]].some((hash) => hash !== undefined && hash !== DIRECTORY)) wrong.push(`leftover: ${name}`);
  }
  return wrong;
}

async function patient(home) {
  let last;
  for (let attempt = 0; attempt < 20; attempt += 1) {
    await sleep(200);
    last = await start(home, ONE_SHOT).ended;
    if (last.code === 0) return last;
  }
  return last;
}

async function runs(home, code, ...words) {
  const run = await start(home, words).ended;
  if (run.code !== code) throw new Error(`wl ${words.join(' ')} ended with ${run.code}: ${run.said}`);
}

function start(home, words) {
  const child = spawn(process.execPath, [WL, ...words], { env: environment(home), cwd: home, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  return { process: child, ended: new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code: code ?? signal, said }))) };
}

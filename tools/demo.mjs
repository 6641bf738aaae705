#!/usr/bin/env node
/**
 * Shows the main job with the built programs: `npm run demo`.
 *
 * Two folders in a scratch directory, with a base directory of their own, are synced once,
 * brought into conflict, and then kept in sync by the daemon. Everything is removed at the end;
 * nothing of yours is touched. `--keep` leaves the scratch directory and says where it is.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

if (process.argv.includes('--help')) {
  console.log('usage: npm run demo [-- --keep]\n\nSyncs two folders in a scratch directory and shows what wl prints.');
  process.exit(0);
}

const program = path.resolve(import.meta.dirname, '../dist/cli/wl.cjs');
if (!existsSync(program)) {
  console.error('Error: the programs are not built yet; run `npm run build` first');
  process.exit(1);
}

const scratch = mkdtempSync(path.join(os.tmpdir(), 'wl-demo-'));
const [laptop, disk] = ['laptop', 'usb-disk'].map((name) => path.join(scratch, name));
const env = { ...process.env, HOME: scratch };
for (const name of ['CONFIG', 'DATA', 'CACHE', 'STATE']) env[`XDG_${name}_HOME`] = path.join(scratch, name.toLowerCase());
env.XDG_RUNTIME_DIR = path.join(scratch, 'run');
mkdirSync(env.XDG_RUNTIME_DIR, { mode: 0o700 });

/** Runs a `wl` command, shows it and what it prints, and checks its exit code. */
function wl(args, expected = 0) {
  console.log(`\n$ wl ${args.map((arg) => arg.replace(scratch, '~')).join(' ')}`);
  const run = spawnSync(process.execPath, [program, ...args], { env, encoding: 'utf8' });
  process.stdout.write(`${run.stdout}${run.stderr}`.replaceAll(scratch, '~'));
  if (run.status !== expected) throw new Error(`wl ${args.join(' ')} ended with ${run.status} instead of ${expected}`);
}

function say(text) {
  console.log(`\n# ${text}`);
}

function write(folder, name, text) {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

try {
  for (const folder of [laptop, disk]) mkdirSync(folder);
  for (const [name, text] of [['2025/beach.jpg', 'sand'], ['2025/boat.jpg', 'water'], ['notes.txt', 'from the laptop']]) write(laptop, name, text);
  write(disk, '2024/garden.jpg', 'roses');

  say('Two folders become the storages of one container, and are synced once.');
  wl(['container', 'create', 'photos', '--storage', laptop, '--storage', disk]);
  wl(['container', 'sync', '--one-shot', 'photos']);

  say('Both sides change the same file: a conflict changes nothing, the rest is synced.');
  write(laptop, 'notes.txt', 'edited on the laptop');
  write(disk, 'notes.txt', 'edited on the disk');
  write(disk, '2025/sunset.jpg', 'orange');
  wl(['container', 'sync', '--one-shot', 'photos'], 3);

  say('Copying the wanted version over the other one ends the conflict. From now on the daemon keeps both in sync.');
  write(disk, 'notes.txt', 'edited on the laptop');
  wl(['container', 'sync', 'photos']);
  await until(() => status().jobs[0]?.state === 'SYNCED');
  write(laptop, '2026/skating.jpg', 'ice');
  const started = performance.now();
  await until(() => existsSync(path.join(disk, '2026/skating.jpg')) && readFileSync(path.join(disk, '2026/skating.jpg'), 'utf8') === 'ice');
  say(`A new photo on the laptop was on the disk ${Math.round(performance.now() - started)} ms later.`);
  wl(['status']);
  wl(['stop']);
  say('That was it. `node_modules/.bin/wl --help` shows all commands.');
} finally {
  spawnSync(process.execPath, [program, 'stop'], { env });
  if (process.argv.includes('--keep')) console.log(`kept ${scratch}`);
  else rmSync(scratch, { recursive: true, force: true });
}

function status() {
  return JSON.parse(spawnSync(process.execPath, [program, 'status', '--json'], { env, encoding: 'utf8' }).stdout);
}

async function until(condition) {
  for (const end = performance.now() + 30_000; !condition(); await sleep(5)) {
    if (performance.now() > end) throw new Error('the folders did not come into sync within 30 s');
  }
}

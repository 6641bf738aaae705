/**
 * Surroundings for a torture world: a scratch home, the built programs run in it, and a bare
 * client of the control socket. Everything in it ends with it: processes that carry its mark in
 * their environment, and all files.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { areBuilt, DAEMON, WL } from './programs.mjs';

/** A program that has not ended by then is killed and counts as one that hangs. Milliseconds. */
const RUN_LIMIT_MS = 60_000;
/** Time a daemon has to listen, and to end when asked to. Milliseconds. */
const DAEMON_LIMIT_MS = 30_000;

/** Says what is missing where the programs are not built. */
export function requireBuild() {
  if (areBuilt()) return;
  console.error('the programs are not built: run `npm run build` first');
  process.exit(2);
}

/** One scratch home. */
export class Home {
  /**
   * - `directory`: where to make it instead of a directory of its own (a small disk); it stays then.
   * - `prefix`: put before the daemon's command line. - `user`: id of the user that programs run as.
   */
  constructor({ directory, prefix = [], env = {}, user } = {}) {
    this.isOwn = directory === undefined;
    this.directory = realpathSync(directory ?? mkdtempSync(path.join(os.tmpdir(), 'wl-torture-')));
    this.user = user;
    this.prefix = user === undefined ? prefix : ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups', ...prefix];
    this.mark = `WL_TORTURE=${randomUUID()}`;
    this.env = { ...process.env, HOME: this.directory, LC_ALL: 'C.UTF-8', WL_TORTURE: this.mark.slice('WL_TORTURE='.length), NO_COLOR: '1', AWS_EC2_METADATA_DISABLED: 'true' };
    for (const name of Object.keys(this.env)) if (/^(AWS_(?!EC2)|WL_S3|WL_SYNC|NODE_OPTIONS|FORCE_COLOR)/.test(name)) delete this.env[name];
    for (const name of ['config', 'data', 'cache', 'state']) this.env[`XDG_${name.toUpperCase()}_HOME`] = this.folder(name);
    this.env.XDG_RUNTIME_DIR = this.folder('run');
    this.daemonEnv = { ...this.env, ...env };
    this.own(this.directory);
  }

  get base() {
    return path.join(this.directory, 'config/wildland');
  }

  get socket() {
    return path.join(this.directory, 'run/wlsync.sock');
  }

  path(...parts) {
    return path.join(this.directory, ...parts);
  }

  /** Makes a directory in it that belongs to the user. */
  folder(...parts) {
    const place = this.path(...parts);
    mkdirSync(place, { recursive: true, mode: 0o700 });
    this.own(place);
    return place;
  }

  /** Hands a place to the user that programs run as. */
  own(place) {
    if (this.user !== undefined) chownSync(place, this.user, this.user);
  }

  /** Runs a command line to its end; `{ code, signal, output, hangs }`. */
  run(command, { stdin = '', limitMs = RUN_LIMIT_MS, env = this.env, cwd = this.directory } = {}) {
    return new Promise((resolve, reject) => {
      const [program, ...args] = command;
      const child = spawn(program, args, { env, cwd, stdio: ['pipe', 'pipe', 'pipe'] });
      let [stdout, stderr, hangs] = ['', '', false];
      child.stdin.on('error', () => undefined).end(stdin);
      child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
      child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
      const timer = setTimeout(() => {
        hangs = true;
        child.kill('SIGKILL');
        child.stdout.destroy();
        child.stderr.destroy();
      }, limitMs);
      child.once('error', reject);
      child.once('close', (code, signal) => {
        clearTimeout(timer);
        resolve({ code, signal, stdout, stderr, output: stdout + stderr, hangs });
      });
    });
  }

  /** Runs `wl` to its end. */
  wl(args, options) {
    const user = this.user === undefined ? [] : ['setpriv', `--reuid=${this.user}`, `--regid=${this.user}`, '--clear-groups'];
    return this.run([...user, process.execPath, WL, ...args], options);
  }

  /** The same; it must end with 0. */
  async wlOk(args, options) {
    const run = await this.wl(args, options);
    if (run.code !== 0) throw new Error(`wl ${args.join(' ')} ended with ${run.hangs ? 'a hang' : (run.code ?? run.signal)}: ${run.output}`);
    return run;
  }

  /** Starts the daemon, with the prefix before it, and waits until it listens. */
  async startDaemon(prefix = this.prefix) {
    const [program, ...args] = [...prefix, process.execPath, DAEMON];
    const child = spawn(program, args, { env: this.daemonEnv, cwd: this.directory, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text) => (said += text));
    child.once('error', (error) => (said += error.message));
    await until(() => this.ask('version'), () => `the daemon to listen; it said: ${said}\n${this.logTail()}`, DAEMON_LIMIT_MS);
    return child;
  }

  /** Id of the daemon's process, `undefined` where none runs. */
  get daemonPid() {
    try {
      const pid = Number.parseInt(readFileSync(path.join(this.base, 'wl-daemon.pid'), 'utf8'), 10);
      return isRunning(pid) ? pid : undefined;
    } catch {
      return undefined;
    }
  }

  /** Resident memory of the daemon, MiB. */
  get daemonMemoryMb() {
    const kib = /^VmRSS:\s+(\d+)/m.exec(textOf(`/proc/${this.daemonPid ?? 0}/status`))?.[1];
    return kib === undefined ? 0 : Math.round(Number(kib) / 1024);
  }

  /** Asks on the control socket and gives the result. */
  async ask(cmd, args, limitMs = 20_000) {
    const answer = await askSocket(this.socket, { cmd, ...(args !== undefined && { args }), id: 1 }, limitMs);
    if (answer.error !== undefined) throw new Error(`${answer.error.class}: ${answer.error.desc}`);
    return answer.result;
  }

  /** The only job. */
  async job() {
    const { jobs } = await this.ask('status-json');
    if (jobs.length !== 1) throw new Error(`there are ${jobs.length} jobs`);
    return jobs[0];
  }

  /** What the daemon logged. */
  log() {
    const directory = this.path('data/wildland');
    if (!existsSync(directory)) return '';
    return readdirSync(directory).filter((name) => name.endsWith('.log')).map((name) => textOf(path.join(directory, name))).join('');
  }

  logTail(lines = 12) {
    return this.log().trimEnd().split('\n').slice(-lines).join('\n');
  }

  /** Ends all processes of this home and removes it; answers sentences about what went wrong with the daemon. */
  async close() {
    const defects = this.log().split('\n').filter((line) => /"msg":"(uncaught|unhandled)"/.test(line)).map((line) => `the daemon met a defect: ${line}`);
    for (const pid of processesWith(this.mark)) signal(pid, 'SIGTERM');
    try {
      await until(() => processesWith(this.mark).length === 0, 'the processes to end', DAEMON_LIMIT_MS);
    } catch {
      defects.push('the daemon did not end when it was asked to');
      for (const pid of processesWith(this.mark)) signal(pid, 'SIGKILL');
      await sleep(500);
    }
    if (this.isOwn) rmSync(this.directory, { recursive: true, force: true, maxRetries: 3 });
    return defects;
  }
}

/** One request on a connection of its own; the answer as JSON. */
export function askSocket(socketPath, request, limitMs = 20_000) {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path: socketPath });
    let text = '';
    const end = (error, value) => {
      clearTimeout(timer);
      socket.destroy();
      if (error === undefined) resolve(value);
      else reject(error);
    };
    const timer = setTimeout(() => end(new Error(`no answer to ${request.cmd} within ${limitMs / 1000} s`)), limitMs);
    socket.setEncoding('utf8');
    socket.on('error', (error) => end(error));
    socket.on('close', () => end(new Error(`the connection ended: ${text.slice(0, 200)}`)));
    socket.on('data', (chunk) => {
      text += chunk;
      for (let at = text.indexOf('\n\n'); at >= 0; at = text.indexOf('\n\n')) {
        const message = JSON.parse(text.slice(0, at));
        text = text.slice(at + 2);
        if (message.event === undefined) return end(undefined, message);
      }
    });
    socket.write(`${JSON.stringify(request)}\n\n`);
  });
}

/** Looks until there is a value that is neither false nor undefined; rejects after the deadline. */
export async function until(look, what, deadlineMs = 30_000) {
  const end = performance.now() + deadlineMs;
  for (let pauseMs = 10; ; pauseMs = Math.min(250, pauseMs * 1.5)) {
    let failure = '';
    try {
      const value = await look();
      if (value !== false && value !== undefined) return value;
    } catch (error) {
      failure = ` (${error.message})`;
    }
    if (performance.now() > end) throw new Error(`waited ${deadlineMs / 1000} s in vain for ${typeof what === 'string' ? what : what()}${failure}`);
    await sleep(pauseMs);
  }
}

/** Ids of running processes that carry the mark in their environment. */
export function processesWith(mark) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && textOf(`/proc/${name}/environ`).includes(mark))
    .map(Number)
    .filter((pid) => pid !== process.pid && isRunning(pid));
}

/** Whether a process has not ended; one that waits to be reaped has. */
export function isRunning(pid) {
  return /^\d+ \(.*\) [^ZX]/s.test(textOf(`/proc/${pid}/stat`));
}

export function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch {
    // It ended in between.
  }
}

function textOf(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

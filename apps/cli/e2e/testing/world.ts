/**
 * One user's surroundings: a scratch home with XDG directories of its own, and the programs run
 * in it. Everything in it belongs to one test and is gone at its end, the daemon included.
 */

import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { validateStatus, type Status, type StatusJob } from '@wl/ports/schemas';

import { Child, type ChildOptions, type Run } from './child.js';
import { shellWord } from './means.js';
import { isRunning, processesWith } from './processes.js';
import { DAEMON, WL } from './programs.js';
import { ProtocolClient } from './protocol-client.js';
import { plant, treeOf } from './tree.js';
import { until } from './until.js';

/** Time a daemon has to end by itself, in milliseconds. */
const END_LIMIT_MS = 30_000;

/** Variables of the surroundings the tests run in that would reach into a scratch home. */
const FOREIGN = ['NODE_EXTRA_CA_CERTS', 'NODE_OPTIONS', 'NO_COLOR', 'FORCE_COLOR', 'WL_SYNC_LOG_PATH', 'WL_SYNC_DAEMON'];

/** How a world differs from the usual one. */
export interface WorldOptions {
  /** Put before each program, e.g. to take rights away. */
  readonly prefix?: readonly string[];
}

/** A scratch home. Open one for each test, and close it. */
export class World {
  /** Everything is below it; absolute, without links. */
  readonly home: string;
  /** The default base directory. */
  readonly base: string;
  readonly env: NodeJS.ProcessEnv;
  readonly #prefix: readonly string[];
  readonly #mark: string;
  readonly #clients: ProtocolClient[] = [];

  constructor(options: WorldOptions = {}) {
    this.home = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'wl-e2e-')));
    this.base = this.path('config', 'wildland');
    this.#prefix = options.prefix ?? [];
    this.#mark = `WL_E2E=${randomUUID()}`;
    const env: NodeJS.ProcessEnv = { ...process.env, HOME: this.home, LC_ALL: 'C.UTF-8', WL_E2E: this.#mark.slice('WL_E2E='.length) };
    for (const name of FOREIGN) delete env[name];
    for (const name of ['CONFIG', 'DATA', 'CACHE', 'STATE']) env[`XDG_${name}_HOME`] = this.path(name.toLowerCase());
    env['XDG_RUNTIME_DIR'] = this.path('run');
    mkdirSync(this.path('run'), { mode: 0o700 });
    this.env = env;
  }

  /** A path in the scratch home. */
  path(...parts: string[]): string {
    return path.join(this.home, ...parts);
  }

  /** Makes a directory in the scratch home. */
  folder(...parts: string[]): string {
    const place = this.path(...parts);
    mkdirSync(place, { recursive: true });
    return place;
  }

  /** Runs `wl` to its end and expects exit code 0. */
  wl(...args: string[]): Promise<Run> {
    return this.wlEnds(0, ...args);
  }

  /** Runs `wl` to its end and expects `code`. */
  async wlEnds(code: number, ...args: string[]): Promise<Run> {
    const run = await this.startWl(...args).ended;
    if (run.code === code) return run;
    throw new Error(`wl ${args.join(' ')} ended with ${run.code ?? run.signal} instead of ${code}\nstdout: ${run.stdout}\nstderr: ${run.stderr}${this.#logTail()}`);
  }

  /** Starts `wl` without waiting for it. */
  startWl(...args: string[]): Child {
    return this.start(this.command(...args));
  }

  /** The command line of `wl` with arguments. */
  command(...args: string[]): string[] {
    return [process.execPath, WL, ...args];
  }

  /** Runs a line in a shell that knows `wl`, as a user does with a command that was printed. */
  shell(line: string): Promise<Run> {
    const bin = this.folder('bin');
    const wl = path.join(bin, 'wl');
    if (!existsSync(wl)) writeFileSync(wl, `#!/bin/sh\nexec ${this.command().map(shellWord).join(' ')} "$@"\n`, { mode: 0o755 });
    return this.start(['sh', '-c', line], { env: { ...this.env, PATH: `${bin}:${this.env['PATH'] ?? ''}` } }).ended;
  }

  /** Starts the daemon in the foreground. */
  startDaemon(...args: string[]): Child {
    return this.start([process.execPath, DAEMON, ...args]);
  }

  /** Starts any command line in these surroundings. */
  start(command: readonly string[], options: Partial<ChildOptions> = {}): Child {
    return new Child([...this.#prefix, ...command], { env: this.env, cwd: this.home, ...options });
  }

  /** The control socket of the default base directory. */
  get socket(): string {
    return this.path('run', 'wlsync.sock');
  }

  /** A connection to the running daemon; closed with the world. */
  async connect(socketPath = this.socket): Promise<ProtocolClient> {
    const client = await ProtocolClient.connect(socketPath);
    this.#clients.push(client);
    return client;
  }

  /** The status object, asked for on the socket and checked against its schema. Starts no daemon. */
  async status(socketPath = this.socket): Promise<Status> {
    const client = await ProtocolClient.connect(socketPath);
    try {
      const { result } = await client.ask('status-json');
      if (!validateStatus(result)) throw new Error(`the status does not match its schema: ${JSON.stringify(validateStatus.errors)} in ${JSON.stringify(result)}`);
      return result;
    } finally {
      client.close();
    }
  }

  /** The only job, or the one with that target. */
  async job(targetId?: string): Promise<StatusJob> {
    const { jobs } = await this.status();
    const fitting = targetId === undefined ? jobs : jobs.filter(({ target }) => target['backend-id'] === targetId);
    const [job, ...others] = fitting;
    if (job === undefined || others.length > 0) throw new Error(`there are ${fitting.length} fitting jobs: ${JSON.stringify(jobs)}`);
    return job;
  }

  /** Waits until the only job (or the one with that target) fits, and gives it. */
  untilJob(what: string, fits: (job: StatusJob) => boolean, targetId?: string): Promise<StatusJob> {
    let last: StatusJob | undefined;
    return until(
      async () => {
        last = await this.job(targetId);
        return fits(last) ? last : undefined;
      },
      () => `a job that ${what}; last seen: ${JSON.stringify(last)}${this.#logTail()}`,
    );
  }

  /** Waits until the job is SYNCED. */
  untilSynced(targetId?: string): Promise<StatusJob> {
    return this.untilJob('is SYNCED', (job) => job.state === 'SYNCED', targetId);
  }

  /** Waits until the job has halted for that reason. */
  untilHalted(reason: string): Promise<StatusJob> {
    return this.untilJob(`halted for ${reason}`, (job) => job.state === 'ERROR' && job.halt?.reason === reason);
  }

  /** Waits until `wl status` shows that, and gives all that it showed: a job that looks again is in another state for a moment. */
  async untilShown(pattern: RegExp, ...options: string[]): Promise<string> {
    let shown = '';
    return until(
      async () => {
        shown = (await this.wl('status', ...options)).stdout;
        return pattern.test(shown) ? shown : undefined;
      },
      () => `a status like ${String(pattern)}; it is ${shown}`,
    );
  }

  /** Waits until a directory holds exactly that (see `treeOf`). */
  async untilTree(root: string, expected: Readonly<Record<string, string>>): Promise<void> {
    const wanted = sortedText(expected);
    await until(() => sortedText(treeOf(root)) === wanted, () => `${root} to hold ${wanted}; it holds ${sortedText(treeOf(root))}${this.#logTail()}`);
  }

  /** Waits until both directories hold the same. */
  async untilSame(one: string, other: string): Promise<void> {
    await until(
      () => sortedText(treeOf(one)) === sortedText(treeOf(other)),
      () => `${one} and ${other} to be the same; they hold ${sortedText(treeOf(one))} and ${sortedText(treeOf(other))}${this.#logTail()}`,
    );
  }

  /** A container over two new directories, with short backend-ids, that has been synced once. */
  async pair(name: string, files: Readonly<Record<string, string | Uint8Array>> = {}, options: readonly string[] = []): Promise<Pair> {
    const pair = await this.unsyncedPair(name, options);
    plant(pair.left, files);
    await this.wl('container', 'sync', '--one-shot', name);
    return pair;
  }

  /** A container over two new directories, `<name>-left` and `<name>-right`, whose backend-ids are called the same. */
  async unsyncedPair(name: string, options: readonly string[] = []): Promise<Pair> {
    const [leftId, rightId] = [`${name}-left`, `${name}-right`];
    const [left, right] = [this.folder(leftId), this.folder(rightId)];
    await this.wl('container', 'create', name, ...options);
    await this.wl('storage', 'create', 'local', '--container', name, '--location', left, '--backend-id', leftId);
    await this.wl('storage', 'create', 'local', '--container', name, '--location', right, '--backend-id', rightId, '--skip-sync');
    return { name, left, right, leftId, rightId };
  }

  /** Id of the daemon of a base directory, as it noted it. */
  daemonPid(base = this.base): number {
    return Number.parseInt(readFileSync(path.join(base, 'wl-daemon.pid'), 'utf8'), 10);
  }

  /** Kills the daemon as a crash would, and waits until it is gone. */
  async crashDaemon(base = this.base): Promise<void> {
    const pid = this.daemonPid(base);
    process.kill(pid, 'SIGKILL');
    await until(() => !isRunning(pid), `the killed daemon (${pid}) to be gone`);
  }

  /** What the daemon logged so far. */
  log(): string {
    const directory = this.path('data', 'wildland');
    if (!existsSync(directory)) return '';
    return readdirSync(directory)
      .filter((name) => name.endsWith('.log'))
      .map((name) => readFileSync(path.join(directory, name), 'utf8'))
      .join('');
  }

  /** Writes a file of the scratch home. */
  write(name: string, content: string | Uint8Array): string {
    const file = this.path(name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
    return file;
  }

  /** Ends what still runs and removes everything. Rejects when a daemon does not end when asked to, or has met a defect. */
  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    const log = this.log();
    const stuck = await this.#endProcesses();
    rmSync(this.home, { recursive: true, force: true });
    if (stuck.length > 0) throw new Error(`processes ${stuck.join(', ')} did not end within ${END_LIMIT_MS / 1000} s of SIGTERM\n${log}`);
    const defects = log.split('\n').filter((line) => /"msg":"(uncaught|unhandled)"/.test(line));
    if (defects.length > 0) throw new Error(`the daemon met a defect: ${defects.join('\n')}`);
  }

  async #endProcesses(): Promise<number[]> {
    for (const pid of this.#processes()) signal(pid, 'SIGTERM');
    try {
      await until(() => this.#processes().length === 0, 'the processes to end', END_LIMIT_MS);
      return [];
    } catch {
      const stuck = this.#processes();
      for (const pid of stuck) signal(pid, 'SIGKILL');
      return stuck;
    }
  }

  #processes(): number[] {
    if (process.platform === 'linux') return processesWith(this.#mark);
    // Without /proc only the daemon can be found.
    const pid = existsSync(path.join(this.base, 'wl-daemon.pid')) ? this.daemonPid() : 0;
    return pid > 0 && isRunning(pid) ? [pid] : [];
  }

  #logTail(): string {
    const lines = this.log().trimEnd().split('\n').slice(-15);
    return `\nlog of the daemon:\n${lines.join('\n')}`;
  }
}

/** Two directories that are the storages of a container. */
export interface Pair {
  readonly name: string;
  readonly left: string;
  readonly right: string;
  readonly leftId: string;
  readonly rightId: string;
}

function sortedText(tree: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.fromEntries(Object.entries(tree).sort(([a], [b]) => (a < b ? -1 : 1))));
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended in between.
  }
}

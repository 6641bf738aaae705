/**
 * A scratch home for the built programs: XDG directories of its own, a container over two folders, and a daemon
 * that ends with it. For campaigns that treat `wl` as a black box; nothing outside the directory is touched.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { areBuilt, WL } from './programs.mjs';

/** Whether the programs are built; says so on stderr when they are not. */
export function isBuilt() {
  if (areBuilt()) return true;
  console.error('Error: the programs are not built yet; run `npm run build` first');
  return false;
}

/** A home below `dir`, and the container `pair` over two folders that the caller has made. */
export class WlHome {
  /** @param {string} dir absolute; @param {readonly string[]} prefix put before each program, e.g. to give rights away */
  constructor(dir, prefix = []) {
    this.dir = dir;
    this.prefix = prefix;
    const at = (name) => path.join(dir, name);
    this.env = { ...process.env, LC_ALL: 'C.UTF-8', HOME: dir, XDG_CONFIG_HOME: at('config'), XDG_DATA_HOME: at('data'), XDG_CACHE_HOME: at('cache'), XDG_STATE_HOME: at('state'), XDG_RUNTIME_DIR: at('run') };
    // Certificates that Node reads at every start are no part of this.
    for (const name of ['NODE_EXTRA_CA_CERTS', 'NODE_OPTIONS', 'WL_SYNC_LOG_PATH', 'WL_SYNC_DAEMON']) delete this.env[name];
    mkdirSync(at('run'), { recursive: true, mode: 0o700 });
  }

  /** Runs `wl`; gives exit code and output. */
  run(...args) {
    const [program, ...rest] = [...this.prefix, process.execPath, WL, ...args];
    const { status, signal, stdout, stderr } = spawnSync(program, rest, { env: this.env, encoding: 'utf8', timeout: 300_000, maxBuffer: 1 << 28 });
    return { code: status ?? signal, stdout, stderr };
  }

  /** Runs `wl` and expects one of the exit codes. */
  wl(args, codes = [0, 3]) {
    const run = this.run(...args);
    if (!codes.includes(run.code)) throw new Error(`wl ${args.join(' ')} ended with ${run.code}\n${run.stdout}${run.stderr}`);
    return run;
  }

  /** Makes the container `pair` over two folders. */
  createPair(left, right) {
    this.wl(['container', 'create', 'pair', '--storage', left, '--storage', right], [0]);
  }

  /** The only job. */
  job() {
    return JSON.parse(this.wl(['status', '--json'], [0]).stdout).jobs[0];
  }

  /** Waits until `fits(job)`; gives the job, or `undefined` when that took longer than `limitMs`. */
  async untilJob(fits, limitMs = 60_000) {
    for (const end = Date.now() + limitMs; Date.now() < end; await sleep(100)) {
      const job = this.job();
      if (job !== undefined && fits(job)) return job;
    }
    return undefined;
  }

  /** Id of the daemon's process. */
  daemonPid() {
    return Number.parseInt(readFileSync(path.join(this.dir, 'config/wildland/wl-daemon.pid'), 'utf8'), 10);
  }

  /** Stops the daemon. Never starts one. */
  stop() {
    return this.run('stop');
  }
}

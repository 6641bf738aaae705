/**
 * The programs that are compared, each behind the same three calls: `first` (an empty target),
 * `again` (whatever changed since), and `stop`. Each peer gets directories of its own.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { cleanEnv, measure } from './measure.mjs';

/** The checkout. */
export const root = path.resolve(import.meta.dirname, '../..');
const WL = [process.execPath, path.join(root, 'dist/cli/wl.cjs')];

/** `cp -a`: the limit, no syncer can beat it on a first copy. It has no second pass. */
export const cp = {
  name: 'cp -a',
  make: (dir) => ({
    first: (source, target) => measure(['sh', '-c', 'cp -a "$0/." "$1/"', source, target], { scratch: dir }),
    stop: () => undefined,
  }),
};

/** `cp -a`, then `sync -f`: the limit for a copy that survives a power loss. */
export const cpSync = {
  name: 'cp -a + sync',
  make: (dir) => ({
    first: (source, target) => measure(['sh', '-c', 'cp -a "$0/." "$1/" && sync -f "$1"', source, target], { scratch: dir }),
    stop: () => undefined,
  }),
};

/** `find` over both sides: what looking at everything costs at least. */
export const find = {
  name: 'find, both sides',
  make: (dir) => ({
    again: (source, target) =>
      measure(['sh', '-c', 'find "$0" -printf "%p %s %T@ %C@ %i\\n" >/dev/null; find "$1" -printf "%p %s %T@ %C@ %i\\n" >/dev/null', source, target], {
        scratch: dir,
      }),
    stop: () => undefined,
  }),
};

function rclone(name, command) {
  return {
    name,
    make: (dir) => {
      const env = cleanEnv({ HOME: dir, RCLONE_CONFIG: path.join(dir, 'rclone.conf'), XDG_CACHE_HOME: dir });
      delete env.AWS_CA_BUNDLE;
      const run = (extra, source, target) => measure(['rclone', ...command, ...extra, source, target], { scratch: dir, env });
      return {
        first: (source, target) => run(command[0] === 'bisync' ? ['--resync'] : [], source, target),
        again: (source, target) => run([], source, target),
        stop: () => undefined,
      };
    },
  };
}

/** One way, by size and time. */
export const rcloneSync = rclone('rclone sync', ['sync']);
/** Two ways. */
export const rcloneBisync = rclone('rclone bisync', ['bisync', '--force']);

/** Two ways. */
export const unison = {
  name: 'unison',
  make: (dir) => {
    const env = cleanEnv({ HOME: dir, UNISON: path.join(dir, 'unison') });
    const run = (source, target) =>
      measure(['unison', '-ui', 'text', '-batch', '-auto', '-silent', '-times', source, target], { scratch: dir, env });
    return { first: run, again: run, stop: () => undefined };
  },
};

/** Environment of a `wl` that lives in a directory of its own. */
export function wlEnv(dir) {
  const at = (name) => path.join(dir, name);
  return cleanEnv({
    HOME: dir,
    XDG_CONFIG_HOME: at('config'),
    XDG_DATA_HOME: at('data'),
    XDG_CACHE_HOME: at('cache'),
    XDG_RUNTIME_DIR: at('run'),
  });
}

/** Runs `wl` and gives its output; throws when it fails. */
export function wl(env, ...args) {
  const run = spawnSync(WL[0], [WL[1], ...args], { env, encoding: 'utf8' });
  if (run.status !== 0 && run.status !== 3) throw new Error(`wl ${args.join(' ')}: ${run.status}\n${run.stdout}${run.stderr}`);
  return run.stdout;
}

/** Peak memory of the daemon so far, in MiB. */
export function daemonPeakMiB(env) {
  const { daemon } = JSON.parse(wl(env, 'status', '--json'));
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'));
  return Number(kilobytes) / 1024;
}

/**
 * Ours: two ways, sha256-verified, durable. `warm`: the daemon runs already; otherwise its start
 * is part of the time. Memory is that of the command plus the daemon.
 */
export function ours({ isWarm }) {
  return {
    name: isWarm ? 'wl (daemon running)' : 'wl (cold start)',
    make: (dir) => {
      const env = wlEnv(dir);
      mkdirSync(env.XDG_RUNTIME_DIR, { recursive: true, mode: 0o700 });
      const run = () => {
        const result = measure([...WL, 'container', 'sync', '--one-shot', 'bench'], { scratch: dir, env });
        return { ...result, peakMiB: result.peakMiB + daemonPeakMiB(env) };
      };
      return {
        first: (source, target) => {
          wl(env, 'container', 'create', 'bench', '--storage', source, '--storage', target);
          if (isWarm) wl(env, 'status');
          return run();
        },
        again: () => {
          if (isWarm) wl(env, 'status');
          else wl(env, 'stop');
          return run();
        },
        stop: () => wl(env, 'stop'),
      };
    },
  };
}

/**
 * The programs that are compared over two folders, each behind the same calls: `first` (an empty
 * target), `again` (whatever changed since), `stop`. `make(dir, source, target)` gives one of them
 * directories of its own to keep things in. Whole processes are measured.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { cleanEnv, forgetPeak, measure, useOf } from './measure.mjs';
import { makeTree } from './tree.mjs';

/** The checkout. */
export const root = path.resolve(import.meta.dirname, '../..');
/** The command `wl`. */
export const WL = [process.execPath, path.join(root, 'dist/cli/wl.cjs')];

const nothing = () => undefined;
const shell = (dir, script, ...args) => measure(['sh', '-c', script, ...args], { scratch: dir });

/** `cp -a`: the limit, no syncer can beat it on a first copy. It has no second pass. */
export const cp = {
  name: 'cp -a',
  make: (dir, source, target) => ({ first: () => shell(dir, 'cp -a "$0/." "$1/"', source, target), stop: nothing }),
};

/** `cp -a`, then `sync -f`: the limit for a copy that survives a power loss. It finds no changes: it is told what was written, and what was removed is not its affair. */
export const cpSync = {
  name: 'cp -a + sync',
  make: (dir, source, target) => ({
    first: () => shell(dir, 'cp -a "$0/." "$1/" && sync -f "$1"', source, target),
    changed: ({ written, removed }) => {
      const list = path.join(dir, 'written');
      writeFileSync(list, written.join('\0'));
      const result = shell(dir, 'cd "$0" && xargs -0 -a "$2" cp -a --parents -t "$1" && sync -f "$1"', source, target, list);
      for (const file of removed) unlinkSync(path.join(target, file));
      return result;
    },
    stop: nothing,
  }),
};

const LOOK = '"%p %s %T@ %C@ %i\\n" >/dev/null';

/** `find` over both sides: what looking at everything costs at least. */
export const find = {
  name: 'find -printf, both sides',
  needsTarget: true,
  make: (dir, source, target) => {
    const again = () => shell(dir, `find "$0" -printf ${LOOK}; find "$1" -printf ${LOOK}`, source, target);
    return { again, changed: nothing, stop: nothing };
  },
};

/** `sha256sum` of the source: what reading and hashing everything once costs in one thread. */
export const sha256sum = {
  name: 'sha256sum, one side',
  onlyReads: true,
  make: (dir, source) => ({ first: () => shell(dir, 'find "$0" -type f -print0 | xargs -0 sha256sum >/dev/null', source), stop: nothing }),
};

function rsync(name, ...extra) {
  return {
    name,
    needs: 'rsync',
    make: (dir, source, target) => {
      const run = () => measure(['rsync', '-a', '--delete', ...extra, `${source}/`, `${target}/`], { scratch: dir });
      return { first: run, again: run, changed: run, stop: nothing };
    },
  };
}

/** One way, by size and time, not durable. */
export const rsyncPlain = rsync('rsync -a --delete');
/** One way, each file durable. */
export const rsyncFsync = rsync('rsync -a --delete --fsync', '--fsync');

function rclone(name, command) {
  return {
    name,
    needs: 'rclone',
    make: (dir, source, target) => {
      const env = cleanEnv({ HOME: dir, RCLONE_CONFIG: path.join(dir, 'rclone.conf'), XDG_CACHE_HOME: dir });
      delete env.AWS_CA_BUNDLE;
      const run = (...extra) => measure(['rclone', ...command, ...extra, source, target], { scratch: dir, env });
      return { first: () => run(...(command[0] === 'bisync' ? ['--resync'] : [])), again: () => run(), changed: () => run(), stop: nothing };
    },
  };
}

/** One way, by size and time. */
export const rcloneSync = rclone('rclone sync', ['sync']);
/** Two ways. */
export const rcloneBisync = rclone('rclone bisync', ['bisync', '--force']);

/** The environment of a unison that keeps its archives in a directory of its own. */
export const unisonEnv = (dir) => cleanEnv({ HOME: dir, UNISON: path.join(dir, 'unison') });
/** How unison is run. */
export const UNISON = ['unison', '-ui', 'text', '-batch', '-auto', '-silent', '-times'];

/** Two ways. */
export const unison = {
  name: 'unison',
  needs: 'unison',
  make: (dir, source, target) => {
    const run = () => measure([...UNISON, source, target], { scratch: dir, env: unisonEnv(dir) });
    return { first: run, again: run, changed: run, stop: nothing };
  },
};

/** Environment of a `wl` that lives in a directory of its own, which is made. */
export function wlEnv(dir) {
  const at = (name) => path.join(dir, name);
  mkdirSync(at('run'), { recursive: true, mode: 0o700 });
  return cleanEnv({ HOME: dir, XDG_CONFIG_HOME: at('config'), XDG_DATA_HOME: at('data'), XDG_CACHE_HOME: at('cache'), XDG_RUNTIME_DIR: at('run') });
}

/** Runs `wl` and gives its output; throws when it fails. */
export function wl(env, ...args) {
  const run = spawnSync(WL[0], [WL[1], ...args], { env, encoding: 'utf8' });
  if (run.status !== 0 && run.status !== 3) throw new Error(`wl ${args.join(' ')}: ${run.status}\n${run.stdout}${run.stderr}`);
  return run.stdout;
}

/** The process of the daemon; starts one where none runs. */
export function daemonPid(env) {
  return JSON.parse(wl(env, 'status', '--json')).daemon.pid;
}

/**
 * One pass of the container `bench`, with the start of the daemon unless `isWarm`. CPU and peak
 * memory are those of the command and the daemon together. `options`: of the command, more.
 */
export function measureSync(env, isWarm, options = []) {
  let before = 0;
  if (isWarm) {
    const pid = daemonPid(env);
    forgetPeak(pid);
    before = useOf(pid).cpu;
  } else {
    wl(env, 'stop');
  }
  const result = measure([...WL, 'container', 'sync', '--one-shot', ...options, 'bench'], { scratch: env.HOME, env });
  const daemon = useOf(daemonPid(env));
  return { ...result, cpu: result.cpu + daemon.cpu - before, peakMiB: result.peakMiB + daemon.peakMiB };
}

/** Files that a warm daemon has copied before, and how often it has looked at them. */
const WARM_UP = { files: 5000, minBytes: 1024, maxBytes: 16_384, seed: 9 };
const WARM_UP_LOOKS = 3;

/** A daemon as it is in everyday life: it has synced another container before. */
function warmUp(env, dir) {
  const [source, target] = ['warm-up-source', 'warm-up-target'].map((name) => path.join(dir, name));
  for (const place of [source, target]) mkdirSync(place);
  makeTree(source, WARM_UP);
  wl(env, 'container', 'create', 'warm-up', '--storage', source, '--storage', target);
  for (let pass = 0; pass <= WARM_UP_LOOKS; pass += 1) wl(env, 'container', 'sync', '--one-shot', 'warm-up');
}

/** The names of `ours`: started for each pass; running, but new; one that has done such work before. */
export const OURS = { cold: 'wl (cold start)', running: 'wl (daemon running)', warm: 'wl (warm daemon)' };

/** Ours: two ways, sha256-verified, durable. `daemon`: one of `OURS`. */
export function ours({ daemon }) {
  return {
    name: OURS[daemon],
    make: (dir, source, target) => {
      const env = wlEnv(dir);
      wl(env, 'container', 'create', 'bench', '--storage', source, '--storage', target);
      if (daemon === 'warm') warmUp(env, dir);
      const run = () => measureSync(env, daemon !== 'cold');
      return { first: run, again: run, changed: run, stop: () => wl(env, 'stop') };
    },
  };
}

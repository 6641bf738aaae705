/**
 * The programs that are put through the same scenarios, each behind `setup`, `sync` and `kill`, with the settings its
 * own manual recommends for running unattended. `sync` is everything a user would do to bring both sides together once;
 * where a program asks for a command to recover, `recover` is that command.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { WL } from '../programs.mjs';
import { Processes } from './processes.mjs';
import { Syncthing } from './syncthing.mjs';


/** `wl`, one pass at a time. */
const wl = {
  name: 'wl',
  settings: '`wl container sync --one-shot`',
  version: () => firstLine(process.execPath, [WL, 'version']),
  make: (world, prefix) => {
    const at = (name) => path.join(world.home, name);
    const processes = new Processes({ ...process.env, HOME: world.home, XDG_CONFIG_HOME: at('config'), XDG_DATA_HOME: at('data'), XDG_CACHE_HOME: at('cache'), XDG_STATE_HOME: at('state'), XDG_RUNTIME_DIR: at('run') }, prefix);
    mkdirSync(at('run'), { mode: 0o700 });
    const run = (...args) => processes.run([process.execPath, WL, ...args]);
    return {
      processes,
      setup: async () => {
        const { code, said } = await run('container', 'create', 'pair', '--storage', world.left, '--storage', world.right);
        if (code !== 0) throw new Error(said);
      },
      ready: () => run('status'),
      sync: () => run('container', 'sync', '--one-shot', 'pair'),
      forget: async () => {
        await processes.end();
        for (const suffix of ['', '-wal', '-shm']) rmSync(at(`config/wildland/wl-state.db${suffix}`), { force: true });
      },
      asks: ({ code, said }) => code !== 0 || /^Problems|skipped/im.test(said),
    };
  },
};

/** Conflicts are skipped in batch mode; deleting a whole replica is refused (`confirmbigdel`, the default). */
const unison = {
  name: 'unison',
  settings: '`-batch -auto`; conflicts are skipped, `confirmbigdel` is on by default',
  version: () => firstLine('unison', ['-version']),
  make: (world, prefix) => {
    const processes = new Processes({ ...process.env, HOME: world.home, UNISON: path.join(world.home, 'unison') }, prefix);
    return {
      processes,
      setup: async () => undefined,
      sync: () => processes.run(['unison', '-ui', 'text', '-batch', '-auto', '-dumbtty', world.left, world.right]),
      forget: async () => rmSync(path.join(world.home, 'unison'), { recursive: true, force: true }),
      asks: ({ code }) => code !== 0,
    };
  },
};

function rclone(name, settings, flags, isChecked) {
  return {
    name,
    settings,
    version: () => firstLine('rclone', ['version']),
    make: (world, prefix) => {
      const processes = new Processes({ ...process.env, HOME: world.home, XDG_CACHE_HOME: path.join(world.home, 'cache'), RCLONE_CONFIG: path.join(world.home, 'rclone.conf') }, prefix);
      writeFileSync(path.join(world.home, 'rclone.conf'), '');
      const run = (...extra) => processes.run(['rclone', 'bisync', world.left, world.right, ...flags, ...extra]);
      return {
        processes,
        setup: async () => {
          if (isChecked) for (const side of ['left', 'right']) writeFileSync(world.at(side, 'RCLONE_TEST'), 'access\n');
        },
        first: () => run('--resync'),
        sync: () => run(),
        forget: async () => rmSync(path.join(world.home, 'cache'), { recursive: true, force: true }),
        /** What it says has to be run after an error. */
        recover: () => run('--resync'),
        needsRecovery: ({ said }) => /must run --resync/i.test(said),
        /** What it says has to be done by hand after an interruption; answers whether there was anything to do. */
        unlock: () => {
          const state = path.join(world.home, 'cache/rclone/bisync');
          const locks = existsSync(state) ? readdirSync(state).filter((name) => name.endsWith('.lck')) : [];
          for (const name of locks) rmSync(path.join(state, name));
          return locks.length > 0;
        },
        asks: ({ code }) => code !== 0,
      };
    },
  };
}

/** No state: the newer file wins, deletions come back. Not a two-way syncer, but what many use as one. */
const rsync = {
  name: 'rsync -au',
  settings: '`rsync -au` one way, then the other',
  version: () => firstLine('rsync', ['--version']),
  make: (world, prefix) => {
    const processes = new Processes(process.env, prefix);
    return {
      processes,
      setup: async () => undefined,
      sync: async () => {
        const there = await processes.run(['rsync', '-au', `${world.left}/`, `${world.right}/`]);
        const back = await processes.run(['rsync', '-au', `${world.right}/`, `${world.left}/`]);
        return { code: there.code || back.code, said: there.said + back.said };
      },
      asks: ({ code }) => code !== 0,
    };
  },
};

const syncthing = {
  name: 'syncthing',
  settings: 'two instances, defaults (ten conflict copies, no file versioning), `fsWatcherDelayS=1`, `minDiskFree=0`',
  version: () => firstLine('syncthing', ['--version']),
  make: (world, prefix) => {
    const processes = new Processes({ ...process.env, HOME: world.home }, prefix);
    const pair = new Syncthing(world, processes);
    return { processes, setup: () => pair.setup(), ready: () => pair.ready(), sync: () => pair.sync(), forget: () => pair.forget(), asks: ({ said }) => said !== '' };
  },
};

/** All programs, ours first. */
export const drivers = [
  wl,
  unison,
  rclone('rclone bisync', 'defaults (`--max-delete 50`)', [], false),
  rclone('rclone, safest', '`--check-access --max-delete 25 --check-sync=true`', ['--check-access', '--max-delete', '25', '--check-sync=true'], true),
  syncthing,
  rsync,
];

function firstLine(program, args) {
  const { stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  return error === undefined ? `${stdout}${stderr}`.split('\n')[0].trim() : undefined;
}

/**
 * The rows of dedicated syncers: each beside the generic one, in the same run, and beside the
 * programs that do the same work without any of the promises. A row is made of several races, by
 * name: `{ <race>: { first: { <peer>: [{ seconds, cpu, peakMiB, … }] } } }`.
 *
 * `usedMiB`: what a first copy took of a disk that nobody else uses. `passedMiB`: what the daemon read and wrote in all,
 * files, sockets and database, as the kernel counts it.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { measure } from './measure.mjs';
import { daemonPid, measureSync, rsyncPlain, wl, WL, wlEnv } from './peers.mjs';
import { race } from './race.mjs';
import { makeBucket, rcloneServerSide } from './s3-peers.mjs';
import { startServer } from './s3-server.mjs';
import { changeTree, makeLargeFile, makeTree } from './tree.mjs';

const MIB = 1024 * 1024;
const QUICK = 20;

const SMALL = { files: 5_000, minBytes: 8_192, maxBytes: 8_192 };
const MIDDLE = { files: 1_000, minBytes: 100_000, maxBytes: 300_000 };

const small = { name: '5,000 files of 8 KiB', make: (dir, isQuick) => makeTree(dir, scaled(SMALL, isQuick)), change: (dir, isQuick) => changeTree(dir, scaled(SMALL, isQuick)) };
const middle = { name: '1,000 files of 100–300 KB', make: (dir, isQuick) => makeTree(dir, scaled(MIDDLE, isQuick)) };
const large = {
  name: '4 files of 128 MiB',
  make: (dir, isQuick) => {
    for (let index = 0; index < 4; index += 1) makeLargeFile(path.join(dir, `large-${index}.bin`), (isQuick ? 2 : 128) * MIB, index + 20);
  },
};

function scaled(tree, isQuick) {
  return isQuick ? { ...tree, files: Math.ceil(tree.files / QUICK) } : tree;
}

/** One of ours over two folders; the daemon runs already. */
function wlWith(syncer, ...options) {
  return {
    name: `wl --syncer ${syncer}`,
    make: (dir, source, target) => {
      const env = wlEnv(dir);
      wl(env, 'container', 'create', 'bench', '--storage', source, '--storage', target);
      const run = () => measureSync(env, true, ['--syncer', syncer, ...options]);
      return { first: run, changed: run, stop: () => wl(env, 'stop') };
    },
  };
}

/** Copies, with blocks shared where the file system can. It has no second pass. */
const cpReflink = {
  name: 'cp -a --reflink=auto',
  make: (dir, source, target) => ({ first: () => measure(['cp', '-a', '--reflink=auto', `${source}/.`, target], { scratch: dir }), stop: () => undefined }),
};

const LOCAL_PEERS = [cpReflink, rsyncPlain, wlWith('generic'), wlWith('local-copy')];
const RSYNC_PEERS = [cpReflink, rsyncPlain, wlWith('generic', '--unidirectional'), wlWith('rsync', '--unidirectional')];

/** Adds to each first copy what it took of the disk. */
function withSpace(peer) {
  return {
    ...peer,
    make: (dir, source, target) => {
      const instance = peer.make(dir, source, target);
      const first = async () => {
        const before = usedMiB(target);
        const result = await instance.first();
        spawnSync('sync', ['-f', target]);
        return { ...result, usedMiB: usedMiB(target) - before };
      };
      return { ...instance, first };
    },
  };
}

function usedMiB(place) {
  const { blocks, bfree, bsize } = statfsSync(place);
  return ((blocks - bfree) * bsize) / MIB;
}

/** `place`: what the file system is called where it matters. */
async function races({ scratch, label, rounds, peers, progress, isQuick }, place, trees, phases) {
  const results = {};
  for (const [index, tree] of trees.entries()) {
    const name = place === undefined ? tree.name : `${place}: ${tree.name}`;
    const context = { scratch, label: `${label}-${index}`, rounds, progress, peers };
    results[name] = await race({
      ...context,
      phases: tree.change === undefined ? ['first'] : phases,
      makeSource: (dir) => tree.make(dir, isQuick),
      change: (dir) => tree.change?.(dir, isQuick),
      endOfRound: (at) => void spawnSync('rm', ['-rf', at]),
    });
  }
  return results;
}

/** `local-copy` on the file system of the scratch directory, and on one that shares blocks. */
async function local(context) {
  const trees = [small, middle, large];
  const here = String(spawnSync('stat', ['-f', '-c', '%T', context.scratch], { encoding: 'utf8' }).stdout).trim();
  const results = await races(context, here, trees, ['first']);
  const volume = openVolume(path.join(context.scratch, 'volume'));
  if (typeof volume === 'string') {
    context.progress(`${context.label}: nothing on a file system that shares blocks: ${volume}`);
    return results;
  }
  try {
    return { ...results, ...(await races({ ...context, scratch: volume.place, peers: context.peers.map(withSpace) }, 'XFS with shared blocks', trees, ['first'])) };
  } finally {
    volume.close();
  }
}

/** A file system that shares blocks, in a file; or why there is none. */
function openVolume(at) {
  if (process.getuid() !== 0) return 'mounting one is for root';
  const place = path.join(at, 'mounted');
  mkdirSync(place, { recursive: true });
  const image = path.join(at, 'image');
  writeFileSync(image, '');
  truncateSync(image, 6 * 1024 * MIB);
  const made = spawnSync('mkfs.xfs', ['-q', '-m', 'reflink=1', image], { encoding: 'utf8' });
  if (made.error !== undefined) return 'mkfs.xfs is not installed (Debian: apt install xfsprogs)';
  if (made.status !== 0) return made.stderr.trim();
  const mounted = spawnSync('mount', ['-o', 'loop', image, place], { encoding: 'utf8' });
  if (mounted.status !== 0) return mounted.stderr.trim();
  return { place, close: () => spawnSync('umount', [place], { stdio: 'inherit' }) };
}

/** `rsync` against the generic syncer, one way, on one disk. */
function rsync(context) {
  return races(context, undefined, [small, large], ['first', 'changed']);
}

/** Two buckets of one server of our own; the objects were written by `wl`, so that their hashes are known. */
async function s3(context) {
  const { scratch, label, rounds, isQuick, progress } = context;
  const at = path.join(scratch, label);
  mkdirSync(at, { recursive: true });
  const server = startServer(path.join(at, 'server'), 8_000);
  try {
    const results = {};
    const trees = [{ ...small, name: '2,000 objects of 8 KiB', make: (dir) => makeTree(dir, scaled({ ...SMALL, files: 2_000 }, isQuick)) }, { ...large, name: '4 objects of 128 MiB' }];
    for (const [index, tree] of trees.entries()) {
      results[tree.name] = { first: {} };
      const source = `source-${index}`;
      fill(path.join(at, source), server, source, (dir) => tree.make(dir, isQuick));
      for (let round = 0; round < rounds; round += 1) {
        for (let turn = 0; turn < context.peers.length; turn += 1) {
          const peer = context.peers[(turn + round) % context.peers.length];
          const target = `target-${index}-${round}-${turn}`;
          const dir = path.join(at, target);
          mkdirSync(dir, { recursive: true });
          makeBucket(dir, server, target);
          const result = peer.run(dir, server, source, target);
          (results[tree.name].first[peer.name] ??= []).push(result);
          progress(`${label} ${tree.name} ${round + 1}/${rounds}: ${peer.name} ${result.seconds.toFixed(2)} s, CPU ${result.cpu.toFixed(2)} s`);
          // The bucket stays: copies share their bytes with the source, which go with the first of them that is removed past the server's collector.
        }
      }
    }
    return results;
  } finally {
    server.stop();
  }
}

/** A bucket as a machine with `wl` leaves it. */
function fill(dir, server, bucket, make) {
  const folder = path.join(dir, 'folder');
  mkdirSync(folder, { recursive: true });
  make(folder);
  makeBucket(dir, server, bucket);
  const env = wlEnv(path.join(dir, 'home'));
  wl(env, 'container', 'create', 'bench', '--storage', folder);
  addBucket(env, server, bucket, server.endpoint);
  wl(env, 'container', 'sync', '--one-shot', 'bench');
  wl(env, 'stop');
}

/** Adds a bucket to the container, under its own name. */
function addBucket(env, server, bucket, endpoint) {
  const storage = ['storage', 'create', 's3', '--container', 'bench', '--skip-sync', '--backend-id', bucket, '--s3-url', `s3://${bucket}`, '--endpoint-url', endpoint];
  const keys = ['--region', server.region, '--access-key', server.accessKey, '--secret-key', '-'];
  const run = spawnSync(WL[0], [WL[1], ...storage, ...keys], { env, encoding: 'utf8', input: `${server.secretKey}\n` });
  if (run.status !== 0) throw new Error(`wl storage create s3: ${run.status}\n${run.stdout}${run.stderr}`);
}

/** One of ours between two buckets. `host`: how the source's endpoint is called; another name makes it another endpoint. */
function wlBetween(name, syncer, host) {
  return {
    name,
    run: (dir, server, source, target) => {
      const env = wlEnv(path.join(dir, 'home'));
      wl(env, 'container', 'create', 'bench');
      addBucket(env, server, source, server.endpoint.replace('127.0.0.1', host));
      addBucket(env, server, target, server.endpoint);
      try {
        const pid = daemonPid(env);
        const before = passedMiB(pid);
        const result = measureSync(env, true, ['--syncer', syncer, '--source-storage', source, '--target-storage', target]);
        return { seconds: result.seconds, cpu: result.cpu, peakMiB: result.peakMiB, passedMiB: passedMiB(pid) - before };
      } finally {
        wl(env, 'stop');
      }
    },
  };
}

function passedMiB(pid) {
  const io = readFileSync(`/proc/${pid}/io`, 'utf8');
  const count = (field) => Number(new RegExp(`^${field}: (\\d+)$`, 'm').exec(io)[1]);
  return (count('rchar') + count('wchar')) / MIB;
}

const S3_PEERS = [
  { name: 'rclone sync, server-side', needs: 'rclone', run: rcloneServerSide },
  wlBetween('wl --syncer generic', 'generic', '127.0.0.1'),
  wlBetween('wl --syncer s3-copy', 's3-copy', '127.0.0.1'),
  wlBetween('wl --syncer generic, through this machine', 'generic', 'localhost'),
];

/** The rows, for rows.mjs. */
export const SYNCER_ROWS = {
  'syncers-local': { kind: 'syncers', title: 'The syncer local-copy beside the generic one', minutes: 2, peers: LOCAL_PEERS, run: local },
  'syncers-s3': { kind: 'syncers', title: 'The syncer s3-copy beside the generic one, between two buckets of one server', minutes: 2, peers: S3_PEERS, run: s3 },
  'syncers-rsync': { kind: 'syncers', title: 'The syncer rsync beside the generic one, one way', minutes: 1, peers: RSYNC_PEERS, run: rsync },
};

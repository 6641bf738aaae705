/**
 * The programs that keep a folder and a bucket the same, each behind the same calls: `upload`
 * (into an empty bucket), `again` (nothing or something has changed in the folder), `download`
 * (the bucket into an empty folder, by a machine that knows nothing of it), `stop`. Each gets
 * directories and a bucket of its own. Whole processes are measured.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

import { cleanEnv, measure } from './measure.mjs';
import { measureSync, WL, wl, wlEnv } from './peers.mjs';

/** The environment of rclone with a remote `s3:` for a server. */
function rcloneEnv(dir, server) {
  const env = cleanEnv({
    HOME: dir,
    RCLONE_CONFIG: path.join(dir, 'rclone.conf'),
    XDG_CACHE_HOME: dir,
    RCLONE_CONFIG_S3_TYPE: 's3',
    RCLONE_CONFIG_S3_PROVIDER: 'Ceph',
    RCLONE_CONFIG_S3_ENDPOINT: server.endpoint,
    RCLONE_CONFIG_S3_ACCESS_KEY_ID: server.accessKey,
    RCLONE_CONFIG_S3_SECRET_ACCESS_KEY: server.secretKey,
    RCLONE_CONFIG_S3_REGION: server.region,
  });
  // rclone 1.60 refuses every S3 remote where this is set.
  delete env.AWS_CA_BUNDLE;
  return env;
}

/** Makes an empty bucket. */
export function makeBucket(dir, server, bucket) {
  const run = spawnSync('rclone', ['mkdir', `s3:${bucket}`], { env: rcloneEnv(dir, server), encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`no bucket ${bucket}: ${run.stderr}`);
}

// The server serves no more at 32; larger parts than the usual 5 MiB save requests.
const RCLONE = ['--transfers', '16', '--checkers', '16', '--fast-list', '--s3-no-check-bucket', '--s3-chunk-size', '16M', '--s3-upload-concurrency', '4'];

function rclone(name, extra, about) {
  return {
    name,
    about,
    make: (dir, server, bucket) => {
      const env = rcloneEnv(dir, server);
      const run = (from, to) => measure(['rclone', 'sync', ...RCLONE, ...extra, from, to], { scratch: dir, env });
      const upload = (folder) => run(folder, `s3:${bucket}/data`);
      return { upload, again: upload, download: (folder) => run(`s3:${bucket}/data`, folder), stop: () => undefined };
    },
  };
}

/** One way, by size and the time in the metadata; looks at each object after writing it. */
export const rcloneSync = rclone('rclone sync', [], 'one way; by size and time, which it asks of each object');
/** One way, without asking the server for anything it need not. */
export const rcloneFast = rclone(
  'rclone sync, fastest',
  ['--s3-no-head', '--s3-disable-checksum', '--update', '--use-server-modtime'],
  'one way; `--s3-no-head --s3-disable-checksum --update --use-server-modtime`: does not look at what it wrote, keeps no hash of large files, takes a file that is older than its object for unchanged',
);

/** From a bucket to another of the same server, which copies. */
export function rcloneServerSide(dir, server, source, target) {
  const { seconds, cpu, peakMiB } = measure(['rclone', 'sync', ...RCLONE, `s3:${source}`, `s3:${target}`], { scratch: dir, env: rcloneEnv(dir, server) });
  return { seconds, cpu, peakMiB };
}

/** Two ways. */
export const rcloneBisync = {
  name: 'rclone bisync',
  about: 'two ways; by size and time',
  make: (dir, server, bucket) => {
    const env = rcloneEnv(dir, server);
    const run = (extra, folder, workdir) =>
      measure(['rclone', 'bisync', '--force', '--workdir', path.join(dir, workdir), ...RCLONE, ...extra, folder, `s3:${bucket}/data`], { scratch: dir, env });
    return {
      upload: (folder) => {
        // It refuses a directory of a bucket that is not there.
        spawnSync('rclone', ['rcat', `s3:${bucket}/data/first`], { env, input: 'first' });
        return run(['--resync'], folder, 'work');
      },
      again: (folder) => run([], folder, 'work'),
      download: (folder) => run(['--resync'], folder, 'other'),
      stop: () => undefined,
    };
  },
};

/** One way, by size and MD5, one request at a time. */
export const s3cmd = {
  name: 's3cmd sync',
  about: 'one way; by size and MD5, with `--cache-file`',
  make: (dir, server, bucket) => {
    const { host } = new URL(server.endpoint);
    const config = path.join(dir, 's3cfg');
    writeFileSync(
      config,
      `[default]\naccess_key = ${server.accessKey}\nsecret_key = ${server.secretKey}\nhost_base = ${host}\nhost_bucket = ${host}\nuse_https = False\nbucket_location = US\nmultipart_chunk_size_mb = 64\n`,
    );
    const env = cleanEnv({ HOME: dir });
    const run = (from, to) =>
      measure(['s3cmd', '--config', config, '--no-progress', '--quiet', '--delete-removed', '--cache-file', path.join(dir, 'md5'), 'sync', from, to], { scratch: dir, env });
    const upload = (folder) => run(`${folder}/`, `s3://${bucket}/data/`);
    return { upload, again: upload, download: (folder) => run(`s3://${bucket}/data/`, `${folder}/`), stop: () => undefined };
  },
};

/** Ours: two ways, conditional, verified. With the start of the daemon, unless `isWarm`. CPU and memory are those of the command and the daemon. */
export function ours({ isWarm }) {
  return {
    name: isWarm ? 'wl (daemon running)' : 'wl',
    about: isWarm ? 'the same, without the start of the daemon' : 'two ways; by sha256, conditional and verified; with the start of the daemon',
    make: (dir, server, bucket) => {
      const machines = new Map();
      const machine = (name, folder) => {
        if (!machines.has(name)) machines.set(name, setUp(path.join(dir, name), folder, server, bucket));
        return machines.get(name);
      };
      const run = (env) => measureSync(env, isWarm);
      const upload = (folder) => run(machine('first', folder));
      return {
        upload,
        again: upload,
        download: (folder) => run(machine('second', folder)),
        stop: () => machines.forEach((env) => wl(env, 'stop')),
      };
    },
  };
}

/** A machine with a container over a folder and the bucket; gives its environment. */
function setUp(home, folder, server, bucket) {
  const env = wlEnv(home);
  wl(env, 'container', 'create', 'bench', '--storage', folder);
  const storage = ['storage', 'create', 's3', '--container', 'bench', '--skip-sync', '--s3-url', `s3://${bucket}/data`, '--endpoint-url', server.endpoint];
  const keys = ['--region', server.region, '--access-key', server.accessKey, '--secret-key', '-'];
  const run = spawnSync(WL[0], [WL[1], ...storage, ...keys], { env, encoding: 'utf8', input: `${server.secretKey}\n` });
  if (run.status !== 0) throw new Error(`wl storage create s3: ${run.status}\n${run.stdout}${run.stderr}`);
  return env;
}

/** The S3 server that the benchmark runs against: one of its own, in a directory of the scratch space. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';

import { cleanEnv } from './measure.mjs';

const scripts = path.resolve(import.meta.dirname, '../s3-server');

/** Starts it; `storeMiB` is what it may hold in memory. */
export function startServer(dir, storeMiB) {
  const run = spawnSync(path.join(scripts, 'start.sh'), [dir], {
    env: cleanEnv({ S3_SERVER_STORE_MB: String(storeMiB) }),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (run.status !== 0) throw new Error('the S3 server did not start');
  const exported = Object.fromEntries([...run.stdout.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]));
  const admin = (...args) => {
    const done = spawnSync('radosgw-admin', ['-c', path.join(dir, 'ceph.conf'), ...args], { encoding: 'utf8', env: cleanEnv() });
    if (done.status !== 0) throw new Error(`radosgw-admin ${args.join(' ')}: ${done.stderr}`);
    return done.stdout;
  };
  return {
    endpoint: exported.WL_S3_ENDPOINT,
    accessKey: exported.WL_S3_ACCESS_KEY,
    secretKey: exported.WL_S3_SECRET_KEY,
    region: exported.WL_S3_REGION,
    /** Removes a bucket with all that is in it, at once, so that the memory is free again. */
    removeBucket: (name) => admin('bucket', 'rm', `--bucket=${name}`, '--purge-objects', '--bypass-gc'),
    stop: () => spawnSync(path.join(scripts, 'stop.sh'), [dir], { stdio: 'inherit' }),
  };
}

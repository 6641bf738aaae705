/** The S3 server that the benchmark runs against: one of its own, in a directory of the scratch space. */
import { spawnSync } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { cleanEnv, useOf } from './measure.mjs';

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
  const send = async (method, resource, body) => {
    const answer = await fetch(`${exported.WL_S3_ENDPOINT}${resource}`, { method, body, headers: signed(exported, method, resource) });
    if (!answer.ok) throw new Error(`${method} ${resource}: ${answer.status} ${await answer.text()}`);
    return answer.body;
  };
  return {
    endpoint: exported.WL_S3_ENDPOINT,
    accessKey: exported.WL_S3_ACCESS_KEY,
    secretKey: exported.WL_S3_SECRET_KEY,
    region: exported.WL_S3_REGION,
    /** Makes a bucket, which keeps versions or does not. */
    makeBucket: async (name, isVersioned) => {
      await send('PUT', `/${name}`);
      if (isVersioned) await send('PUT', `/${name}?versioning`, '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>');
    },
    /** SHA-256 of an object, in hex; its key needs no encoding. */
    sha256Of: async (bucket, key) => {
      const hash = createHash('sha256');
      for await (const chunk of await send('GET', `/${bucket}/${key}`)) hash.update(chunk);
      return hash.digest('hex');
    },
    /** What it has used so far, the gateway and its store, in CPU seconds. */
    cpu: () => ['rgw', 'osd'].reduce((sum, name) => sum + useOf(Number(readFileSync(path.join(dir, 'run', `${name}.pid`), 'utf8'))).cpu, 0),
    /** Removes a bucket with all that is in it, at once, so that the memory is free again; also the bytes that its objects share with copies elsewhere. */
    removeBucket: (name) => admin('bucket', 'rm', `--bucket=${name}`, '--purge-objects', '--bypass-gc'),
    stop: () => spawnSync(path.join(scripts, 'stop.sh'), [dir], { stdio: 'inherit' }),
  };
}

/** By AWS's version 2, which needs no hash of the body. `resource`: the path, and a parameter that names what is meant. */
function signed({ WL_S3_ACCESS_KEY: accessKey, WL_S3_SECRET_KEY: secretKey }, method, resource) {
  const date = new Date().toUTCString();
  const signature = createHmac('sha1', secretKey).update(`${method}\n\n\n\nx-amz-date:${date}\n${resource}`).digest('base64');
  return { 'x-amz-date': date, authorization: `AWS ${accessKey}:${signature}`, 'content-type': '' };
}

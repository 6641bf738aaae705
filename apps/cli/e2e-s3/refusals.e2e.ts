/** What a user hears when a bucket cannot be used: wrong keys, no bucket, no server, something else that answers. */

import { chmodSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import type { Run } from '../e2e/testing/child.js';
import { treeOf } from '../e2e/testing/tree.js';
import { Bucket, filesOf } from './testing/bucket.js';
import { ONE_SHOT, S3World, type S3StorageOptions } from './testing/s3-world.js';
import { Wire } from './testing/wire.js';

let world: S3World;
let bucket: Bucket;
beforeEach(async () => {
  world = new S3World();
  bucket = await Bucket.make();
});
afterEach(async () => {
  await world.close();
  await bucket.destroy();
});

/** Adds the storage and syncs; gives the first command that fails: the storage may be refused at once or with the sync. */
async function refusal(options: S3StorageOptions): Promise<Run> {
  const folder = world.folder('photos');
  world.write('photos/a.txt', 'a');
  await world.wl('container', 'create', 'photos', '--storage', folder);
  const created = await world.createS3Storage(bucket, options);
  const run = created.code === 0 ? await world.startWl(...ONE_SHOT).ended : created;
  expect(filesOf(treeOf(folder))).toEqual({ 'a.txt': 'a' });
  expect(Object.keys(await bucket.everything())).toEqual([]);
  return run;
}

describe('a bucket that cannot be used ends a sync with 1, and the message says what to do', () => {
  it('with a wrong secret', async () => {
    const run = await refusal({ keys: { accessKey: bucket.account.accessKey, secretKey: 'a-wrong-secret-0123456789' } });
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/secret|credential|key/i);
  });

  it('with an access key that nobody has', async () => {
    const run = await refusal({ keys: { accessKey: 'NOSUCHKEY', secretKey: 'a-wrong-secret-0123456789' } });
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/access key|credential/i);
  });

  it('without any keys', async () => {
    const run = await refusal({ keys: undefined });
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/credential|access key/i);
  });

  it('with a bucket that does not exist', async () => {
    const run = await refusal({ url: 's3://e2e-no-such-bucket/photos' });
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/bucket/i);
    expect(run.stderr).toContain('e2e-no-such-bucket');
  });

  it('with an endpoint where nobody listens', async () => {
    // A port that was free a moment ago.
    const wire = await Wire.to(bucket.account.endpoint);
    await wire.close();
    const run = await refusal({ endpoint: wire.endpoint });
    expect(run.code).toBe(1);
    expect(run.stderr).toContain(new URL(wire.endpoint).host);
  });

  it('with a URL that is none: wrong usage', async () => {
    for (const url of ['bucket/photos', 's3:///photos', 'https://bucket/photos']) {
      await world.wl('container', 'create', 'photos').catch(() => undefined);
      const run = await world.createS3Storage(bucket, { url });
      expect([1, 2]).toContain(run.code);
      expect(run.stderr).toMatch(/s3:\/\//);
    }
  });
});

describe('keys', () => {
  it('are taken from the environment where the storage has none', async () => {
    const { accessKey, secretKey } = bucket.account;
    world.keepSecret(secretKey);
    Object.assign(world.env, { AWS_ACCESS_KEY_ID: accessKey, AWS_SECRET_ACCESS_KEY: secretKey });
    const folder = await world.syncedFolder(bucket, { 'a.txt': 'a' }, { keys: undefined });
    expect(await bucket.files()).toEqual(filesOf(treeOf(folder)));
  });

  it('are taken from the shared credentials file', async () => {
    const { accessKey, secretKey } = bucket.account;
    world.keepSecret(secretKey);
    chmodSync(world.write('.aws/credentials', `[default]\naws_access_key_id = ${accessKey}\naws_secret_access_key = ${secretKey}\n`), 0o600);
    await world.syncedFolder(bucket, { 'a.txt': 'a' }, { keys: undefined });
    expect(await bucket.files()).toEqual({ 'a.txt': 'a' });
  });
});

describe('T03: something else that answers in place of the server', () => {
  it('deletes nothing and ends with 1, whatever it says; once the server is back the sync goes on', async () => {
    const wire = await Wire.to(bucket.account.endpoint);
    let answer: { readonly status: number; readonly type: string; readonly body: string } = { status: 200, type: 'text/html', body: '' };
    const impostor = createServer((_request, response) => response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body));
    await new Promise<void>((resolve) => impostor.listen(0, '127.0.0.1', resolve));
    try {
      const folder = await world.syncedFolder(bucket, { 'a.txt': 'a', 'b.txt': 'b' }, { endpoint: wire.endpoint });
      wire.leadTo((impostor.address() as AddressInfo).port);
      const answers = [
        { status: 200, type: 'text/html', body: '<html><body>Log in to the network</body></html>' },
        { status: 200, type: 'application/xml', body: '' },
        { status: 404, type: 'text/html', body: '<html>Not found</html>' },
        { status: 200, type: 'application/xml', body: '<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated>' },
      ];
      for (const next of answers) {
        answer = next;
        const run = await world.startWl(...ONE_SHOT).ended;
        expect({ ...next, code: run.code }).toEqual({ ...next, code: 1 });
        expect(run.stderr).toMatch(/rror: /);
        expect(filesOf(treeOf(folder))).toEqual({ 'a.txt': 'a', 'b.txt': 'b' });
      }
      wire.leadTo(Number(new URL(bucket.account.endpoint).port));
      await bucket.remove('a.txt');
      await world.wl(...ONE_SHOT);
      expect(filesOf(treeOf(folder))).toEqual({ 'b.txt': 'b' });
    } finally {
      impostor.closeAllConnections();
      impostor.close();
      await wire.close();
    }
  });
});

/** Who signs, for how long, and where they were looked for. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { type ChainCredentials, CredentialSource } from './credentials.js';
import { addressOf, findRegion } from './region.js';
import { loadSdkChain, loadSharedRegion } from './sdk-chain.js';
import { failureOf, HastyClock } from './testing/open-api.js';

const START_MS = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;

/** A chain that gives `key-1`, `key-2`, … for `minutes` each, and fails at the times named. */
function chainOf(clock: HastyClock, minutes: number, failsAt: readonly number[] = []): { readonly source: CredentialSource; readonly asked: () => number } {
  let asked = 0;
  const chain = async (): Promise<ChainCredentials> => {
    asked += 1;
    if (failsAt.includes(asked)) throw new Error('the service is away');
    return { accessKeyId: `key-${String(asked)}`, secretAccessKey: 's', expiration: new Date(clock.nowMs() + minutes * MINUTE_MS) };
  };
  return { source: new CredentialSource({}, clock, async () => chain), asked: () => asked };
}

describe('CredentialSource', () => {
  it('takes the keys of the storage and asks nobody', async () => {
    const source = new CredentialSource({ credentials: { accessKey: 'a', secretKey: 's' } }, new HastyClock(), () => Promise.reject(new Error('it was loaded')));
    expect(source.get()).toEqual({ accessKey: 'a', secretKey: 's' });
    expect(await source.renew({ accessKey: 'a', secretKey: 's' })).toBe(false);
  });

  it('asks the chain once for many requests', async () => {
    const { source, asked } = chainOf(new HastyClock(), 60);
    const keys = await Promise.all([source.get(), source.get(), source.get()]);
    expect([keys.map(({ accessKey }) => accessKey), asked()]).toEqual([['key-1', 'key-1', 'key-1'], 1]);
  });

  it('asks again in the background before the end, and waits for the answer in the last minute', async () => {
    const clock = new HastyClock(START_MS);
    const { source, asked } = chainOf(clock, 60);
    await source.get();
    clock.pass(56 * MINUTE_MS);
    expect(await source.get()).toMatchObject({ accessKey: 'key-1' });
    expect(asked()).toBe(2);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await source.get()).toMatchObject({ accessKey: 'key-2' });
    clock.pass(59.5 * MINUTE_MS);
    expect(await source.get()).toMatchObject({ accessKey: 'key-3' });
  });

  it('goes on with what it has while that is good, and fails when it is at its end', async () => {
    const clock = new HastyClock(START_MS);
    const { source } = chainOf(clock, 60, [2, 3, 4]);
    await source.get();
    clock.pass(56 * MINUTE_MS);
    expect(await source.get()).toMatchObject({ accessKey: 'key-1' });
    await new Promise((resolve) => setImmediate(resolve));
    clock.pass(3.5 * MINUTE_MS);
    expect(await source.get()).toMatchObject({ accessKey: 'key-1' });
    clock.pass(MINUTE_MS);
    expect(await failureOf(Promise.resolve(source.get()))).toMatchObject({ kind: 'unauthorized' });
    clock.pass(MINUTE_MS);
    expect(await source.get()).toMatchObject({ accessKey: 'key-5' });
  });

  it('does not ask all the time for credentials that never last long', async () => {
    const { source, asked } = chainOf(new HastyClock(), 3);
    for (let i = 0; i < 20; i += 1) {
      await source.get();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(asked()).toBe(2);
  });

  it('says what was looked for when there are none, and may find some later', async () => {
    const { source } = chainOf(new HastyClock(), 60, [1]);
    const failure = await failureOf(Promise.resolve(source.get()));
    expect(failure).toMatchObject({ kind: 'unauthorized', details: { isRetryable: true } });
    for (const place of ['AWS_ACCESS_KEY_ID', 'AWS_PROFILE', 'SSO', 'web identity', 'instance role', 'the service is away']) expect(failure.message).toContain(place);
    expect(await source.get()).toMatchObject({ accessKey: 'key-2' });
  });
});

describe('the chain of the official SDK', () => {
  const saved = { ...process.env };
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'wl-aws-'));
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
    Object.assign(process.env, {
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: path.join(folder, 'config'),
      AWS_SHARED_CREDENTIALS_FILE: path.join(folder, 'credentials'),
    });
  });
  afterEach(async () => {
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
    Object.assign(process.env, saved);
    await rm(folder, { recursive: true });
  });
  const source = (): CredentialSource => new CredentialSource({}, new HastyClock(Date.now()), loadSdkChain);

  it('takes keys of the environment', async () => {
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'env-key', AWS_SECRET_ACCESS_KEY: 's', AWS_SESSION_TOKEN: 't' });
    expect(await source().get()).toEqual({ accessKey: 'env-key', secretKey: 's', sessionToken: 't' });
  });

  it('takes the profile that AWS_PROFILE names, with its region', async () => {
    await writeFile(path.join(folder, 'credentials'), '[default]\naws_access_key_id=no\naws_secret_access_key=no\n[work]\naws_access_key_id=work-key\naws_secret_access_key=s\n');
    await writeFile(path.join(folder, 'config'), '[default]\nregion=us-west-1\n[profile work]\nregion=eu-central-1\n');
    process.env['AWS_PROFILE'] = 'work';
    expect(await source().get()).toMatchObject({ accessKey: 'work-key' });
    expect(await findRegion(undefined, process.env, loadSharedRegion)).toBe('eu-central-1');
    expect(await findRegion(undefined, { ...process.env, AWS_DEFAULT_REGION: 'ap-south-1' }, loadSharedRegion)).toBe('ap-south-1');
    expect(await findRegion('sa-east-1', { ...process.env, AWS_REGION: 'ap-south-1' }, loadSharedRegion)).toBe('sa-east-1');
  });

  it('takes the role of a container, until it expires', async () => {
    const server = createServer((_request, response) => response.end(JSON.stringify({ AccessKeyId: 'role-key', SecretAccessKey: 's', Token: 't', Expiration: new Date(Date.now() + 3_600_000).toISOString() })));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    process.env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/role`;
    expect(await source().get()).toEqual({ accessKey: 'role-key', secretKey: 's', sessionToken: 't' });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('says so when there is nothing anywhere, and prints nothing', async () => {
    const warnings: unknown[] = [];
    const warn = (warning: unknown): unknown => warnings.push(warning);
    process.on('warning', warn);
    expect((await failureOf(Promise.resolve(source().get()))).message).toContain('No credentials for S3 were found');
    process.off('warning', warn);
    expect(warnings).toEqual([]);
  });
});

describe('regions and addresses', () => {
  const location = { bucket: 'photos', keyPrefix: '', endpointOrigin: undefined, isPathStyle: false, displayUrl: '' };

  it('is us-east-1 where nobody says another, without loading anything', async () => {
    const env = { AWS_CONFIG_FILE: '/nonexistent/config', AWS_SHARED_CREDENTIALS_FILE: '/nonexistent/credentials' };
    expect(await findRegion(undefined, env, () => Promise.reject(new Error('it was loaded')))).toBe('us-east-1');
  });

  it('addresses AWS by region, and other endpoints by their own name', () => {
    expect(addressOf(location, 'eu-west-1')).toEqual({ origin: 'https://photos.s3.eu-west-1.amazonaws.com', host: 'photos.s3.eu-west-1.amazonaws.com', basePath: '' });
    expect(addressOf({ ...location, isPathStyle: true }, 'cn-north-1')).toEqual({ origin: 'https://s3.cn-north-1.amazonaws.com.cn', host: 's3.cn-north-1.amazonaws.com.cn', basePath: '/photos' });
    expect(addressOf({ ...location, endpointOrigin: 'http://s3.example:9000' }, 'x')).toEqual({ origin: 'http://photos.s3.example:9000', host: 'photos.s3.example:9000', basePath: '' });
    expect(addressOf({ ...location, endpointOrigin: 'http://[::1]:9000', isPathStyle: true }, 'x')).toEqual({ origin: 'http://[::1]:9000', host: '[::1]:9000', basePath: '/photos' });
  });
});

/**
 * An S3 storage on a real server, which the environment names: WL_S3_ENDPOINT, WL_S3_ACCESS_KEY,
 * WL_S3_SECRET_KEY, WL_S3_REGION. Each test has a folder of its own in a bucket that is made anew
 * for the run.
 */

import { randomUUID } from 'node:crypto';

import type { OpenBackend } from '@wl/ports/testing';

import type { S3Abilities } from '../abilities.js';
import { probe } from '../probe.js';
import type { S3Api } from '../s3-api.js';
import { parseS3Location } from '../s3-location.js';
import { createS3Api } from '../wire/create-s3-api.js';
import { sha256Of } from '../writing/digests.js';

import { openS3, realClock, type OpenS3Options, type OutsideBucket } from './open-s3.js';
import { realServer } from './server/real-server.js';
import { openRawClient } from './server/signed-request.js';

/** A bucket, hands on it, and what was proved of it. */
export interface RealBucket {
  readonly name: string;
  readonly api: S3Api;
  readonly outside: OutsideBucket;
  readonly abilities: S3Abilities;
}

const buckets = new Map<string, Promise<RealBucket>>();

/** The bucket of this run; made when it is asked for first. */
export function realBucket(kind: 'plain' | 'versioned'): Promise<RealBucket> {
  const known = buckets.get(kind) ?? makeBucket(kind);
  buckets.set(kind, known);
  return known;
}

async function makeBucket(kind: 'plain' | 'versioned'): Promise<RealBucket> {
  const target = realServer();
  const { endpoint: endpointUrl, accessKey, secretKey, region } = target;
  const name = `wl-${kind}-${randomUUID()}`;
  const raw = openRawClient(target);
  await raw.send({ method: 'PUT', bucket: name });
  if (kind === 'versioned') {
    const body = '<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>';
    await raw.send({ method: 'PUT', bucket: name, query: { versioning: '' }, body });
  }
  raw.close();
  const params = { backendId: 'hands', url: `s3://${name}`, endpointUrl, region, credentials: { accessKey, secretKey } };
  const location = parseS3Location(params);
  if (!location.ok) throw new Error(location.error);
  const api = createS3Api(params, { clock: realClock, env: {} }, location.value);
  return { name, api, outside: outsideOf(api), abilities: await probe(api, 'probing/', randomUUID) };
}

/** Opens an empty folder of it. */
export async function openOnRealServer(kind: 'plain' | 'versioned', params: Partial<OpenS3Options['params']> = {}): Promise<OpenBackend> {
  const { endpoint: endpointUrl, accessKey, secretKey, region } = realServer();
  const { name, outside, abilities } = await realBucket(kind);
  const opened = await openS3({
    params: { endpointUrl, region, credentials: { accessKey, secretKey }, ...params },
    bucket: name,
    prefix: `${randomUUID()}/`,
    outside,
    abilities,
    hidesTrash: kind === 'versioned',
  });
  return { ...opened, dropsMeetingWrites: true };
}

function outsideOf(api: S3Api): OutsideBucket {
  return {
    put: async (key, bytes) => void (await api.putObject(key, bytes, sha256Of(bytes), { metadata: new Map() }, { kind: 'none' })),
    get: async (key) => {
      const opened = await api.getObject(key, undefined, 0);
      if (opened === 'stale') return undefined;
      const chunks: Uint8Array[] = [];
      for await (const chunk of opened.body) chunks.push(chunk);
      return new Uint8Array(Buffer.concat(chunks));
    },
    delete: async (key) => void (await api.deleteObject(key, { kind: 'none' })),
    keys: async (prefix) => {
      const keys: string[] = [];
      for (let continuation: string | undefined; ; ) {
        const page = await api.list({ prefix, ...(continuation !== undefined && { continuation }) });
        keys.push(...page.objects.map(({ key }) => key));
        if (page.next === undefined) return keys;
        continuation = page.next;
      }
    },
  };
}

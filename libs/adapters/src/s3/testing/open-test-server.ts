/** An S3 storage on a server in this process. */

import { randomUUID } from 'node:crypto';

import type { OpenBackend } from '@wl/ports/testing';

import type { S3Abilities } from '../abilities.js';
import { probe } from '../probe.js';
import type { S3Backend } from '../s3-backend.js';
import { parseS3Location } from '../s3-location.js';
import { createS3Api } from '../wire/create-s3-api.js';

import { openS3, realClock, type OpenS3Options, type OutsideBucket } from './open-s3.js';
import { startS3Server, type BucketHands, type S3ServerOptions, type S3TestServer } from './server/index.js';

/** A storage, its server, and hands on its bucket. */
export interface OnTestServer extends OpenBackend {
  readonly backend: S3Backend;
  readonly server: S3TestServer;
  readonly hands: BucketHands;
  readonly prefix: string;
}

/** What was proved of each kind of server, so that a suite does it once. */
const proved = new Map<string, S3Abilities>();

/** Abilities of a server of this kind, from trying them once in a process. */
export async function abilitiesOn(server: S3TestServer, kind: string): Promise<S3Abilities> {
  const known = proved.get(kind);
  if (known !== undefined) return known;
  const params = { backendId: 'probing', url: 's3://bucket', endpointUrl: server.endpointUrl, credentials: { accessKey: server.accessKey, secretKey: server.secretKey } };
  const location = parseS3Location(params);
  if (!location.ok) throw new Error(location.error);
  const api = createS3Api(params, { clock: realClock, env: {} }, location.value);
  const abilities = await probe(api, 'probing/', randomUUID);
  await api.close();
  proved.set(kind, abilities);
  return abilities;
}

/** Starts a server and opens a storage on it. */
export async function openOnTestServer(
  serverOptions: S3ServerOptions,
  { prefix = 'photos/', params = {} }: { readonly prefix?: string; readonly params?: Partial<OpenS3Options['params']> } = {},
): Promise<OnTestServer> {
  const server = await startS3Server({ ...serverOptions, buckets: ['bucket', 'other-bucket'] });
  const hands = server.bucket('bucket');
  const abilities = await abilitiesOn(server, JSON.stringify(serverOptions));
  server.log.clear();
  const opened = await openS3({
    params: {
      endpointUrl: server.endpointUrl,
      credentials: { accessKey: server.accessKey, secretKey: server.secretKey },
      ...params,
    },
    bucket: 'bucket',
    prefix,
    abilities,
    outside: outsideOf(hands),
    copySourceBucket: { name: 'other-bucket', outside: outsideOf(server.bucket('other-bucket')) },
    removeRoot: () => Promise.resolve(server.removeBucket('bucket')),
    onClose: () => server.close(),
    hidesTrash: serverOptions.versioned === true,
  });
  return { ...opened, server, hands, prefix };
}

function outsideOf(hands: BucketHands): OutsideBucket {
  return {
    put: (key, bytes) => Promise.resolve(void hands.put(key, bytes)),
    get: (key) => Promise.resolve(hands.get(key)),
    delete: (key) => Promise.resolve(hands.delete(key)),
    keys: (prefix) => Promise.resolve(hands.keys(prefix)),
  };
}

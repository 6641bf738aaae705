/** An S3 storage on a server in this process. */

import { openS3, type OpenS3Options } from './open-s3.js';
import { startS3Server, type BucketHands, type S3ServerOptions, type S3TestServer } from './server/index.js';
import type { OpenBackend } from '@wl/ports/testing';

import type { S3Backend } from '../s3-backend.js';

/** A storage, its server, and hands on its bucket. */
export interface OnTestServer extends OpenBackend {
  readonly backend: S3Backend;
  readonly server: S3TestServer;
  readonly hands: BucketHands;
  readonly prefix: string;
}

/** Starts a server and opens a storage on it. */
export async function openOnTestServer(
  serverOptions: S3ServerOptions,
  { prefix = 'photos/', params = {} }: { readonly prefix?: string; readonly params?: Partial<OpenS3Options['params']> } = {},
): Promise<OnTestServer> {
  const server = await startS3Server({ ...serverOptions, buckets: ['bucket'] });
  const hands = server.bucket('bucket');
  const opened = await openS3({
    params: {
      endpointUrl: server.endpointUrl,
      credentials: { accessKey: server.accessKey, secretKey: server.secretKey },
      ...params,
    },
    bucket: 'bucket',
    prefix,
    outside: {
      put: (key, bytes) => Promise.resolve(void hands.put(key, bytes)),
      get: (key) => Promise.resolve(hands.get(key)),
      delete: (key) => Promise.resolve(hands.delete(key)),
      keys: (prefixOf) => Promise.resolve(hands.keys(prefixOf)),
    },
    removeRoot: () => Promise.resolve(server.removeBucket('bucket')),
    onClose: () => server.close(),
    hidesTrash: serverOptions.versioned === true,
  });
  return { ...opened, server, hands, prefix };
}

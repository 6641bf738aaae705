/** One bucket over HTTP: `S3Api` on the files beside this one. */

import type { S3Api } from '../s3-api.js';
import type { S3Location } from '../s3-location.js';
import type { S3Host, S3Params } from '../s3-params.js';

import { documentOf } from './answer.js';
import { type CredentialChain, CredentialSource } from './credentials.js';
import { toFailure } from './failures.js';
import { listPage, listVersions } from './listing.js';
import { storageHeaders } from './object-headers.js';
import { Objects } from './objects.js';
import { findRegion } from './region.js';
import { Requester } from './requester.js';
import { loadSdkChain, loadSharedRegion } from './sdk-chain.js';
import { Transport } from '../../http/transport.js';
import { abortUpload, completeUpload, copyPart, createUpload, listParts, listUploads, uploadPart } from './uploads.js';
import { childText } from '../../http/xml.js';

/** What a test may put in the place of chance and of the SDK. */
export interface S3ApiOptions {
  /** From [0, 1). */
  readonly random?: () => number;
  readonly loadChain?: () => Promise<CredentialChain>;
  readonly loadSharedRegion?: () => Promise<string | undefined>;
}

/** Opens nothing yet: connections and credentials come with the first request. */
export function createS3Api(params: S3Params, host: Pick<S3Host, 'clock' | 'env'>, location: S3Location, options: S3ApiOptions = {}): S3Api {
  const transport = new Transport(host.env);
  const storage = storageHeaders(params);
  const requester = new Requester({
    location,
    clock: host.clock,
    transport,
    credentials: new CredentialSource(params, host.clock, options.loadChain ?? loadSdkChain),
    findRegion: () => findRegion(params.region, host.env, options.loadSharedRegion ?? loadSharedRegion),
    random: options.random ?? Math.random,
  });
  const objects = new Objects(requester, storage);
  return {
    headBucket: (signal) => headBucket(requester, location.keyPrefix, signal),
    headObject: (key, signal) => objects.head(key, signal),
    getObject: (key, etag, offset, signal) => objects.get(key, etag, offset, signal),
    putObject: (key, content, sha256, properties, condition, signal) => objects.put(key, content, sha256, properties, condition, signal),
    putStream: (key, content, properties, condition, signal) => objects.putStream(key, content, properties, condition, signal),
    deleteObject: (key, condition, versionId, signal) => objects.delete(key, condition, versionId, signal),
    copyObject: (source, key, condition, properties, signal) => objects.copy(source, key, condition, properties, signal),
    list: (request, signal) => listPage(requester, request, signal),
    listVersions: (key, signal) => listVersions(requester, key, signal),
    isVersioned: (signal) => isVersioned(requester, signal),
    createUpload: (key, properties, signal) => createUpload(requester, key, storage, properties, signal),
    uploadPart: (key, uploadId, partNumber, content, sha256, signal) => uploadPart(requester, key, uploadId, partNumber, content, sha256, signal),
    copyPart: (source, key, uploadId, partNumber, range, signal) => copyPart(requester, source, { key, uploadId, partNumber, ...range }, signal),
    listParts: (key, uploadId, signal) => listParts(requester, key, uploadId, signal),
    completeUpload: (key, uploadId, parts, condition, signal) => completeUpload(requester, key, uploadId, parts, condition, signal),
    abortUpload: (key, uploadId, signal) => abortUpload(requester, key, uploadId, signal),
    listUploads: (prefix, signal) => listUploads(requester, prefix, signal),
    close: () => transport.close(),
  };
}

/**
 * HEAD has no body that says why it was refused, and some may list their own path only: then a
 * listing of one key tells.
 */
async function headBucket(requester: Requester, keyPrefix: string, signal: AbortSignal | undefined): Promise<void> {
  const answer = await requester.perform({ method: 'HEAD' }, signal);
  if (answer.failure === undefined) return;
  if (answer.status === 404) throw toFailure(answer, requester.concern());
  await listPage(requester, { prefix: keyPrefix, maxKeys: 1 }, signal);
}

async function isVersioned(requester: Requester, signal: AbortSignal | undefined): Promise<boolean> {
  const answer = await requester.perform({ method: 'GET', query: [['versioning', '']] }, signal);
  if (answer.failure !== undefined) throw toFailure(answer, requester.concern());
  return childText(documentOf(answer, 'VersioningConfiguration'), 'Status') === 'Enabled';
}

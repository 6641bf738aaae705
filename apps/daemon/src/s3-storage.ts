/** From the parameters of an S3 storage to what its driver takes; what does not fit is told in a sentence. */

import { createHash } from 'node:crypto';
import path from 'node:path';

import { deterministicBackendId, s3PlaceOf } from '@wl/adapters/manifests';
import type { S3Params } from '@wl/adapters/s3';
import { WildlandError } from '@wl/engine';
import type { StorageParams } from '@wl/ports/schemas';

/** What the driver is made from. Throws `WildlandError`. */
export function toS3Params(params: StorageParams): S3Params {
  const place = s3PlaceOf(params);
  if (!place.ok) throw new WildlandError(place.error.message);
  const { url, endpoint } = place.value;
  const region = text(params, 'region');
  const storageClass = text(params, 'storage-class');
  const encryption = text(params, 'sse');
  const credentials = credentialsOf(params);
  return {
    backendId: params['backend-id'] ?? deterministicBackendId(params),
    url,
    readOnly: params['read-only'] ?? false,
    ...(endpoint !== undefined && { endpointUrl: endpoint }),
    ...(region !== undefined && { region }),
    ...(typeof params['path-style'] === 'boolean' && { pathStyle: params['path-style'] }),
    ...(credentials !== undefined && { credentials }),
    ...(storageClass !== undefined && { storageClass }),
    ...(encryption !== undefined && { serverSideEncryption: encryption }),
    ...(params['with-index'] === true && { withIndex: true }),
  };
}

/** Where the driver of a storage keeps its notes. */
export function notesFile(baseDir: string, backendId: string): string {
  return path.join(baseDir, 's3', `${fileName(backendId)}.json`);
}

/** Directory in which it keeps what it knows of the parts of large objects. */
export function partsDirectory(baseDir: string, backendId: string): string {
  return path.join(baseDir, 's3', `${fileName(backendId)}.parts`);
}

/** A request may name any text as the id. */
function fileName(backendId: string): string {
  const isName = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/.test(backendId);
  return isName ? backendId : createHash('sha256').update(backendId).digest('hex');
}

/** The schema has seen to it that both are there. */
function credentialsOf(params: StorageParams): S3Params['credentials'] {
  const given = params['credentials'];
  if (typeof given !== 'object' || given === null) return undefined;
  const { 'access-key': accessKey, 'secret-key': secretKey } = given as Readonly<Record<string, unknown>>;
  if (typeof accessKey === 'string' && typeof secretKey === 'string') return { accessKey, secretKey };
  throw new WildlandError('the credentials of an S3 storage are an access-key and a secret-key');
}

function text(params: StorageParams, key: string): string | undefined {
  const value = params[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** HEAD and GET of an object: conditions, ranges, versions. */

import { checkRead } from './conditions.js';
import { tagHeader, tagOf } from './content-checks.js';
import type { Answer, OperationContext, OperationHandler } from './operation-context.js';
import { noSuchKey, S3Failure } from './s3-failure.js';
import type { StoredObject } from './stored-object.js';

/** HeadObject. A range is obeyed as by GET. */
export const headObject: OperationHandler = (context) => readObject(context);

/** GetObject. */
export const getObject: OperationHandler = (context) => readObject(context);

/** The version that the request names, else the live object; throws when there is none or it is a delete marker. */
export function findObject(context: OperationContext): StoredObject {
  const { request } = context;
  const versionId = request.query.get('versionId');
  if (versionId === undefined) return liveObject(context);
  const version = context.bucket().versions(request.key).find((stored) => stored.versionId === versionId);
  if (context.variant.dialect === 'ceph' && version?.isDeleteMarker !== false) throw noSuchKey(request.key);
  if (version === undefined) throw new S3Failure(404, 'NoSuchVersion', 'The specified version does not exist.', { elements: { Key: request.key } });
  if (version.isDeleteMarker) {
    throw new S3Failure(405, 'MethodNotAllowed', 'The specified method is not allowed against this resource.', { headers: { 'x-amz-delete-marker': 'true' } });
  }
  return version;
}

function liveObject(context: OperationContext): StoredObject {
  const bucket = context.bucket();
  const { key } = context.request;
  const object = context.staleBy > 0 ? bucket.before(key) : bucket.current(key);
  if (object !== undefined) return object;
  const marker = bucket.versions(key)[0];
  if (marker?.isDeleteMarker !== true || context.variant.dialect === 'ceph') throw noSuchKey(key);
  const failure = noSuchKey(key);
  throw new S3Failure(failure.status, failure.code, failure.message, {
    elements: { Key: key },
    headers: { 'x-amz-delete-marker': 'true', 'x-amz-version-id': marker.versionId },
  });
}

function readObject(context: OperationContext): Answer {
  const stored = findObject(context);
  const { otherVersion } = context;
  const object = otherVersion === undefined ? stored : { ...stored, bytes: otherVersion, etag: tagOf(otherVersion, context) };
  if (otherVersion === undefined) checkRead(context, object);
  const headers = headersOf(object, context);
  const range = context.ignoresRange ? undefined : rangeOf(context.request.headers.range, object.bytes.length);
  if (range === undefined) return { status: 200, headers, body: object.bytes };
  const { first, end } = range;
  const contentRange = `bytes ${first}-${end - 1}/${object.bytes.length}`;
  return { status: 206, headers: { ...headers, 'content-range': contentRange }, body: object.bytes.subarray(first, end) };
}

function headersOf(object: StoredObject, context: OperationContext): Record<string, string> {
  const { variant, request } = context;
  const headers: Record<string, string> = {
    'content-type': 'binary/octet-stream',
    ...object.headers,
    etag: decorated(object.etag, variant),
    'last-modified': new Date(object.lastModifiedMs).toUTCString(),
    'accept-ranges': 'bytes',
  };
  if (context.bucket().versioning !== 'off' || request.query.has('versionId')) headers['x-amz-version-id'] = object.versionId;
  // AWS leaves the class out where it is the default, and tells checksums of whole objects only on demand.
  if (variant.checksums === 'kept' && headers['x-amz-storage-class'] === 'STANDARD') delete headers['x-amz-storage-class'];
  const wantsChecksum = request.headers['x-amz-checksum-mode'] === 'ENABLED' && request.headers.range === undefined;
  if (wantsChecksum && object.checksum !== undefined) {
    headers['x-amz-checksum-sha256'] = object.checksum;
    headers['x-amz-checksum-type'] = object.checksum.includes('-') ? 'COMPOSITE' : 'FULL_OBJECT';
  }
  return headers;
}

function decorated(etag: string, variant: OperationContext['variant']): string {
  switch (variant.tagDecoration) {
    case 'none':
      return tagHeader(etag, variant);
    case 'weak':
      return `W/${tagHeader(etag, variant)}`;
    case 'gzip':
      return tagHeader(`${etag}-gzip`, variant);
  }
}

/** First byte and the one after the last; `undefined` for the whole object, as for ranges that make no sense. */
function rangeOf(header: string | undefined, size: number): { readonly first: number; readonly end: number } | undefined {
  const parsed = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (parsed === null || (parsed[1] === '' && parsed[2] === '')) return undefined;
  const [, from = '', to = ''] = parsed;
  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size : Math.min(size, Number(to) + 1);
  if (first >= end) {
    throw new S3Failure(416, 'InvalidRange', 'The requested range is not satisfiable', { headers: { 'content-range': `bytes */${size}` } });
  }
  return { first, end };
}

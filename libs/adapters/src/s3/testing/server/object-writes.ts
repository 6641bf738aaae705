/** PUT, DELETE and copy of an object: each looks at its condition and changes the bucket in one step. */

import type { Bucket } from './bucket.js';
import { checkCopySource, checkCopyTarget, checkDelete, checkPut } from './conditions.js';
import { checkContent, checksumHeader, tagHeader, tagOf } from './content-checks.js';
import { emptyAnswer, type OperationContext, type OperationHandler, xmlAnswer } from './operation-context.js';
import { noSuchKey, notImplemented, S3Failure } from './s3-failure.js';
import { objectHeaders, type StoredObject } from './stored-object.js';
import type { S3Variant } from './variant.js';
import { xmlDocument } from './xml.js';

/** PutObject. */
export const putObject: OperationHandler = (context) => {
  const { request, body, variant } = context;
  checkKey(context);
  const bucket = context.bucket();
  checkContent(context);
  const headers = writtenHeaders(context);
  checkPut(context, bucket.current(request.key));
  const checksum = variant.checksums === 'kept' ? checksumHeader(request.headers) : undefined;
  const stored = bucket.store({
    key: request.key,
    isDeleteMarker: false,
    bytes: body,
    etag: tagOf(body, context),
    headers,
    checksum,
    lastModifiedMs: context.nowMs,
  });
  return emptyAnswer(200, {
    etag: tagHeader(stored.etag, variant),
    ...versionHeader(bucket, stored),
    ...echoed(stored),
    ...(checksum !== undefined && { 'x-amz-checksum-sha256': checksum }),
  });
};

/** DeleteObject; deleting what is not there succeeds. */
export const deleteObject: OperationHandler = (context) => {
  const bucket = context.bucket();
  const { key, query } = context.request;
  const versionId = query.get('versionId');
  // Conditions are about the live object only, as AWS documents.
  checkDelete(context, key, bucket.current(key));
  if (versionId !== undefined) {
    const removed = bucket.removeVersion(key, versionId);
    if (removed === undefined && context.variant.dialect === 'ceph') return emptyAnswer(204);
    return emptyAnswer(204, { 'x-amz-version-id': versionId, ...(removed?.isDeleteMarker === true && { 'x-amz-delete-marker': 'true' }) });
  }
  const marker = bucket.remove(key, context.nowMs);
  return emptyAnswer(204, marker === undefined ? {} : { 'x-amz-delete-marker': 'true', 'x-amz-version-id': marker.versionId });
};

/** CopyObject. */
export const copyObject: OperationHandler = (context) => {
  const { request, variant } = context;
  if (!variant.copies) throw notImplemented();
  checkKey(context);
  const bucket = context.bucket();
  const { object: source, sourceBucket } = copySource(context);
  const replaces = request.headers['x-amz-metadata-directive'] === 'REPLACE';
  const headers = writtenHeaders(context);
  if (!replaces && source.key === request.key && sourceBucket === bucket && !changesMore(headers, source)) throw pointlessCopy();
  checkCopySource(context, source);
  checkCopyTarget(context, bucket.current(request.key));
  const stored = bucket.store({
    ...source,
    key: request.key,
    // Class and encryption are the target's own; they never come along.
    headers: replaces ? headers : { ...withoutPlacement(source.headers), ...placementOf(headers) },
    etag: variant.tags === 'md5' ? copiedTag(source, context) : tagOf(source.bytes, context),
    lastModifiedMs: context.nowMs,
  });
  const tag = variant.quotesCopyTags ? `"${stored.etag}"` : stored.etag;
  return xmlAnswer(xmlDocument('CopyObjectResult', { LastModified: listTime(stored.lastModifiedMs, variant), ETag: tag }), {
    // Ceph says nothing of versions here.
    ...(variant.dialect === 'aws' && versionHeader(bucket, stored)),
    ...(variant.dialect === 'aws' && sourceBucket.versioning !== 'off' && { 'x-amz-copy-source-version-id': source.versionId }),
    ...echoed(stored),
  });
};

/** The object a copy is made from, and its bucket. */
export function copySource(context: OperationContext): { readonly object: StoredObject; readonly sourceBucket: Bucket } {
  const header = String(context.request.headers['x-amz-copy-source']);
  const [path = '', versionId] = header.replace(/^\//, '').split('?versionId=');
  const slash = path.indexOf('/');
  const bucketName = decodeURIComponent(path.slice(0, slash));
  const key = decodeURIComponent(path.slice(slash + 1));
  const sourceBucket = context.buckets.get(bucketName);
  if (sourceBucket === undefined) throw new S3Failure(404, 'NoSuchBucket', 'The specified bucket does not exist', { elements: { BucketName: bucketName } });
  const object =
    versionId === undefined
      ? sourceBucket.current(key)
      : sourceBucket.versions(key).find((version) => version.versionId === versionId && !version.isDeleteMarker);
  if (object === undefined) throw noSuchKey(key);
  return { object, sourceBucket };
}

/** Headers of a write that are stored, checked against what the server has. */
export function writtenHeaders({ request, variant }: OperationContext): Record<string, string> {
  const headers = objectHeaders(request.headers as Readonly<Record<string, string | undefined>>, variant.dialect === 'ceph');
  const storageClass = headers['x-amz-storage-class'];
  if (storageClass !== undefined && !variant.storageClasses.includes(storageClass)) {
    throw new S3Failure(400, variant.dialect === 'aws' ? 'InvalidStorageClass' : 'InvalidArgument', 'The storage class you specified is not valid');
  }
  if (headers['x-amz-server-side-encryption'] !== undefined && !variant.encrypts) throw new S3Failure(400, 'InvalidRequest', 'Encryption is not supported');
  const metadata = Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-'));
  const size = metadata.reduce((sum, [name, value]) => sum + name.length - 'x-amz-meta-'.length + value.length, 0);
  if (size > 2048 && variant.dialect === 'aws') throw new S3Failure(400, 'MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size');
  return headers;
}

/** Throws for keys of more than 1,024 bytes. */
export function checkKey({ request, variant }: OperationContext): void {
  if (Buffer.byteLength(request.key) <= 1024) return;
  throw new S3Failure(400, variant.dialect === 'ceph' ? 'InvalidObjectName' : 'KeyTooLongError', 'Your key is too long');
}

/** The version written, where versions are kept. */
export function versionHeader(bucket: Bucket, stored: StoredObject): Record<string, string> {
  return bucket.versioning === 'off' ? {} : { 'x-amz-version-id': stored.versionId };
}

/** Encryption is told with every answer about an object. */
export function echoed(stored: StoredObject): Record<string, string> {
  const names = ['x-amz-server-side-encryption', 'x-amz-server-side-encryption-aws-kms-key-id'];
  return Object.fromEntries(Object.entries(stored.headers).filter(([name]) => names.includes(name)));
}

/** A time in the XML of listings and copies. */
export function listTime(timeMs: number, variant: S3Variant): string {
  return new Date(variant.listTimes === 'seconds' ? Math.floor(timeMs / 1000) * 1000 : timeMs).toISOString();
}

const isPlacement = (name: string): boolean => name === 'x-amz-storage-class' || name.startsWith('x-amz-server-side-encryption');

function placementOf(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => isPlacement(name)));
}

function withoutPlacement(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !isPlacement(name)));
}

/** AWS writes the copy in one piece: its tag is the MD5 even where the source's is one of parts. Ceph keeps the tag. */
function copiedTag(source: StoredObject, context: OperationContext): string {
  return context.variant.dialect === 'ceph' ? source.etag : tagOf(source.bytes, context);
}

function changesMore(headers: Readonly<Record<string, string>>, source: StoredObject): boolean {
  return Object.entries(placementOf(headers)).some(([name, value]) => (source.headers[name] ?? 'STANDARD') !== value);
}

function pointlessCopy(): S3Failure {
  return new S3Failure(
    400,
    'InvalidRequest',
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  );
}

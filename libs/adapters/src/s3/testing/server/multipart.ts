/** Uploads in parts. An object comes to be when the upload is completed, in one step. */

import { createHash } from 'node:crypto';

import { checkComplete, checkCopySource } from './conditions.js';
import { checkContent, checksumHeader, tagHeader } from './content-checks.js';
import { checkKey, copySource, echoed, listTime, versionHeader, writtenHeaders } from './object-writes.js';
import { type Answer, emptyAnswer, type OperationContext, type OperationHandler, xmlAnswer } from './operation-context.js';
import { noSuchKey, notImplemented, S3Failure } from './s3-failure.js';
import type { PendingUpload, StoredPart } from './uploads.js';
import { elements, elementText, xmlDocument } from './xml.js';

/** CreateMultipartUpload. */
export const createUpload: OperationHandler = (context) => {
  const { request, variant } = context;
  if (!variant.uploadsInParts) throw notImplemented();
  checkKey(context);
  const uploadId = `u${context.uniqueId()}`;
  context.bucket().uploads.set(uploadId, {
    uploadId,
    key: request.key,
    headers: writtenHeaders(context),
    initiatedMs: context.nowMs,
    parts: new Map(),
  });
  return xmlAnswer(xmlDocument('InitiateMultipartUploadResult', { Bucket: request.bucket, Key: request.key, UploadId: uploadId }));
};

/** UploadPart. */
export const uploadPart: OperationHandler = (context) => {
  const upload = findUpload(context);
  checkContent(context);
  const checksum = context.variant.checksums === 'kept' ? checksumHeader(context.request.headers) : undefined;
  const part = keepPart(context, upload, context.body, checksum);
  return emptyAnswer(200, {
    etag: tagHeader(part.etag, context.variant),
    ...(checksum !== undefined && { 'x-amz-checksum-sha256': checksum }),
  });
};

/** UploadPartCopy: a part from a range of an object. */
export const uploadPartCopy: OperationHandler = (context) => {
  const { variant } = context;
  if (!variant.copies || variant.copiesParts === 'refused') throw notImplemented();
  const upload = findUpload(context);
  const { object } = copySource(context);
  if (variant.comparesPartSource) checkCopySource(context, object);
  const part = keepPart(context, upload, Buffer.from(rangeOf(context, object.bytes)), undefined);
  const tag = variant.quotesCopyTags ? `"${part.etag}"` : part.etag;
  return xmlAnswer(xmlDocument('CopyPartResult', { LastModified: listTime(part.lastModifiedMs, variant), ETag: tag }));
};

/** The bytes of a source that are asked for; they have to be there, all of them. */
function rangeOf({ request, variant }: OperationContext, bytes: Buffer): Buffer {
  const header = request.headers['x-amz-copy-source-range'];
  if (header === undefined || variant.copiesParts === 'whole') return bytes;
  const range = /^bytes=(\d+)-(\d+)$/.exec(String(header));
  const [first, last] = [Number(range?.[1]), Number(range?.[2])];
  if (range === null || first > last) throw new S3Failure(400, 'InvalidArgument', 'The x-amz-copy-source-range value must be of the form bytes=first-last');
  if (last < bytes.length) return bytes.subarray(first, last + 1);
  throw new S3Failure(variant.missingRangeStatus, variant.missingRangeStatus === 416 ? 'InvalidRange' : 'InvalidArgument', 'Range specified is not valid for source object');
}

/** ListParts. */
export const listParts: OperationHandler = (context) => {
  const { request, variant } = context;
  const upload = findUpload(context, noSuchPartList(context));
  const marker = Number(request.query.get('part-number-marker') ?? 0);
  const limit = Math.min(Number(request.query.get('max-parts') ?? 1000), variant.pageSize);
  const found = [...upload.parts.values()].filter((part) => part.partNumber > marker).sort((a, b) => a.partNumber - b.partNumber);
  const listed = found.slice(0, limit);
  return xmlAnswer(
    xmlDocument('ListPartsResult', {
      Bucket: request.bucket,
      Key: request.key,
      UploadId: upload.uploadId,
      PartNumberMarker: marker,
      NextPartNumberMarker: listed.at(-1)?.partNumber ?? 0,
      MaxParts: limit,
      IsTruncated: found.length > listed.length,
      Part: listed.map((part) => ({
        PartNumber: part.partNumber,
        LastModified: listTime(part.lastModifiedMs, variant),
        ETag: `"${part.etag}"`,
        Size: part.bytes.length,
        ChecksumSHA256: part.checksum,
      })),
    }),
  );
};

/** CompleteMultipartUpload. */
export const completeUpload: OperationHandler = (context) => {
  const { request, variant } = context;
  const bucket = context.bucket();
  const named = partsNamed(context);
  if (variant.dialect === 'ceph' && !isUploadOf(context)) return completeAgain(context, named);
  const upload = findUpload(context);
  const parts = verifiedParts(context, upload, named);
  checkComplete(context, bucket.current(request.key));
  const checksums = parts.map((part) => part.checksum);
  const stored = bucket.store({
    key: upload.key,
    isDeleteMarker: false,
    bytes: Buffer.concat(parts.map((part) => part.bytes)),
    etag: tagOfParts(parts),
    headers: upload.headers,
    checksum: checksums.includes(undefined)
      ? undefined
      : `${digest('sha256', checksums.map((sum) => Buffer.from(sum ?? '', 'base64')), 'base64')}-${parts.length}`,
    lastModifiedMs: context.nowMs,
  });
  bucket.uploads.delete(upload.uploadId);
  return xmlAnswer(
    xmlDocument('CompleteMultipartUploadResult', {
      Bucket: bucket.name,
      Key: stored.key,
      ETag: variant.hidesCompleteTag ? '' : `"${stored.etag}"`,
      ChecksumSHA256: stored.checksum,
    }),
    { ...versionHeader(bucket, stored), ...echoed(stored) },
  );
};

/** AbortMultipartUpload. */
export const abortUpload: OperationHandler = (context) => {
  const upload = findUpload(context);
  context.bucket().uploads.delete(upload.uploadId);
  return emptyAnswer(204);
};

function findUpload(context: OperationContext, otherwise: S3Failure = noSuchUpload()): PendingUpload {
  if (!context.variant.uploadsInParts) throw notImplemented();
  const upload = context.bucket().uploads.get(context.request.query.get('uploadId') ?? '');
  if (upload?.key !== context.request.key) throw otherwise;
  return upload;
}

function isUploadOf({ bucket, request }: OperationContext): boolean {
  return bucket().uploads.get(request.query.get('uploadId') ?? '')?.key === request.key;
}

/** Ceph takes an upload that is not there for one completed before, as long as the object is what it would have become. */
function completeAgain(context: OperationContext, named: readonly NamedPart[]): Answer {
  const etag = tagOfParts(named);
  const stored = context.bucket().current(context.request.key);
  if (stored?.etag !== etag) throw new S3Failure(500, 'InternalError', 'This multipart completion is already in progress');
  return xmlAnswer(xmlDocument('CompleteMultipartUploadResult', { Bucket: context.request.bucket, Key: stored.key, ETag: etag }));
}

function noSuchPartList({ variant, request }: OperationContext): S3Failure {
  return variant.dialect === 'ceph' ? noSuchKey(request.key) : noSuchUpload();
}

function noSuchUpload(): S3Failure {
  return new S3Failure(404, 'NoSuchUpload', 'The specified multipart upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.');
}

function keepPart(context: OperationContext, upload: PendingUpload, bytes: Buffer, checksum: string | undefined): StoredPart {
  const partNumber = Number(context.request.query.get('partNumber'));
  if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > 10_000) {
    throw new S3Failure(400, 'InvalidArgument', 'Part number must be an integer between 1 and 10000, inclusive');
  }
  const part: StoredPart = { partNumber, bytes, etag: digest('md5', [bytes], 'hex'), checksum, lastModifiedMs: context.nowMs };
  upload.parts.set(partNumber, part);
  return part;
}

/** A part as the client names it. */
interface NamedPart {
  readonly partNumber: number;
  readonly etag: string;
  readonly checksum: string | undefined;
}

function partsNamed(context: OperationContext): readonly NamedPart[] {
  const named = elements(context.body.toString('utf8'), 'Part').map((part) => ({
    partNumber: Number(elementText(part, 'PartNumber')),
    etag: (elementText(part, 'ETag') ?? '').replaceAll('"', ''),
    checksum: elementText(part, 'ChecksumSHA256'),
  }));
  if (named.length === 0) throw new S3Failure(400, 'MalformedXML', 'The XML you provided was not well-formed or did not validate against our published schema');
  // Ceph keeps them by number: their order does not count, and of two with one number the last does.
  if (context.variant.dialect === 'ceph') {
    return [...new Map(named.map((part) => [part.partNumber, part])).values()].sort((a, b) => a.partNumber - b.partNumber);
  }
  if (named.some((part, index) => index > 0 && part.partNumber <= (named[index - 1]?.partNumber ?? 0))) {
    throw new S3Failure(400, 'InvalidPartOrder', 'The list of parts was not in ascending order. Parts must be ordered by part number.');
  }
  return named;
}

/** The parts that the client names, each verified against what was uploaded. */
function verifiedParts(context: OperationContext, upload: PendingUpload, named: readonly NamedPart[]): readonly StoredPart[] {
  if (context.variant.dialect === 'ceph' && named.length !== upload.parts.size) throw invalidPart();
  const parts = named.map(({ partNumber, etag, checksum }) => {
    const part = upload.parts.get(partNumber);
    if (part?.etag !== etag || (checksum !== undefined && part.checksum !== undefined && checksum !== part.checksum)) throw invalidPart();
    return part;
  });
  if (parts.slice(0, -1).some((part) => part.bytes.length < context.variant.minimumPartBytes)) {
    throw new S3Failure(400, 'EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size');
  }
  return parts;
}

function invalidPart(): S3Failure {
  return new S3Failure(400, 'InvalidPart', 'One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part\'s entity tag.');
}

function tagOfParts(parts: readonly Pick<StoredPart, 'etag'>[]): string {
  return `${digest('md5', parts.map((part) => Buffer.from(part.etag, 'hex')), 'hex')}-${parts.length}`;
}

function digest(algorithm: string, pieces: readonly Buffer[], encoding: 'hex' | 'base64'): string {
  const hash = createHash(algorithm);
  for (const piece of pieces) hash.update(piece);
  return hash.digest(encoding);
}

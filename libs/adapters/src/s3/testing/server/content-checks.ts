/** Whether a body is what its headers say (INV-27), and the tag it gets. */

import { createHash } from 'node:crypto';

import type { OperationContext } from './operation-context.js';
import { S3Failure } from './s3-failure.js';

/** Throws unless the body hashes to what was signed, to `Content-MD5` and to the checksum given. */
export function checkContent({ request, body, variant }: Pick<OperationContext, 'request' | 'body' | 'variant'>): void {
  const signed = String(request.headers['x-amz-content-sha256'] ?? 'UNSIGNED-PAYLOAD');
  if (variant.verifiesContent && signed !== 'UNSIGNED-PAYLOAD' && signed !== sha256(body, 'hex')) {
    throw new S3Failure(400, 'XAmzContentSHA256Mismatch', "The provided 'x-amz-content-sha256' header does not match what was computed.");
  }
  const given = request.headers['content-md5'];
  if (variant.verifiesMd5 && given !== undefined) checkMd5(body, String(given));
  const checksum = checksumHeader(request.headers);
  if (variant.checksums === 'kept' && checksum !== undefined && checksum !== sha256(body, 'base64')) {
    throw new S3Failure(400, 'BadDigest', 'The SHA256 you specified did not match the calculated checksum.');
  }
}

/** The base64 SHA-256 a client gave with content. */
export function checksumHeader(headers: OperationContext['request']['headers']): string | undefined {
  const value = headers['x-amz-checksum-sha256'];
  return value === undefined ? undefined : String(value);
}

/** Tag of content put in one piece, without quotes. */
export function tagOf(bytes: Buffer, { variant, uniqueId }: Pick<OperationContext, 'variant' | 'uniqueId'>): string {
  switch (variant.tags) {
    case 'md5':
      return md5(bytes, 'hex');
    case 'random':
      return md5(Buffer.from(uniqueId()), 'hex');
    case 'multipart':
      return `${createHash('md5').update(createHash('md5').update(bytes).digest()).digest('hex')}-1`;
  }
}

/** The tag as an `ETag` header has it. */
export function tagHeader(etag: string, variant: OperationContext['variant']): string {
  return variant.quotesTags ? `"${etag}"` : etag;
}

function checkMd5(body: Buffer, given: string): void {
  if (Buffer.from(given, 'base64').length !== 16) throw new S3Failure(400, 'InvalidDigest', 'The Content-MD5 you specified is not valid.');
  if (md5(body, 'base64') !== given) throw new S3Failure(400, 'BadDigest', 'The Content-MD5 you specified did not match what we received.');
}

function sha256(bytes: Buffer, encoding: 'hex' | 'base64'): string {
  return createHash('sha256').update(bytes).digest(encoding);
}

function md5(bytes: Buffer, encoding: 'hex' | 'base64'): string {
  return createHash('md5').update(bytes).digest(encoding);
}

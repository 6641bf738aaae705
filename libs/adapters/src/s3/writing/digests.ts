/** Digests of bytes: SHA-256 is the content, MD5 is what many servers give as ETag of an object written in one piece. */

import { createHash } from 'node:crypto';

import { toSha256, type Sha256 } from '@wl/domain';

/** SHA-256 of bytes. */
export function sha256Of(bytes: Uint8Array): Sha256 {
  return toSha256(createHash('sha256').update(bytes).digest('hex'));
}

/** MD5 of bytes, 32 lower-case hex digits: to compare with an ETag, never to tell contents apart. */
export function md5Of(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}

/** Whether an ETag has the form of an MD5. */
export function isBareMd5(etag: string): boolean {
  return /^[0-9a-f]{32}$/.test(etag);
}

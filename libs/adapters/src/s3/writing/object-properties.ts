/**
 * What we write along with an object, and what of it is believed when it is read.
 *
 * `mtime` is the key that rclone reads and writes: seconds since the epoch, with nine digits of
 * fraction. `sha256` is believed only of the version it was written with: other programs keep
 * user metadata when they write new bytes (s3fs), so `wl-etag`, the ETag the version was
 * expected to get, has to be the one it has. The ETag vouches for the metadata by that; it is
 * never taken for a hash itself (T37, INV-24).
 */

import { toSha256, type Sha256 } from '@wl/domain';
import type { FileAttributes } from '@wl/ports';

import type { ObjectHead, ObjectProperties } from '../s3-api.js';

/** Names of our user metadata. */
export const METADATA = {
  sha256: 'sha256',
  mtime: 'mtime',
  executable: 'wl-executable',
  /** ETag that the version was expected to get. */
  etag: 'wl-etag',
  /** Random id of the attempt that wrote the version: recognises our own write after a lost reply (INV-18). */
  write: 'wl-write',
} as const;

/** Latest instant that a date can tell, milliseconds from the epoch in both directions. */
const MAX_DATE_MS = 8.64e15;

/** What is to be recorded of a version. */
export interface Recorded {
  readonly attributes: Pick<FileAttributes, 'mtimeMs' | 'isExecutable'>;
  readonly sha256: Sha256 | undefined;
  /** ETag that the version will have, where that can be told beforehand. */
  readonly etag: string | undefined;
  /** Id of this attempt. */
  readonly writeId: string;
}

/** Properties of an object to be written. */
export function propertiesFor(key: string, { attributes, sha256, etag, writeId }: Recorded): ObjectProperties {
  const metadata = new Map<string, string>();
  if (sha256 !== undefined) metadata.set(METADATA.sha256, sha256);
  const mtime = formatMtime(attributes.mtimeMs);
  if (mtime !== undefined) metadata.set(METADATA.mtime, mtime);
  if (attributes.isExecutable === true) metadata.set(METADATA.executable, '1');
  if (etag !== undefined) metadata.set(METADATA.etag, etag);
  metadata.set(METADATA.write, writeId);
  const contentType = contentTypeOf(key);
  return { metadata, ...(contentType !== undefined && { contentType }) };
}

/** Whether the object was written by the attempt `writeId`, or keeps the metadata of one that was. */
export function isOfWrite(head: ObjectHead, writeId: string): boolean {
  return head.metadata.get(METADATA.write) === writeId;
}

/** What travels with the content of an object. Without a recorded time the server's is taken. */
export function attributesOf(head: ObjectHead): FileAttributes {
  const sha256 = trustedHash(head);
  return {
    mtimeMs: parseMtime(head.metadata.get(METADATA.mtime)) ?? head.lastModifiedMs,
    isExecutable: head.metadata.get(METADATA.executable) === '1',
    ...(sha256 !== undefined && { content: { sha256, sizeBytes: head.sizeBytes } }),
  };
}

/** The hash of an object's content, where it is known to belong to this very version. */
export function trustedHash(head: ObjectHead): Sha256 | undefined {
  if (head.sha256 !== undefined) return head.sha256;
  const isBound = head.etag !== '' && head.metadata.get(METADATA.etag) === head.etag;
  return isBound ? recordedHash(head) : undefined;
}

/** The hash in an object's metadata, which may be that of an earlier version. */
export function recordedHash(head: ObjectHead): Sha256 | undefined {
  const recorded = head.metadata.get(METADATA.sha256);
  return recorded !== undefined && /^[0-9a-f]{64}$/.test(recorded) ? toSha256(recorded) : undefined;
}

/** Milliseconds as seconds with nine digits of fraction; a double comes back from them as it was. */
export function formatMtime(mtimeMs: number): string | undefined {
  if (!Number.isFinite(mtimeMs) || Math.abs(mtimeMs) > MAX_DATE_MS) return undefined;
  const absolute = Math.abs(mtimeMs);
  let seconds = Math.floor(absolute / 1000);
  // The difference of two close doubles is exact, so that only the last digit is rounded.
  let nanoseconds = Math.round((absolute - seconds * 1000) * 1e6);
  if (nanoseconds >= 1e9) {
    seconds += 1;
    nanoseconds = 0;
  }
  const isNegative = mtimeMs < 0 && (seconds > 0 || nanoseconds > 0);
  return `${isNegative ? '-' : ''}${String(seconds)}.${String(nanoseconds).padStart(9, '0')}`;
}

/** Seconds with or without fraction as milliseconds; `undefined` for anything else. */
export function parseMtime(text: string | undefined): number | undefined {
  const parts = /^(-?)(\d{1,15})(?:\.(\d{1,18}))?$/.exec(text ?? '');
  if (parts === null) return undefined;
  const nanoseconds = Number((parts[3] ?? '').slice(0, 9).padEnd(9, '0'));
  const absolute = Number(parts[2]) * 1000 + nanoseconds / 1e6;
  if (absolute > MAX_DATE_MS) return undefined;
  return parts[1] === '-' && absolute > 0 ? -absolute : absolute;
}

/** For people who open an object in a browser; everything else is bytes. */
const CONTENT_TYPES: ReadonlyMap<string, string> = new Map([
  ['css', 'text/css; charset=utf-8'],
  ['gif', 'image/gif'],
  ['htm', 'text/html; charset=utf-8'],
  ['html', 'text/html; charset=utf-8'],
  ['jpeg', 'image/jpeg'],
  ['jpg', 'image/jpeg'],
  ['js', 'text/javascript; charset=utf-8'],
  ['json', 'application/json'],
  ['md', 'text/markdown; charset=utf-8'],
  ['mp3', 'audio/mpeg'],
  ['mp4', 'video/mp4'],
  ['pdf', 'application/pdf'],
  ['png', 'image/png'],
  ['svg', 'image/svg+xml'],
  ['txt', 'text/plain; charset=utf-8'],
  ['webp', 'image/webp'],
]);

function contentTypeOf(key: string): string | undefined {
  const name = key.slice(key.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  return dot > 0 ? CONTENT_TYPES.get(name.slice(dot + 1).toLowerCase()) : undefined;
}

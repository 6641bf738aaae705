/**
 * What the driver needs of an S3 endpoint: one bucket's objects, by key. This is the seam
 * between the rules of the driver (which version may be replaced, what is kept in the trash)
 * and the wire (signing, XML, retries). Keys are whole, with the storage's prefix.
 *
 * Common rules
 * - A condition that does not hold is an answer (`refused`), never an exception.
 * - Failures reject with `S3Error`. Requests that may be repeated are repeated before that,
 *   with growing pauses (T53).
 * - A body that is not what was asked for (cut short, foreign, not XML) is a failure, never
 *   a shorter answer (INV-8, T02, T03).
 * - ETags are handed on without quotes and are opaque: compared, never read (T37).
 */

import type { Sha256 } from '@wl/domain';

/** What must hold for a write to take effect; checked by the server in one step where it can (see `S3Abilities`). */
export type Condition =
  /**
   * Nothing is compared. With `isOnce` the request is not repeated by itself once it may have
   * reached the server: a repetition after a lost reply could hit what others wrote meanwhile.
   * Where the server said that it did nothing (429, 503 of its throttle), it may be.
   */
  | { readonly kind: 'none'; readonly isOnce?: true }
  /** Nothing has this key: `If-None-Match: *`. */
  | { readonly kind: 'absent' }
  /** The object is this version: `If-Match`. The tag is sent in quotes unless `isBare`. */
  | { readonly kind: 'etag'; readonly etag: string; readonly isBare: boolean };

/** An object as `HEAD` and `GET` tell of it. */
export interface ObjectHead {
  readonly etag: string;
  readonly sizeBytes: number;
  /** By the server's clock, milliseconds since the epoch, in whole seconds. */
  readonly lastModifiedMs: number;
  readonly versionId: string | undefined;
  /** User metadata: lower-case names without `x-amz-meta-`, values decoded from percent-encoding. */
  readonly metadata: ReadonlyMap<string, string>;
  /** SHA-256 of the whole object that the server itself keeps (`x-amz-checksum-sha256`, never that of parts). */
  readonly sha256: Sha256 | undefined;
  /** The server's clock when it answered, milliseconds since the epoch. */
  readonly serverTimeMs: number | undefined;
}

/** An object being read. `body` fails when fewer bytes come than were announced (T41). */
export interface ObjectBody {
  readonly head: ObjectHead;
  /** First byte that `body` has; what follows goes to the end of the object. */
  readonly offset: number;
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends the transfer early. */
  readonly destroy: () => void;
}

/** What is written along with an object. */
export interface ObjectProperties {
  /** User metadata, names in lower case without `x-amz-meta-`; values are percent-encoded on the wire where they must be. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly contentType?: string;
}

/** Bytes whose number and hash are known beforehand, given piece by piece. */
export interface StreamedContent {
  readonly sizeBytes: number;
  readonly sha256: Sha256;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Answer of a write. */
export type WriteAnswer =
  | { readonly kind: 'done'; readonly etag: string; readonly versionId: string | undefined }
  /**
   * The condition did not hold (409, 412; 404 for a version that is gone). With
   * `mayBeOurs`, an earlier try of this very request ended without an answer: what is there
   * may be what it wrote (T36, INV-18).
   */
  | { readonly kind: 'refused'; readonly mayBeOurs: boolean };

/** One object of a listing. */
export interface ListedObject {
  readonly key: string;
  readonly etag: string;
  readonly sizeBytes: number;
  readonly lastModifiedMs: number;
}

/** One page of a listing, checked: in key order, within what was asked for, complete XML. */
export interface ListPage {
  readonly objects: readonly ListedObject[];
  /** With a delimiter: prefixes that end in it. */
  readonly commonPrefixes: readonly string[];
  /** Where the next page starts; `undefined` at the end. */
  readonly next: string | undefined;
}

/** What to list. */
export interface ListRequest {
  readonly prefix: string;
  /** Only keys after this one. */
  readonly startAfter?: string;
  /** From the page before; excludes `startAfter`. */
  readonly continuation?: string;
  readonly delimiter?: string;
  /** At most 1000. */
  readonly maxKeys?: number;
}

/** One version of an object, or a delete marker, in a versioned bucket. */
export interface ListedVersion {
  readonly key: string;
  readonly versionId: string;
  readonly isLatest: boolean;
  readonly isDeleteMarker: boolean;
  /** `''` for delete markers. */
  readonly etag: string;
  readonly sizeBytes: number;
  readonly lastModifiedMs: number;
}

/** A part of an upload that the server holds. */
export interface UploadedPart {
  /** From 1. */
  readonly partNumber: number;
  readonly etag: string;
  readonly sizeBytes: number;
}

/** An upload in parts that was begun and neither completed nor aborted. */
export interface PendingUpload {
  readonly key: string;
  readonly uploadId: string;
  readonly initiatedMs: number;
}

/** Answer of a removal. */
export type DeleteAnswer =
  /** It is not there any more. On a versioned bucket: id of the delete marker that was laid on it. */
  | { readonly kind: 'done'; readonly versionId?: string }
  /** It is another version. With `mayBeOurs`, an earlier try of this very request may have removed the one named. */
  | { readonly kind: 'refused'; readonly mayBeOurs: boolean };

/** What to copy within the endpoint. */
export interface CopySource {
  /** Default: the same bucket. */
  readonly bucket?: string;
  readonly key: string;
  /** Only this version, where the server can be asked that; the caller looks at what came out in any case. */
  readonly etag: string;
  readonly versionId?: string;
}

/** Objects of one bucket. All methods may be called concurrently. */
export interface S3Api {
  /** Whether the bucket is there and may be used; rejects with `S3Error` (`not-found`, `unauthorized`, …). Settles the region. */
  headBucket(signal?: AbortSignal): Promise<void>;
  headObject(key: string, signal?: AbortSignal): Promise<ObjectHead | undefined>;
  /** Reads version `etag` from `offset` on (T48: an answer of another version or range is a failure); `stale` when it is another one or gone. */
  getObject(key: string, etag: string | undefined, offset: number, signal?: AbortSignal): Promise<ObjectBody | 'stale'>;
  putObject(key: string, content: Uint8Array, sha256: Sha256, properties: ObjectProperties, condition: Condition, signal?: AbortSignal): Promise<WriteAnswer>;
  /** As `putObject`, for content that is not held in memory; never repeated by itself (T43). */
  putStream(key: string, content: StreamedContent, properties: ObjectProperties, condition: Condition, signal?: AbortSignal): Promise<WriteAnswer>;
  /** Removes an object; missing already is success. */
  deleteObject(key: string, condition: Condition, versionId?: string, signal?: AbortSignal): Promise<DeleteAnswer>;
  /** Copies on the server. `stale` when the source is known to be another version. Metadata is kept unless given anew. */
  copyObject(source: CopySource, key: string, condition: Condition, properties?: ObjectProperties, signal?: AbortSignal): Promise<WriteAnswer | { readonly kind: 'stale' }>;
  list(request: ListRequest, signal?: AbortSignal): Promise<ListPage>;
  /** All versions of one key, latest first. */
  listVersions(key: string, signal?: AbortSignal): Promise<readonly ListedVersion[]>;
  /** Whether the bucket keeps versions now. */
  isVersioned(signal?: AbortSignal): Promise<boolean>;

  createUpload(key: string, properties: ObjectProperties, signal?: AbortSignal): Promise<{ readonly uploadId: string }>;
  /** `sha256` is that of the part. Repeated by itself. */
  uploadPart(key: string, uploadId: string, partNumber: number, content: Uint8Array, sha256: Sha256, signal?: AbortSignal): Promise<UploadedPart>;
  /**
   * Has the server take a part from an object, bytes `start` to before `end`. `stale` when the source is
   * known to be another version, or gone; not every server compares that. Repeated by itself.
   */
  copyPart(source: CopySource, key: string, uploadId: string, partNumber: number, range: { readonly start: number; readonly end: number }, signal?: AbortSignal): Promise<UploadedPart | 'stale'>;
  /** `undefined` when the upload is not there any more. */
  listParts(key: string, uploadId: string, signal?: AbortSignal): Promise<readonly UploadedPart[] | undefined>;
  /** The answer's ETag may be empty (Ceph): look at the object afterwards. */
  completeUpload(key: string, uploadId: string, parts: readonly UploadedPart[], condition: Condition, signal?: AbortSignal): Promise<WriteAnswer>;
  /** Missing already is success. */
  abortUpload(key: string, uploadId: string, signal?: AbortSignal): Promise<void>;
  listUploads(prefix: string, signal?: AbortSignal): AsyncIterable<PendingUpload>;

  /** Ends idle connections; running requests are aborted. */
  close(): Promise<void>;
}

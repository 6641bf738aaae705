/**
 * The hands of an outsider: another client, or the disk itself, that changes a bucket without
 * HTTP, at any moment a test likes. Each call is one step.
 */

import type { Bucket, Versioning } from './bucket.js';
import { type StoredObject, metadataOf } from './stored-object.js';
import type { PendingUpload } from './uploads.js';

/** An object as an outsider sees it. */
export interface SeenObject {
  readonly bytes: Buffer;
  /** Without quotes. */
  readonly etag: string;
  readonly versionId: string;
  readonly isDeleteMarker: boolean;
  /** User metadata, names without `x-amz-meta-`, values as sent. */
  readonly metadata: Readonly<Record<string, string>>;
  /** All stored headers, `x-amz-meta-*` included. */
  readonly headers: Readonly<Record<string, string>>;
  readonly lastModifiedMs: number;
}

/** What an outsider writes along. */
export interface OutsiderProperties {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly contentType?: string;
  /** Instead of the tag the server would give. */
  readonly etag?: string;
  /** Instead of the server's time. */
  readonly lastModifiedMs?: number;
}

/** Hands on one bucket. */
export class BucketHands {
  constructor(
    private readonly bucket: Bucket,
    private readonly nowMs: () => number,
    private readonly tag: (bytes: Buffer) => string,
  ) {}

  /** Writes an object; returns its tag. */
  put(key: string, content: Uint8Array | string, properties: OutsiderProperties = {}): string {
    const bytes = Buffer.from(content as Uint8Array);
    const metadata = Object.entries(properties.metadata ?? {}).map(([name, value]) => [`x-amz-meta-${name}`, value]);
    const stored = this.bucket.store({
      key,
      isDeleteMarker: false,
      bytes,
      etag: properties.etag ?? this.tag(bytes),
      headers: {
        ...(properties.contentType !== undefined && { 'content-type': properties.contentType }),
        ...(Object.fromEntries(metadata) as Record<string, string>),
      },
      checksum: undefined,
      lastModifiedMs: properties.lastModifiedMs ?? this.nowMs(),
    });
    return stored.etag;
  }

  /** Bytes of the live object. */
  get(key: string): Buffer | undefined {
    return this.bucket.current(key)?.bytes;
  }

  /** The live object as text. */
  text(key: string): string | undefined {
    return this.get(key)?.toString('utf8');
  }

  /** The live object. */
  head(key: string): SeenObject | undefined {
    const object = this.bucket.current(key);
    return object === undefined ? undefined : seen(object);
  }

  /** Removes the live object (a marker covers it where versions are kept). */
  delete(key: string): void {
    if (this.bucket.current(key) !== undefined) this.bucket.remove(key, this.nowMs());
  }

  /** Keys of live objects, in listing order. */
  keys(prefix = ''): readonly string[] {
    return this.bucket.keys.filter((key) => key.startsWith(prefix) && this.bucket.current(key) !== undefined);
  }

  /** All versions of a key, latest first. */
  versions(key: string): readonly SeenObject[] {
    return this.bucket.versions(key).map(seen);
  }

  /** Uploads in parts that are neither completed nor aborted. */
  uploads(): readonly PendingUpload[] {
    return [...this.bucket.uploads.values()];
  }

  /** Changes the stored bytes and nothing else, tag and time included: bit rot (T51). */
  tamper(key: string, change: (bytes: Buffer) => Uint8Array): void {
    this.bucket.tamper(key, (object) => ({ ...object, bytes: Buffer.from(change(Buffer.from(object.bytes))) }));
  }

  /** Starts or stops keeping versions. */
  setVersioning(versioning: Versioning): void {
    this.bucket.versioning = versioning;
  }

  /** Changes ever made to objects of this bucket, by anyone. */
  get changeCount(): number {
    return this.bucket.changeCount;
  }
}

function seen(object: StoredObject): SeenObject {
  const { bytes, etag, versionId, isDeleteMarker, headers, lastModifiedMs } = object;
  return { bytes, etag, versionId, isDeleteMarker, metadata: metadataOf(object), headers, lastModifiedMs };
}

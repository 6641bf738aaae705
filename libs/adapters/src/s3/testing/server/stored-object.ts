/** What a bucket holds: one version of one object, never changed once stored (except by `tamper`). */

/** A version of an object, or a delete marker. */
export interface StoredObject {
  readonly key: string;
  /** `null` on buckets that keep no versions. */
  readonly versionId: string;
  readonly isDeleteMarker: boolean;
  readonly bytes: Buffer;
  /** Without quotes; `''` for delete markers. */
  readonly etag: string;
  /** Headers that come back as they were sent: content type and its like, `x-amz-meta-*`, storage class, encryption. Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Base64 SHA-256 of the whole object when the client gave it and the server keeps such. */
  readonly checksum: string | undefined;
  /** By the server's clock, milliseconds. */
  readonly lastModifiedMs: number;
}

/** Headers of a write that are stored and told again. */
const storedHeaders = new Set([
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-storage-class',
]);

/** The headers of a write that belong to the object; `dashes` makes dashes of underscores in names of metadata, as Ceph does. */
export function objectHeaders(headers: Readonly<Record<string, string | undefined>>, dashes: boolean): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    if (storedHeaders.has(name)) kept[name] = value;
    else if (name.startsWith('x-amz-meta-')) kept[dashes ? name.replaceAll('_', '-') : name] = value;
  }
  return kept;
}

/** User metadata of an object: names without `x-amz-meta-`, values as sent. */
export function metadataOf(object: StoredObject): Record<string, string> {
  const pairs = Object.entries(object.headers).filter(([name]) => name.startsWith('x-amz-meta-'));
  return Object.fromEntries(pairs.map(([name, value]) => [name.slice('x-amz-meta-'.length), value]));
}

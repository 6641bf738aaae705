/** Listings of objects, versions and uploads. */

import { makePage, type Page, type PageQuery, trickPage } from './listing-page.js';
import { listTime } from './object-writes.js';
import { type OperationContext, type OperationHandler, xmlAnswer } from './operation-context.js';
import { S3Failure } from './s3-failure.js';
import { encode } from './s3-request.js';
import type { StoredObject } from './stored-object.js';
import { xmlDocument, type XmlNode } from './xml.js';

/** ListObjectsV2. */
export const listObjectsV2: OperationHandler = (context) => {
  const { query } = context.request;
  const token = query.get('continuation-token');
  const isPlain = context.variant.dialect === 'ceph';
  const after = token === undefined ? (query.get('start-after') ?? '') : isPlain ? token : readToken(token);
  const page = pageOf(context, after);
  const text = encoder(context);
  return xmlAnswer(
    xmlDocument('ListBucketResult', {
      ...pageHead(context, text),
      ContinuationToken: token,
      StartAfter: query.has('start-after') ? text.echo(query.get('start-after') ?? '') : undefined,
      KeyCount: page.entries.length,
      IsTruncated: page.isTruncated,
      NextContinuationToken: page.next === undefined ? undefined : isPlain ? page.next : writeToken(page.next),
      ...pageBody(context, page, text),
    }),
  );
};

/** ListObjects, the first version. */
export const listObjects: OperationHandler = (context) => {
  const marker = context.request.query.get('marker') ?? '';
  const page = pageOf(context, marker);
  const text = encoder(context);
  return xmlAnswer(
    xmlDocument('ListBucketResult', {
      ...pageHead(context, text),
      Marker: text.echo(marker),
      NextMarker: page.next === undefined ? undefined : text.key(page.next),
      IsTruncated: page.isTruncated,
      ...pageBody(context, page, text),
    }),
  );
};

/** ListObjectVersions, in key order, latest version first. */
export const listObjectVersions: OperationHandler = (context) => {
  const bucket = context.bucket();
  const { query } = context.request;
  const text = encoder(context);
  const prefix = query.get('prefix') ?? '';
  const keyMarker = query.get('key-marker') ?? '';
  const versionMarker = query.get('version-id-marker') ?? '';
  const limit = limitOf(context, 'max-keys');
  const found = bucket.keys
    .filter((key) => key.startsWith(prefix) && (versionMarker === '' ? bucket.order(key, keyMarker) > 0 : bucket.order(key, keyMarker) >= 0))
    .flatMap((key) => versionsAfter(bucket.versions(key), key === keyMarker ? versionMarker : ''));
  const listed = found.slice(0, limit);
  const last = listed.at(-1)?.version;
  const isTruncated = found.length > listed.length;
  const describe = ({ version, isLatest }: { readonly version: StoredObject; readonly isLatest: boolean }): XmlNode => ({
    Key: text.key(version.key),
    VersionId: version.versionId,
    IsLatest: isLatest,
    ...(version.isDeleteMarker ? { LastModified: listTime(version.lastModifiedMs, context.variant) } : contents(context, version)),
  });
  return xmlAnswer(
    xmlDocument('ListVersionsResult', {
      ...pageHead(context, text),
      KeyMarker: text.echo(keyMarker),
      VersionIdMarker: versionMarker,
      NextKeyMarker: isTruncated && last !== undefined ? text.key(last.key) : undefined,
      NextVersionIdMarker: isTruncated ? last?.versionId : undefined,
      IsTruncated: isTruncated,
    }, listed.map((entry) => [entry.version.isDeleteMarker ? 'DeleteMarker' : 'Version', describe(entry)])),
  );
};

/** ListMultipartUploads, by key and then by age. */
export const listMultipartUploads: OperationHandler = (context) => {
  const bucket = context.bucket();
  const { query } = context.request;
  const text = encoder(context);
  const prefix = query.get('prefix') ?? '';
  const keyMarker = query.get('key-marker') ?? '';
  const idMarker = query.get('upload-id-marker') ?? '';
  const isAfter = (key: string, uploadId: string) =>
    keyMarker === '' || bucket.order(key, keyMarker) > 0 || (key === keyMarker && idMarker !== '' && uploadId > idMarker);
  const found = [...bucket.uploads.values()]
    .filter(({ key, uploadId }) => key.startsWith(prefix) && isAfter(key, uploadId))
    .sort((a, b) => bucket.order(a.key, b.key) || (a.uploadId < b.uploadId ? -1 : 1));
  const limit = limitOf(context, 'max-uploads');
  const listed = found.slice(0, limit);
  const last = listed.at(-1);
  return xmlAnswer(
    xmlDocument('ListMultipartUploadsResult', {
      Bucket: bucket.name,
      Prefix: text.echo(prefix),
      KeyMarker: text.echo(keyMarker),
      UploadIdMarker: idMarker,
      NextKeyMarker: last === undefined ? undefined : text.key(last.key),
      NextUploadIdMarker: last?.uploadId,
      MaxUploads: limit,
      IsTruncated: found.length > listed.length,
      Upload: listed.map(({ key, uploadId, initiatedMs, headers }) => ({
        Key: text.key(key),
        UploadId: uploadId,
        StorageClass: headers['x-amz-storage-class'] ?? 'STANDARD',
        Initiated: listTime(initiatedMs, context.variant),
      })),
    }),
  );
};

function pageOf(context: OperationContext, after: string): Page {
  const bucket = context.bucket();
  const { query } = context.request;
  const pageQuery: PageQuery = {
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    after,
    limit: limitOf(context, 'max-keys'),
    skipsStarted: context.variant.dialect === 'ceph',
  };
  return trickPage(makePage(bucket, context.staleBy, pageQuery), context.pageTrick, pageQuery, bucket);
}

function limitOf({ request, variant }: OperationContext, name: string): number {
  const asked = request.query.get(name) ?? '1000';
  if (!/^\d+$/.test(asked)) throw new S3Failure(400, 'InvalidArgument', `Provided ${name} not an integer or within integer range`);
  return Math.min(Number(asked), variant.pageSize);
}

function pageHead(context: OperationContext, text: TextEncoding): Record<string, XmlNode | undefined> {
  const { query, bucket } = context.request;
  const delimiter = query.get('delimiter');
  return {
    Name: bucket,
    Prefix: text.echo(query.get('prefix') ?? ''),
    Delimiter: delimiter === undefined ? undefined : text.echo(delimiter),
    MaxKeys: Math.min(Number(query.get('max-keys') ?? 1000), 1000),
    EncodingType: query.get('encoding-type'),
  };
}

function pageBody(context: OperationContext, page: Page, text: TextEncoding): Record<string, readonly XmlNode[]> {
  const objects = page.entries.filter((entry) => entry.object !== undefined);
  const prefixes = page.entries.filter((entry) => entry.object === undefined);
  return {
    Contents: objects.map(({ name, object }) => ({ Key: text.key(name), ...contents(context, object as StoredObject) })),
    CommonPrefixes: prefixes.map(({ name }) => ({ Prefix: text.prefix(name) })),
  };
}

function contents({ variant }: OperationContext, object: StoredObject): Record<string, XmlNode> {
  return {
    LastModified: listTime(object.lastModifiedMs, variant),
    ETag: `"${object.etag}"`,
    Size: object.bytes.length,
    StorageClass: object.headers['x-amz-storage-class'] ?? 'STANDARD',
  };
}

/** How names are written: of keys, of rolled-up prefixes, and of parameters told again. */
interface TextEncoding {
  readonly key: (raw: string) => string;
  readonly prefix: (raw: string) => string;
  readonly echo: (raw: string) => string;
}

function encoder({ request, variant }: OperationContext): TextEncoding {
  const type = request.query.get('encoding-type');
  const raw = (text: string) => text;
  if (type === undefined) return { key: raw, prefix: raw, echo: raw };
  if (type !== 'url') throw new S3Failure(400, 'InvalidArgument', 'Invalid Encoding Method specified in Request');
  const withSlashes = (text: string) => encode(text).replaceAll('%2F', '/');
  return variant.dialect === 'ceph' ? { key: encode, prefix: withSlashes, echo: raw } : { key: withSlashes, prefix: withSlashes, echo: withSlashes };
}

function writeToken(after: string): string {
  return `t${Buffer.from(after).toString('base64url')}`;
}

function readToken(token: string): string {
  if (!/^t[\w-]*$/.test(token)) throw new S3Failure(400, 'InvalidArgument', 'The continuation token provided is incorrect');
  return Buffer.from(token.slice(1), 'base64url').toString('utf8');
}

function versionsAfter(versions: readonly StoredObject[], marker: string): readonly { readonly version: StoredObject; readonly isLatest: boolean }[] {
  const start = marker === '' ? 0 : versions.findIndex((version) => version.versionId === marker) + 1;
  return versions.map((version, index) => ({ version, isLatest: index === 0 })).slice(start);
}

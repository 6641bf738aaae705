/** What a client asks for: the HTTP request taken apart into operation, bucket, key and parameters. */

import type { IncomingHttpHeaders } from 'node:http';

import { notImplemented, S3Failure } from './s3-failure.js';

/** Operations by S3's own names. */
export type Operation =
  | 'ListBuckets'
  | 'CreateBucket'
  | 'HeadBucket'
  | 'DeleteBucket'
  | 'GetBucketLocation'
  | 'GetBucketVersioning'
  | 'PutBucketVersioning'
  | 'ListObjects'
  | 'ListObjectsV2'
  | 'ListObjectVersions'
  | 'ListMultipartUploads'
  | 'DeleteObjects'
  | 'HeadObject'
  | 'GetObject'
  | 'PutObject'
  | 'CopyObject'
  | 'DeleteObject'
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'UploadPartCopy'
  | 'ListParts'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload';

/** A request, taken apart. */
export interface S3Request {
  readonly method: string;
  readonly operation: Operation;
  readonly bucket: string;
  /** `''` for requests about buckets. */
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: IncomingHttpHeaders;
  /** Path and query as they are signed: decoded once, encoded as RFC 3986 says, parameters in order. */
  readonly canonicalPath: string;
  readonly canonicalQuery: string;
}

/** Takes a request apart; throws what S3 answers to ones that make no sense. `hostDomain` is what follows the bucket in virtual-host names. */
export function parseRequest(method: string, target: string, headers: IncomingHttpHeaders, hostDomain: string): S3Request {
  const mark = target.indexOf('?');
  const path = decode(mark < 0 ? target : target.slice(0, mark));
  const query = parseQuery(mark < 0 ? '' : target.slice(mark + 1));
  const hostBucket = bucketOfHost(headers.host ?? '', hostDomain);
  const slash = path.indexOf('/', 1);
  const bucket = hostBucket ?? (slash < 0 ? path.slice(1) : path.slice(1, slash));
  const key = hostBucket !== undefined ? path.slice(1) : slash < 0 ? '' : path.slice(slash + 1);
  return {
    method,
    operation: operationOf(method, bucket, key, query, headers),
    bucket,
    key,
    query,
    headers,
    canonicalPath: path.split('/').map(encode).join('/'),
    canonicalQuery: canonicalQuery(query),
  };
}

/** Percent-encoding of RFC 3986, as signatures and `encoding-type=url` have it. */
export function encode(text: string): string {
  if (/^[A-Za-z0-9._~-]*$/.test(text)) return text;
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function operationOf(method: string, bucket: string, key: string, query: ReadonlyMap<string, string>, headers: IncomingHttpHeaders): Operation {
  if (bucket === '') return known(method === 'GET' ? 'ListBuckets' : undefined);
  return known(key === '' ? bucketOperation(method, query) : objectOperation(method, query, headers));
}

function bucketOperation(method: string, query: ReadonlyMap<string, string>): Operation | undefined {
  const has = (name: string) => query.has(name);
  if (foreignParameter(query)) return undefined;
  switch (method) {
    case 'GET':
      if (has('versioning')) return 'GetBucketVersioning';
      if (has('versions')) return 'ListObjectVersions';
      if (has('uploads')) return 'ListMultipartUploads';
      if (has('location')) return 'GetBucketLocation';
      return query.get('list-type') === '2' ? 'ListObjectsV2' : 'ListObjects';
    case 'PUT':
      return has('versioning') ? 'PutBucketVersioning' : 'CreateBucket';
    case 'HEAD':
      return 'HeadBucket';
    case 'DELETE':
      return 'DeleteBucket';
    case 'POST':
      return has('delete') ? 'DeleteObjects' : undefined;
    default:
      return undefined;
  }
}

function objectOperation(method: string, query: ReadonlyMap<string, string>, headers: IncomingHttpHeaders): Operation | undefined {
  const isOfUpload = query.has('uploadId');
  const isCopy = headers['x-amz-copy-source'] !== undefined;
  if (foreignParameter(query)) return undefined;
  switch (method) {
    case 'GET':
      return isOfUpload ? 'ListParts' : 'GetObject';
    case 'HEAD':
      return 'HeadObject';
    case 'PUT':
      if (isOfUpload) return isCopy ? 'UploadPartCopy' : 'UploadPart';
      return isCopy ? 'CopyObject' : 'PutObject';
    case 'POST':
      return query.has('uploads') ? 'CreateMultipartUpload' : isOfUpload ? 'CompleteMultipartUpload' : undefined;
    case 'DELETE':
      return isOfUpload ? 'AbortMultipartUpload' : 'DeleteObject';
    default:
      return undefined;
  }
}

/** Parameters that name another operation, which this server does not have. */
function foreignParameter(query: ReadonlyMap<string, string>): boolean {
  return ['acl', 'tagging', 'policy', 'lifecycle', 'cors', 'torrent', 'restore', 'select', 'retention', 'legal-hold', 'object-lock', 'attributes', 'encryption', 'notification', 'replication', 'website', 'X-Amz-Signature'].some((name) => query.has(name));
}

function known(operation: Operation | undefined): Operation {
  if (operation === undefined) throw notImplemented();
  return operation;
}

function bucketOfHost(host: string, domain: string): string | undefined {
  const name = host.replace(/:\d+$/, '');
  return name.endsWith(`.${domain}`) ? name.slice(0, -domain.length - 1) : undefined;
}

function parseQuery(text: string): Map<string, string> {
  const query = new Map<string, string>();
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const [name, value] = equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
    query.set(decode(name.replaceAll('+', ' ')), decode(value.replaceAll('+', ' ')));
  }
  return query;
}

function canonicalQuery(query: ReadonlyMap<string, string>): string {
  if (query.size === 0) return '';
  return [...query].map(([name, value]) => `${encode(name)}=${encode(value)}`).sort().join('&');
}

function decode(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Failure(400, 'InvalidURI', 'Could not parse the specified URI.');
  }
}

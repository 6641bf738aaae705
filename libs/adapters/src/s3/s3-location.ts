/**
 * Where a storage lies: bucket, path within it, and how the endpoint is addressed. Parsed once,
 * at the door; the path of the URL is applied exactly once (the reference applies it twice).
 *
 * INV-35: percent signs, `?` and `#` are part of the path as they stand, so that two storages
 * with different URLs never share a key.
 */

import { err, ok, type Result, utf8Length } from '@wl/domain';

import type { S3Params } from './s3-params.js';

/** A storage's place on an endpoint. */
export interface S3Location {
  readonly bucket: string;
  /** `''`, or a path that ends in `/`: every key of the storage starts with it. */
  readonly keyPrefix: string;
  /** `http(s)://host[:port]` without a slash at the end; `undefined`: AWS, by region. */
  readonly endpointOrigin: string | undefined;
  /** The bucket is in the path of each request instead of the host name. */
  readonly isPathStyle: boolean;
  /** For people: `s3://bucket/prefix`. */
  readonly displayUrl: string;
}

/** S3 allows 1,024 bytes a key; what is left is the least that is of use under the path. */
const MAX_PREFIX_BYTES = 900;

/** Reads `url`, `endpointUrl` and `pathStyle`; the error is a sentence for the user. */
export function parseS3Location(params: Pick<S3Params, 'url' | 'endpointUrl' | 'pathStyle'>): Result<S3Location, string> {
  const place = parseUrl(params.url);
  if (!place.ok) return place;
  const { bucket, keyPrefix } = place.value;
  const endpoint = params.endpointUrl === undefined ? ok(undefined) : parseEndpoint(params.endpointUrl);
  if (!endpoint.ok) return endpoint;

  const fitsHostName = isHostLabel(bucket) && (endpoint.value === undefined || !isAddress(endpoint.value.hostname));
  if (params.pathStyle === false && !fitsHostName) {
    return err(`The bucket "${bucket}" cannot be part of the host name of this endpoint; use path style.`);
  }
  return ok({
    bucket,
    keyPrefix,
    endpointOrigin: endpoint.value?.origin,
    isPathStyle: params.pathStyle ?? (endpoint.value !== undefined || !fitsHostName),
    displayUrl: `s3://${bucket}/${keyPrefix.slice(0, -1)}`.replace(/\/$/, ''),
  });
}

function parseUrl(url: string): Result<{ bucket: string; keyPrefix: string }, string> {
  if (!url.startsWith('s3://')) return err('An S3 URL reads s3://bucket or s3://bucket/path.');
  const rest = url.slice('s3://'.length);
  const slash = rest.indexOf('/');
  const bucket = slash < 0 ? rest : rest.slice(0, slash);
  // The name is not repeated when it may hold a password.
  if (/[@:]/.test(bucket)) return err('An S3 URL holds a bucket and a path only; credentials and ports have settings of their own.');
  if (!isBucketName(bucket)) {
    return err(`"${bucket}" is no bucket name: 3 to 255 letters, digits, dots, hyphens and underscores, beginning and ending with a letter or digit.`);
  }
  const path = slash < 0 ? '' : rest.slice(slash + 1).replace(/\/$/, '');
  if (path === '' && slash >= 0 && rest.length > slash + 1) return err('The path of an S3 URL may not contain "//".');
  const problem = path === '' ? undefined : findPathProblem(path);
  return problem === undefined ? ok({ bucket, keyPrefix: path === '' ? '' : `${path}/` }) : err(problem);
}

function findPathProblem(path: string): string | undefined {
  const segments = path.split('/');
  if (segments.includes('')) return 'The path of an S3 URL may not contain "//".';
  if (segments.some((segment) => segment === '.' || segment === '..')) return 'The path of an S3 URL may not contain "." or ".." as a folder.';
  if (!path.isWellFormed() || /[\u0000-\u001f\u007f]/.test(path)) return 'The path of an S3 URL may not contain control characters or broken Unicode.';
  if (utf8Length(path) > MAX_PREFIX_BYTES) return `The path of an S3 URL may have ${String(MAX_PREFIX_BYTES)} bytes at most.`;
  return undefined;
}

/** Old AWS buckets and other servers allow capitals, underscores and up to 255 characters. */
function isBucketName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/.test(name) && !name.includes('..') && !/^\d+\.\d+\.\d+\.\d+$/.test(name);
}

/** Whether the bucket can stand before a host name under one certificate (`*.host`): no dots, no capitals. */
function isHostLabel(bucket: string): boolean {
  return /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(bucket);
}

function isAddress(hostname: string): boolean {
  return hostname.startsWith('[') || /^\d+\.\d+\.\d+\.\d+$/.test(hostname);
}

function parseEndpoint(text: string): Result<URL, string> {
  if (!URL.canParse(text)) return err('The endpoint URL reads https://host or http://host:port.');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return err('The endpoint URL begins with https:// or http://.');
  if (url.username !== '' || url.password !== '') return err('The endpoint URL may not hold a user or password; credentials have settings of their own.');
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') return err('The endpoint URL names a host and a port only; the path belongs into the s3:// URL.');
  return ok(url);
}

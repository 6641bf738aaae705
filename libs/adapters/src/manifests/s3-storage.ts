/**
 * What the manifest of an S3 storage says: where it is, checked before anybody connects to it.
 *
 * W-49 of the reference: the original wrote the URL's path a second time into `base_url` and put
 * objects below the path twice. Here `s3_url` alone is written, and a `base_url` that only repeats
 * its path is left out, so objects are below it once; any other `base_url` is a path below the
 * URL's. Whoever has objects of the original below `p/p/` names them: `s3://bucket/p/p/`.
 *
 * A URL is taken as it is, without percent-encoding, as other S3 tools do. Credentials in it are
 * refused, and no message here repeats a text that may hold some.
 */

import { err, ok, RESERVED_NAME, type Result } from '@wl/domain';
import type { StorageParams as AnyStorageParams } from '@wl/ports/schemas';

import { setupError, type SetupError } from './setup-error.js';

/** A place in a bucket. */
export interface S3Place {
  readonly bucket: string;
  /** `''` for the whole bucket, else a path that ends in `/`. */
  readonly prefix: string;
  /** `s3://bucket/` + prefix. */
  readonly url: string;
  /** `http(s)://host[:port]`; `undefined` for AWS. */
  readonly endpoint: string | undefined;
}

/** Longest key that S3 knows, in bytes. */
const KEY_BYTES = 1024;
/** Room below a prefix for names, in bytes. */
const NAME_BYTES = 256;

/** The place that the parameters of an S3 storage name. */
export function s3PlaceOf(storage: AnyStorageParams): Result<S3Place, SetupError> {
  const place = parseS3Url(text(storage['s3_url']) ?? '');
  if (!place.ok) return place;
  const base = (text(storage['base_url']) ?? '').replace(/^\/|\/$/g, '');
  const whole = base === '' || `${base}/` === place.value.prefix ? place : parseS3Url(`${place.value.url}${base}/`);
  if (!whole.ok) return whole;
  const endpointText = text(storage['endpoint_url']);
  if (endpointText === undefined) return ok({ ...whole.value, endpoint: undefined });
  const endpoint = parseEndpointUrl(endpointText);
  return endpoint.ok ? ok({ ...whole.value, endpoint: endpoint.value }) : endpoint;
}

/** Takes an `s3://bucket/path` URL apart. */
export function parseS3Url(url: string): Result<Omit<S3Place, 'endpoint'>, SetupError> {
  const refuse = (message: string) => err(setupError('unsupported-url', message));
  const [, rest] = /^s3:\/\/(.*)$/is.exec(url) ?? [];
  if (rest === undefined) return refuse(`${display(url)} is no S3 URL: write s3://bucket/path, and the address of a server of your own as its endpoint`);
  const slash = rest.indexOf('/');
  const bucket = slash < 0 ? rest : rest.slice(0, slash);
  if (bucket === '') return refuse(`${display(url)} names no bucket: s3://bucket/path`);
  if (/[@:]/.test(bucket)) {
    return refuse("the S3 URL has a ':' or '@' where the bucket's name is expected: credentials and ports have no place in it, only s3://bucket/path");
  }
  if (!/^[a-z0-9][a-z0-9._-]{1,253}[a-z0-9]$/i.test(bucket) || /\.\.|^[\d.]+$/.test(bucket)) {
    return refuse(`${JSON.stringify(bucket)} cannot be the name of a bucket: it has 3 or more letters, digits, dots and hyphens, and is no IP address`);
  }
  const path = slash < 0 ? '' : rest.slice(slash + 1);
  const prefix = path === '' || path.endsWith('/') ? path : `${path}/`;
  const problem = prefix === '' ? undefined : prefixProblem(prefix);
  if (problem !== undefined) return refuse(`the path of the S3 URL ${problem}`);
  return ok({ bucket, prefix, url: `s3://${bucket}/${prefix}` });
}

/** The address of an S3 server as it is stored: scheme, host and port alone. */
export function parseEndpointUrl(url: string): Result<string, SetupError> {
  const refuse = (message: string) => err(setupError('unsupported-url', message));
  if (!/^https?:\/\//i.test(url)) return refuse(`${display(url)} is no endpoint: it begins with https:// or http://, like https://s3.example.org`);
  if (!URL.canParse(url)) return refuse(`${display(url)} is no endpoint: there is no such address`);
  const { protocol, host, pathname, search, hash, username, password } = new URL(url);
  if (username !== '' || password !== '') return refuse('credentials have no place in the endpoint: give them as such');
  if (pathname !== '/' || search !== '' || hash !== '') {
    return refuse(`the endpoint ${protocol}//${host} must end behind its host and port: bucket and path belong into s3://bucket/path`);
  }
  return ok(`${protocol}//${host}`);
}

/** `aes256`, `aws:kms` or `aws:kms:<key id>` as it is stored. */
export function parseServerSideEncryption(wanted: string): Result<string, SetupError> {
  if (/^aes256$/i.test(wanted)) return ok('AES256');
  const key = /^aws:kms(?::([\x21-\x7e]+))?$/.exec(wanted);
  if (key !== null) return ok(wanted);
  return err(setupError('invalid', `${JSON.stringify(wanted)} is no server-side encryption: aes256, aws:kms, or aws:kms:KEYID`));
}

/** How two places lie to each other; names of buckets are the same all over AWS. */
export function s3Overlap(one: S3Place, other: S3Place): 'apart' | 'same' | 'nested' {
  if (one.bucket !== other.bucket || providerOf(one.endpoint) !== providerOf(other.endpoint)) return 'apart';
  if (one.prefix === other.prefix) return 'same';
  return one.prefix.startsWith(other.prefix) || other.prefix.startsWith(one.prefix) ? 'nested' : 'apart';
}

/** AWS has many addresses. */
function providerOf(endpoint: string | undefined): string {
  return endpoint === undefined || /^https?:\/\/s3[.a-z0-9-]*\.amazonaws\.com$/.test(endpoint) ? 'aws' : endpoint;
}

function prefixProblem(prefix: string): string | undefined {
  const parts = prefix.slice(0, -1).split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..')) return "has an empty part, '.' or '..'";
  if (parts.includes(RESERVED_NAME)) return `has a part ${RESERVED_NAME}, which is for what wl keeps for itself`;
  if (/[\u0000-\u001f\u007f]/.test(prefix) || !prefix.isWellFormed()) return 'has control characters or broken Unicode';
  if (Buffer.byteLength(prefix) > KEY_BYTES - NAME_BYTES) return `has more than ${KEY_BYTES - NAME_BYTES} bytes, which leaves too little room for names`;
  return undefined;
}

/** A refused text in a message, if it cannot hold credentials. */
function display(url: string): string {
  return /[@?]/.test(url) ? 'what was given' : JSON.stringify(url);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/**
 * Checks of a request's signature: header authorization of AWS Signature Version 4, verified for
 * real, with the key, region and clock the server has.
 */

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

import { S3Failure } from './s3-failure.js';
import type { S3Request } from './s3-request.js';

/** What signatures are checked against. */
export interface Identity {
  readonly accessKey: string;
  readonly secretKey: string;
  /** Where the bucket asked for is. */
  readonly region: string;
  /** What the server itself answers for. */
  readonly serverRegion: string;
  /** Whether a signature for another region is refused. */
  readonly checksRegion: boolean;
}

/** How far the client's clock may be off: fifteen minutes. */
const toleratedSkewMs = 15 * 60 * 1000;

/** Derived keys by `date/region`; deriving one costs four hashes. */
const derivedKeys = new Map<string, Buffer>();

/** Throws the 403 or 400 that a request deserves whose signature does not hold. */
export function checkSignature(request: S3Request, identity: Identity, nowMs: number): void {
  const authorization = request.headers.authorization;
  if (authorization === undefined) throw new S3Failure(403, 'AccessDenied', 'Access Denied');
  const parsed = /^AWS4-HMAC-SHA256 +Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, *SignedHeaders=([^,]+), *Signature=([0-9a-f]{64})$/.exec(authorization);
  if (parsed === null) throw new S3Failure(400, 'AuthorizationHeaderMalformed', 'The authorization header that you provided is not valid.');
  const [, accessKey, date, region, names, signature] = parsed as unknown as readonly [string, string, string, string, string, string];
  if (accessKey !== identity.accessKey) {
    throw new S3Failure(403, 'InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.');
  }
  if (identity.checksRegion && region !== identity.region) throw wrongRegion(region, identity);
  const time = checkTime(request, date, nowMs);
  checkSignedNames(request, names.split(';'));
  const expected = signatureOf(request, names.split(';'), time, `${date}/${region}`, identity.secretKey);
  if (!timingSafeEqual(Buffer.from(expected), Buffer.from(signature))) {
    throw new S3Failure(403, 'SignatureDoesNotMatch', 'The request signature we calculated does not match the signature you provided.');
  }
}

/** A signature that is right for the server but not for the bucket is sent elsewhere; any other is refused, with the right region. */
function wrongRegion(found: string, { region: expected, serverRegion }: Identity): S3Failure {
  const headers = { 'x-amz-bucket-region': expected };
  if (found === serverRegion) {
    return new S3Failure(301, 'PermanentRedirect', 'The bucket you are attempting to access must be addressed using the specified endpoint.', {
      elements: { Region: expected, Endpoint: `s3.${expected}.amazonaws.com` },
      headers,
    });
  }
  return new S3Failure(400, 'AuthorizationHeaderMalformed', `The authorization header is malformed; the region '${found}' is wrong; expecting '${expected}'`, {
    elements: { Region: expected },
    headers,
  });
}

function checkTime(request: S3Request, date: string, nowMs: number): string {
  const time = String(request.headers['x-amz-date'] ?? '');
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(time);
  if (parts === null) throw new S3Failure(403, 'AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header');
  const [, year, month, day, hour, minute, second] = parts;
  const requestMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Math.abs(requestMs - nowMs) > toleratedSkewMs) {
    throw new S3Failure(403, 'RequestTimeTooSkewed', 'The difference between the request time and the current time is too large.', {
      elements: { RequestTime: time, ServerTime: new Date(nowMs).toISOString(), MaxAllowedSkewMilliseconds: String(toleratedSkewMs) },
    });
  }
  if (!time.startsWith(date)) throw new S3Failure(400, 'AuthorizationHeaderMalformed', 'Invalid credential date.');
  return time;
}

/** The host and every header of Amazon's own have to be signed, or they could be changed on the way. */
function checkSignedNames(request: S3Request, names: readonly string[]): void {
  const needed = Object.keys(request.headers).filter((name) => name.startsWith('x-amz-'));
  const missing = ['host', ...needed].filter((name) => !names.includes(name));
  if (missing.length > 0) {
    throw new S3Failure(403, 'AccessDenied', 'There were headers present in the request which were not signed', {
      elements: { HeadersNotSigned: missing.join(', ') },
    });
  }
}

function signatureOf(request: S3Request, names: readonly string[], time: string, dateAndRegion: string, secretKey: string): string {
  const lines = names.map((name) => `${name}:${headerText(request.headers[name])}\n`).join('');
  const payload = headerText(request.headers['x-amz-content-sha256']);
  const canonical = `${request.method}\n${request.canonicalPath}\n${request.canonicalQuery}\n${lines}\n${names.join(';')}\n${payload}`;
  const hash = createHash('sha256').update(canonical).digest('hex');
  const toSign = `AWS4-HMAC-SHA256\n${time}\n${dateAndRegion}/s3/aws4_request\n${hash}`;
  return createHmac('sha256', derivedKey(dateAndRegion, secretKey)).update(toSign).digest('hex');
}

function headerText(value: string | readonly string[] | undefined): string {
  const text = typeof value === 'string' ? value : (value ?? []).join(',');
  // HTTP hands headers on as Latin-1; what was signed are their bytes.
  const bytes = /[\x80-\xff]/.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text;
  return bytes.trim().replace(/ {2,}/g, ' ');
}

function derivedKey(dateAndRegion: string, secretKey: string): Buffer {
  const name = `${secretKey}/${dateAndRegion}`;
  const cached = derivedKeys.get(name);
  if (cached !== undefined) return cached;
  const parts = [...dateAndRegion.split('/'), 's3', 'aws4_request'];
  const key = parts.reduce<Buffer>((secret, part) => createHmac('sha256', secret).update(part).digest(), Buffer.from(`AWS4${secretKey}`));
  derivedKeys.set(name, key);
  return key;
}

/**
 * Failures as sentences for the user, and in the port's words. Nothing that signs a request
 * gets in here: neither URLs with queries nor headers, and of the server's own words only the
 * code and, for codes we do not know, its message without control characters.
 */

import type { BackendErrorCode } from '@wl/ports';

import { codeOf, connectionTrouble, plain } from '../../http/connection-trouble.js';
import { S3Error } from '../s3-error.js';

import { type Answer, type ErrorDocument, header } from './answer.js';

/** What a request was about, for the sentence. */
export interface Concern {
  readonly bucket: string;
  /** Host and port that were asked. */
  readonly host: string;
  /** `undefined`: the bucket as a whole. */
  readonly key: string | undefined;
}

interface Meaning {
  readonly kind: BackendErrorCode;
  readonly says: string;
  readonly isRetryable?: boolean;
}

const CREDENTIALS = 'check the access key and the secret key of this storage';

/** Codes that mean the same wherever they come. */
const BY_CODE: Readonly<Record<string, Meaning>> = {
  InvalidAccessKeyId: { kind: 'unauthorized', says: `the endpoint does not know the access key; ${CREDENTIALS}` },
  SignatureDoesNotMatch: { kind: 'unauthorized', says: `the secret key does not belong to the access key; ${CREDENTIALS}` },
  AuthorizationHeaderMalformed: { kind: 'unauthorized', says: 'the endpoint does not accept the signature; check the region of this storage' },
  ExpiredToken: { kind: 'unauthorized', says: 'the credentials have expired; renew them (for example: aws sso login)', isRetryable: true },
  ExpiredTokenException: { kind: 'unauthorized', says: 'the credentials have expired; renew them (for example: aws sso login)', isRetryable: true },
  TokenRefreshRequired: { kind: 'unauthorized', says: 'the credentials have expired; renew them', isRetryable: true },
  InvalidToken: { kind: 'unauthorized', says: 'the session token is not valid; renew the credentials', isRetryable: true },
  InvalidSecurity: { kind: 'unauthorized', says: `the credentials are not valid; ${CREDENTIALS}` },
  AllAccessDisabled: { kind: 'unauthorized', says: 'all access to the bucket was disabled by its provider' },
  AccountProblem: { kind: 'unauthorized', says: 'there is a problem with the account at the provider' },
  UserSuspended: { kind: 'unauthorized', says: 'the account is suspended' },
  NotSignedUp: { kind: 'unauthorized', says: 'the account is not signed up for S3' },
  NoSuchBucket: { kind: 'not-found', says: 'there is no such bucket; create it, or correct the URL of this storage' },
  NoSuchUpload: { kind: 'not-found', says: 'the upload in parts is not there any more' },
  QuotaExceeded: { kind: 'no-space', says: 'the quota is used up' },
  XMinioStorageFull: { kind: 'no-space', says: 'the server is full' },
  InsufficientStorage: { kind: 'no-space', says: 'the server is full' },
  EntityTooLarge: { kind: 'unsupported', says: 'the object is larger than the endpoint takes' },
  KeyTooLongError: { kind: 'name-not-representable', says: 'the path is too long for a key: S3 allows 1,024 bytes with the path of the storage' },
  InvalidObjectName: { kind: 'name-not-representable', says: 'the endpoint does not accept this name for an object' },
  XMinioInvalidObjectName: { kind: 'name-not-representable', says: 'the endpoint does not accept this name for an object' },
  InvalidObjectState: { kind: 'unsupported', says: 'the object is archived and has to be restored at the provider first' },
  NotImplemented: { kind: 'unsupported', says: 'the endpoint cannot do this' },
  MethodNotAllowed: { kind: 'unsupported', says: 'the endpoint does not allow this' },
  SlowDown: { kind: 'throttled', says: 'the endpoint asks for fewer requests', isRetryable: true },
  XAmzContentSHA256Mismatch: { kind: 'damaged', says: 'what arrived is not what was to be written: the content changed meanwhile, or was damaged on the way', isRetryable: true },
  BadDigest: { kind: 'damaged', says: 'what arrived is not what was to be written: the content changed meanwhile, or was damaged on the way', isRetryable: true },
  IncompleteBody: { kind: 'damaged', says: 'the content ended early', isRetryable: true },
};

const BY_STATUS: Readonly<Record<number, Meaning>> = {
  408: { kind: 'unreachable', says: 'the endpoint waited too long for the request', isRetryable: true },
  413: { kind: 'unsupported', says: 'the object is larger than the endpoint takes' },
  429: { kind: 'throttled', says: 'the endpoint asks for fewer requests', isRetryable: true },
  500: { kind: 'io-error', says: 'the endpoint had an internal error', isRetryable: true },
  501: { kind: 'unsupported', says: 'the endpoint cannot do this' },
  502: { kind: 'unreachable', says: 'a proxy before the endpoint got no answer from it', isRetryable: true },
  503: { kind: 'unreachable', says: 'the endpoint is overloaded or in maintenance', isRetryable: true },
  504: { kind: 'unreachable', says: 'a proxy before the endpoint got no answer from it', isRetryable: true },
  507: { kind: 'no-space', says: 'the server is full' },
};

/** Codes after which fresh credentials may help. */
export const EXPIRED_CODES: ReadonlySet<string> = new Set(['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired', 'InvalidToken', 'InvalidAccessKeyId']);

/** An answer that is no success, as an error. */
export function toFailure(answer: Answer, concern: Concern): S3Error {
  const failure: ErrorDocument = answer.failure ?? { code: undefined, message: undefined, region: undefined, condition: undefined };
  const meaning = meaningOf(answer, failure, concern);
  const stamp = failure.code === undefined ? String(answer.status) : `${String(answer.status)} ${plain(failure.code, 60)}`;
  return new S3Error(meaning.kind, `${whereOf(concern)}: ${meaning.says} (${stamp}).`, {
    status: answer.status,
    ...(failure.code !== undefined && { code: failure.code }),
    isRetryable: meaning.isRetryable ?? false,
  });
}

function meaningOf(answer: Answer, failure: ErrorDocument, concern: Concern): Meaning {
  const byCode = failure.code === undefined ? undefined : BY_CODE[failure.code];
  if (byCode !== undefined) return byCode;
  const { status } = answer;
  if (status === 401 || status === 403) {
    return concern.key === undefined
      ? { kind: 'unauthorized', says: 'access is denied; check the credentials of this storage and what they may do with the bucket' }
      : { kind: 'permission-denied', says: 'access to the object is denied' };
  }
  const region = failure.region ?? header(answer, 'x-amz-bucket-region');
  if (status === 301 || status === 307 || status === 308) {
    const hint = region === undefined ? 'check the endpoint URL and the region' : `it is in the region ${plain(region, 40)}; set the region and the endpoint URL of this storage to it`;
    return { kind: 'unsupported', says: `the bucket is served elsewhere: ${hint}` };
  }
  if (status === 404 && concern.key === undefined) return { kind: 'not-found', says: 'there is no such bucket; create it, or correct the URL of this storage' };
  if (status === 404) return { kind: 'not-found', says: 'the object is not there' };
  // Large copies are refused with the most general of codes.
  if (status === 400 && /copy source is larger/i.test(failure.message ?? '')) return { kind: 'unsupported', says: 'the object is too large to be copied in one step' };
  const byStatus = BY_STATUS[status];
  if (byStatus !== undefined) return byStatus;
  const words = (failure.message ?? '') === '' ? 'the endpoint refused the request' : `the endpoint refused the request: "${plain(failure.message ?? '', 200)}"`;
  return { kind: 'io-error', says: words, isRetryable: status >= 500 };
}

/** The clock of this computer and the endpoint's are too far apart for a signature. */
export function clockFailure(concern: Concern, offsetMs: number): S3Error {
  const minutes = Math.max(1, Math.round(Math.abs(offsetMs) / 60_000));
  const direction = offsetMs > 0 ? 'behind' : 'ahead';
  return new S3Error(
    'unauthorized',
    `${whereOf(concern)}: the clock of this computer is wrong: it is ${String(minutes)} minute${minutes === 1 ? '' : 's'} ${direction} of the endpoint's. Set the time, then try again.`,
    { code: 'RequestTimeTooSkewed', isRetryable: true },
  );
}

/** A failed connection, in our words, and whether the request may have taken effect. */
export function toConnectionFailure(error: unknown, concern: Concern): { readonly error: S3Error; readonly mayHaveRun: boolean } {
  const code = codeOf(error);
  if (code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH') return { error: new S3Error('damaged', 'The content is shorter or longer than was said: it changed while it was read.', { code, isRetryable: true }, { cause: error }), mayHaveRun: false };
  const { says, isCertificate, mayHaveRun } = connectionTrouble(error);
  return {
    error: new S3Error('unreachable', `${concern.host}: ${says}.`, { ...(code !== '' && { code }), isRetryable: !isCertificate }, { cause: error }),
    mayHaveRun,
  };
}

/** The caller gave up, or the storage was closed. */
export function cancelled(says = 'The request was cancelled.'): S3Error {
  return new S3Error('cancelled', says, { isRetryable: false });
}

function whereOf(concern: Concern): string {
  const place = `the bucket "${concern.bucket}" at ${concern.host}`;
  return concern.key === undefined ? `${place.charAt(0).toUpperCase()}${place.slice(1)}` : `An object of ${place}`;
}

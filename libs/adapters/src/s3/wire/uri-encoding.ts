/**
 * Keys and query strings as they stand in a request and in what is signed: one spelling for
 * both, so that they cannot differ. Source: AWS Signature Version 4, "UriEncode()".
 */

import { S3Error } from '../s3-error.js';

/** Name and value. */
export type Pair = readonly [name: string, value: string];

const PLAIN = /^[A-Za-z0-9\-._~]*$/;
const PLAIN_KEY = /^[A-Za-z0-9\-._~/]*$/;

/** Percent-encodes every byte of the UTF-8 form but letters, digits and `-._~`. */
export function encodePart(text: string): string {
  if (PLAIN.test(text)) return text;
  if (!text.isWellFormed()) {
    throw new S3Error('name-not-representable', 'The name holds broken Unicode and cannot be a key of a bucket.', { isRetryable: false });
  }
  return encodeURIComponent(text).replace(/[!'()*]/g, percent);
}

/** As `encodePart`, slashes kept. */
export function encodeKey(key: string): string {
  return PLAIN_KEY.test(key) ? key : key.split('/').map(encodePart).join('/');
}

/** `a=1&b=`, encoded, in the order a signature wants. */
export function encodeQuery(pairs: readonly Pair[]): string {
  if (pairs.length === 0) return '';
  const parts = pairs.map(([name, value]): Pair => [encodePart(name), encodePart(value)]);
  if (parts.length > 1) parts.sort(([a], [b]) => (a < b ? -1 : 1));
  return parts.map(([name, value]) => `${name}=${value}`).join('&');
}

/** A name as listings with `encoding-type=url` spell it; `undefined` when it is no UTF-8. */
export function decodeListed(text: string): string | undefined {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return undefined;
  }
}

/** User metadata: visible ASCII stays, everything else and `%` itself is percent-encoded. */
export function encodeMetadata(value: string): string {
  return /^[!-$&-~]*$/.test(value) ? value : value.toWellFormed().replace(/[^!-$&-~]+/gu, (run) => encodeURIComponent(run));
}

/** Undoes `encodeMetadata`; what other tools wrote and is no percent-encoding stays as it is. */
export function decodeMetadata(value: string): string {
  if (!value.includes('%')) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

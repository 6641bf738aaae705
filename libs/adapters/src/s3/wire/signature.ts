/**
 * Signs requests (AWS Signature Version 4, one hash chain in the `Authorization` header). A lean
 * twin of the official SDK's signer, to which a property test holds it: same signature for any
 * request. Why there is one: docs/adr/0010-a-lean-request-path.md.
 *
 * Every header given is signed, so nobody on the way can take a condition off a request.
 */

import { createHmac, hash } from 'node:crypto';

import type { Pair } from './uri-encoding.js';

/** What requests are signed with. */
export interface Credentials {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly sessionToken?: string;
}

/** A request as it is signed. */
export interface SignableRequest {
  readonly method: string;
  readonly host: string;
  /** Percent-encoded, from `/`. */
  readonly path: string;
  /** Percent-encoded and sorted; `''` for none. */
  readonly query: string;
  /** Names in lower case, none of those the signer adds. */
  readonly headers: readonly Pair[];
  /** Of the body: 64 lower-case hex digits, or `UNSIGNED-PAYLOAD`. */
  readonly payloadHash: string;
}

/** SHA-256 of no bytes. */
export const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** Signs for one service; keeps the key that is derived once a day, and the date once a second. */
export class Signer {
  #keyFor = '';
  #key: Buffer = Buffer.alloc(0);
  #second = Number.NaN;
  #timestamp = '';

  /** All headers of the signed request, flat: name, value, name, value. `timeMs`: since the epoch. */
  sign(request: SignableRequest, credentials: Credentials, region: string, timeMs: number): string[] {
    const timestamp = this.#timestampOf(timeMs);
    const headers = [
      ...request.headers,
      ['host', request.host] as const,
      ['x-amz-content-sha256', request.payloadHash] as const,
      ['x-amz-date', timestamp] as const,
    ];
    if (credentials.sessionToken !== undefined) headers.push(['x-amz-security-token', credentials.sessionToken]);
    headers.sort(([a], [b]) => (a < b ? -1 : 1));

    let canonicalHeaders = '';
    let names = '';
    const flat: string[] = [];
    for (const [name, value] of headers) {
      canonicalHeaders += `${name}:${value.includes(' ') ? value.trim().replace(/ +/g, ' ') : value}\n`;
      names += names === '' ? name : `;${name}`;
      flat.push(name, value);
    }
    const canonical = `${request.method}\n${request.path}\n${request.query}\n${canonicalHeaders}\n${names}\n${request.payloadHash}`;
    const date = timestamp.slice(0, 8);
    const scope = `${date}/${region}/s3/aws4_request`;
    const toSign = `AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${hash('sha256', canonical, 'hex')}`;
    const signature = createHmac('sha256', this.#keyOf(credentials, date, region)).update(toSign).digest('hex');
    flat.push('authorization', `AWS4-HMAC-SHA256 Credential=${credentials.accessKey}/${scope}, SignedHeaders=${names}, Signature=${signature}`);
    return flat;
  }

  #keyOf(credentials: Credentials, date: string, region: string): Buffer {
    const keyFor = `${date}/${region}/${credentials.secretKey}`;
    if (keyFor !== this.#keyFor) {
      this.#key = [date, region, 's3', 'aws4_request'].reduce(hmac, Buffer.from(`AWS4${credentials.secretKey}`));
      this.#keyFor = keyFor;
    }
    return this.#key;
  }

  /** `20260101T000000Z`. */
  #timestampOf(timeMs: number): string {
    const second = Math.floor(timeMs / 1000);
    if (second !== this.#second) {
      this.#timestamp = new Date(second * 1000).toISOString().replace(/[-:]|\.\d{3}/g, '');
      this.#second = second;
    }
    return this.#timestamp;
  }
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

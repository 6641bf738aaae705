/** Our signatures against those of the official SDK's signer: the same for any request. */

import { createHash, createHmac } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';

import { Signer } from './signature.js';
import { encodeKey, encodeQuery } from './uri-encoding.js';

/** The SDK's interface of a hash, on that of Node.js. */
class NodeHash {
  readonly #hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>;

  constructor(key?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', typeof key === 'string' ? key : Buffer.from(key as Uint8Array));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(typeof data === 'string' ? data : Buffer.from(data as Uint8Array));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error('nobody needs it');
  }
}

const visible = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);
const headerName = fc.constantFrom('content-type', 'if-match', 'if-none-match', 'range', 'x-amz-acl', 'x-amz-meta-mtime', 'x-amz-meta-z', 'x-amz-storage-class', 'x-amz-copy-source');
const request = fc.record({
  method: fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'DELETE'),
  key: fc.array(fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => text.isWellFormed()), { maxLength: 4 }).map((parts) => parts.join('/')),
  query: fc.uniqueArray(fc.tuple(fc.constantFrom('prefix', 'list-type', 'uploads', 'uploadId', 'partNumber', 'max-keys', 'versionId'), fc.string({ unit: 'grapheme' }).filter((text) => text.isWellFormed())), { selector: ([name]) => name }),
  headers: fc.uniqueArray(fc.tuple(headerName, visible), { selector: ([name]) => name }),
  host: fc.constantFrom('127.0.0.1:7480', 'bucket.s3.eu-west-1.amazonaws.com', '[::1]:9000'),
  body: fc.string(),
  accessKey: fc.stringMatching(/^[A-Z0-9]{4,20}$/),
  secretKey: fc.stringMatching(/^[!-~]{1,40}$/),
  sessionToken: fc.option(fc.stringMatching(/^[A-Za-z0-9+/=]{4,60}$/), { nil: undefined }),
  region: fc.constantFrom('us-east-1', 'eu-central-1', 'garage'),
  timeMs: fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2100, 0, 1) }),
});

async function sdkAuthorization(one: typeof request extends fc.Arbitrary<infer R> ? R : never, payloadHash: string): Promise<string | undefined> {
  const credentials = { accessKeyId: one.accessKey, secretAccessKey: one.secretKey, ...(one.sessionToken !== undefined && { sessionToken: one.sessionToken }) };
  const signer = new SignatureV4({ service: 's3', region: one.region, credentials, sha256: NodeHash, uriEscapePath: false, applyChecksum: false });
  const signed = await signer.sign(
    {
      method: one.method,
      protocol: 'https:',
      hostname: one.host,
      path: `/bucket/${encodeKey(one.key)}`,
      query: Object.fromEntries(one.query),
      headers: { ...Object.fromEntries(one.headers), host: one.host, 'x-amz-content-sha256': payloadHash },
    },
    { signingDate: new Date(one.timeMs) },
  );
  return signed.headers['authorization'];
}

describe('Signer', () => {
  it('signs any request as the official SDK does, with one signer for all', async () => {
    const signer = new Signer();
    await fc.assert(
      fc.asyncProperty(request, async (one) => {
        const payloadHash = createHash('sha256').update(one.body).digest('hex');
        const credentials = { accessKey: one.accessKey, secretKey: one.secretKey, ...(one.sessionToken !== undefined && { sessionToken: one.sessionToken }) };
        const flat = signer.sign(
          { method: one.method, host: one.host, path: `/bucket/${encodeKey(one.key)}`, query: encodeQuery(one.query), headers: one.headers, payloadHash },
          credentials,
          one.region,
          one.timeMs,
        );
        expect(flat[flat.indexOf('authorization') + 1]).toBe(await sdkAuthorization(one, payloadHash));
      }),
      { numRuns: 300 },
    );
  });

  it('signs every header it is given, so that a condition cannot be taken off on the way', () => {
    const flat = new Signer().sign(
      { method: 'PUT', host: 'h', path: '/k', query: '', headers: [['if-match', '"e"'], ['x-amz-meta-a', 'b']], payloadHash: 'p' },
      { accessKey: 'a', secretKey: 's', sessionToken: 't' },
      'r',
      0,
    );
    expect(flat.at(-1)).toContain('SignedHeaders=host;if-match;x-amz-content-sha256;x-amz-date;x-amz-meta-a;x-amz-security-token,');
    expect(flat.join(' ')).not.toContain(' s ');
  });
});

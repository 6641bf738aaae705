/**
 * An S3 client that has nothing in common with the driver under test: what it reads and writes
 * is what anybody else sees of a bucket. Signature version 4, path style, bodies in memory.
 */

import { createHash, createHmac } from 'node:crypto';
import { request, type IncomingHttpHeaders } from 'node:http';

/** A server, and the keys of an account on it. */
export interface S3Account {
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly region: string;
}

/** An answer, whatever its status. */
interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Asked {
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** An object of a listing. */
export interface Listed {
  readonly key: string;
  readonly etag: string;
}

const NONE = new Uint8Array(0);

/** A client of one account. Methods reject on every answer that is not the expected one. */
export class S3Client {
  constructor(readonly account: S3Account) {}

  async createBucket(bucket: string): Promise<void> {
    await this.#ask('PUT', `/${bucket}`);
  }

  /** The bucket must be empty. */
  async deleteBucket(bucket: string): Promise<void> {
    await this.#ask('DELETE', `/${bucket}`);
  }

  async keepVersions(bucket: string): Promise<void> {
    const body = Buffer.from('<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>');
    await this.#ask('PUT', `/${bucket}`, { query: { versioning: '' }, body });
  }

  /** Writes an object, with user metadata (names without `x-amz-meta-`). */
  async put(bucket: string, key: string, content: string | Uint8Array, metadata: Readonly<Record<string, string>> = {}): Promise<void> {
    const headers = Object.fromEntries(Object.entries(metadata).map(([name, value]) => [`x-amz-meta-${name}`, value]));
    await this.#ask('PUT', place(bucket, key), { body: Buffer.from(content), headers });
  }

  async get(bucket: string, key: string): Promise<Buffer | undefined> {
    const { status, body } = await this.#ask('GET', place(bucket, key), {}, [200, 404]);
    return status === 404 ? undefined : body;
  }

  /** Headers of an object. */
  async head(bucket: string, key: string): Promise<IncomingHttpHeaders> {
    return (await this.#ask('HEAD', place(bucket, key))).headers;
  }

  async remove(bucket: string, key: string): Promise<void> {
    await this.#ask('DELETE', place(bucket, key));
  }

  /** All objects below a prefix, in key order. */
  async list(bucket: string, prefix = ''): Promise<Listed[]> {
    const found: Listed[] = [];
    for (let token = ''; ; ) {
      const query = { 'list-type': '2', 'encoding-type': 'url', prefix, ...(token !== '' && { 'continuation-token': token }) };
      const text = (await this.#ask('GET', `/${bucket}`, { query })).body.toString('utf8');
      for (const [, entry = ''] of text.matchAll(/<Contents>(.*?)<\/Contents>/gs)) {
        found.push({ key: keyOf(entry), etag: unescaped(element(entry, 'ETag')) });
      }
      if (element(text, 'IsTruncated') !== 'true') return found;
      token = unescaped(element(text, 'NextContinuationToken'));
    }
  }

  /** All versions and delete markers of a bucket; first page only. */
  async versions(bucket: string): Promise<{ readonly key: string; readonly versionId: string }[]> {
    const query = { versions: '', 'encoding-type': 'url' };
    const text = (await this.#ask('GET', `/${bucket}`, { query })).body.toString('utf8');
    const entries = [...text.matchAll(/<(?:Version|DeleteMarker)>(.*?)<\/(?:Version|DeleteMarker)>/gs)];
    return entries.map(([, entry = '']) => ({ key: keyOf(entry), versionId: element(entry, 'VersionId') }));
  }

  async removeVersion(bucket: string, key: string, versionId: string): Promise<void> {
    await this.#ask('DELETE', place(bucket, key), { query: { versionId } });
  }

  /** Keys of uploads in parts that were begun and have not ended. */
  async uploads(bucket: string): Promise<string[]> {
    const text = (await this.#ask('GET', `/${bucket}`, { query: { uploads: '' } })).body.toString('utf8');
    return [...text.matchAll(/<Upload>(.*?)<\/Upload>/gs)].map(([, entry = '']) => unescaped(element(entry, 'Key')));
  }

  async #ask(method: string, path: string, asked: Asked = {}, expected: readonly number[] = [200, 204]): Promise<Answer> {
    const answer = await this.#send(method, path, asked);
    if (expected.includes(answer.status)) return answer;
    throw new Error(`${method} ${path} was answered ${answer.status}: ${answer.body.toString('utf8').slice(0, 500)}`);
  }

  #send(method: string, path: string, { query = {}, headers = {}, body = NONE }: Asked): Promise<Answer> {
    const { hostname, port, host } = new URL(this.account.endpoint);
    const search = Object.entries(query)
      .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
      .sort()
      .join('&');
    const signed = this.#signed(method, path, search, { ...headers, host }, body);
    return new Promise((resolve, reject) => {
      // No connection is kept: one that the server closes meanwhile would be a failure.
      const options = { method, hostname, port, path: search === '' ? path : `${path}?${search}`, agent: false as const, headers: { ...signed, 'content-length': body.length } };
      const sent = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }));
      });
      sent.once('error', reject).end(body);
    });
  }

  /** The headers with a signature (AWS Signature Version 4). */
  #signed(method: string, path: string, search: string, headers: Readonly<Record<string, string>>, body: Uint8Array): Record<string, string> {
    const { accessKey, secretKey, region } = this.account;
    const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
    const hash = sha256(body);
    const all: Record<string, string> = { ...headers, 'x-amz-date': time, 'x-amz-content-sha256': hash };
    const names = Object.keys(all).sort();
    const canonical = [method, path, search, ...names.map((name) => `${name}:${all[name] ?? ''}`), '', names.join(';'), hash].join('\n');
    const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
    const key = scope.split('/').reduce<Buffer | string>((secret, part) => hmac(secret, part), `AWS4${secretKey}`);
    const signature = hmac(key, ['AWS4-HMAC-SHA256', time, scope, sha256(Buffer.from(canonical))].join('\n')).toString('hex');
    return { ...all, authorization: `AWS4-HMAC-SHA256 Credential=${accessKey}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}` };
  }
}

function place(bucket: string, key: string): string {
  return `/${bucket}/${key.split('/').map(encoded).join('/')}`;
}

function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The key of an entry that was asked for with `encoding-type=url`: what that leaves is escaped as XML all the same. */
function keyOf(entry: string): string {
  return decodeURIComponent(unescaped(element(entry, 'Key')).replaceAll('+', ' '));
}

/** The text of the first element of that name, `''` where there is none. */
function element(xml: string, name: string): string {
  return new RegExp(`<${name}>(.*?)</${name}>`, 's').exec(xml)?.[1] ?? '';
}

function unescaped(text: string): string {
  return text.replaceAll('&quot;', '"').replaceAll('&apos;', "'").replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

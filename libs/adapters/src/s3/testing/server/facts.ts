/** What the sentences about servers are asked with: one server, its buckets, keys of their own. */

import { createHash } from 'node:crypto';

import { elementOf, elementsOf, type RawAnswer, type RawClient, type RawRequest } from './signed-request.js';

/** A server under question. */
export interface FactsConnection {
  readonly client: RawClient;
  /** A bucket that keeps no versions. */
  readonly bucket: string;
  /** A bucket that keeps versions; made anew by the sentences when it is not there. */
  readonly versionedBucket: string;
  close(): Promise<void>;
}

/** Opens a connection for a group of sentences. */
export type Connect = () => Promise<FactsConnection>;

/** Everything a sentence needs. */
export class Facts {
  static #count = 0;
  readonly #prefix: string;

  constructor(
    readonly client: RawClient,
    readonly bucket: string,
  ) {
    Facts.#count += 1;
    this.#prefix = `facts-${process.pid}-${Date.now()}-${Facts.#count}/`;
  }

  /** A key that nothing else uses. */
  key(name: string): string {
    return this.#prefix + name;
  }

  send(request: RawRequest): Promise<RawAnswer> {
    return this.client.send({ bucket: this.bucket, ...request });
  }

  put(name: string, body: Uint8Array | string, headers: Readonly<Record<string, string>> = {}): Promise<RawAnswer> {
    return this.send({ method: 'PUT', key: this.key(name), body, headers });
  }

  get(name: string, headers: Readonly<Record<string, string>> = {}): Promise<RawAnswer> {
    return this.send({ method: 'GET', key: this.key(name), headers });
  }

  head(name: string): Promise<RawAnswer> {
    return this.send({ method: 'HEAD', key: this.key(name) });
  }

  delete(name: string, headers: Readonly<Record<string, string>> = {}): Promise<RawAnswer> {
    return this.send({ method: 'DELETE', key: this.key(name), headers });
  }

  /** Copies between two keys; `headers` of the copy. */
  copy(from: string, to: string, headers: Readonly<Record<string, string>> = {}): Promise<RawAnswer> {
    return this.send({ method: 'PUT', key: this.key(to), headers: { 'x-amz-copy-source': `/${this.bucket}/${this.key(from)}`, ...headers } });
  }

  /** The object as text, `undefined` when there is none. */
  async text(name: string): Promise<string | undefined> {
    const answer = await this.get(name);
    return answer.status === 404 ? undefined : answer.body.toString('utf8');
  }

  /** A page of the listing of this server's keys. */
  async list(query: Readonly<Record<string, string>> = {}, prefix = ''): Promise<ListedPage> {
    const answer = await this.send({ method: 'GET', query: { 'list-type': '2', prefix: this.key(prefix), ...query } });
    const own = (raw: string) => raw.slice(this.#prefix.length);
    return {
      answer,
      keys: elementsOf(answer.body, 'Key').map(own),
      prefixes: commonPrefixes(answer.body).map(own),
      isTruncated: elementOf(answer.body, 'IsTruncated') === 'true',
      token: elementOf(answer.body, 'NextContinuationToken'),
    };
  }

  async startUpload(name: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    const answer = await this.send({ method: 'POST', key: this.key(name), query: { uploads: '' }, headers });
    return elementOf(answer.body, 'UploadId') ?? '';
  }

  uploadPart(name: string, uploadId: string, partNumber: number, body: Uint8Array | string): Promise<RawAnswer> {
    return this.send({ method: 'PUT', key: this.key(name), query: { partNumber: String(partNumber), uploadId }, body });
  }

  completeUpload(name: string, uploadId: string, parts: readonly (readonly [number, string])[], headers: Readonly<Record<string, string>> = {}): Promise<RawAnswer> {
    const listed = parts.map(([number, etag]) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`).join('');
    const body = `<CompleteMultipartUpload>${listed}</CompleteMultipartUpload>`;
    return this.send({ method: 'POST', key: this.key(name), query: { uploadId }, body, headers });
  }
}

/** A page, its names without what all keys of these facts begin with. */
export interface ListedPage {
  readonly answer: RawAnswer;
  readonly keys: readonly string[];
  readonly prefixes: readonly string[];
  readonly isTruncated: boolean;
  readonly token: string | undefined;
}

/** MD5 in hex: the tag, without quotes, of an object put in one piece. */
export function md5(content: Uint8Array | string): string {
  return createHash('md5').update(content).digest('hex');
}

/** Tag of an object put in parts, without quotes. */
export function md5OfParts(parts: readonly (Uint8Array | string)[]): string {
  return `${md5(Buffer.concat(parts.map((part) => Buffer.from(md5(part), 'hex'))))}-${parts.length}`;
}

/** An `ETag` header without its quotes. */
export function tagOf(answer: RawAnswer): string {
  return (answer.headers.etag ?? '').replaceAll('"', '');
}

function commonPrefixes(body: Buffer): readonly string[] {
  const groups = body.toString('utf8').match(/<CommonPrefixes>.*?<\/CommonPrefixes>/gs) ?? [];
  return groups.flatMap((group) => elementsOf(Buffer.from(group), 'Prefix'));
}

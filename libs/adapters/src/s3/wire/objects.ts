/** Requests about single objects: look, read, write, remove, copy. */

import type { Sha256 } from '@wl/domain';

import type { Condition, CopySource, DeleteAnswer, ObjectBody, ObjectHead, ObjectProperties, StreamedContent, WriteAnswer } from '../s3-api.js';

import { type Answer, damaged, documentOf, header } from './answer.js';
import { toFailure } from './failures.js';
import { conditionHeaders, contentLength, isRefusal, manner, propertyHeaders, toEtag, toObjectHead } from './object-headers.js';
import { ObjectReading } from './object-reading.js';
import type { Requester, S3Request } from './requester.js';
import { sourceHeaders } from './copy-source.js';
import type { Pair } from './uri-encoding.js';
import { childText } from '../../http/xml.js';

/** Makes a server that keeps checksums tell them. */
const WITH_CHECKSUM: Pair = ['x-amz-checksum-mode', 'ENABLED'];

/** Objects of one bucket, by key. `storage`: headers that go along with everything that is written. */
export class Objects {
  readonly #requester: Requester;
  readonly #storage: readonly Pair[];

  constructor(requester: Requester, storage: readonly Pair[]) {
    this.#requester = requester;
    this.#storage = storage;
  }

  async head(key: string, signal?: AbortSignal): Promise<ObjectHead | undefined> {
    const answer = await this.#requester.perform({ method: 'HEAD', key, headers: [WITH_CHECKSUM] }, signal);
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw toFailure(answer, this.#requester.concern(key));
    return toObjectHead(answer, contentLength(answer));
  }

  async get(key: string, etag: string | undefined, offset: number, signal?: AbortSignal): Promise<ObjectBody | 'stale'> {
    const reading = await ObjectReading.begin(this.#requester, key, etag, offset, signal);
    if (reading !== 'past-the-end') return reading;
    // Nothing is left to read, if it is still that version and not one that became shorter.
    const head = await this.head(key, signal);
    if (head === undefined || (etag !== undefined && head.etag !== etag) || head.sizeBytes !== offset) return 'stale';
    return { head, offset, body: emptyBody(), destroy: () => undefined };
  }

  async put(key: string, bytes: Uint8Array, sha256: Sha256, properties: ObjectProperties, condition: Condition, signal?: AbortSignal): Promise<WriteAnswer> {
    return this.#write({ method: 'PUT', key, headers: this.#writeHeaders(sha256, properties, condition), content: { bytes, sha256 } }, condition, signal);
  }

  async putStream(key: string, content: StreamedContent, properties: ObjectProperties, condition: Condition, signal?: AbortSignal): Promise<WriteAnswer> {
    const source = new WatchedSource(content.chunks);
    try {
      return await this.#write({ method: 'PUT', key, headers: this.#writeHeaders(content.sha256, properties, condition), content: { ...content, chunks: source } }, condition, signal);
    } catch (error) {
      // To the connection it looks like one more reason to break; to the caller it is his own error.
      throw source.failure === undefined ? error : source.failure.error;
    }
  }

  async delete(key: string, condition: Condition, versionId: string | undefined, signal?: AbortSignal): Promise<DeleteAnswer> {
    const request: S3Request = {
      method: 'DELETE',
      key,
      headers: conditionHeaders(condition),
      ...manner(condition),
      ...(versionId !== undefined && { query: [['versionId', versionId]] }),
    };
    const answer = await this.#requester.perform(request, signal);
    if (answer.status === 404 && answer.failure?.code !== 'NoSuchBucket') return { kind: 'done' };
    if (isRefusal(answer, condition)) return { kind: 'refused', mayBeOurs: answer.mayHaveRunBefore };
    if (answer.failure !== undefined) throw toFailure(answer, this.#requester.concern(key));
    if (answer.bytes.length > 0) throw damaged('The removal was answered with a document that is not of S3; a proxy or a login page may have answered.');
    const deleted = header(answer, 'x-amz-version-id');
    return { kind: 'done', ...(deleted !== undefined && { versionId: deleted }) };
  }

  async copy(source: CopySource, key: string, condition: Condition, properties: ObjectProperties | undefined, signal?: AbortSignal): Promise<WriteAnswer | { readonly kind: 'stale' }> {
    const headers: Pair[] = [
      ...sourceHeaders(source, this.#requester.location.bucket),
      ['x-amz-metadata-directive', properties === undefined ? 'COPY' : 'REPLACE'],
      ...(properties === undefined ? [] : propertyHeaders(properties)),
      ...this.#storage,
      ...conditionHeaders(condition),
    ];
    const answer = await this.#requester.perform({ method: 'PUT', key, headers, ...manner(condition), isConditional: true }, signal);
    if (answer.failure === undefined) return { kind: 'done', etag: toEtag(childText(documentOf(answer, 'CopyObjectResult'), 'ETag') ?? ''), versionId: header(answer, 'x-amz-version-id') };
    if (answer.failure.code === 'NoSuchBucket') throw toFailure(answer, this.#requester.concern(key));
    const anyVersion: Condition = { kind: 'etag', etag: source.etag, isBare: false };
    if (!isRefusal(answer, anyVersion)) throw toFailure(answer, this.#requester.concern(key));
    return (await this.#isSourceStale(answer, source, condition, signal)) ? { kind: 'stale' } : { kind: 'refused', mayBeOurs: answer.mayHaveRunBefore };
  }

  /** Two conditions, one answer: which of them did not hold? */
  async #isSourceStale(answer: Answer, source: CopySource, condition: Condition, signal: AbortSignal | undefined): Promise<boolean> {
    if (condition.kind === 'none') return answer.status !== 409;
    const named = answer.failure?.condition;
    if (named !== undefined) return named.toLowerCase().startsWith('x-amz-copy-source');
    if (answer.status === 409 || (source.bucket !== undefined && source.bucket !== this.#requester.location.bucket)) return false;
    const head = await this.head(source.key, signal);
    return source.versionId === undefined && head?.etag !== source.etag;
  }

  async #write(request: S3Request, condition: Condition, signal: AbortSignal | undefined): Promise<WriteAnswer> {
    const answer = await this.#requester.perform({ ...request, ...manner(condition) }, signal);
    if (isRefusal(answer, condition)) return { kind: 'refused', mayBeOurs: answer.mayHaveRunBefore };
    if (answer.failure !== undefined) throw toFailure(answer, this.#requester.concern(request.key));
    const etag = toEtag(header(answer, 'etag') ?? '');
    if (etag === '') throw damaged('The write was answered without an ETag; a proxy or a login page may have answered instead of S3.');
    return { kind: 'done', etag, versionId: header(answer, 'x-amz-version-id') };
  }

  #writeHeaders(sha256: Sha256, properties: ObjectProperties, condition: Condition): Pair[] {
    const checksum: Pair = ['x-amz-checksum-sha256', Buffer.from(sha256, 'hex').toString('base64')];
    return [...propertyHeaders(properties), checksum, ...this.#storage, ...conditionHeaders(condition)];
  }
}

/** Chunks of the caller's, and how they failed. */
class WatchedSource implements AsyncIterable<Uint8Array> {
  readonly #chunks: AsyncIterable<Uint8Array>;
  failure: { readonly error: unknown } | undefined;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#chunks;
    } catch (error) {
      this.failure = { error };
      throw error;
    }
  }
}

async function* emptyBody(): AsyncGenerator<Uint8Array> {
  // Nothing to give.
}

/**
 * One object being read, from an offset to its end. When the connection breaks on the way, the
 * reading goes on where it stopped, of the same version only.
 *
 * T48: a server may ignore the range, answer another one, or have another version by now; the
 * bytes handed on are always those of one version, in order, or the reading fails.
 * T41: fewer bytes than announced are a failure.
 */

import { S3Error } from '../s3-error.js';
import type { ObjectBody, ObjectHead } from '../s3-api.js';

import { type Answer, damaged, header } from './answer.js';
import type { BodyStream } from '../../http/body-stream.js';
import { cancelled, toConnectionFailure, toFailure } from './failures.js';
import { contentLength, toEtag, toObjectHead } from './object-headers.js';
import type { Requester } from './requester.js';
import type { Pair } from './uri-encoding.js';

const MOST_RESUMPTIONS = 5;

/** Where the body of an answer lies within the object. */
interface Extent {
  readonly start: number;
  readonly totalBytes: number;
}

/** An open object. */
export class ObjectReading implements ObjectBody {
  readonly head: ObjectHead;
  readonly offset: number;
  readonly body: AsyncIterable<Uint8Array>;
  readonly #requester: Requester;
  readonly #key: string;
  readonly #signal: AbortSignal | undefined;
  #current: BodyStream;
  /** Next byte to hand on, and next byte that `#current` gives. */
  #position: number;
  #arriving: number;
  #isDestroyed = false;

  /** Opens it; `past-the-end` when there are no bytes from `offset` on. */
  static async begin(requester: Requester, key: string, etag: string | undefined, offset: number, signal: AbortSignal | undefined): Promise<ObjectReading | 'stale' | 'past-the-end'> {
    const answer = await request(requester, key, etag, offset, signal);
    if (answer.status === 412 || (answer.status === 404 && answer.failure?.code !== 'NoSuchBucket')) return 'stale';
    if (answer.status === 416) return 'past-the-end';
    if (answer.failure !== undefined) throw toFailure(answer, requester.concern(key));
    try {
      const extent = extentOf(answer, offset);
      const head = toObjectHead(answer, extent.totalBytes);
      if (etag === undefined || head.etag === etag) return new ObjectReading(requester, key, signal, answer, head, extent.start, offset);
    } catch (error) {
      answer.body?.destroy();
      throw error;
    }
    answer.body?.destroy();
    return 'stale';
  }

  private constructor(requester: Requester, key: string, signal: AbortSignal | undefined, answer: Answer, head: ObjectHead, start: number, offset: number) {
    this.#requester = requester;
    this.#key = key;
    this.#signal = signal;
    this.#current = answer.body as BodyStream;
    this.head = head;
    this.offset = offset;
    this.#position = offset;
    this.#arriving = start;
    this.body = { [Symbol.asyncIterator]: () => this.#read() };
  }

  /** Ends the transfer early. */
  readonly destroy = (): void => {
    this.#isDestroyed = true;
    this.#current.destroy();
  };

  async *#read(): AsyncGenerator<Uint8Array> {
    let resumptions = 0;
    try {
      for (;;) {
        const outcome = await this.#nextChunk();
        if (outcome instanceof Uint8Array) {
          yield outcome;
          continue;
        }
        if (outcome === 'end') return;
        if ((resumptions += 1) > MOST_RESUMPTIONS) throw outcome;
        await this.#requester.pause(resumptions, undefined, this.#signal);
        await this.#resume();
      }
    } finally {
      this.#current.destroy();
    }
  }

  /** Why no more is to be read, if so. */
  #ending(): S3Error | undefined {
    if (this.#signal?.aborted === true) return cancelled();
    return this.#isDestroyed ? cancelled('The object was closed while it was being read.') : undefined;
  }

  /** The next bytes that were not handed on yet, the end, or why there are none. */
  async #nextChunk(): Promise<Uint8Array | 'end' | S3Error> {
    const { sizeBytes } = this.head;
    for (;;) {
      const ending = this.#ending();
      if (ending !== undefined) throw ending;
      let result: IteratorResult<Uint8Array, undefined>;
      try {
        result = await this.#current.next();
      } catch (error) {
        const ending = this.#ending();
        if (ending !== undefined) throw ending;
        return toConnectionFailure(error, this.#requester.concern(this.#key)).error;
      }
      if (result.done === true) return this.#position === sizeBytes ? 'end' : damaged('The object ended earlier than its length says.');
      const skip = this.#position - this.#arriving;
      this.#arriving += result.value.length;
      if (this.#arriving > sizeBytes) throw damaged('The object is longer than its length says.');
      if (result.value.length <= skip) continue;
      this.#position = this.#arriving;
      return skip === 0 ? result.value : result.value.subarray(skip);
    }
  }

  async #resume(): Promise<void> {
    if (this.#position === this.head.sizeBytes) throw damaged('The connection broke at the very end of the object.');
    const answer = await request(this.#requester, this.#key, this.head.etag, this.#position, this.#signal);
    if (answer.status === 412 || answer.status === 404 || answer.status === 416) throw changed();
    if (answer.failure !== undefined) throw toFailure(answer, this.#requester.concern(this.#key));
    this.#current = answer.body as BodyStream;
    const extent = extentOf(answer, this.#position);
    if (toEtag(header(answer, 'etag') ?? '') !== this.head.etag || extent.totalBytes !== this.head.sizeBytes) throw changed();
    this.#arriving = extent.start;
  }
}

function request(requester: Requester, key: string, etag: string | undefined, offset: number, signal: AbortSignal | undefined): Promise<Answer> {
  const headers: Pair[] = [['x-amz-checksum-mode', 'ENABLED']];
  if (etag !== undefined) headers.push(['if-match', `"${etag}"`]);
  if (offset > 0) headers.push(['range', `bytes=${String(offset)}-`]);
  return requester.perform({ method: 'GET', key, headers, isStreamed: true }, signal);
}

/** Which bytes an answer has: the whole object, or exactly the range from `offset` to its end. */
function extentOf(answer: Answer, offset: number): Extent {
  const length = contentLength(answer);
  if (answer.status === 200) {
    if (length < offset) throw damaged('The endpoint ignored which part was asked for, and what it has is shorter.');
    return { start: 0, totalBytes: length };
  }
  const range = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(header(answer, 'content-range') ?? '');
  const [start, last, totalBytes] = [Number(range?.[1]), Number(range?.[2]), Number(range?.[3])];
  if (answer.status !== 206 || start !== offset || last !== totalBytes - 1 || length !== totalBytes - start) {
    throw damaged('The endpoint answered with another part of the object than was asked for.');
  }
  return { start, totalBytes };
}

function changed(): S3Error {
  return new S3Error('damaged', 'The object was replaced or removed while it was being read.', { isRetryable: true });
}

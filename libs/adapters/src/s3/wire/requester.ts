/**
 * Sends requests to one bucket until they are answered: signs them, repeats what may be
 * repeated (T53), and once each corrects what the endpoint points out – another region, a clock
 * that is off, credentials that have expired. Answers come back whatever their status; what
 * they mean is up to the operation.
 *
 * INV-18: when an earlier try may have taken effect, the answer says so.
 * INV-22: the endpoint's clock is used to date signatures, for nothing else.
 */

import type { Clock } from '@wl/ports';

import type { StreamedContent } from '../s3-api.js';
import { S3Error } from '../s3-error.js';
import type { S3Location } from '../s3-location.js';

import { type Answer, failureOf, header } from './answer.js';
import type { CredentialSource } from './credentials.js';
import { cancelled, clockFailure, type Concern, EXPIRED_CODES, toConnectionFailure } from './failures.js';
import { type Address, addressOf, isRegion } from './region.js';
import { BUDGET_MS, isThrottled, isWorthRepeating, MOST_TRIES, pauseMs } from './retry-policy.js';
import { type Credentials, EMPTY_SHA256, Signer } from './signature.js';
import type { OutgoingRequest, RawAnswer, Transport } from '../../http/transport.js';
import { encodeKey, encodeQuery, type Pair } from './uri-encoding.js';

/** A request in S3's terms. */
export interface S3Request {
  readonly method: OutgoingRequest['method'];
  /** `undefined`: the bucket itself. */
  readonly key?: string;
  readonly query?: readonly Pair[];
  /** Names in lower case. */
  readonly headers?: readonly Pair[];
  readonly content?: { readonly bytes: Uint8Array; readonly sha256: string } | StreamedContent;
  readonly isStreamed?: boolean;
  /** Whether a condition makes a repetition of it tell. */
  readonly isConditional?: boolean;
  /** Not to be repeated once it may have taken effect (`Condition`, `isOnce`). */
  readonly isOnce?: boolean;
}

/** What a requester works with. */
export interface RequesterParts {
  readonly location: S3Location;
  readonly clock: Clock;
  readonly transport: Transport;
  readonly credentials: CredentialSource;
  readonly findRegion: () => Promise<string>;
  /** From [0, 1). */
  readonly random: () => number;
}

/** From here on a server refuses signatures; most allow 15 minutes. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;

/** What has been tried and corrected for one request. */
interface Course {
  readonly startMs: number;
  tries: number;
  mayHaveRun: boolean;
  readonly corrected: Set<'region' | 'clock' | 'credentials'>;
}

/** Requests to one bucket. */
export class Requester {
  readonly #parts: RequesterParts;
  readonly #signer = new Signer();
  #region: string | undefined;
  #address: Address | undefined;
  /** The endpoint's clock less ours, milliseconds; 0 unless it refused ours. */
  #clockOffsetMs = 0;

  constructor(parts: RequesterParts) {
    this.#parts = parts;
  }

  get location(): S3Location {
    return this.#parts.location;
  }

  get clock(): Clock {
    return this.#parts.clock;
  }

  /** For the sentences of failures. */
  concern(key?: string): Concern {
    return { bucket: this.location.bucket, host: this.#address?.host ?? 'the endpoint', key };
  }

  /** The pause before try number `tries + 1`, slept. */
  async pause(tries: number, answer: Answer | undefined, signal: AbortSignal | undefined): Promise<void> {
    await this.clock.sleep(pauseMs(tries, answer, this.#parts.random), signal);
    throwIfAborted(signal);
  }

  /** The last answer; rejects with `S3Error` when there was none, or the signal aborts. */
  async perform(request: S3Request, signal: AbortSignal | undefined): Promise<Answer> {
    const course: Course = { startMs: this.clock.monotonicMs(), tries: 0, mayHaveRun: false, corrected: new Set() };
    const isRepeatable = request.content === undefined || 'bytes' in request.content;
    for (;;) {
      throwIfAborted(signal);
      course.tries += 1;
      const mayHaveRunBefore = course.mayHaveRun;
      const credentials = await this.#credentials();
      const raw = await this.#send(request, credentials, signal).catch((error: unknown) => {
        throwIfAborted(signal);
        if (this.#parts.transport.isClosed) throw cancelled('The storage was closed.');
        const failure = toConnectionFailure(error, this.concern(request.key));
        if (!isRepeatable || (request.isOnce === true && failure.mayHaveRun) || !failure.error.details.isRetryable || !this.#hasTriesLeft(course)) throw failure.error;
        course.mayHaveRun ||= failure.mayHaveRun;
        return undefined;
      });
      const answer: Answer | undefined = raw === undefined ? undefined : { ...raw, failure: failureOf(raw.status, raw.bytes), mayHaveRunBefore };
      if (answer !== undefined) {
        if (answer.failure === undefined) return answer;
        if (await this.#correct(request, answer, credentials, course)) {
          if (isRepeatable) continue;
          throw new S3Error('unreachable', 'The endpoint asked for a correction in the middle of a write; it can be tried again.', { status: answer.status, isRetryable: true });
        }
        if (!isRepeatable || (request.isOnce === true && !isThrottled(answer)) || !isWorthRepeating(answer, request.isConditional === true) || !this.#hasTriesLeft(course)) return answer;
        course.mayHaveRun ||= answer.status >= 500 || answer.status === 408 || answer.status < 300;
      }
      await this.pause(course.tries, answer, signal);
    }
  }

  #hasTriesLeft(course: Course): boolean {
    return course.tries < MOST_TRIES && this.clock.monotonicMs() - course.startMs < BUDGET_MS;
  }

  async #credentials(): Promise<Credentials> {
    // The chain first: a profile that has credentials mostly names the region, too.
    const credentials = await this.#parts.credentials.get();
    if (this.#region === undefined) this.#moveTo(await this.#parts.findRegion());
    return credentials;
  }

  #moveTo(region: string): void {
    this.#region = region;
    this.#address = addressOf(this.location, region);
  }

  async #send(request: S3Request, credentials: Credentials, signal: AbortSignal | undefined): Promise<RawAnswer> {
    const address = this.#address as Address;
    const path = request.key === undefined ? address.basePath || '/' : `${address.basePath}/${encodeKey(request.key)}`;
    const query = request.query === undefined ? '' : encodeQuery(request.query);
    const { content } = request;
    const headers = this.#signer.sign(
      { method: request.method, host: address.host, path, query, headers: request.headers ?? [], payloadHash: content?.sha256 ?? EMPTY_SHA256 },
      credentials,
      this.#region as string,
      this.clock.nowMs() + this.#clockOffsetMs,
    );
    if (content !== undefined) headers.push('content-length', String('bytes' in content ? content.bytes.length : content.sizeBytes));
    return this.#parts.transport.send(
      {
        origin: address.origin,
        method: request.method,
        target: query === '' ? path : `${path}?${query}`,
        headers,
        body: content === undefined ? undefined : 'bytes' in content ? content.bytes : content.chunks,
        isStreamed: request.isStreamed === true,
      },
      signal,
    );
  }

  /** Puts right what the endpoint pointed out, once each; `true` when the request may succeed now. */
  async #correct(request: S3Request, answer: Answer, credentials: Credentials, course: Course): Promise<boolean> {
    const { corrected } = course;
    const once = (what: 'region' | 'clock' | 'credentials'): boolean => !corrected.has(what) && corrected.add(what).has(what);
    const isRefusal = answer.status >= 300 && answer.status < 500;
    const region = header(answer, 'x-amz-bucket-region') ?? answer.failure?.region;
    if (isRefusal && region !== undefined && region !== this.#region && isRegion(region) && once('region')) {
      this.#moveTo(region);
      return true;
    }
    const offsetMs = this.#clockDifference(answer);
    const isSkewed = answer.failure?.code === 'RequestTimeTooSkewed' || (answer.status === 403 && answer.bytes.length === 0 && request.method === 'HEAD');
    if (isSkewed && Math.abs(offsetMs - this.#clockOffsetMs) > CLOCK_TOLERANCE_MS) {
      if (!once('clock')) throw clockFailure(this.concern(request.key), offsetMs);
      this.#clockOffsetMs = offsetMs;
      return true;
    }
    if (answer.failure?.code === 'RequestTimeTooSkewed') throw clockFailure(this.concern(request.key), offsetMs);
    const mayHaveExpired = EXPIRED_CODES.has(answer.failure?.code ?? '');
    return mayHaveExpired && once('credentials') && (await this.#parts.credentials.renew(credentials));
  }

  #clockDifference(answer: Answer): number {
    const dateMs = Date.parse(header(answer, 'date') ?? '');
    return Number.isNaN(dateMs) ? this.#clockOffsetMs : dateMs - this.clock.nowMs();
  }
}

/** Rejects with `cancelled` when the signal has aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw cancelled();
}

/**
 * Requests to one server: answers its challenges, repeats what may be repeated, follows no
 * redirect. Answers come back whatever their status; what they mean is up to the caller.
 */

import { isBackendError, type Clock } from '@wl/ports';

import { connectionTrouble } from '../http/connection-trouble.js';
import type { OutgoingRequest, RawAnswer, Transport } from '../http/transport.js';
import type { Authorization } from './authorization.js';
import { failure, type Concern } from './failure.js';

/** A request in WebDAV's terms. */
export interface DavRequest {
  readonly method: OutgoingRequest['method'];
  /** Path of the URL, encoded. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  readonly isStreamed?: boolean;
  readonly concern: Concern;
  readonly signal?: AbortSignal | undefined;
}

/** What a client works with. */
export interface DavClientParts {
  readonly origin: string;
  readonly transport: Transport;
  readonly authorization: Authorization;
  readonly clock: Clock;
}

/** Methods that change nothing: a second try is as good as the first. */
const CHANGING_NOTHING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PROPFIND']);
/**
 * Methods that leave the same when they are carried out twice. Servers close connections that they kept when
 * they need their threads, Apache just when many requests come: whoever sent one into that has to send it again
 * (RFC 9112, 9.3.1). PUT and DELETE go to names of our own area, which nobody else writes to in between.
 */
const SAME_TWICE: ReadonlySet<string> = new Set(['PUT', 'DELETE', 'MKCOL', 'PROPPATCH']);
const PASSING: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);
const MOST_TRIES = 4;
const FIRST_PAUSE_MS = 100;

/** Sends requests to one server. */
export class DavClient {
  readonly #parts: DavClientParts;

  constructor(parts: DavClientParts) {
    this.#parts = parts;
  }

  /** The last answer; rejects with `BackendError` when there was none. */
  async send(request: DavRequest): Promise<RawAnswer> {
    const isRepeatable = mayBeRepeated(request);
    for (let tries = 1; ; tries += 1) {
      const isLast = !isRepeatable || tries === MOST_TRIES;
      try {
        const answer = await this.#answered(request);
        if (isLast || !PASSING.has(answer.status)) return answer;
      } catch (error) {
        if (isLast || !isBackendError(error) || !error.details.retryable) throw error;
      }
      await this.#parts.clock.sleep(FIRST_PAUSE_MS * 2 ** (tries - 1), request.signal);
    }
  }

  /** Ends all connections. */
  close(): Promise<void> {
    return this.#parts.transport.close();
  }

  /** Once more with credentials where the server asks for them. A body that streams is gone after the first time. */
  async #answered(request: DavRequest): Promise<RawAnswer> {
    const first = await this.#once(request);
    if (first.status !== 401) return first;
    const challenge = first.headers['www-authenticate'] ?? [];
    const isAnswerable = this.#parts.authorization.accept(typeof challenge === 'string' ? [challenge] : challenge);
    if (!isAnswerable) return first;
    if (request.body !== undefined && !(request.body instanceof Uint8Array)) {
      throw failure('unreachable', request.concern, 'the server asked for credentials anew in the middle of a write; it can be tried again', true);
    }
    return this.#once(request);
  }

  async #once({ method, target, headers = {}, body, isStreamed = false, concern, signal }: DavRequest): Promise<RawAnswer> {
    const { origin, transport, authorization } = this.#parts;
    if (isAborted(signal)) throw failure('cancelled', concern, 'stopped on request');
    const credentials = authorization.headerFor(method, target);
    const all: Record<string, string> = {
      ...headers,
      // A packed answer has another ETag, and another length.
      'accept-encoding': 'identity',
      ...(credentials !== undefined && { authorization: credentials }),
      ...(body instanceof Uint8Array && { 'content-length': String(body.length) }),
    };
    try {
      return await transport.send({ origin, method, target, headers: Object.entries(all).flat(), body, isStreamed }, signal);
    } catch (error) {
      if (isAborted(signal) || transport.isClosed) throw failure('cancelled', concern, transport.isClosed ? 'the storage is closed' : 'stopped on request');
      if (isBackendError(error)) throw error;
      const { says, isCertificate } = connectionTrouble(error);
      throw failure('unreachable', concern, `${origin}: ${says}`, !isCertificate, error);
    }
  }
}

/** A streamed body is gone after the first time; a condition may be refused for what the first time did. */
function mayBeRepeated({ method, headers = {}, body }: DavRequest): boolean {
  const isWhole = body === undefined || body instanceof Uint8Array;
  return CHANGING_NOTHING.has(method) || (SAME_TWICE.has(method) && isWhole && headers['if-none-match'] === undefined);
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

/** One header of an answer. */
export function headerOf({ headers }: Pick<RawAnswer, 'headers'>, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

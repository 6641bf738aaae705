/**
 * Carries one request over HTTP: connections are kept and shared (64 an endpoint), nothing is
 * repeated or interpreted here. undici is loaded with the first request, so that a daemon
 * without remote storages does not pay for it. Rejects with the error of the connection as it came.
 *
 * T41: an answer shorter than announced is an error of the connection. T53: 60 s of silence
 * are one, too.
 */

import type { Readable } from 'node:stream';

import type { Dispatcher } from 'undici';

import { BodyStream } from './body-stream.js';

/** Headers of an answer, names in lower case. */
export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** A request with all its headers. */
export interface OutgoingRequest {
  readonly origin: string;
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE' | 'OPTIONS' | 'PROPFIND' | 'PROPPATCH' | 'MKCOL' | 'COPY' | 'MOVE';
  /** With the query; percent-encoded. */
  readonly target: string;
  /** Name, value, name, value. */
  readonly headers: string[];
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | undefined;
  /** Whether the body of a success is handed on as it comes. */
  readonly isStreamed: boolean;
}

/** An answer; `body` when it is streamed, else `bytes` has all of it. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly bytes: Buffer;
  readonly body: BodyStream | undefined;
}

const SILENCE_LIMIT_MS = 60_000;
const CONNECTIONS = 64;
const EMPTY = Buffer.alloc(0);
/** Answers that are not streamed are listings and error documents; no directory that anybody can use has a larger one. */
const LARGEST_DOCUMENT_BYTES = 64 * 1024 * 1024;
/** Larger bodies go out in slices: the limit on silence then counts from the last slice that was taken. */
const SLICE_BYTES = 256 * 1024;

/** HTTP to the endpoints of one storage. */
export class Transport {
  readonly #env: Readonly<Record<string, string | undefined>>;
  #dispatcher: Dispatcher | undefined;
  #opening: Promise<Dispatcher> | undefined;
  #isClosed = false;

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env;
  }

  /** Whether requests fail because nobody wants them any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Resolves with the answer's head and, unless streamed, all of its body. */
  async send(request: OutgoingRequest, signal: AbortSignal | undefined): Promise<RawAnswer> {
    if (this.#isClosed) throw new Error('the storage was closed');
    const dispatcher = this.#dispatcher ?? (await (this.#opening ??= this.#open()));
    return new Promise((resolve, reject) => {
      const exchange = new Exchange(request.isStreamed, signal, resolve, reject);
      // After a HEAD undici would close the connection, for servers that send a body nevertheless; none of ours does.
      const { origin, method, target: path, headers, body } = request;
      dispatcher.dispatch({ origin, method: method, path, headers, body: toBody(body), reset: false }, exchange);
    });
  }

  /** Ends all connections, also those in use. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const dispatcher = await this.#opening?.catch(() => undefined);
    await dispatcher?.destroy();
  }

  async #open(): Promise<Dispatcher> {
    const options = { connections: CONNECTIONS, pipelining: 1, headersTimeout: SILENCE_LIMIT_MS, bodyTimeout: SILENCE_LIMIT_MS };
    const proxy = (name: string): string => this.#env[name.toLowerCase()] ?? this.#env[name] ?? '';
    const [httpProxy, httpsProxy, noProxy] = [proxy('HTTP_PROXY'), proxy('HTTPS_PROXY'), proxy('NO_PROXY')];
    if (httpProxy === '' && httpsProxy === '') {
      const { default: Agent } = await import('undici/lib/dispatcher/agent.js');
      this.#dispatcher = new Agent(options);
    } else {
      // Proxies need all of undici. A tunnel is for HTTPS alone: many proxies refuse others.
      const { EnvHttpProxyAgent } = await import('undici');
      this.#dispatcher = new EnvHttpProxyAgent({ ...options, httpProxy, httpsProxy, noProxy, proxyTunnel: false });
    }
    return this.#dispatcher;
  }
}

/** One request under way. */
class Exchange implements Dispatcher.DispatchHandler {
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #headers: AnswerHeaders = {};
  #chunks: Buffer[] = [];
  #bytes = 0;
  #stream: BodyStream | undefined;
  readonly #abort = (): void => this.#controller?.abort(new Error('aborted'));

  constructor(
    readonly isStreamed: boolean,
    readonly signal: AbortSignal | undefined,
    readonly resolve: (answer: RawAnswer) => void,
    readonly reject: (error: unknown) => void,
  ) {
    signal?.addEventListener('abort', this.#abort);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.signal?.aborted === true) this.#abort();
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: AnswerHeaders): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
    if (!this.isStreamed || status >= 300) return;
    this.#stream = new BodyStream(controller);
    this.resolve({ status, headers, bytes: EMPTY, body: this.#stream });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#stream !== undefined) return this.#stream.push(chunk);
    this.#chunks.push(chunk);
    if ((this.#bytes += chunk.length) > LARGEST_DOCUMENT_BYTES) controller.abort(new Error('the answer is larger than any listing should be'));
  }

  onResponseEnd(): void {
    this.signal?.removeEventListener('abort', this.#abort);
    if (this.#stream !== undefined) return this.#stream.end();
    const [first = EMPTY] = this.#chunks;
    const bytes = this.#chunks.length > 1 ? Buffer.concat(this.#chunks) : first;
    this.resolve({ status: this.#status, headers: this.#headers, bytes, body: undefined });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.signal?.removeEventListener('abort', this.#abort);
    if (this.#stream !== undefined) this.#stream.fail(error);
    else this.reject(error);
  }
}

function toBody(body: OutgoingRequest['body']): Uint8Array | Readable | null {
  if (body === undefined) return null;
  if (body instanceof Uint8Array && body.length <= SLICE_BYTES) return body;
  // undici takes any asynchronous iterable; its types name the commonest.
  return (body instanceof Uint8Array ? slices(body) : body) as Readable;
}

async function* slices(body: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < body.length; start += SLICE_BYTES) yield body.subarray(start, start + SLICE_BYTES);
}

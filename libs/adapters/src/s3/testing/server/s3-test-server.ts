/**
 * The S3 server of the test-suite: one process, objects in memory, real HTTP on the loopback
 * interface. Each request is decided in one synchronous step after its body has come whole and
 * its signature was verified; before and after it, hooks and faults have their say.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { Bucket } from './bucket.js';
import { BucketHands } from './bucket-hands.js';
import { tagOf } from './content-checks.js';
import { effectOf, type Fault, FaultBook, type FaultEffect, type FaultScript } from './faults.js';
import { type Hook, HookList, type HookScope } from './hooks.js';
import { utf16Order, utf8Order } from './key-order.js';
import type { Answer, OperationContext } from './operation-context.js';
import { operations } from './operations.js';
import { receiveBody } from './request-body.js';
import { type OpenLogEntry, RequestLog } from './request-log.js';
import { type Operation, parseRequest, type S3Request } from './s3-request.js';
import { S3Failure } from './s3-failure.js';
import { sendAnswer } from './send-answer.js';
import { type S3ServerOptions, variantOf } from './server-options.js';
import { checkSignature } from './signature.js';
import type { S3Variant } from './variant.js';
import { xmlError } from './xml.js';

/** A running server. */
export class S3TestServer {
  /** What it was asked. */
  readonly log = new RequestLog();
  readonly accessKey: string;
  readonly secretKey: string;
  /** Changes from the next request on: a server that was updated, or one behind another address. */
  region: string;
  /** Changes from the next request on. */
  variant: S3Variant;
  /** How far the server's clock is ahead of the real one, milliseconds. */
  clockOffsetMs = 0;

  readonly #hostDomain: string;
  readonly #clock: () => number;
  readonly #buckets = new Map<string, Bucket>();
  readonly #faults = new FaultBook();
  readonly #before = new HookList();
  readonly #after = new HookList();
  readonly #closing = new AbortController();
  readonly #http: Server;
  readonly #mistakes: unknown[] = [];
  #serial = 0;
  #lostRaces = 0;

  constructor(options: S3ServerOptions) {
    this.accessKey = options.accessKey ?? 'testkey';
    this.secretKey = options.secretKey ?? 'testsecret';
    this.region = options.region ?? 'us-east-1';
    this.variant = variantOf(options);
    this.#hostDomain = options.hostDomain ?? 's3.localhost';
    this.#clock = options.nowMs ?? Date.now;
    for (const name of options.buckets ?? ['test']) this.createBucket(name, options.versioned ?? false);
    this.#http = createServer({ noDelay: true, keepAliveTimeout: 0, requestTimeout: 0 }, (incoming, response) => {
      this.#serve(incoming, response).catch((error: unknown) => {
        // A mistake of this server or of a hook must never look like an answer of S3.
        this.#mistakes.push(error);
        response.destroy();
      });
    });
  }

  /** Starts to listen, on a port of its own. */
  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#http.listen(0, '127.0.0.1', resolve));
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  /** `http://127.0.0.1:port`. */
  get endpointUrl(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The server's clock, milliseconds since the epoch. */
  nowMs(): number {
    return this.#clock() + this.clockOffsetMs;
  }

  createBucket(name: string, isVersioned = false): void {
    const bucket = new Bucket(name, this.variant.listOrder === 'utf8' ? utf8Order : utf16Order, this.nowMs());
    if (isVersioned) bucket.versioning = 'Enabled';
    this.#buckets.set(name, bucket);
  }

  removeBucket(name: string): void {
    this.#buckets.delete(name);
  }

  /** An outsider's hands on a bucket. */
  bucket(name = 'test'): BucketHands {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) throw new Error(`there is no bucket ${name}`);
    return new BucketHands(bucket, () => this.nowMs(), (bytes) => tagOf(bytes, { variant: this.variant, uniqueId: () => this.#uniqueId() }));
  }

  /** Sets a fault. */
  fault(script: FaultScript): Fault {
    return this.#faults.add(script);
  }

  /** Ends all faults. */
  clearFaults(): void {
    this.#faults.clear();
  }

  /** Runs `hook` when a request has come whole and is not decided yet; returns what takes it away. */
  before(operation: Operation | '*', hook: Hook, scope: HookScope = {}): () => void {
    return this.#before.add(operation, hook, scope);
  }

  /** Runs `hook` when a request is decided and not answered yet; returns what takes it away. */
  after(operation: Operation | '*', hook: Hook, scope: HookScope = {}): () => void {
    return this.#after.add(operation, hook, scope);
  }

  /** Breaks every open connection; the server goes on. */
  dropConnections(): void {
    this.#http.closeAllConnections();
  }

  /** Ends everything at once: connections are broken, waiting requests are never decided. Rejects when a hook, or the server itself, had failed. */
  async close(): Promise<void> {
    this.#closing.abort();
    const closed = new Promise((resolve) => this.#http.close(resolve));
    this.#http.closeAllConnections();
    await closed;
    if (this.#mistakes.length > 0) throw new AggregateError(this.#mistakes, 'the S3 test server or one of its hooks failed');
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    incoming.on('error', () => undefined);
    response.on('error', () => undefined);
    let request: S3Request;
    try {
      request = parseRequest(incoming.method ?? '', incoming.url ?? '', incoming.headers, this.#hostDomain);
    } catch (failure) {
      await receiveBody(incoming);
      return sendAnswer(response, this.#failureAnswer(failure, incoming.url ?? ''), [], this.#pause);
    }
    const entry = this.#openEntry(request);
    const effects = this.#faults.effectsOn(request.operation, request.key);
    const arrivedAt = this.#buckets.get(request.bucket)?.changeCount ?? 0;
    if (effectOf(effects, 'lose-request') !== undefined) return this.#lose(incoming, entry);
    const body = await receiveBody(incoming);
    if (body === undefined) {
      entry.outcome = 'aborted';
      return;
    }
    entry.sizeBytes = body.length;
    await this.#wait(entry, effects);
    if (this.#closing.signal.aborted) return;
    const answer = this.#decide(request, body, arrivedAt, effects, entry);
    if (!this.#after.isEmpty) await this.#after.run(entry);
    if (effectOf(effects, 'lose-reply') !== undefined) return this.#lose(incoming, entry);
    entry.status = answer.status;
    entry.outcome = 'answered';
    await sendAnswer(response, answer, effects, this.#pause);
  }

  #openEntry({ operation, bucket, key, query, headers }: S3Request): OpenLogEntry {
    const { authorization: _signature, ...told } = headers;
    return this.log.open({
      operation,
      bucket,
      key,
      query,
      headers: told,
      ifMatch: headers['if-match'],
      ifNoneMatch: headers['if-none-match'],
      sizeBytes: 0,
      status: 0,
      code: undefined,
      outcome: 'pending',
      isDone: false,
    });
  }

  async #wait(entry: OpenLogEntry, effects: readonly FaultEffect[]): Promise<void> {
    if (!this.#before.isEmpty) await this.#before.run(entry);
    for (const effect of effects) {
      if (effect.kind === 'delay') await ('ms' in effect ? this.#pause(effect.ms) : effect.until);
    }
  }

  /** The one synchronous step. */
  #decide(request: S3Request, body: Buffer, arrivedAt: number, effects: readonly FaultEffect[], entry: OpenLogEntry): Answer {
    const scripted = effectOf(effects, 'error');
    try {
      if (scripted !== undefined && scripted.afterWork !== true) throw scriptedFailure(scripted);
      this.#check(request);
      const answer = operations[request.operation](this.#contextOf(request, body, arrivedAt, effects));
      entry.isDone = true;
      if (scripted !== undefined) throw scriptedFailure(scripted);
      return this.#dated(answer);
    } catch (failure) {
      if (failure instanceof S3Failure) entry.code = failure.code;
      return this.#failureAnswer(failure, request.key);
    }
  }

  #check(request: S3Request): void {
    const { headers } = request;
    if (this.variant.checksSignatures) {
      const { accessKey, secretKey, region } = this;
      checkSignature(request, { accessKey, secretKey, region, checksRegion: this.variant.checksRegion }, this.nowMs());
    }
    if (headers['transfer-encoding'] !== undefined && headers['content-length'] === undefined) {
      throw new S3Failure(411, 'MissingContentLength', 'You must provide the Content-Length HTTP header.');
    }
    if (String(headers['x-amz-content-sha256'] ?? '').startsWith('STREAMING-')) {
      throw new S3Failure(501, 'NotImplemented', 'This server takes no bodies that are signed in pieces.');
    }
  }

  #contextOf(request: S3Request, body: Buffer, arrivedAt: number, effects: readonly FaultEffect[]): OperationContext {
    const stale = effectOf(effects, 'stale');
    const other = effectOf(effects, 'other-version');
    return {
      request,
      body,
      variant: this.variant,
      region: this.region,
      nowMs: this.nowMs(),
      buckets: this.#buckets,
      bucket: () => {
        const bucket = this.#buckets.get(request.bucket);
        if (bucket === undefined) throw new S3Failure(404, 'NoSuchBucket', 'The specified bucket does not exist', { elements: { BucketName: request.bucket } });
        return bucket;
      },
      createBucket: (name) => this.createBucket(name),
      arrivedAt,
      alternates: () => (this.#lostRaces += 1) % 2 === 1,
      uniqueId: () => this.#uniqueId(),
      staleBy: stale === undefined ? 0 : (stale.changes ?? 1),
      ignoresRange: effectOf(effects, 'ignore-range') !== undefined,
      pageTrick: effectOf(effects, 'listing')?.trick,
      otherVersion: other === undefined ? undefined : Buffer.from(other.bytes),
    };
  }

  #lose(incoming: IncomingMessage, entry: OpenLogEntry): void {
    entry.outcome = 'lost';
    incoming.socket.resetAndDestroy();
  }

  #failureAnswer(failure: unknown, resource: string): Answer {
    if (!(failure instanceof S3Failure)) throw failure;
    const { status, code, message, extra } = failure;
    const elements = { Code: code, Message: message, Resource: resource, ...extra.elements, RequestId: this.#uniqueId() };
    const isBare = status === 304;
    const headers = { ...(!isBare && { 'content-type': 'application/xml' }), ...extra.headers };
    return this.#dated({ status, headers, body: isBare ? Buffer.alloc(0) : xmlError(elements) });
  }

  #dated(answer: Answer): Answer {
    return { ...answer, headers: { date: new Date(this.nowMs()).toUTCString(), 'x-amz-request-id': this.#uniqueId(), ...answer.headers } };
  }

  #uniqueId(): string {
    this.#serial += 1;
    return String(this.#serial).padStart(12, '0');
  }

  readonly #pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal: this.#closing.signal }).catch(() => undefined);
}

function scriptedFailure({ status, code, message, headers }: Extract<FaultEffect, { kind: 'error' }>): S3Failure {
  return new S3Failure(status, code, message ?? '', headers === undefined ? {} : { headers });
}

/**
 * The S3 server of the test-suite: one process, objects in memory, real HTTP on the loopback
 * interface. Each request is decided in one synchronous step after its body has come whole
 * (`decision.ts`); before and after it, hooks and faults have their say.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { BucketHands } from './bucket-hands.js';
import { tagOf } from './content-checks.js';
import { decide, failureAnswer } from './decision.js';
import { effectOf, type Fault, FaultBook, type FaultEffect, type FaultScript } from './faults.js';
import { type Hook, HookList, type HookScope } from './hooks.js';
import { receiveBody } from './request-body.js';
import { type OpenLogEntry, RequestLog } from './request-log.js';
import { type Operation, parseRequest, type S3Request } from './s3-request.js';
import { sendAnswer } from './send-answer.js';
import type { S3ServerOptions } from './server-options.js';
import type { S3Variant } from './variant.js';
import { World } from './world.js';

/** A running server. */
export class S3TestServer {
  /** What it was asked. */
  readonly log = new RequestLog();
  readonly #world: World;
  readonly #hostDomain: string;
  readonly #faults = new FaultBook();
  readonly #before = new HookList();
  readonly #after = new HookList();
  readonly #closing = new AbortController();
  readonly #mistakes: unknown[] = [];
  readonly #http: Server;

  constructor(options: S3ServerOptions) {
    this.#world = new World(options);
    this.#hostDomain = options.hostDomain ?? 's3.localhost';
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

  get accessKey(): string {
    return this.#world.accessKey;
  }

  get secretKey(): string {
    return this.#world.secretKey;
  }

  get region(): string {
    return this.#world.region;
  }

  get variant(): S3Variant {
    return this.#world.variant;
  }

  /** Counts from the next request on: a server that was updated, or another one at the same address. */
  set variant(variant: S3Variant) {
    this.#world.variant = variant;
  }

  /** Sets how far the server's clock is ahead of the real one (or the one it was given), milliseconds. */
  set clockOffsetMs(offsetMs: number) {
    this.#world.clockOffsetMs = offsetMs;
  }

  /** The server's clock, milliseconds since the epoch. */
  nowMs(): number {
    return this.#world.nowMs();
  }

  createBucket(name: string, isVersioned = false): void {
    this.#world.createBucket(name, isVersioned);
  }

  removeBucket(name: string): void {
    this.#world.buckets.delete(name);
  }

  /** Puts a bucket into another region: requests signed for the server's are answered with 301 and that region. */
  moveBucket(name: string, region: string): void {
    this.#world.movedBuckets.set(name, region);
  }

  /** An outsider's hands on a bucket. */
  bucket(name = 'test'): BucketHands {
    const { variant, uniqueId } = this.#world;
    return new BucketHands(this.#world.bucket(name), () => this.nowMs(), (bytes) => tagOf(bytes, { variant, uniqueId }));
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
      return sendAnswer(response, failureAnswer(this.#world, failure, incoming.url ?? ''), [], this.#pause);
    }
    const entry = this.log.open(newEntry(request));
    const effects = this.#faults.effectsOn(request.operation, request.key);
    const arrivedAt = this.#world.buckets.get(request.bucket)?.changeCount ?? 0;
    if (effectOf(effects, 'lose-request') !== undefined) return lose(incoming, entry);
    const body = await receiveBody(incoming);
    if (body === undefined) {
      entry.outcome = 'aborted';
      return;
    }
    entry.sizeBytes = body.length;
    await this.#wait(entry, effects);
    if (this.#closing.signal.aborted) return;
    const answer = decide(this.#world, { request, body, arrivedAt, effects, entry });
    entry.status = answer.status;
    if (!this.#after.isEmpty) await this.#after.run(entry);
    if (effectOf(effects, 'lose-reply') !== undefined) return lose(incoming, entry);
    entry.outcome = 'answered';
    await sendAnswer(response, answer, effects, this.#pause);
  }

  async #wait(entry: OpenLogEntry, effects: readonly FaultEffect[]): Promise<void> {
    if (!this.#before.isEmpty) await this.#before.run(entry);
    for (const effect of effects) {
      if (effect.kind === 'delay') await ('ms' in effect ? this.#pause(effect.ms) : effect.until);
    }
  }

  readonly #pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal: this.#closing.signal }).catch(() => undefined);
}

function newEntry({ operation, bucket, key, query, headers }: S3Request): OpenLogEntry {
  const { authorization: _signature, ...told } = headers;
  return {
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
  };
}

function lose(incoming: IncomingMessage, entry: OpenLogEntry): void {
  entry.outcome = 'lost';
  incoming.socket.resetAndDestroy();
}

/**
 * Decides a request that has come whole: signature, faults, the operation itself, all in one
 * synchronous step, so that nothing can come between a condition and the change it guards.
 */

import { checkContent } from './content-checks.js';
import { effectOf, type FaultEffect } from './faults.js';
import type { Answer, OperationContext } from './operation-context.js';
import { operations } from './operations.js';
import type { OpenLogEntry } from './request-log.js';
import type { S3Request } from './s3-request.js';
import { S3Failure } from './s3-failure.js';
import { checkSignature } from './signature.js';
import type { World } from './world.js';
import { xmlError } from './xml.js';

/** A request with everything that bears on it. */
export interface ArrivedRequest {
  readonly request: S3Request;
  readonly body: Buffer;
  /** The bucket's count of changes when the request arrived. */
  readonly arrivedAt: number;
  readonly effects: readonly FaultEffect[];
  readonly entry: OpenLogEntry;
}

/** Decides; what is thrown is a mistake of the server, never an answer. */
export function decide(world: World, arrived: ArrivedRequest): Answer {
  const { request, effects, entry } = arrived;
  const scripted = effectOf(effects, 'error');
  const instead = effectOf(effects, 'answer');
  try {
    if (scripted !== undefined && scripted.afterWork !== true) throw scriptedFailure(scripted);
    check(world, arrived);
    if (instead !== undefined) return dated(world, { status: instead.status, headers: instead.headers ?? {}, body: Buffer.from(instead.body ?? '') });
    const answer = operations[request.operation](contextOf(world, arrived));
    entry.isDone = true;
    if (scripted !== undefined) throw scriptedFailure(scripted);
    return dated(world, answer);
  } catch (failure) {
    if (failure instanceof S3Failure) entry.code = failure.code;
    return failureAnswer(world, failure, request.key);
  }
}

/** The error document of a failure; rethrows what is none of S3's. */
export function failureAnswer(world: World, failure: unknown, resource: string): Answer {
  if (!(failure instanceof S3Failure)) throw failure;
  const { status, code, message, extra } = failure;
  const elements = { Code: code, Message: message, Resource: resource, ...extra.elements, RequestId: world.uniqueId() };
  const isBare = status === 304;
  const headers = { ...(!isBare && { 'content-type': 'application/xml' }), ...extra.headers };
  return dated(world, { status, headers, body: isBare ? Buffer.alloc(0) : xmlError(elements) });
}

/** Operations that look at their body's hashes themselves, after they looked for their bucket. */
const checkingOperations = new Set(['PutObject', 'UploadPart', 'DeleteObjects']);

function check(world: World, { request, body }: ArrivedRequest): void {
  const { headers } = request;
  if (world.variant.checksSignatures) checkSignature(request, world.identityFor(request.bucket), world.nowMs());
  if (headers['transfer-encoding'] !== undefined && headers['content-length'] === undefined) {
    throw new S3Failure(411, 'MissingContentLength', 'You must provide the Content-Length HTTP header.');
  }
  if (String(headers['x-amz-content-sha256'] ?? '').startsWith('STREAMING-')) {
    throw new S3Failure(501, 'NotImplemented', 'This server takes no bodies that are signed in pieces.');
  }
  // Ceph looks at the hashes of content only.
  const checksAll = world.variant.dialect === 'aws' && !checkingOperations.has(request.operation);
  if (checksAll) checkContent({ request, body, variant: { ...world.variant, checksums: 'swallowed' } });
}

function contextOf(world: World, { request, body, arrivedAt, effects }: ArrivedRequest): OperationContext {
  const stale = effectOf(effects, 'stale');
  const other = effectOf(effects, 'other-version');
  return {
    request,
    body,
    arrivedAt,
    variant: world.variant,
    region: world.region,
    nowMs: world.nowMs(),
    buckets: world.buckets,
    bucket: () => world.bucket(request.bucket),
    createBucket: (name) => world.createBucket(name),
    alternates: world.alternates,
    uniqueId: world.uniqueId,
    staleBy: stale === undefined ? 0 : (stale.changes ?? 1),
    ignoresRange: effectOf(effects, 'ignore-range') !== undefined,
    pageTrick: effectOf(effects, 'listing')?.trick,
    otherVersion: other === undefined ? undefined : Buffer.from(other.bytes),
  };
}

function dated(world: World, answer: Answer): Answer {
  return { ...answer, headers: { date: new Date(world.nowMs()).toUTCString(), 'x-amz-request-id': world.uniqueId(), ...answer.headers } };
}

function scriptedFailure({ status, code, message, headers }: Extract<FaultEffect, { kind: 'error' }>): S3Failure {
  return new S3Failure(status, code, message ?? '', headers === undefined ? {} : { headers });
}

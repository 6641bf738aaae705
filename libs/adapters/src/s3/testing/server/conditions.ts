/**
 * Conditions of requests, decided as the variant decides them. Called in the same synchronous
 * step as the change itself, so that of two writers that expect the same version one wins.
 */

import type { OperationContext } from './operation-context.js';
import { noSuchKey, notImplemented, preconditionFailed, S3Failure } from './s3-failure.js';
import type { StoredObject } from './stored-object.js';
import type { ConditionRule, S3Variant } from './variant.js';

/** Throws unless `PutObject` may write. */
export function checkPut(context: OperationContext, current: StoredObject | undefined): void {
  const { variant } = context;
  checkTarget(context, current, variant.putIfAbsent, variant.putIfMatch);
}

/** Throws unless an upload may be completed. */
export function checkComplete(context: OperationContext, current: StoredObject | undefined): void {
  checkTarget(context, current, context.variant.completeConditions, context.variant.completeConditions);
}

/** Throws unless the target of a copy may be written. */
export function checkCopyTarget(context: OperationContext, current: StoredObject | undefined): void {
  checkTarget(context, current, context.variant.copyConditions, context.variant.copyConditions);
}

/** Throws unless an object may be deleted. */
export function checkDelete(context: OperationContext, key: string, current: StoredObject | undefined): void {
  const expected = context.request.headers['if-match'];
  if (expected !== undefined && isObeyed(context.variant.deleteIfMatch)) checkDeleteTag(context, key, current, expected);
}

/** Throws unless an object that is deleted has the tag expected. `*` of nothing is 412, a tag of nothing 404, as AWS has it. */
export function checkDeleteTag(context: OperationContext, key: string, current: StoredObject | undefined, expected: string): void {
  if (current === undefined) throw expected === '*' ? preconditionFailed() : noSuchKey(key);
  if (!matches(context.variant, expected, current.etag)) throw overtaken(context, key) ?? preconditionFailed();
}

/** Throws unless the source of a copy is what is expected. */
export function checkCopySource(context: OperationContext, source: StoredObject): void {
  const prefix = context.variant.copySourceCondition;
  if (prefix === 'none') return;
  const header = (name: string) => textOf(context.request.headers[`${prefix}${name}`]);
  const match = header('match');
  if (match !== undefined && !readMatches(match, source.etag)) throw preconditionFailed();
  const noneMatch = header('none-match');
  if (noneMatch !== undefined && readMatches(noneMatch, source.etag)) throw preconditionFailed();
}

/** Throws unless the object read is what the client wants: 412 for `If-Match`, 304 for `If-None-Match`. */
export function checkRead(context: OperationContext, object: StoredObject): void {
  const { headers } = context.request;
  const match = headers['if-match'];
  if (match !== undefined && !readMatches(match, object.etag)) throw preconditionFailed();
  const noneMatch = headers['if-none-match'];
  if (noneMatch !== undefined && readMatches(noneMatch, object.etag)) {
    throw notModified(object);
  }
  // Dates count only where no tag was given.
  const unmodified = match === undefined ? Date.parse(headers['if-unmodified-since'] ?? '') : NaN;
  if (object.lastModifiedMs >= unmodified + 1000) throw preconditionFailed();
  const modified = noneMatch === undefined ? Date.parse(headers['if-modified-since'] ?? '') : NaN;
  if (object.lastModifiedMs < modified + 1000) throw notModified(object);
}

function checkTarget(context: OperationContext, current: StoredObject | undefined, absentRule: ConditionRule, matchRule: ConditionRule): void {
  const { headers, key } = context.request;
  const absent = headers['if-none-match'];
  const match = headers['if-match'];
  // Both are looked at before either is decided: 501 goes before 412.
  const checksAbsent = absent !== undefined && isObeyed(absentRule);
  const checksMatch = match !== undefined && isObeyed(matchRule);
  const isBroken = context.variant.versionedConditions === 'broken' && context.bucket().versioning !== 'off';
  if (checksAbsent && !isBroken) checkAbsent(context, current, absent);
  if (!checksMatch) return;
  if (isBroken) throw preconditionFailed();
  if (current === undefined) throw missing(context, key, match);
  if (!matches(context.variant, match, current.etag)) throw overtaken(context, key) ?? preconditionFailed();
}

function checkAbsent(context: OperationContext, current: StoredObject | undefined, value: string): void {
  if (value !== '*') {
    // AWS knows the asterisk only and says so; Ceph refuses where the bare tag is the current one.
    if (context.variant.dialect === 'aws') throw notImplemented();
    if (current !== undefined && value.startsWith(current.etag)) throw preconditionFailed();
    return;
  }
  if (current === undefined) return;
  // Ceph answers 500 to those only who wanted to replace, never to those who wanted to create.
  throw (context.variant.lostRace === 'conflict' ? overtaken(context, current.key) : undefined) ?? preconditionFailed();
}

function missing(context: OperationContext, key: string, match: string): S3Failure {
  const isPlain = context.variant.missingStatus === 412 || match === '*';
  return isPlain ? (overtaken(context, key) ?? preconditionFailed()) : noSuchKey(key);
}

/** What a writer gets that lost a race, where that is not 412. */
function overtaken(context: OperationContext, key: string): S3Failure | undefined {
  if (context.bucket().changedAt(key) <= context.arrivedAt) return undefined;
  switch (context.variant.lostRace) {
    case 'refused':
      return undefined;
    case 'conflict':
      return new S3Failure(409, 'ConditionalRequestConflict', 'The conditional request cannot succeed due to a conflicting operation against this resource.');
    case 'unknown-error':
      return context.alternates() ? new S3Failure(500, 'UnknownError') : undefined;
  }
}

function isObeyed(rule: ConditionRule): boolean {
  if (rule === 'refused') throw notImplemented();
  return rule === 'obeyed';
}

function matches(variant: S3Variant, expected: string, etag: string): boolean {
  if (expected === '*') return true;
  switch (variant.matchesTags) {
    case 'quoted':
      return expected === `"${etag}"`;
    case 'bare':
      return expected.startsWith(etag);
    case 'either':
      return expected === `"${etag}"` || expected === etag;
  }
}

/** Reads take the tag with or without quotes, on all servers; weak tags match nothing. */
function readMatches(expected: string, etag: string): boolean {
  return expected === `"${etag}"` || expected === etag;
}

function notModified(object: StoredObject): S3Failure {
  return new S3Failure(304, 'NotModified', '', { headers: { etag: `"${object.etag}"` } });
}

function textOf(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.join(',');
}

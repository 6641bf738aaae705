/** What an operation works with, and what it answers. Operations are synchronous: each is one step. */

import type { Bucket } from './bucket.js';
import type { PageTrick } from './page-trick.js';
import type { S3Request } from './s3-request.js';
import type { S3Variant } from './variant.js';

/** A request that is being decided. */
export interface OperationContext {
  readonly request: S3Request;
  readonly body: Buffer;
  readonly variant: S3Variant;
  readonly region: string;
  readonly nowMs: number;
  readonly buckets: Map<string, Bucket>;
  /** The bucket asked for; throws NoSuchBucket when there is none. */
  readonly bucket: () => Bucket;
  readonly createBucket: (name: string) => void;
  /** The bucket's count of changes when the request arrived; what changed since overtook it. */
  readonly arrivedAt: number;
  /** Every second lost race is answered differently by Ceph; returns true then. */
  readonly alternates: () => boolean;
  readonly uniqueId: () => string;
  /** Reads answer the state this many changes ago; 0 for now. */
  readonly staleBy: number;
  /** Reads act as though there were no `Range`. */
  readonly ignoresRange: boolean;
  /** Reads answer these bytes, whatever is stored and asked. */
  readonly otherVersion: Buffer | undefined;
  /** What is done to a page of a listing. */
  readonly pageTrick: PageTrick | undefined;
}

/** An answer that is no error. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Decides one request. */
export type OperationHandler = (context: OperationContext) => Answer;

const nothing = Buffer.alloc(0);

/** An answer without a body. */
export function emptyAnswer(status: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers, body: nothing };
}

/** An answer that is a document. */
export function xmlAnswer(body: Buffer, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status: 200, headers: { 'content-type': 'application/xml', ...headers }, body };
}

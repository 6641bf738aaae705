/** What a server was asked, for sentences such as "nothing was uploaded twice". */

import type { IncomingHttpHeaders } from 'node:http';

import type { Operation } from './s3-request.js';

/** One request, in the order of arrival. */
export interface LoggedRequest {
  readonly operation: Operation;
  readonly bucket: string;
  /** `''` for requests about buckets. */
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  /** As sent, without the signature. */
  readonly headers: IncomingHttpHeaders;
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
  /** Bytes of the request's body. */
  readonly sizeBytes: number;
  /** Status decided on, whether the client got it or not; 0 while there is none. */
  readonly status: number;
  /** S3's code when the answer is an error. */
  readonly code: string | undefined;
  /** `lost`: a fault took the request or the reply. `aborted`: the client went away before its body was whole. */
  readonly outcome: 'pending' | 'answered' | 'lost' | 'aborted';
  /** Whether the operation was carried out, seen by the client or not. */
  readonly isDone: boolean;
}

/** An entry while the server works on it. */
export type OpenLogEntry = { -readonly [Field in keyof LoggedRequest]: LoggedRequest[Field] };

/** Operations that change objects. */
export const writingOperations: ReadonlySet<Operation> = new Set<Operation>([
  'PutObject',
  'CopyObject',
  'DeleteObject',
  'DeleteObjects',
  'CreateMultipartUpload',
  'UploadPart',
  'UploadPartCopy',
  'CompleteMultipartUpload',
  'AbortMultipartUpload',
]);

/** The log of a server. */
export class RequestLog {
  readonly #entries: OpenLogEntry[] = [];

  /** Everything since the start or the last `clear`. */
  get entries(): readonly LoggedRequest[] {
    return this.#entries;
  }

  /** Requests of one operation, of one key if given. */
  of(operation: Operation, key?: string): readonly LoggedRequest[] {
    return this.#entries.filter((entry) => entry.operation === operation && (key === undefined || entry.key === key));
  }

  /** Requests that change objects or uploads. */
  get writes(): readonly LoggedRequest[] {
    return this.#entries.filter((entry) => writingOperations.has(entry.operation));
  }

  clear(): void {
    this.#entries.length = 0;
  }

  /** Starts an entry; the server fills it in. */
  open(entry: OpenLogEntry): OpenLogEntry {
    this.#entries.push(entry);
    return entry;
  }
}

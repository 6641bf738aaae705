/** What an S3 storage is made from, and what it is given of its surroundings. */

import type { Clock } from '@wl/ports';

import type { PartsMemory } from './known-parts.js';

/** From the storage's manifest. */
export interface S3Params {
  readonly backendId: string;
  /** `s3://bucket` or `s3://bucket/path/`; objects land under the path, once. */
  readonly url: string;
  /** `http(s)://host[:port]`; default: AWS in `region`. */
  readonly endpointUrl?: string;
  /** Default: what the standard chain finds, else `us-east-1`; corrected by what the server says. */
  readonly region?: string;
  /** Bucket in the path instead of the host name. Default: true with an `endpointUrl`, false without, true for names that make no host name. */
  readonly pathStyle?: boolean;
  /** Default: the SDK's standard chain (environment, profile, SSO, instance role). */
  readonly credentials?: { readonly accessKey: string; readonly secretKey: string };
  readonly readOnly?: boolean;
  /** `x-amz-storage-class` of what is written. */
  readonly storageClass?: string;
  /** `AES256`, `aws:kms`, or `aws:kms:<key id>`. */
  readonly serverSideEncryption?: string;
  /** Write an HTML page of each directory as its object `dir/`. */
  readonly withIndex?: boolean;
}

/**
 * Small facts of one storage that are worth keeping across restarts: what an endpoint can do,
 * uploads under way. All of it may be lost at the cost of time only. Values are plain JSON.
 */
export interface S3Notes {
  get(name: string): unknown;
  /** Durable when it returns; `undefined` forgets. Failures are swallowed: notes may be lost. */
  put(name: string, value: unknown): void;
}

/** What the driver works with. */
export interface S3Host {
  readonly clock: Clock;
  readonly notes: S3Notes;
  /** Where the parts of large objects are remembered; default: nowhere, and a change of a large file sends all of it. */
  readonly parts?: PartsMemory;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** For how long replaced and removed versions are kept; default 30. */
  readonly trashRetentionDays?: number;
}

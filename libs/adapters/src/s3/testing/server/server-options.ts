/** How a server for tests is made. */

import { type S3Variant, type VariantName, variants } from './variant.js';

/** Options; everything has a default that tests can live with. */
export interface S3ServerOptions {
  /** Default `testkey`. */
  readonly accessKey?: string;
  /** Default `testsecret`. */
  readonly secretKey?: string;
  /** Default `us-east-1`. */
  readonly region?: string;
  /** Buckets there are from the start; default `test`. */
  readonly buckets?: readonly string[];
  /** Whether those keep versions; default no. */
  readonly versioned?: boolean;
  /** Default `aws`. */
  readonly preset?: VariantName;
  /** Switches that differ from the preset's. */
  readonly switches?: Partial<S3Variant>;
  /** What follows the bucket's name in virtual-host names; default `s3.localhost`. */
  readonly hostDomain?: string;
  /** The server's clock, milliseconds since the epoch; default the real one. */
  readonly nowMs?: () => number;
}

/** The variant that options ask for. */
export function variantOf({ preset = 'aws', switches = {} }: S3ServerOptions): S3Variant {
  return { ...variants[preset], ...switches };
}

/** Everything a server knows: its buckets, who may ask, what it can do, what time it is. */

import { Bucket } from './bucket.js';
import { utf16Order, utf8Order } from './key-order.js';
import { S3Failure } from './s3-failure.js';
import { type S3ServerOptions, variantOf } from './server-options.js';
import type { Identity } from './signature.js';
import type { S3Variant } from './variant.js';

/** The state of one server. */
export class World {
  readonly accessKey: string;
  readonly secretKey: string;
  region: string;
  variant: S3Variant;
  /** How far the clock is ahead, milliseconds. */
  clockOffsetMs = 0;
  readonly buckets = new Map<string, Bucket>();
  /** Buckets that are in another region than the server. */
  readonly movedBuckets = new Map<string, string>();
  readonly #clock: () => number;
  #serial = 0;
  #lostRaces = 0;

  constructor(options: S3ServerOptions) {
    this.accessKey = options.accessKey ?? 'testkey';
    this.secretKey = options.secretKey ?? 'testsecret';
    this.region = options.region ?? 'us-east-1';
    this.variant = variantOf(options);
    this.#clock = options.nowMs ?? Date.now;
    for (const name of options.buckets ?? ['test']) this.createBucket(name, options.versioned ?? false);
  }

  nowMs(): number {
    return this.#clock() + this.clockOffsetMs;
  }

  createBucket(name: string, isVersioned = false): void {
    const bucket = new Bucket(name, this.variant.listOrder === 'utf8' ? utf8Order : utf16Order, this.nowMs());
    if (isVersioned) bucket.versioning = 'Enabled';
    this.buckets.set(name, bucket);
  }

  /** A bucket; throws S3's answer when there is none. */
  bucket(name: string): Bucket {
    const bucket = this.buckets.get(name);
    if (bucket === undefined) throw new S3Failure(404, 'NoSuchBucket', 'The specified bucket does not exist', { elements: { BucketName: name } });
    return bucket;
  }

  /** What signatures of requests for a bucket have to be made with. */
  identityFor(bucket: string): Identity {
    const { accessKey, secretKey, region: serverRegion } = this;
    return { accessKey, secretKey, serverRegion, region: this.movedBuckets.get(bucket) ?? serverRegion, checksRegion: this.variant.checksRegion };
  }

  /** True every second time a race is lost. */
  readonly alternates = (): boolean => {
    this.#lostRaces += 1;
    return this.#lostRaces % 2 === 1;
  };

  readonly uniqueId = (): string => {
    this.#serial += 1;
    return String(this.#serial).padStart(12, '0');
  };
}

/** An `S3Api` against a scripted server, with a clock that never waits. */

import { createHash } from 'node:crypto';

import { toSha256, type Sha256 } from '@wl/domain';
import type { Clock } from '@wl/ports';

import type { ObjectProperties, S3Api } from '../../s3-api.js';
import { S3Error } from '../../s3-error.js';
import { parseS3Location } from '../../s3-location.js';
import type { S3Params } from '../../s3-params.js';
import { createS3Api, type S3ApiOptions } from '../create-s3-api.js';

/** Sleeps pass at once and are written down. */
export class HastyClock implements Clock {
  /** Pauses, milliseconds. */
  readonly slept: number[] = [];
  #nowMs: number;
  #monotonicMs = 0;

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  async sleep(ms: number): Promise<void> {
    this.slept.push(ms);
    this.pass(ms);
  }

  pass(ms: number): void {
    this.#nowMs += ms;
    this.#monotonicMs += ms;
  }
}

/** Everything but the URL has a default. Pauses are the longest possible. */
export function openApi(
  endpointUrl: string,
  params: Partial<S3Params> = {},
  clock: Clock = new HastyClock(),
  options: S3ApiOptions = {},
  env: Readonly<Record<string, string>> = {},
): S3Api {
  const whole: S3Params = {
    backendId: 'b',
    url: 's3://bucket/folder',
    endpointUrl,
    region: 'us-east-1',
    credentials: { accessKey: 'the-key', secretKey: 'the-secret' },
    ...params,
  };
  const location = parseS3Location(whole);
  if (!location.ok) throw new Error(location.error);
  return createS3Api(whole, { clock, env }, location.value, { random: () => 1, ...options });
}

/** Hash of bytes. */
export function sha256(bytes: Uint8Array): Sha256 {
  return toSha256(createHash('sha256').update(bytes).digest('hex'));
}

/** The `S3Error` that a promise rejects with. */
export async function failureOf(promise: Promise<unknown>): Promise<S3Error> {
  const error: unknown = await promise.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (error instanceof S3Error) return error;
  throw error;
}

/** Nothing written along. */
export const PLAIN: ObjectProperties = { metadata: new Map() };
/** No condition. */
export const ALWAYS = { kind: 'none' } as const;
/** Headers of an object with the tag `e1`, as S3 sends them. */
export const OBJECT_HEADERS = { etag: '"e1"', 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT' } as const;

/**
 * Who signs: the storage's own keys, else what the official SDK's standard chain finds
 * (environment, shared profile, SSO, web identity, container and instance role). The chain is
 * loaded when it is needed, asked again before what it gave expires, and asked anew when the
 * endpoint says that it has expired (T53). Its last resort alone asks the instance's metadata
 * address, and only unless `AWS_EC2_METADATA_DISABLED` is set.
 */

import type { Clock } from '@wl/ports';

import { S3Error } from '../s3-error.js';
import type { S3Params } from '../s3-params.js';

import type { Credentials } from './signature.js';

/** What a link of the chain gives. */
export interface ChainCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** The chain; `forceRefresh`: not from memory. */
export type CredentialChain = (options?: { readonly forceRefresh?: boolean }) => Promise<ChainCredentials>;

/** Asked again this long before the end, milliseconds; while there is time left, in the background. */
const REFRESH_BEFORE_MS = 5 * 60_000;
const LAST_MOMENT_MS = 60_000;
/** Least time between two of those, for credentials that never last longer. */
const REST_MS = 20_000;

/** Credentials of one storage. */
export class CredentialSource {
  readonly #clock: Clock;
  readonly #loadChain: () => Promise<CredentialChain>;
  readonly #isStatic: boolean;
  #current: Credentials | undefined;
  #expiresMs = Number.POSITIVE_INFINITY;
  #restUntilMs = Number.NEGATIVE_INFINITY;
  #chain: Promise<CredentialChain> | undefined;
  #asking: Promise<Credentials> | undefined;

  constructor(params: Pick<S3Params, 'credentials'>, clock: Clock, loadChain: () => Promise<CredentialChain>) {
    this.#clock = clock;
    this.#loadChain = loadChain;
    this.#isStatic = params.credentials !== undefined;
    this.#current = params.credentials;
  }

  /** At once where they are known; rejects with `S3Error` (`unauthorized`) when there are none. */
  get(): Credentials | Promise<Credentials> {
    const current = this.#current;
    if (current === undefined) return this.#ask(false);
    const nowMs = this.#clock.nowMs();
    const leftMs = this.#expiresMs - nowMs;
    if (leftMs > REFRESH_BEFORE_MS || (leftMs > 0 && nowMs < this.#restUntilMs)) return current;
    this.#restUntilMs = nowMs + REST_MS;
    const renewed = this.#ask(true);
    if (leftMs < LAST_MOMENT_MS) return renewed.catch((error: unknown) => (leftMs > 0 ? current : Promise.reject(error as Error)));
    // Still good for this request; a failure shows when they are at their end.
    renewed.catch(() => undefined);
    return current;
  }

  /** Others than `refused`, which the endpoint calls expired; `false` when there is no way to any. */
  async renew(refused: Credentials): Promise<boolean> {
    if (this.#isStatic) return false;
    if (this.#current !== refused) return true;
    const renewed = await this.#ask(true).catch(() => undefined);
    return renewed !== undefined && (renewed.accessKey !== refused.accessKey || renewed.sessionToken !== refused.sessionToken);
  }

  #ask(forceRefresh: boolean): Promise<Credentials> {
    return (this.#asking ??= this.#askChain(forceRefresh).finally(() => (this.#asking = undefined)));
  }

  async #askChain(forceRefresh: boolean): Promise<Credentials> {
    try {
      const chain = await (this.#chain ??= this.#loadChain());
      const found = await chain(forceRefresh ? { forceRefresh } : undefined);
      this.#expiresMs = found.expiration?.getTime() ?? Number.POSITIVE_INFINITY;
      this.#current = {
        accessKey: found.accessKeyId,
        secretKey: found.secretAccessKey,
        ...(found.sessionToken !== undefined && { sessionToken: found.sessionToken }),
      };
      return this.#current;
    } catch (error) {
      throw new S3Error('unauthorized', noneFound(error), { isRetryable: true }, { cause: error });
    }
  }
}

function noneFound(error: unknown): string {
  // The messages of the chain name files, profiles and what is missing; they hold no secrets.
  const reason = error instanceof Error ? error.message.replace(/\s+/g, ' ').slice(0, 300) : '';
  return (
    'No credentials for S3 were found. Looked for: keys of this storage, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment, ' +
    'the shared profile (AWS_PROFILE, else "default", in ~/.aws), SSO, web identity, container and instance role. ' +
    `Give the storage an access key and a secret key, or log in (for example: aws sso login).${reason === '' ? '' : ` The search ended with: ${reason}`}`
  );
}

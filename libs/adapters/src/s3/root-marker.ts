/**
 * Which root this is (INV-10): an object in our area holds a random id. A bucket made anew under
 * the old name, or one emptied from outside, has lost it, and the job halts (T10). A name alone
 * proves nothing, so the place is only given as `place:…`.
 */

import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';

import { BackendError } from '@wl/ports';

import type { KeyLayout } from './key-layout.js';
import type { Condition, S3Api } from './s3-api.js';
import { toBackendError } from './s3-error.js';
import { sha256Of } from './writing/digests.js';

const MARKER_NAME = 'root-id';
const MARKER_SHAPE = /^[0-9a-f-]{36}\n?$/;

/** Reads, and if it may, writes the marker of one storage. */
export class RootMarker {
  readonly #key: string;

  constructor(
    private readonly api: S3Api,
    layout: KeyLayout,
  ) {
    this.#key = `${layout.area}${MARKER_NAME}`;
  }

  /** The id in the marker, `undefined` where there is none. */
  async read(signal?: AbortSignal): Promise<string | undefined> {
    try {
      const opened = await this.api.getObject(this.#key, undefined, 0, signal);
      if (opened === 'stale') {
        // Told apart from a bucket that is not there.
        await this.api.headBucket(signal);
        return undefined;
      }
      const id = await text(opened.body);
      if (!MARKER_SHAPE.test(id)) {
        throw new BackendError('damaged', { operation: 'look at the root', retryable: false }, { explanation: `the marker ${this.#key} does not hold what wl writes there` });
      }
      return id.trim();
    } catch (error) {
      throw toBackendError(error, 'look at the root');
    }
  }

  /** The server's clock now, milliseconds since the epoch, if it tells it. */
  async serverTimeMs(signal?: AbortSignal): Promise<number | undefined> {
    return (await this.api.headObject(this.#key, signal))?.serverTimeMs;
  }

  /** The id in the marker, which is made if there is none. Two machines that make it at once agree on one. */
  async make(createsIfAbsent: boolean, signal?: AbortSignal): Promise<string> {
    const known = await this.read(signal);
    if (known !== undefined) return known;
    const content = Buffer.from(`${randomUUID()}\n`);
    const condition: Condition = { kind: createsIfAbsent ? 'absent' : 'none' };
    try {
      await this.api.putObject(this.#key, content, sha256Of(content), { metadata: new Map(), contentType: 'text/plain' }, condition, signal);
    } catch (error) {
      throw toBackendError(error, 'mark the root');
    }
    // Whichever was written last, or first, is the one that counts from now on.
    const made = await this.read(signal);
    if (made === undefined) throw changing();
    return made;
  }
}

function changing(): BackendError {
  return new BackendError('io-error', { operation: 'look at the root', retryable: true }, { explanation: 'its marker is being written by another machine' });
}

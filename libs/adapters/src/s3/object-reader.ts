/** Reads one version of an object: the server sends the version asked for or says that it is gone (INV-27). */

import type { RelativePath } from '@wl/domain';
import { BackendError, type FileAttributes, type FileReader } from '@wl/ports';

import type { ObjectBody } from './s3-api.js';
import { toBackendError } from './s3-error.js';
import { attributesOf } from './writing/object-properties.js';
import type { Recording } from './writing/recording.js';

/** One object opened for reading. */
export class ObjectReader implements FileReader {
  readonly attributes: FileAttributes;
  #isClosed = false;
  #isWhole = false;

  /** `isCurrent` asks whether the object still is the version that was opened. */
  constructor(
    private readonly path: RelativePath,
    private readonly object: ObjectBody,
    private readonly isCurrent: () => Promise<boolean>,
    private readonly signal: AbortSignal | undefined,
    private readonly onEnd: (reader: ObjectReader) => void,
    private readonly recording: Recording | undefined,
  ) {
    this.attributes = attributesOf(object.head);
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    let sizeBytes = 0;
    try {
      for await (const chunk of this.object.body) {
        if (this.#isClosed || this.signal?.aborted === true) throw cancelled(this.path);
        sizeBytes += chunk.byteLength;
        this.recording?.add(chunk);
        yield chunk;
      }
    } catch (error) {
      throw this.#isClosed ? cancelled(this.path) : toBackendError(error, 'read', this.path);
    }
    if (this.#isClosed) throw cancelled(this.path);
    if (sizeBytes !== this.object.head.sizeBytes) {
      throw new BackendError('damaged', { operation: 'read', path: this.path, retryable: true }, { explanation: 'the server sent fewer bytes than it announced' });
    }
    this.#isWhole = true;
    this.recording?.keep();
  }

  async isUnchanged(): Promise<boolean> {
    return this.#isWhole && (await this.isCurrent());
  }

  close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.object.destroy();
      this.onEnd(this);
    }
    return Promise.resolve();
  }
}

function cancelled(path: RelativePath): BackendError {
  return new BackendError('cancelled', { operation: 'read', path, retryable: false }, { explanation: 'stopped on request' });
}

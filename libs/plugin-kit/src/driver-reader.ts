/** Reads one version of a file from a driver; what came is compared with what was to come (INV-27, T41, T42). */

import type { RelativePath } from '@wl/domain';
import type { FileAttributes, FileReader } from '@wl/ports';

import type { Attr, Driver, FileAttr } from './driver.js';
import { assertGoing, failure, toBackendError } from './translate.js';
import { isVersion, toAttributes } from './versions.js';

/** What a reader works with. */
export interface ReaderParts {
  readonly driver: Driver;
  readonly path: RelativePath;
  readonly look: () => Promise<Attr | undefined>;
  readonly signal: AbortSignal | undefined;
}

/** A reader of the version `file`. */
export class DriverReader implements FileReader {
  readonly attributes: FileAttributes;
  #isClosed = false;
  /** Looked up right after the last byte. */
  #wasUnchanged: boolean | undefined;

  constructor(
    private readonly parts: ReaderParts,
    private readonly file: FileAttr,
  ) {
    this.attributes = toAttributes(file);
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    const { driver, path, signal } = this.parts;
    let size = 0;
    try {
      for await (const chunk of driver.read(path, signal)) {
        assertGoing(signal, 'read', path);
        if (this.#isClosed) throw failure('cancelled', 'read', path, 'the reader was closed');
        size += chunk.length;
        if (chunk.length > 0) yield chunk;
      }
    } catch (error) {
      throw toBackendError(error, 'read', path);
    }
    if (size !== this.file.size) {
      throw failure('io-error', 'read', path, `it ended after ${String(size)} of ${String(this.file.size)} bytes`, { retryable: true });
    }
    this.#wasUnchanged = await this.#isStill();
    // A store that knows no versions gives the bytes of whatever is there by now.
    if (!this.#wasUnchanged) throw failure('io-error', 'read', path, 'it changed while it was read', { retryable: true });
  }

  async isUnchanged(): Promise<boolean> {
    return this.#wasUnchanged ?? this.#isStill();
  }

  async #isStill(): Promise<boolean> {
    return isVersion(await this.parts.look(), this.file.token);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }
}

/** Reads one version of a file: as many bytes as it has, and still the same afterwards (INV-27, T41, T42). */

import type { RelativePath } from '@wl/domain';
import { isBackendError, type FileAttributes, type FileReader } from '@wl/ports';

import type { BodyStream } from '../http/body-stream.js';
import { damaged, failure } from './failure.js';
import type { DavFile } from './multistatus.js';
import { hashOf } from './observer.js';

/** One file being read. */
export class DavReader implements FileReader {
  readonly attributes: FileAttributes;
  #isClosed = false;
  #isWhole = false;

  /** `isCurrent` asks whether the file still is the version that was opened. */
  constructor(
    private readonly path: RelativePath,
    private readonly file: DavFile,
    private readonly body: BodyStream,
    private readonly isCurrent: () => Promise<boolean>,
    private readonly signal: AbortSignal | undefined,
    private readonly onEnd: (reader: DavReader) => void,
  ) {
    const sha256 = hashOf(file);
    this.attributes = {
      mtimeMs: file.mtimeMs,
      ...(file.note?.isExecutable === true && { isExecutable: true }),
      ...(sha256 !== undefined && { content: { sha256, sizeBytes: file.sizeBytes } }),
    };
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    const concern = { operation: 'read', path: this.path };
    let sizeBytes = 0;
    try {
      for await (const chunk of this.body) {
        this.#assertWanted();
        sizeBytes += chunk.length;
        yield chunk;
      }
    } catch (error) {
      this.#assertWanted();
      throw isBackendError(error) ? error : failure('unreachable', concern, 'the connection was cut in the middle of the file', true, error);
    }
    this.#assertWanted();
    if (sizeBytes !== this.file.sizeBytes) throw damaged(concern, `the server sent ${String(sizeBytes)} bytes of ${String(this.file.sizeBytes)}`);
    this.#isWhole = true;
  }

  async isUnchanged(): Promise<boolean> {
    return this.#isWhole && (await this.isCurrent());
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.body.destroy();
    this.onEnd(this);
  }

  #assertWanted(): void {
    if (this.#isClosed || this.signal?.aborted === true) throw failure('cancelled', { operation: 'read', path: this.path }, 'stopped on request');
  }
}

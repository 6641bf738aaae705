/** Reads one version of a file: as many bytes as it has, and still the same afterwards (INV-27, T41, T42). */

import type { RelativePath } from '@wl/domain';
import type { FileAttributes, FileReader } from '@wl/ports';

import { damaged, failure, toFailure } from './failure.js';
import type { SftpFile } from './sftp-found.js';
import { readAhead, type OpenFile } from './transfer.js';

/** What a reader works with. */
export interface SftpReaderParts {
  readonly path: RelativePath;
  readonly file: SftpFile;
  readonly open: OpenFile;
  /** Whether the open file, and the one at the path, still are the version that was opened. */
  readonly isCurrent: () => Promise<boolean>;
  readonly close: () => Promise<void>;
  readonly signal: AbortSignal;
  readonly onEnd: (reader: SftpReader) => void;
}

/** One file being read. */
export class SftpReader implements FileReader {
  readonly attributes: FileAttributes;
  readonly #parts: SftpReaderParts;
  #isClosed = false;
  #isWhole = false;

  constructor(parts: SftpReaderParts) {
    this.#parts = parts;
    const { mtimeMs, mode } = parts.file;
    this.attributes = { mtimeMs, isExecutable: (mode & 0o100) !== 0 };
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    const { path, file, open } = this.#parts;
    const concern = { operation: 'read', path };
    let sizeBytes = 0;
    try {
      for await (const chunk of readAhead(open, file.sizeBytes)) {
        this.#assertWanted();
        sizeBytes += chunk.length;
        yield chunk;
      }
    } catch (error) {
      this.#assertWanted();
      throw toFailure(error, concern);
    }
    this.#assertWanted();
    if (sizeBytes !== file.sizeBytes) throw damaged(concern, `the server sent ${String(sizeBytes)} bytes of ${String(file.sizeBytes)}`);
    this.#isWhole = true;
  }

  async isUnchanged(): Promise<boolean> {
    return this.#isWhole && !this.#isClosed && (await this.#parts.isCurrent());
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#parts.onEnd(this);
    await this.#parts.close();
  }

  #assertWanted(): void {
    if (this.#isClosed || this.#parts.signal.aborted) throw failure('cancelled', { operation: 'read', path: this.#parts.path }, 'stopped on request');
  }
}

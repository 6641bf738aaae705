/** Writes one staged file for a caller on this thread, and has it committed. */

import { write as writeCallback } from 'node:fs';
import { promisify } from 'node:util';

import { err, ok, type RelativePath, type Result, type Sha256, type Token } from '@wl/domain';
import { BackendError, type Committed, type FileAttributes, type FileWriter, type StaleToken } from '@wl/ports';

import { fromWireError, toBackendError } from './worker/failure.js';
import type { OpenStaged } from './worker/stager.js';
import type { CommitItem, CommitItemOutcome } from './worker/write-file.js';

const writeAt = promisify(writeCallback);

/** What a writer needs of its storage. */
export interface WriterHost {
  /** Verifies, flushes and shows the staged file, which is closed afterwards. */
  commit(item: CommitItem): Promise<CommitItemOutcome>;
  /** Closes and removes the staged file. */
  drop(file: OpenStaged): Promise<void>;
  /** The writer is done with its staged file. */
  onEnd(writer: LocalFileWriter): void;
}

/** What is to be written. */
export interface WriterTarget {
  readonly path: RelativePath;
  readonly expected: Token | undefined;
  readonly attributes: FileAttributes;
}

/** A local file being written. */
export class LocalFileWriter implements FileWriter {
  private position = 0;
  private isOver = false;
  private pending: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly target: WriterTarget,
    private readonly file: OpenStaged,
    private readonly host: WriterHost,
    private readonly signal: AbortSignal | undefined,
  ) {}

  write(chunk: Uint8Array): Promise<void> {
    const refusal = this.refusal();
    if (refusal !== undefined) return Promise.reject(refusal);
    const writing = this.writeChunk(chunk);
    this.pending = writing;
    return writing;
  }

  async commit({ sha256, sizeBytes }: { readonly sha256: Sha256; readonly sizeBytes: number }): Promise<Result<Committed, StaleToken>> {
    const refusal = this.refusal();
    if (refusal !== undefined) throw refusal;
    this.isOver = true;
    await this.pending.catch(() => undefined);
    try {
      const outcome = await this.host.commit({ ...this.target, file: this.file, sha256, sizeBytes });
      switch (outcome.kind) {
        case 'committed':
          return ok({ token: outcome.token, isRacy: outcome.isRacy });
        case 'stale':
          return err(outcome.leftover === undefined ? { kind: 'stale-token' } : { kind: 'stale-token', leftover: outcome.leftover });
        case 'failed':
          throw fromWireError(outcome.error);
      }
    } finally {
      this.host.onEnd(this);
    }
  }

  async abort(): Promise<void> {
    if (this.isOver) return;
    this.isOver = true;
    await this.pending.catch(() => undefined);
    try {
      await this.host.drop(this.file);
    } finally {
      this.host.onEnd(this);
    }
  }

  private async writeChunk(chunk: Uint8Array): Promise<void> {
    try {
      for (let written = 0; written < chunk.length; ) {
        const { bytesWritten } = await writeAt(this.file.fd, chunk, written, chunk.length - written, this.position);
        written += bytesWritten;
        this.position += bytesWritten;
      }
    } catch (error) {
      throw toBackendError(error, 'replace', this.target.path);
    }
  }

  private refusal(): BackendError | undefined {
    const details = { operation: 'replace', path: this.target.path, retryable: false };
    if (this.isOver) return new BackendError('cancelled', details, { explanation: 'this writer was committed or aborted before' });
    return this.signal?.aborted === true ? new BackendError('cancelled', details, { explanation: 'stopped on request' }) : undefined;
  }
}

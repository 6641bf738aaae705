/** Reads one version of a local file for a caller on this thread; the bytes come through libuv's threads. */

import { createHash } from 'node:crypto';
import { close as closeCallback, read as readCallback } from 'node:fs';
import { promisify } from 'node:util';

import type { RelativePath } from '@wl/domain';
import { BackendError, type FileAttributes, type FileReader } from '@wl/ports';

import type { TaskRunner } from './task-runner.js';
import { cancel, createCancelFlag } from './worker/cancellation.js';
import { toBackendError } from './worker/failure.js';
import type { OpenedReader } from './worker/tasks.js';

const readAt = promisify(readCallback);
const closeDescriptor = promisify(closeCallback);

/** Chunks are so large, the last one excepted. */
const CHUNK_BYTES = 1 << 20;

/** A local file opened for reading. */
export class LocalFileReader implements FileReader {
  readonly attributes: FileAttributes;
  private readonly flag = createCancelFlag();
  /** Of a racy version the bytes alone tell whether it stayed the same. */
  private readonly hasher: ReturnType<typeof createHash> | undefined;
  private position = 0;
  private pending: Promise<unknown> = Promise.resolve();
  private closing: Promise<void> | undefined;

  constructor(
    private readonly path: RelativePath,
    private readonly opened: OpenedReader,
    private readonly runner: TaskRunner,
    private readonly signal: AbortSignal | undefined,
    private readonly onClose: (reader: LocalFileReader) => void,
  ) {
    const { mtimeMs, isExecutable, isRacy } = opened;
    this.attributes = { mtimeMs, ...(isExecutable !== undefined && { isExecutable }) };
    this.hasher = isRacy ? createHash('sha256') : undefined;
  }

  async *chunks(): AsyncIterable<Uint8Array> {
    const { sizeBytes } = this.opened;
    while (this.position < sizeBytes) {
      const chunk = await this.exclusive(() => this.readChunk(Math.min(CHUNK_BYTES, sizeBytes - this.position)));
      this.position += chunk.length;
      this.hasher?.update(chunk);
      yield chunk;
    }
  }

  async isUnchanged(): Promise<boolean> {
    const { fd, token, sizeBytes } = this.opened;
    if (this.position !== sizeBytes) return false;
    return this.exclusive(async () => {
      if (this.hasher !== undefined) {
        const again = await this.runner.run('hashOpen', { fd, sizeBytes, flag: this.flag }, 'bulk');
        if (again !== this.hasher.copy().digest('hex')) return false;
      }
      return (await this.runner.run('tokenOfOpen', { fd }, 'quick')) === token;
    });
  }

  close(): Promise<void> {
    this.closing ??= (async () => {
      cancel(this.flag);
      // A descriptor in use must not be closed: its number would be given again.
      await this.pending.catch(() => undefined);
      await closeDescriptor(this.opened.fd);
      this.onClose(this);
    })();
    return this.closing;
  }

  private exclusive<T>(step: () => Promise<T>): Promise<T> {
    if (this.closing !== undefined) return Promise.reject(this.cancelled('it was closed'));
    if (this.signal?.aborted === true) return Promise.reject(this.cancelled('stopped on request'));
    const running = step();
    this.pending = running;
    return running;
  }

  private async readChunk(length: number): Promise<Uint8Array> {
    // A fresh buffer each: consumers such as streams keep chunks beyond the next one.
    const buffer = Buffer.allocUnsafeSlow(length);
    for (let filled = 0; filled < length; ) {
      let count: number;
      try {
        count = (await readAt(this.opened.fd, buffer, filled, length - filled, this.position + filled)).bytesRead;
      } catch (error) {
        throw toBackendError(error, 'read', this.path);
      }
      if (count === 0) {
        throw new BackendError('io-error', { operation: 'read', path: this.path, retryable: true }, { explanation: 'the file became shorter while it was read' });
      }
      filled += count;
    }
    return buffer;
  }

  private cancelled(explanation: string): BackendError {
    return new BackendError('cancelled', { operation: 'read', path: this.path, retryable: false }, { explanation });
  }
}

/**
 * Reading, hashing and copying bytes. INV-27: what is copied is hashed in the same pass, the
 * stored bytes are read back and compared, and lengths must be those the version has.
 */

import { createHash, hash as hashAtOnce, type Hash } from 'node:crypto';

import type { Sha256 } from '@wl/domain';

import type { Checkpoint } from './cancellation.js';
import type { Disk } from './disk.js';
import { failure } from './failure.js';

/** Files up to this size are read as a whole before anything is written. Larger makes nothing faster. */
const CHUNK_BYTES = 1 << 20;
/** How much is read, written and read back in turn: so little that it stays in the cache of one core (docs/performance.md). */
const COPY_BYTES = 64 << 10;
/** After how many bytes the kernel is told to start writing them, instead of waiting for the flush; a multiple of `COPY_BYTES`. */
const WRITE_BEHIND_BYTES = 8 << 20;

/** Two buffers, used over and over by one thread. */
export class ContentReader {
  private readonly buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  private readback: Buffer | undefined;
  private zeros: Buffer | undefined;

  constructor(private readonly disk: Disk) {}

  /** Hashes `sizeBytes` of an open file; `undefined` when it is shorter. */
  hash(fd: number, sizeBytes: number, checkpoint: Checkpoint): Sha256 | undefined {
    if (sizeBytes <= CHUNK_BYTES) {
      const length = this.fill(fd, sizeBytes, 0);
      return length === sizeBytes ? this.hashBuffer(length) : undefined;
    }
    const hasher = createHash('sha256');
    for (let position = 0; position < sizeBytes; ) {
      checkpoint();
      const length = this.fill(fd, Math.min(CHUNK_BYTES, sizeBytes - position), position);
      if (length === 0) return undefined;
      hasher.update(length === CHUNK_BYTES ? this.buffer : this.buffer.subarray(0, length));
      position += length;
    }
    return hasher.digest('hex') as Sha256;
  }

  /**
   * Reads a file that fits into one chunk and hashes it; its bytes stay in the buffer for
   * `store`. `undefined` when it is shorter.
   */
  load(fd: number, sizeBytes: number): Sha256 | undefined {
    return this.fill(fd, sizeBytes, 0) === sizeBytes ? this.hashBuffer(sizeBytes) : undefined;
  }

  /** Reads a whole file into a buffer of its size and hashes it; `undefined` when it is shorter. */
  loadInto(fd: number, bytes: Uint8Array): Sha256 | undefined {
    for (let filled = 0; filled < bytes.length; ) {
      const read = this.disk.read(fd, bytes, filled, bytes.length - filled, filled);
      if (read === 0) return undefined;
      filled += read;
    }
    return hashAtOnce('sha256', bytes, 'hex') as Sha256;
  }

  /** Writes a whole file, and answers the hash of what reads back. */
  storeFrom(fd: number, bytes: Uint8Array, checkpoint: Checkpoint): Sha256 | undefined {
    for (let written = 0; written < bytes.length; ) {
      written += this.disk.write(fd, bytes, written, bytes.length - written, written);
    }
    return this.hash(fd, bytes.length, checkpoint);
  }

  /** Whether `load` can take a file of that size. */
  fits(sizeBytes: number): boolean {
    return sizeBytes <= CHUNK_BYTES;
  }

  /** Writes what `load` has read and reads it back. */
  store(to: number, sizeBytes: number): void {
    this.writeChunk(to, sizeBytes, 0);
  }

  /**
   * Copies a file of any size, hashing it on the way where a hasher is given; `false` when the
   * source is shorter. Of a sparse file, chunks of zeros are not written: the target must have
   * its length already.
   */
  copy(from: number, to: number, sizeBytes: number, isSparse: boolean, checkpoint: Checkpoint, hasher: Hash | undefined): boolean {
    for (let position = 0; position < sizeBytes; ) {
      checkpoint();
      const length = this.fill(from, Math.min(COPY_BYTES, sizeBytes - position), position);
      if (length === 0) return false;
      hasher?.update(this.buffer.subarray(0, length));
      if (!isSparse || !this.isZero(length)) this.writeChunk(to, length, position);
      position += length;
      if (position % WRITE_BEHIND_BYTES === 0) this.disk.startWriting?.(to, position - WRITE_BEHIND_BYTES, WRITE_BEHIND_BYTES);
    }
    return true;
  }

  private hashBuffer(length: number): Sha256 {
    return hashAtOnce('sha256', this.buffer.subarray(0, length), 'hex') as Sha256;
  }

  private isZero(length: number): boolean {
    const zeros = (this.zeros ??= Buffer.alloc(COPY_BYTES));
    return this.buffer.compare(zeros, 0, length, 0, length) === 0;
  }

  /** Fills the buffer; less than `length` only at the end of the file. */
  private fill(fd: number, length: number, position: number): number {
    let filled = 0;
    while (filled < length) {
      const read = this.disk.read(fd, this.buffer, filled, length - filled, position + filled);
      if (read === 0) break;
      filled += read;
    }
    return filled;
  }

  private writeChunk(to: number, length: number, position: number): void {
    for (let written = 0; written < length; ) {
      written += this.disk.write(to, this.buffer, written, length - written, position + written);
    }
    const readback = (this.readback ??= Buffer.allocUnsafeSlow(CHUNK_BYTES));
    for (let read = 0; read < length; ) {
      const count = this.disk.read(to, readback, read, length - read, position + read);
      if (count === 0) break;
      read += count;
    }
    if (this.buffer.compare(readback, 0, length, 0, length) !== 0) {
      throw failure('damaged', 'write', undefined, 'what was written reads back differently; check disk and memory');
    }
  }
}

/**
 * The archive as a file: opened without waiting for anybody, known by a stamp of the version that
 * was opened. Its owner replaces it by a rename; whoever holds it open goes on reading the old
 * one, and one that is rewritten in place shows in its stamp.
 */

import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';

import yauzl from 'yauzl';

import { failure, type Concern } from './failure.js';

/** Stamps one version of the archive: which file, how large, when changed; in full precision. */
export type ArchiveStamp = string;

/** What was seen of the file itself. */
export interface ArchiveLook {
  readonly stamp: ArchiveStamp;
  readonly sizeBytes: number;
  /** When the system last noted a change of it, milliseconds since the epoch by the clock of the file system. */
  readonly changedMs: number;
}

/** An archive that is open. */
export interface OpenArchive extends ArchiveLook {
  readonly handle: FileHandle;
}

/** Entries are 46 bytes and a name: reading each by itself would cost two system calls. */
const WINDOW_BYTES = 1 << 18;

/** Opens it for reading; rejects with the system's error, or `BackendError` where it is no file. */
export async function openArchive(location: string, concern: Concern): Promise<OpenArchive> {
  // A FIFO of that name would wait for a writer.
  const handle = await open(location, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return { handle, ...(await look(handle, concern)) };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Looks at an open archive again. */
export async function look(handle: FileHandle, concern: Concern): Promise<ArchiveLook> {
  const stat = await handle.stat({ bigint: true });
  if (!stat.isFile()) throw failure('unsupported', concern, 'an archive is a file, and what is there is none');
  return {
    stamp: [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].map((number) => number.toString(36)).join('.'),
    sizeBytes: Number(stat.size),
    changedMs: Number(stat.ctimeNs / 1_000_000n),
  };
}

/** Gives yauzl the bytes of an open file, a window at a time. */
export class ArchiveBytes extends yauzl.RandomAccessReader {
  #window: Buffer = Buffer.alloc(0);
  #windowStart = 0;

  constructor(
    private readonly handle: FileHandle,
    private readonly sizeBytes: number,
  ) {
    super();
  }

  override read(buffer: Buffer, offset: number, length: number, position: number, callback: (error: Error | null) => void): void {
    if (this.#take(buffer, offset, length, position)) return callback(null);
    this.#fetch(buffer, offset, length, position).then(
      // Out of the promise, so that what yauzl's callbacks throw is not taken for a failed read.
      () => setImmediate(callback, null),
      (error: unknown) => setImmediate(callback, error as Error),
    );
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return this.handle.createReadStream({ start, end: end - 1, autoClose: false });
  }

  override close(callback: (error: Error | null) => void): void {
    callback(null);
  }

  /** Copies out of the window, if all of it is there. */
  #take(buffer: Buffer, offset: number, length: number, position: number): boolean {
    const start = position - this.#windowStart;
    if (start < 0 || start + length > this.#window.length) return false;
    this.#window.copy(buffer, offset, start, start + length);
    return true;
  }

  async #fetch(buffer: Buffer, offset: number, length: number, position: number): Promise<void> {
    if (position < 0 || position + length > this.sizeBytes) throw new Error('it points behind its own end');
    if (length > WINDOW_BYTES) return fill(this.handle, buffer, offset, length, position);
    const window = Buffer.alloc(Math.min(WINDOW_BYTES, this.sizeBytes - position));
    await fill(this.handle, window, 0, window.length, position);
    this.#window = window;
    this.#windowStart = position;
    this.#take(buffer, offset, length, position);
  }
}

/** Reads exactly so many bytes. */
async function fill(handle: FileHandle, buffer: Buffer, offset: number, length: number, position: number): Promise<void> {
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(buffer, offset + done, length - done, position + done);
    if (bytesRead === 0) throw new Error('it became shorter while it was read');
    done += bytesRead;
  }
}

/**
 * Reads one file out of an open archive. INV-27: its bytes are of the declared number and have
 * the declared checksum, or the reading fails at its end; a stream that grows beyond what it
 * declared is stopped there.
 */

import { pipeline, Readable } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';

import type { RelativePath } from '@wl/domain';
import type { FileAttributes, FileReader } from '@wl/ports';

import type { OpenArchive } from './archive-file.js';
import type { IndexedEntry, PackedFile } from './archive-index.js';
import { damaged, failure, toBackendError } from './failure.js';

const LOCAL_HEADER_BYTES = 30;
const LOCAL_SIGNATURE = 0x04034b50;
const CHUNK_BYTES = 256 * 1024;

/** What a reader works with. */
export interface EntryReaderParts {
  readonly path: RelativePath;
  /** The reader closes it. */
  readonly archive: OpenArchive;
  readonly entry: IndexedEntry & { readonly packed: PackedFile };
  /** Whether the archive of that name still holds this version. */
  readonly isCurrent: () => Promise<boolean>;
  readonly signal: AbortSignal | undefined;
  readonly onEnd: (reader: EntryReader) => void;
}

/** One file being read. */
export class EntryReader implements FileReader {
  readonly attributes: FileAttributes;
  readonly #parts: EntryReaderParts;
  #isClosed = false;
  #isWhole = false;

  constructor(parts: EntryReaderParts) {
    this.#parts = parts;
    this.attributes = { mtimeMs: parts.entry.mtimeMs, isExecutable: parts.entry.packed.isExecutable };
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    const { path, entry, signal } = this.#parts;
    const concern = { operation: 'read', path };
    let sizeBytes = 0;
    let checksum = 0;
    let stream: Readable | undefined;
    try {
      this.#assertWanted();
      stream = await this.#open();
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        this.#assertWanted();
        sizeBytes += chunk.length;
        checksum = crc32(chunk, checksum);
        if (sizeBytes > entry.sizeBytes) throw damaged(concern, 'it holds more bytes than it declares');
        yield chunk;
      }
    } catch (error) {
      throw this.#isClosed || signal?.aborted === true ? cancelled(path) : toBackendError(error, concern);
    } finally {
      stream?.destroy();
    }
    this.#assertWanted();
    if (sizeBytes !== entry.sizeBytes) throw damaged(concern, 'it holds fewer bytes than it declares');
    if (checksum !== entry.packed.crc32) throw damaged(concern, 'its bytes do not have the checksum that the archive has of them');
    this.#isWhole = true;
  }

  async isUnchanged(): Promise<boolean> {
    return this.#isWhole && (await this.#parts.isCurrent());
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#parts.onEnd(this);
    await this.#parts.archive.handle.close().catch(() => undefined);
  }

  #assertWanted(): void {
    if (this.#isClosed || this.#parts.signal?.aborted === true) throw cancelled(this.#parts.path);
  }

  async #open(): Promise<Readable> {
    const { archive, entry, path } = this.#parts;
    const { headerOffset, packedBytes, isDeflated } = entry.packed;
    const concern = { operation: 'read', path };
    const header = Buffer.alloc(LOCAL_HEADER_BYTES);
    const { bytesRead } = await archive.handle.read(header, 0, header.length, headerOffset);
    if (bytesRead < header.length || header.readUInt32LE(0) !== LOCAL_SIGNATURE) throw damaged(concern, 'the archive does not hold it where its directory says');
    // The name and the extra fields are as long as this header says, not the directory's.
    const start = headerOffset + LOCAL_HEADER_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
    if (start + packedBytes > archive.sizeBytes) throw damaged(concern, 'the archive ends before it does');
    if (packedBytes === 0) return Readable.from([]);
    const raw = archive.handle.createReadStream({ start, end: start + packedBytes - 1, autoClose: false, highWaterMark: CHUNK_BYTES });
    if (!isDeflated) return raw;
    // Errors of either go to whoever iterates over the last one.
    return pipeline(raw, createInflateRaw({ chunkSize: CHUNK_BYTES }), () => undefined);
  }
}

function cancelled(path: RelativePath): Error {
  return failure('cancelled', { operation: 'read', path }, 'stopped on request');
}

/**
 * Reading one version of a file in memory, chunk by chunk, as from an open file: one that
 * is replaced meanwhile goes on being read, one that is rewritten in place shows through.
 */

import type { RelativePath, Token } from '@wl/domain';
import type { FileAttributes, FileReader } from '@wl/ports';

import type { FileVersion, MemoryFile } from './memory-entry.js';
import type { MemoryFaults } from './memory-faults.js';
import { failure, type MemoryGate } from './memory-gate.js';
import type { MemoryTree } from './memory-tree.js';
import { sha256Of } from './memory-writer.js';

/** What a reader needs to know. */
export interface ReaderContext {
  readonly tree: MemoryTree;
  readonly gate: MemoryGate;
  readonly faults: MemoryFaults;
  readonly path: RelativePath;
  readonly expected: Token;
  readonly signal: AbortSignal | undefined;
  readonly chunkBytes: number;
  /** Whether the store tells the hash it keeps of the version. */
  readonly keepsHashes: boolean;
}

/** An open file. */
export class MemoryReader implements FileReader {
  readonly attributes: FileAttributes;
  readonly #context: ReaderContext;
  readonly #file: { readonly inode: number; readonly version: FileVersion };
  readonly #sizeBytes: number;
  #isClosed = false;

  constructor(context: ReaderContext, file: MemoryFile | { readonly inode: number; readonly version: FileVersion }) {
    this.#context = context;
    this.#file = file;
    this.#sizeBytes = file.version.bytes.length;
    const { bytes, mtimeMs, isExecutable } = file.version;
    const content = context.keepsHashes ? { sha256: sha256Of(bytes), sizeBytes: bytes.length } : undefined;
    this.attributes = { mtimeMs, isExecutable, ...(content && { content }) };
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    const { gate, faults, path, signal, chunkBytes } = this.#context;
    for (let start = 0; start < this.#sizeBytes; start += chunkBytes) {
      yield await gate.pass('chunk', path, signal, () => {
        if (this.#isClosed) throw failure('cancelled', 'read', path, 'the reader is closed');
        const end = Math.min(start + chunkBytes, this.#sizeBytes);
        const chunk = this.#file.version.bytes.slice(start, end);
        if (chunk.length < end - start) throw failure('io-error', 'read', path, 'the file became shorter while it was read');
        if (faults.take('chunk', path, 'damage') !== undefined) chunk[0]! ^= 1;
        return chunk;
      });
    }
  }

  isUnchanged(): Promise<boolean> {
    const { tree, gate, path, expected, signal } = this.#context;
    return gate.pass('isUnchanged', path, signal, () => {
      const place = tree.locate(path, true);
      return place.kind === 'found' && place.entry.kind === 'file' && tree.tokenOf(place.entry) === expected;
    });
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return Promise.resolve();
  }
}

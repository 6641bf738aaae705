/**
 * Small files of a memory storage in bulk. Every step is one of those that streams are made
 * of, under the same names for faults and hooks: whoever meddles with a `commit` meets it on
 * either way. A batch is staged as a whole before the first of it is shown, as on a disk.
 */

import type { RelativePath, Token } from '@wl/domain';
import { isBackendError, type BackendError, type FileReader, type FileWriter, type WholeFiles, type WholeRead, type WholeReadOutcome, type WholeWrite, type WholeWriteOutcome } from '@wl/ports';

import type { MemoryBackend } from './memory-backend.js';
import { sha256Of } from './memory-writer.js';

/** Outcomes with the index of their request. */
type ReadResults = readonly { readonly index: number; readonly outcome: WholeReadOutcome }[];

/** Reads and writes through the streams of one backend. */
export class MemoryWholeFiles implements WholeFiles {
  constructor(
    private readonly backend: MemoryBackend,
    readonly maxBytes: number,
    private readonly batchSize: number,
  ) {}

  async *read(requests: readonly WholeRead[], signal?: AbortSignal): AsyncGenerator<ReadResults> {
    for (let start = 0; start < requests.length; start += this.batchSize) {
      const results: { index: number; outcome: WholeReadOutcome }[] = [];
      for (const [offset, request] of requests.slice(start, start + this.batchSize).entries()) {
        results.push({ index: start + offset, outcome: await this.#readOne(request, signal).catch(failed) });
      }
      yield results;
    }
  }

  async write(requests: readonly WholeWrite[], signal?: AbortSignal): Promise<readonly WholeWriteOutcome[]> {
    const staged: { readonly writer: FileWriter; readonly request: WholeWrite; readonly index: number }[] = [];
    const outcomes: WholeWriteOutcome[] = [];
    try {
      for (const [index, request] of requests.entries()) {
        try {
          staged.push({ index, request, writer: await this.#stage(request, signal) });
        } catch (error) {
          outcomes[index] = failed(error);
        }
      }
      for (const { index, request, writer } of staged) outcomes[index] = await show(writer, request).catch(failed);
      return outcomes;
    } finally {
      for (const { writer } of staged) await writer.abort();
    }
  }

  async #readOne({ path, expected }: WholeRead, signal: AbortSignal | undefined): Promise<WholeReadOutcome> {
    const opened = await this.backend.read(path, expected, signal);
    if (!opened.ok) return { kind: 'changed' };
    const reader = opened.value;
    try {
      const content = await drain(reader);
      if (content === undefined || !(await reader.isUnchanged())) return { kind: 'changed' };
      return { kind: 'read', content, sha256: sha256Of(content), attributes: reader.attributes, isRacy: this.#isRacy(path, expected) };
    } finally {
      await reader.close();
    }
  }

  /** Whether the version may change and keep its token; one that is gone by now is not to be trusted either. */
  #isRacy(path: RelativePath, expected: Token): boolean {
    const { tree } = this.backend;
    const place = tree.locate(path, true);
    const node = place.kind === 'found' && place.entry.kind === 'file' ? tree.nodeOf(place.entry) : undefined;
    return node === undefined || node.token !== expected || node.isRacy;
  }

  async #stage({ path, expected, content, attributes }: WholeWrite, signal: AbortSignal | undefined): Promise<FileWriter> {
    const writer = await this.backend.openForSafeReplace(path, expected, attributes, signal);
    try {
      await writer.write(content);
      return writer;
    } catch (error) {
      await writer.abort();
      throw error;
    }
  }
}

/** All that is left of a reader; `undefined` when the file changed under it. */
async function drain(reader: FileReader): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of reader.chunks()) chunks.push(chunk);
  } catch (error) {
    if (await reader.isUnchanged().catch(() => true)) throw error;
    return undefined;
  }
  return new Uint8Array(Buffer.concat(chunks));
}

async function show(writer: FileWriter, { content, sha256 }: WholeWrite): Promise<WholeWriteOutcome> {
  const committed = await writer.commit({ sha256, sizeBytes: content.byteLength });
  if (committed.ok) return { kind: 'written', ...committed.value };
  return committed.error.leftover === undefined ? { kind: 'stale' } : { kind: 'stale', leftover: committed.error.leftover };
}

/** A failure of one file; being stopped is none. */
function failed(error: unknown): { readonly kind: 'failed'; readonly error: BackendError } {
  if (!isBackendError(error) || error.code === 'cancelled') throw error;
  return { kind: 'failed', error };
}

/** Bytes of open files, with many requests under way at once: one at a time would wait for each answer. Memory is bounded (INV-40). */

import type { Session } from './session.js';

/** An open file on a session. */
export interface OpenFile {
  readonly session: Session;
  readonly handle: Buffer;
}

const CHUNK_BYTES = 64 << 10;
/** Requests under way for one file. */
const AT_ONCE = 24;

/** The bytes of a file, in order; ends early where the file does. */
export async function* readAhead(file: OpenFile, sizeBytes: number): AsyncGenerator<Buffer> {
  const queue: { readonly length: number; readonly chunk: Promise<Buffer> }[] = [];
  let next = 0;
  const ask = (): void => {
    for (; queue.length < AT_ONCE && next < sizeBytes; next += CHUNK_BYTES) {
      const length = Math.min(CHUNK_BYTES, sizeBytes - next);
      const chunk = readAt(file, length, next);
      // Whoever stops reading does not wait for it any more.
      chunk.catch(() => undefined);
      queue.push({ length, chunk });
    }
  };
  ask();
  for (let first = queue.shift(); first !== undefined; first = queue.shift()) {
    const chunk = await first.chunk;
    ask();
    if (chunk.length > 0) yield chunk;
    if (chunk.length < first.length) return;
  }
}

/** Writes the bytes of a file in order. */
export class WriteBehind {
  readonly #underWay = new Set<Promise<void>>();
  #position = 0;
  #failure: Error | undefined;

  constructor(private readonly file: OpenFile) {}

  /** Resolves when there is room for more; rejects when anything before could not be written. Keeps the bytes. */
  async write(bytes: Buffer): Promise<void> {
    for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
      while (this.#underWay.size >= AT_ONCE) await Promise.race(this.#underWay);
      this.#assertGood();
      const chunk = bytes.subarray(start, start + CHUNK_BYTES);
      const { session, handle } = this.file;
      const writing: Promise<void> = session
        .write(handle, chunk, this.#position)
        .catch((error: Error) => void (this.#failure ??= error))
        .finally(() => this.#underWay.delete(writing));
      this.#underWay.add(writing);
      this.#position += chunk.length;
    }
  }

  /** Until everything is written. */
  async finish(): Promise<void> {
    await Promise.all(this.#underWay);
    this.#assertGood();
  }

  #assertGood(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}

/** So many bytes, or as many as there are: a server may give fewer at a time. */
async function readAt({ session, handle }: OpenFile, length: number, position: number): Promise<Buffer> {
  const chunk = Buffer.allocUnsafe(length);
  let count = 0;
  while (count < length) {
    const came = await session.read(handle, chunk, count, length - count, position + count);
    if (came === 0) break;
    count += came;
  }
  return chunk.subarray(0, count);
}

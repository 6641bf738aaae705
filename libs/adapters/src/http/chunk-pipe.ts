/** Chunks from a writer to a request that reads them, with room for so many bytes in between (INV-40). */

/** A queue of chunks with an end. One writer, one reader. */
export class ChunkPipe {
  readonly #queue: Uint8Array[] = [];
  #bytes = 0;
  #isEnded = false;
  #isUnread = false;
  #failure: Error | undefined;
  /** Whoever waits for a change: the reader for a chunk, or the writer for room. */
  #wake: (() => void)[] = [];

  constructor(private readonly roomBytes: number) {}

  /** Adds a chunk; resolves when there is room for another. What nobody reads any more is dropped. */
  async push(chunk: Uint8Array): Promise<void> {
    if (this.#isUnread) return;
    this.#queue.push(chunk);
    this.#bytes += chunk.length;
    this.#changed();
    while (this.#bytes > this.roomBytes && !this.#isUnread && this.#failure === undefined) await this.#change();
  }

  /** No chunk follows. */
  end(): void {
    this.#isEnded = true;
    this.#changed();
  }

  /** The reader gets this error instead of what it has not read yet. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#changed();
  }

  /** The reader is done, whether it read all or not. */
  unread(): void {
    this.#isUnread = true;
    this.#queue.length = 0;
    this.#bytes = 0;
    this.#changed();
  }

  /** What the reader reads, once. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const chunk = this.#queue.shift();
      if (chunk !== undefined) {
        this.#bytes -= chunk.length;
        this.#changed();
        yield chunk;
      } else if (this.#isEnded) {
        return;
      } else {
        await this.#change();
      }
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #changed(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}

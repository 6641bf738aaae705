/**
 * The body of an answer as it comes in, read once. Holds 1 MiB at most and then lets the
 * connection wait, so memory does not grow with the size of an object (INV-40).
 */

/** What holds the flow of a connection. */
export interface Flow {
  pause(): void;
  resume(): void;
  abort(reason: Error): void;
}

const MOST_HELD_BYTES = 1024 * 1024;

/** Chunks of one body, to one reader. */
export class BodyStream implements AsyncIterableIterator<Uint8Array> {
  readonly #flow: Flow;
  readonly #chunks: Uint8Array[] = [];
  #heldBytes = 0;
  #end: { readonly error: Error | undefined } | undefined;
  #wake: (() => void) | undefined;

  constructor(flow: Flow) {
    this.#flow = flow;
  }

  /** The connection's side: a chunk came. */
  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > MOST_HELD_BYTES) this.#flow.pause();
    this.#wake?.();
  }

  /** The connection's side: the body is complete. */
  end(): void {
    this.#end ??= { error: undefined };
    this.#wake?.();
  }

  /** The connection's side: no more will come. What came before can still be read. */
  fail(error: Error): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  /** Ends the transfer; whoever reads gets an error. */
  destroy(): void {
    if (this.#end !== undefined) return;
    this.fail(new Error('the transfer was ended'));
    this.#flow.abort(new Error('the transfer was ended'));
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    while (this.#chunks.length === 0) {
      if (this.#end?.error !== undefined) throw this.#end.error;
      if (this.#end !== undefined) return { done: true, value: undefined };
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const chunk = this.#chunks.shift() as Uint8Array;
    this.#heldBytes -= chunk.length;
    if (this.#heldBytes <= MOST_HELD_BYTES / 2) this.#flow.resume();
    return { done: false, value: chunk };
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.destroy();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

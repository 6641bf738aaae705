/** Buffers of parts, used again: allocating and clearing megabytes for each would be paid by the collector. */

/** A small stock of buffers. */
export class PartBuffers {
  readonly #free: Buffer[] = [];

  /** A buffer of exactly this size, with anything in it. */
  take(sizeBytes: number): Buffer {
    const index = this.#free.findIndex(({ length }) => length === sizeBytes);
    return index < 0 ? Buffer.allocUnsafeSlow(sizeBytes) : this.#free.splice(index, 1)[0]!;
  }

  /** Takes a buffer back that nobody reads any more. */
  give(buffer: Buffer): void {
    // Sizes grow: one of another size will not be asked for again.
    if (this.#free[0] !== undefined && this.#free[0].length !== buffer.length) this.#free.length = 0;
    this.#free.push(buffer);
  }
}

/**
 * Chunks of files on their way while the scan goes on, and the rows that they leave behind.
 * Whoever fails, nothing more begins and the first failure is met at the next call; nothing runs
 * on unnoticed behind `settle`. INV-40: as much is under way as the caller says, and rows wait
 * for one writing at most.
 */

/** Copies chunks side by side and writes their rows one chunk after the other. */
export class CopyLine {
  readonly #writeRows: () => Promise<void>;
  readonly #copying = new Set<Promise<void>>();
  /** The latest writing of rows; those before it have ended. */
  #writing: Promise<void> = Promise.resolve();
  /** The writing that was the latest when a chunk last began. */
  #writingBefore: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;

  /** `writeRows` is called after each chunk, never twice at a time. */
  constructor(writeRows: () => Promise<void>) {
    this.#writeRows = writeRows;
  }

  /** Begins a chunk once fewer than `most` are under way; to be awaited before the next call. With one at a time, its rows are written before the next begins. */
  async begin(most: number, copy: () => Promise<void>): Promise<void> {
    while (this.#copying.size >= most && this.#failure === undefined) await Promise.race(this.#copying);
    await (most === 1 ? this.#writing : this.#writingBefore);
    this.#rethrow();
    this.#writingBefore = this.#writing;
    const step: Promise<void> = this.#noting(copy()).then(() => {
      this.#copying.delete(step);
      this.#writing = this.#writing.then(() => this.#noting(this.#writeRows()));
    });
    this.#copying.add(step);
  }

  /** Resolves when nothing is under way any more; rejects with the first failure. */
  async settle(): Promise<void> {
    await Promise.all(this.#copying);
    await this.#writing;
    this.#rethrow();
  }

  /** Keeps the failure of a step for the next call; what this returns never rejects. */
  async #noting(step: Promise<void>): Promise<void> {
    try {
      await step;
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  #rethrow(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

/** One at a time for each name: two writers of ours never look and then act on one path together. */

/** Locks by path; names that differ in case alone share one, since a store may take them for the same. */
export class PathLocks {
  readonly #tails = new Map<string, Promise<unknown>>();

  /** Runs when whoever came before is done with that path, well or badly. */
  async run<T>(path: string, action: () => Promise<T>): Promise<T> {
    const name = path.toLowerCase();
    const before = this.#tails.get(name) ?? Promise.resolve();
    const mine = before.then(action, action);
    const tail = mine.catch(() => undefined);
    this.#tails.set(name, tail);
    try {
      return await mine;
    } finally {
      if (this.#tails.get(name) === tail) this.#tails.delete(name);
    }
  }
}

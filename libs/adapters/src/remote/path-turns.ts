/** One step at a time for each path, so that two writers of this process do not meet at the server. */

/** Turns by path. */
export class PathTurns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `act` when everything begun before it at this path is over. */
  async take<T>(path: string, act: () => Promise<T>): Promise<T> {
    const before = this.#last.get(path) ?? Promise.resolve();
    const mine = before.then(act, act);
    this.#last.set(path, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(path) === mine) this.#last.delete(path);
    }
  }
}

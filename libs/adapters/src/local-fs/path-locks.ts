/** Lets operations on one path wait for each other; those on other paths go on. */
export class PathLocks {
  private readonly tails = new Map<string, Promise<void>>();

  /** Runs `step` when everything asked for earlier on that path has ended. */
  run<T>(path: string, step: () => Promise<T>): Promise<T> {
    return this.runAll([path], step);
  }

  /**
   * The same for several paths at once. They are taken together, in one turn, so that nobody
   * waits for somebody who waits for him.
   */
  async runAll<T>(paths: readonly string[], step: () => Promise<T>): Promise<T> {
    let release = (): void => undefined;
    const tail = new Promise<void>((resolve) => {
      release = resolve;
    });
    const before = new Set<Promise<void>>();
    for (const path of paths) {
      const earlier = this.tails.get(path);
      // A path named twice does not wait for itself.
      if (earlier !== undefined && earlier !== tail) before.add(earlier);
      this.tails.set(path, tail);
    }
    try {
      if (before.size > 0) await Promise.all(before);
      return await step();
    } finally {
      release();
      for (const path of paths) if (this.tails.get(path) === tail) this.tails.delete(path);
    }
  }
}

/** Lets operations on one path wait for each other; those on other paths go on. */
export class PathLocks {
  private readonly tails = new Map<string, Promise<void>>();

  /** Runs `step` when everything asked for earlier on that path has ended. */
  async run<T>(path: string, step: () => Promise<T>): Promise<T> {
    const before = this.tails.get(path);
    let release = (): void => undefined;
    const tail = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.tails.set(path, tail);
    try {
      await before;
      return await step();
    } finally {
      release();
      if (this.tails.get(path) === tail) this.tails.delete(path);
    }
  }
}

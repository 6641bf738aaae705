/**
 * The names of one directory as a side sees them that does not tell all names apart: two that
 * fold alike cannot both be there (INV-35, T73). Memory: the names of one directory.
 */
export class FoldedNames {
  readonly #fold: (name: string) => string;
  readonly #first = new Map<string, string>();
  readonly #colliding = new Set<string>();

  /** `fold` maps a name to what such a side sees. */
  constructor(fold: (name: string) => string) {
    this.#fold = fold;
  }

  /** Notes a name that a side holds; answers with the names that have just turned out to collide, each once ever. */
  note(name: string): string[] {
    const folded = this.#fold(name);
    const first = this.#first.get(folded);
    if (first === undefined) this.#first.set(folded, name);
    if (first === undefined || first === name) return [];
    const found = [first, name].filter((one) => !this.#colliding.has(one));
    for (const one of found) this.#colliding.add(one);
    return found;
  }

  /** Whether another name was noted first that such a side cannot tell from this one. */
  isTaken(name: string): boolean {
    return (this.#first.get(this.#fold(name)) ?? name) !== name;
  }
}

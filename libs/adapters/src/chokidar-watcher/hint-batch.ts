/** Collects hints until they are told together: each once, and none below a subtree that is hinted at anyway. */

import { ancestorsOf, ROOT, type RelativePath } from '@wl/domain';
import type { Hint } from '@wl/ports';

/** Hints waiting to be told. */
export class HintBatch {
  readonly #entries = new Set<RelativePath>();
  readonly #subtrees = new Set<RelativePath>();

  /** Adds a hint at one path. */
  addEntry(path: RelativePath): void {
    this.#entries.add(path);
  }

  /** Adds a hint at everything below a path. */
  addSubtree(path: RelativePath): void {
    this.#subtrees.add(path);
  }

  /** The hints collected since the last call, in the order they came, wide ones first. */
  take(): Hint[] {
    const isBelowSubtree = (path: RelativePath): boolean =>
      (path !== ROOT && this.#subtrees.has(ROOT)) || ancestorsOf(path).some((ancestor) => this.#subtrees.has(ancestor));
    const hints: Hint[] = [];
    for (const path of this.#subtrees) if (!isBelowSubtree(path)) hints.push({ scope: 'subtree', path });
    for (const path of this.#entries) {
      if (!this.#subtrees.has(path) && !isBelowSubtree(path)) hints.push({ scope: 'entry', path });
    }
    this.#entries.clear();
    this.#subtrees.clear();
    return hints;
  }
}

/** What one storage knows of the parts of its large objects, as long as its endpoint can make anything of it (INV-26). */

import { areWhole, type KnownParts, type PartsMemory } from '../known-parts.js';

/** Parts of large objects that need not be sent again. */
export class ReusableParts {
  #isRefused = false;

  /** Without a memory nothing is known. */
  constructor(private readonly memory: PartsMemory | undefined) {}

  /** Whether it is of any use to hash parts: what is remembered may be asked for. */
  get isOfUse(): boolean {
    return this.memory !== undefined && !this.#isRefused;
  }

  /** The parts of exactly this version. */
  recall(key: string, etag: string): KnownParts | undefined {
    const known = this.isOfUse ? this.memory?.recall(key) : undefined;
    return known?.etag === etag ? known : undefined;
  }

  remember(parts: KnownParts): void {
    if (this.isOfUse && areWhole(parts)) this.memory?.remember(parts);
  }

  /** The object was copied: the copy has the same parts. */
  rememberCopy(from: { readonly key: string; readonly etag: string }, to: { readonly key: string; readonly etag: string }): void {
    const known = this.recall(from.key, from.etag);
    if (known !== undefined) this.remember({ ...known, ...to });
  }

  /** The endpoint does not make parts of ranges: it is not asked again by this process. */
  giveUp(): void {
    this.#isRefused = true;
  }
}

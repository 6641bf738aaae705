/**
 * What a server can do, tried before the first write and never before it: looking leaves no trace
 * (INV-26, INV-37, T84). Who writes also clears old leftovers away, beside the work.
 */

import type { Area } from './area.js';

/** Where abilities come from, and what is done once they are known. */
export interface Proving<A> {
  readonly area: Area;
  readonly probe: () => Promise<A>;
  /** Throws where nothing can be written safely. */
  readonly assertUsable?: (abilities: A) => void;
  readonly trashRetentionDays: number;
  /** Aborts when the storage closes. */
  readonly closing: AbortSignal;
}

/** The abilities of one storage. */
export class ProvedAbilities<A> {
  #abilities: A | undefined;
  #proving: Promise<A> | undefined;
  #housekeeping: Promise<void> | undefined;

  constructor(private readonly parts: Proving<A>) {}

  /** `undefined` before anything was to be written. */
  get known(): A | undefined {
    return this.#abilities;
  }

  /** For those who made sure that they are known. */
  get(): A {
    if (this.#abilities === undefined) throw new Error('INV-26: an ability was used before it was proved');
    return this.#abilities;
  }

  /** Makes sure that they are known; asked before every write. */
  async ensure(): Promise<A> {
    const { area, probe, assertUsable, trashRetentionDays, closing } = this.parts;
    this.#proving ??= probe().catch((error: unknown) => {
      this.#proving = undefined;
      area.forget();
      throw error;
    });
    const abilities = await this.#proving;
    this.#abilities = abilities;
    assertUsable?.(abilities);
    // What fails is tried again at the next start.
    this.#housekeeping ??= area.purge(trashRetentionDays, closing).catch(() => undefined);
    return abilities;
  }

  /** Waits for what is being cleared away. */
  async settle(): Promise<void> {
    await this.#housekeeping;
  }
}

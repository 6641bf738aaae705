/**
 * Remembers what was proved of an endpoint, so that it is not tried at every start: for a day,
 * only for the same endpoint and bucket, and only as long as the bucket's versioning, which its
 * owner can switch at any time and some servers' conditions hang on, is what it was. Nothing is tried before something is to
 * be written: a dry run and the source of a one-way job leave no trace (INV-37, INV-38).
 */

import type { Clock } from '@wl/ports';

import type { S3Abilities } from './abilities.js';
import type { S3Notes } from './s3-params.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const NOTE = 'abilities';
/** Raised when what is tried, or how, changes. */
const VERSION = 1;

interface Remembered {
  readonly version: number;
  readonly place: string;
  readonly provedMs: number;
  readonly abilities: S3Abilities;
}

/** The abilities of one storage. */
export class AbilityStore {
  #abilities: S3Abilities | undefined;
  #proving: Promise<S3Abilities> | undefined;
  /** Whether what is known was proved, or confirmed, by this process. */
  #isConfirmed = false;

  /** `place` names endpoint and bucket; `prove` tries everything; `confirm` looks whether what was remembered can still hold. */
  constructor(
    private readonly place: string,
    private readonly notes: S3Notes,
    private readonly clock: Clock,
    private readonly prove: () => Promise<S3Abilities>,
    private readonly confirm: (abilities: S3Abilities) => Promise<boolean>,
  ) {
    this.#abilities = this.#remembered();
  }

  /** What is known, `undefined` before anything was proved. */
  get known(): S3Abilities | undefined {
    return this.#abilities;
  }

  /** Whether this process writes: only then it made sure of them. */
  get isInUse(): boolean {
    return this.#isConfirmed;
  }

  /** What is known, for those who made sure that something is. */
  get(): S3Abilities {
    if (this.#abilities === undefined) throw new Error('INV-26: an ability was used before it was proved');
    return this.#abilities;
  }

  /** Makes sure that abilities are known; asked before every write. */
  async ensure(): Promise<void> {
    if (this.#isConfirmed) return;
    if (this.#abilities === undefined || !(await this.confirm(this.#abilities))) await this.renew();
    this.#isConfirmed = true;
  }

  /** Proves them anew. */
  async renew(): Promise<S3Abilities> {
    this.#proving ??= this.prove().finally(() => (this.#proving = undefined));
    const abilities = await this.#proving;
    this.#abilities = abilities;
    this.notes.put(NOTE, { version: VERSION, place: this.place, provedMs: this.clock.nowMs(), abilities } satisfies Remembered);
    return abilities;
  }

  #remembered(): S3Abilities | undefined {
    const noted = this.notes.get(NOTE) as Partial<Remembered> | undefined;
    if (noted?.version !== VERSION || noted.place !== this.place || typeof noted.provedMs !== 'number') return undefined;
    const ageMs = this.clock.nowMs() - noted.provedMs;
    return ageMs >= 0 && ageMs < DAY_MS ? noted.abilities : undefined;
  }
}

/**
 * Our area on a server: `.wl/staging/<instance>/` for files being written, `.wl/trash/<hour>/<id>/`
 * for versions that were replaced or removed, `.wl/root-id` for the marker. Directories are made
 * when something is put in them.
 */

import { randomUUID } from 'node:crypto';

import { RESERVED_NAME, type RelativePath } from '@wl/domain';
import type { Clock } from '@wl/ports';

import type { Concern } from './failing.js';

/** What is done with directories of the area. Paths are relative to the root. */
export interface AreaHands {
  /** Succeeds when it is there already; rejects with `not-a-directory` where something else is. The parent is there. */
  makeDirectory(path: string, concern: Concern): Promise<void>;
  /** Removes a directory with everything in it. */
  removeTree(path: string, concern: Concern, signal?: AbortSignal): Promise<void>;
  /**
   * The directories in a directory and how long ago, by the server's own clock, something was put into each;
   * milliseconds, `NaN` where the server does not tell. `undefined` where it cannot be listed.
   */
  agesIn(path: string, concern: Concern, signal: AbortSignal): Promise<ReadonlyMap<string, number> | undefined>;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const HOUR_SHAPE = /^\d{4}-\d{2}-\d{2}T\d{2}Z$/;
const INSTANCE_SHAPE = /^\d{13}-[0-9a-f-]{36}$/;
/** A write that takes longer than this has been given up. */
const STAGED_MS = 7 * DAY_MS;

/** Where the marker of the root is. */
export const MARKER = `${RESERVED_NAME}/root-id`;

/** Whether a path lies in our own area. */
export function isReserved(path: RelativePath): boolean {
  return path === RESERVED_NAME || path.startsWith(`${RESERVED_NAME}/`);
}

/** Our area of one storage. */
export class Area {
  readonly #made = new Map<string, Promise<void>>();
  readonly #staging: string;
  #serial = 0;

  constructor(
    private readonly hands: AreaHands,
    private readonly clock: Clock,
  ) {
    this.#staging = `${RESERVED_NAME}/staging/${String(Math.floor(clock.nowMs())).padStart(13, '0')}-${randomUUID()}`;
  }

  /** A place for a file being written, which nobody else uses. */
  async stagingPlace(concern: Concern): Promise<string> {
    await this.ensure(this.#staging, concern);
    this.#serial += 1;
    return `${this.#staging}/${this.#serial.toString(36)}`;
  }

  /** A free place for the version that is at `path` now. */
  async trashPlace(path: RelativePath, concern: Concern): Promise<string> {
    const hour = `${new Date(this.clock.nowMs()).toISOString().slice(0, 13)}Z`;
    const directory = `${RESERVED_NAME}/trash/${hour}/${randomUUID()}`;
    await this.ensure(directory, concern);
    return `${directory}/${path.slice(path.lastIndexOf('/') + 1)}`;
  }

  /** Makes a directory of the area and those above it. */
  async ensure(path: string, concern: Concern): Promise<void> {
    const parts = path.split('/');
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const directory = parts.slice(0, depth).join('/');
      const making = this.#made.get(directory) ?? this.hands.makeDirectory(directory, concern);
      // One of a trash place is used once; the others are asked about again and again.
      if (depth < 4) this.#made.set(directory, making);
      try {
        await making;
      } catch (error) {
        this.#made.delete(directory);
        throw error;
      }
    }
  }

  /** Forgets what was made: somebody removed it. */
  forget(): void {
    this.#made.clear();
  }

  /** Removes this process's own staging directory. */
  async dropStaging(): Promise<void> {
    if (this.#made.has(this.#staging)) await this.hands.removeTree(this.#staging, { operation: 'clear staging' });
  }

  /**
   * Removes what has been in the trash for so many days, and what writers that died long ago left behind. Only
   * the server's clock is asked (INV-22): how long ago it put something into such a directory, by its own time.
   * Where it does not tell that, nothing is old. Names only say what is ours.
   */
  async purge(retentionDays: number, signal: AbortSignal): Promise<void> {
    const concern = { operation: 'clear the trash' };
    const olderThan = async (directory: string, shape: RegExp, mostMs: number): Promise<void> => {
      for (const [name, ageMs] of (await this.hands.agesIn(directory, concern, signal)) ?? []) {
        if (ageMs > mostMs && shape.test(name)) await this.hands.removeTree(`${directory}/${name}`, concern, signal);
      }
    };
    await olderThan(`${RESERVED_NAME}/trash`, HOUR_SHAPE, retentionDays * DAY_MS);
    await olderThan(`${RESERVED_NAME}/staging`, INSTANCE_SHAPE, STAGED_MS);
  }
}

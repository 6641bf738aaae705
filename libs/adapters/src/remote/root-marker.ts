/** Which root this is (INV-10): a file in our area holds a random id. */

import { randomUUID } from 'node:crypto';

import { RESERVED_NAME } from '@wl/domain';

import { MARKER, type Area } from './area.js';
import { damaged, failure, type Concern } from './failing.js';

/** How the marker is read and made. */
export interface MarkerHands {
  /** Its text, as far as it is one of at most so many bytes, else `''`; `undefined` where there is none below a folder that is there. */
  read(place: string, mostBytes: number, concern: Concern, signal?: AbortSignal): Promise<string | undefined>;
  /** Makes it if it is not there; somebody else may be faster. */
  create(place: string, text: string, concern: Concern, signal?: AbortSignal): Promise<void>;
}

const SHAPE = /^[0-9a-f-]{36}\n?$/;
const LONGEST_BYTES = 64;

/** Reads, and if it may, writes the marker. */
export class RootMarker {
  constructor(
    private readonly hands: MarkerHands,
    private readonly area: Area,
  ) {}

  /** The id in the marker, `undefined` where there is none below a folder that is there. */
  async read(signal?: AbortSignal): Promise<string | undefined> {
    const concern = { operation: 'look at the root' };
    const text = await this.hands.read(MARKER, LONGEST_BYTES, concern, signal);
    if (text === undefined) return undefined;
    if (!SHAPE.test(text)) throw damaged(concern, `the marker ${MARKER} does not hold what wl writes there`);
    return text.trim();
  }

  /** The id in the marker, which is made if there is none. */
  async make(signal?: AbortSignal): Promise<string> {
    const concern = { operation: 'mark the root' };
    const known = await this.read(signal);
    if (known !== undefined) return known;
    await this.area.ensure(RESERVED_NAME, concern);
    await this.hands.create(MARKER, `${randomUUID()}\n`, concern, signal);
    // Whichever machine was first, or last, its id is the one that counts.
    const made = await this.read(signal);
    if (made === undefined) throw failure('io-error', concern, 'the marker that was written does not show', true);
    return made;
  }
}

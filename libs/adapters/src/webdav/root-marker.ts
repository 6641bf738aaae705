/** Which root this is (INV-10): a file in our area holds a random id, as in a bucket. */

import { randomUUID } from 'node:crypto';

import { MARKER, type Area } from './area.js';
import { RESERVED_NAME } from '@wl/domain';
import type { DavApi } from './dav-api.js';
import { damaged, failure } from './failure.js';

const SHAPE = /^[0-9a-f-]{36}\n?$/;
const LONGEST_BYTES = 64;

/** Reads, and if it may, writes the marker. */
export class RootMarker {
  constructor(
    private readonly api: DavApi,
    private readonly area: Area,
  ) {}

  /** The id in the marker, `undefined` where there is none below a folder that is there. */
  async read(signal?: AbortSignal): Promise<string | undefined> {
    const concern = { operation: 'look at the root' };
    const found = await this.api.look(MARKER, concern, signal);
    if (found === undefined) return undefined;
    const opened = found.kind === 'file' && found.sizeBytes <= LONGEST_BYTES ? await this.api.get(MARKER, concern, signal) : undefined;
    const chunks: Uint8Array[] = [];
    if (opened !== undefined) for await (const chunk of opened.body) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('latin1');
    if (!SHAPE.test(text)) throw damaged(concern, `the marker ${MARKER} does not hold what wl writes there`);
    return text.trim();
  }

  /** The id in the marker, which is made if there is none. */
  async make(signal?: AbortSignal): Promise<string> {
    const concern = { operation: 'mark the root' };
    const known = await this.read(signal);
    if (known !== undefined) return known;
    await this.area.ensure(RESERVED_NAME, concern);
    await this.api.put(MARKER, Buffer.from(`${randomUUID()}\n`), { isNew: true }, concern, signal);
    // Whichever machine was first, or last, its id is the one that counts.
    const made = await this.read(signal);
    if (made === undefined) throw failure('io-error', concern, 'the marker that was written does not show', true);
    return made;
  }
}

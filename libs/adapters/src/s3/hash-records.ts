/**
 * The hash of large objects for other machines, each in a small object of our area:
 * `.wl/hashes/<sha256 of the path>`.
 *
 * The `sha256` in an object's metadata is believed where the ETag that it was written with stands
 * beside it (ADR 0012). Of what goes over the wire as it comes, in parts or as a stream, nobody
 * knows the ETag beforehand; so it is noted afterwards, and whoever meets the object need not
 * read all of it (ADR 0019).
 *
 * INV-24: a record counts only for the very version it was written for, and only where it says
 * what the metadata say. One that is missing, damaged or of another version costs reading the
 * object once, nothing else; so its failures are nobody's.
 */

import { text } from 'node:stream/consumers';

import type { Sha256 } from '@wl/domain';
import type { ContentIdentity } from '@wl/ports';

import type { KeyLayout } from './key-layout.js';
import type { ObjectHead, S3Api } from './s3-api.js';
import { S3Error } from './s3-error.js';
import { sha256Of } from './writing/digests.js';
import { recordedHash } from './writing/object-properties.js';
import { SMALL_BYTES } from './writing/sizes.js';

/** Keeps the records of one storage. */
export class HashRecords {
  constructor(
    private readonly api: S3Api,
    private readonly layout: KeyLayout,
  ) {}

  /** Notes what a version of an object holds that was just written and verified. Small ones have their ETag in their metadata. */
  async keep(key: string, etag: string, content: ContentIdentity, signal?: AbortSignal): Promise<void> {
    if (content.sizeBytes <= SMALL_BYTES) return;
    const record = Buffer.from(recordOf(etag, content));
    await forgiving(() => this.api.putObject(this.#keyOf(key), record, sha256Of(record), { metadata: new Map(), contentType: 'application/json' }, { kind: 'none' }, signal));
  }

  /** The hash of this version of an object, where that is what was noted. */
  async find(key: string, head: ObjectHead, signal?: AbortSignal): Promise<Sha256 | undefined> {
    const sha256 = recordedHash(head);
    if (sha256 === undefined || head.etag === '' || head.sizeBytes <= SMALL_BYTES) return undefined;
    const record = recordOf(head.etag, { sha256, sizeBytes: head.sizeBytes });
    return (await forgiving(() => this.#holds(key, record, signal))) === true ? sha256 : undefined;
  }

  /** The object is gone. */
  async drop(key: string, sizeBytes: number, signal?: AbortSignal): Promise<void> {
    if (sizeBytes > SMALL_BYTES) await forgiving(() => this.api.deleteObject(this.#keyOf(key), { kind: 'none' }, undefined, signal));
  }

  async #holds(key: string, record: string, signal?: AbortSignal): Promise<boolean> {
    const opened = await this.api.getObject(this.#keyOf(key), undefined, 0, signal);
    if (opened === 'stale') return false;
    if (opened.head.sizeBytes === Buffer.byteLength(record)) return (await text(opened.body)) === record;
    opened.destroy();
    return false;
  }

  #keyOf(key: string): string {
    return `${this.layout.area}hashes/${sha256Of(Buffer.from(this.layout.relative(key)))}`;
  }
}

/** The one text that says it: what is read is compared with it as a whole. */
function recordOf(etag: string, { sizeBytes, sha256 }: ContentIdentity): string {
  return `${JSON.stringify({ etag, sizeBytes, sha256 })}\n`;
}

/** What a step gives, `undefined` where it fails: no record is worth failing for. */
async function forgiving<T>(step: () => Promise<T>): Promise<T | undefined> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof S3Error) return undefined;
    throw error;
  }
}

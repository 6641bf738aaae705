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

import type { Sha256 } from '@wl/domain';
import type { ContentIdentity } from '@wl/ports';

import type { KeyLayout } from './key-layout.js';
import type { ObjectHead, S3Api } from './s3-api.js';
import { S3Error } from './s3-error.js';
import { sha256Of } from './writing/digests.js';
import { recordedHash } from './writing/object-properties.js';
import { SMALL_BYTES } from './writing/sizes.js';

/** A record is no longer; anything that is, is none. */
const MAX_RECORD_BYTES = 4096;

/** What a record holds. */
interface HashRecord {
  readonly etag: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** Keeps the records of one storage. */
export class HashRecords {
  constructor(
    private readonly api: S3Api,
    private readonly layout: KeyLayout,
  ) {}

  /** Notes what a version of an object holds that was just written and verified. Small ones have their ETag in their metadata. */
  async keep(key: string, etag: string, { sha256, sizeBytes }: ContentIdentity, signal?: AbortSignal): Promise<void> {
    if (sizeBytes <= SMALL_BYTES) return;
    const record: HashRecord = { etag, sizeBytes, sha256 };
    const content = Buffer.from(`${JSON.stringify(record)}\n`);
    await forgiving(() => this.api.putObject(this.#keyOf(key), content, sha256Of(content), { metadata: new Map(), contentType: 'application/json' }, { kind: 'none' }, signal));
  }

  /** The hash of this version of an object, as far as it was noted. */
  async find(key: string, head: ObjectHead, signal?: AbortSignal): Promise<Sha256 | undefined> {
    const recorded = recordedHash(head);
    if (recorded === undefined || head.etag === '' || head.sizeBytes <= SMALL_BYTES) return undefined;
    const record = await forgiving(() => this.#read(key, signal));
    const isOfVersion = record?.etag === head.etag && record.sizeBytes === head.sizeBytes && record.sha256 === recorded;
    return isOfVersion ? recorded : undefined;
  }

  /** The object is gone. */
  async drop(key: string, sizeBytes: number, signal?: AbortSignal): Promise<void> {
    if (sizeBytes > SMALL_BYTES) await forgiving(() => this.api.deleteObject(this.#keyOf(key), { kind: 'none' }, undefined, signal));
  }

  async #read(key: string, signal?: AbortSignal): Promise<HashRecord | undefined> {
    const opened = await this.api.getObject(this.#keyOf(key), undefined, 0, signal);
    if (opened === 'stale') return undefined;
    const chunks: Uint8Array[] = [];
    let left = MAX_RECORD_BYTES;
    for await (const chunk of opened.body) {
      chunks.push(chunk);
      left -= chunk.byteLength;
      if (left < 0) return undefined;
    }
    return parse(Buffer.concat(chunks).toString());
  }

  #keyOf(key: string): string {
    return `${this.layout.area}hashes/${sha256Of(Buffer.from(this.layout.relative(key)))}`;
  }
}

/** A record, or `undefined` where the text is none. What it must say is compared field by field. */
function parse(text: string): HashRecord | undefined {
  try {
    return (JSON.parse(text) ?? undefined) as HashRecord | undefined;
  } catch {
    return undefined;
  }
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

/**
 * Parts of an upload that are copied on the server from the version to be replaced, instead of
 * being sent (ADR 0017).
 *
 * INV-27: a part is copied only where its SHA-256 is the one remembered of a part of exactly that
 * version, and what was copied counts only if the server's ETag of it is the MD5 of the bytes that
 * belong there. Neither is enough alone: what is remembered may be of another time, and an MD5 is
 * no proof against contents that were made to have the same. In all other cases the part is sent.
 * INV-26: so nothing is believed of the endpoint; each part proves what it can do.
 * INV-17: if the version is another one by now, the upload is over, before more is sent in vain.
 */

import type { S3Abilities } from '../abilities.js';
import { DIGEST_BYTES, type KnownParts } from '../known-parts.js';
import type { UploadedPart } from '../s3-api.js';
import { S3Error } from '../s3-error.js';

import type { WriteContext } from './context.js';
import type { LargeTarget } from './large-upload.js';
import { isPartSize, type Sizes } from './sizes.js';

/** A part that belongs into an upload, and what its bytes are. */
export interface WantedPart {
  readonly partNumber: number;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly md5: string;
}

/** Whether parts of a version can be used for the next: what the server copied has to be judged by its MD5. */
export function isReusable({ copies, tagsByMd5 }: S3Abilities): boolean {
  return copies && tagsByMd5;
}

/** What of one version can be used for the next. */
export class PartReuse {
  /** Where in the version there are parts of this SHA-256, in bytes. Equal parts are one. */
  readonly #offsets = new Map<string, number>();
  /** Size that the parts have to have. */
  readonly partBytes: number;
  /** Set when the server did not do what it was asked: the rest of the upload is sent. */
  #isOver = false;

  private constructor(
    private readonly context: WriteContext,
    private readonly source: { readonly key: string; readonly etag: string },
    known: KnownParts,
  ) {
    const digests = Buffer.from(known.digests);
    for (let at = 0, offset = 0; at < digests.length; at += DIGEST_BYTES, offset += known.partBytes) {
      this.#offsets.set(digests.toString('hex', at, at + DIGEST_BYTES), offset);
    }
    this.partBytes = known.partBytes;
  }

  /** `undefined` where nothing is replaced, or nothing of it is known or usable. */
  static of(context: WriteContext, { key, expected, attributes }: LargeTarget, sizes: Sizes): PartReuse | undefined {
    if (expected === undefined || attributes.content === undefined || !isReusable(context.abilities())) return undefined;
    const known = context.parts.recall(key, expected);
    if (known === undefined || !isPartSize(known.partBytes, attributes.content.sizeBytes, sizes)) return undefined;
    return new PartReuse(context, { key, etag: expected }, known);
  }

  /** Makes the part on the server; `undefined`: it has to be sent; `stale`: the version is gone. Rejects only where sending would. */
  async copy(uploadId: string, wanted: WantedPart, signal: AbortSignal): Promise<UploadedPart | 'stale' | undefined> {
    const offset = this.#offsets.get(wanted.sha256);
    if (offset === undefined || this.#isOver) return undefined;
    const copied = await this.#ask(offset, uploadId, wanted, signal);
    if (typeof copied === 'object' && copied.etag === wanted.md5) return copied;
    this.#isOver = true;
    if (copied === 'failed') return undefined;
    const head = await this.context.api.headObject(this.source.key, signal);
    if (head?.etag !== this.source.etag) return 'stale';
    // It is there, and this is what the server makes of it.
    this.context.parts.giveUp();
    return undefined;
  }

  async #ask(offset: number, uploadId: string, { partNumber, sizeBytes }: WantedPart, signal: AbortSignal): Promise<UploadedPart | 'stale' | 'refused' | 'failed'> {
    const { api } = this.context;
    try {
      return await api.copyPart(this.source, { offset, sizeBytes }, this.source.key, uploadId, partNumber, signal);
    } catch (error) {
      if (!(error instanceof S3Error) || error.kind === 'cancelled' || error.details.code === 'NoSuchUpload') throw error;
      // Not reached; or this one object may not be read just now, as one that is archived.
      const isOfTheMoment = (error.details.isRetryable && error.kind !== 'damaged') || error.details.status === 403;
      return isOfTheMoment ? 'failed' : 'refused';
    }
  }
}

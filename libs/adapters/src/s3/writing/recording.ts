/** Parts of a large object are hashed while it is read, so that a machine that downloaded a file sends only what it changes in it. */

import type { S3Abilities } from '../abilities.js';

import { isWrittenInParts } from './conditions.js';
import { PartDigests } from './part-digests.js';
import { isReusable } from './part-reuse.js';
import type { ReusableParts } from './reusable-parts.js';
import { partBytesFor, SIZES, type Sizes } from './sizes.js';

/** Takes notes of what is read. */
export interface Recording {
  /** Bytes from the start on, in order. */
  add(bytes: Uint8Array): void;
  /** All of it was read. */
  keep(): void;
}

/** Begins to take notes of a version that is about to be read. */
export type RecordParts = (version: { readonly key: string; readonly etag: string; readonly sizeBytes: number }) => Recording | undefined;

/** `undefined` where the object is small, known already, or its parts will be of no use on this endpoint. */
export function recordingOf(
  parts: ReusableParts,
  abilities: S3Abilities | undefined,
  { key, etag, sizeBytes }: Parameters<RecordParts>[0],
  sizes: Sizes = SIZES,
): Recording | undefined {
  const isLarge = sizeBytes > sizes.small && abilities !== undefined && isReusable(abilities) && isWrittenInParts(sizeBytes, etag, abilities, sizes);
  if (!isLarge || !parts.isOfUse || parts.recall(key, etag) !== undefined) return undefined;
  const partBytes = partBytesFor(sizeBytes, sizes);
  const digests = new PartDigests(partBytes);
  return {
    add: (bytes) => digests.update(bytes),
    keep: () => parts.remember({ key, etag, sizeBytes, partBytes, digests: digests.digests() }),
  };
}

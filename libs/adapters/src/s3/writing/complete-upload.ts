/** Completes an upload in parts: checked against the plan before, against the object after (T44, INV-27). */

import type { ContentIdentity } from '@wl/ports';

import type { Condition, ObjectHead, UploadedPart, WriteAnswer } from '../s3-api.js';
import { S3Error } from '../s3-error.js';

import type { BegunUpload } from './begin-upload.js';
import { conditionForComplete } from './conditions.js';
import type { WriteContext } from './context.js';
import { md5Of } from './digests.js';
import { notAsAnnounced, type LargeTarget } from './large-upload.js';
import { isOfWrite } from './object-properties.js';
import { writeReserved } from './placeholder-steps.js';
import { isPlaceholderUsable } from './placeholder.js';
import { lookAfter, swapIn, type Stored, type SwapOutcome } from './swap.js';
import { damaged, verifyByReading } from './verification.js';

/** An upload whose parts are all there. */
export interface FullUpload {
  readonly target: LargeTarget;
  readonly begun: BegunUpload;
  /** In order. */
  readonly parts: readonly UploadedPart[];
  /** MD5 of parts, where they were computed. */
  readonly md5s: ReadonlyMap<number, string>;
  /** Whether some were sent and others copied on the server: then nobody compared the hash of the whole. */
  readonly isMixed: boolean;
  readonly content: ContentIdentity;
  readonly signal: AbortSignal;
}

/** Shows the object, if the key still holds what was expected. */
export async function completeUpload(context: WriteContext, upload: FullUpload): Promise<SwapOutcome> {
  await assertAsPlanned(context, upload);
  const outcome = await swap(context, upload);
  return outcome.kind === 'stale' ? outcome : verifyWhole(context, upload, outcome);
}

/** The server's list of parts is the plan: the same numbers without gaps, the same sizes and tags. */
async function assertAsPlanned({ api }: WriteContext, { target, begun, parts, content, signal }: FullUpload): Promise<void> {
  const listed = await api.listParts(target.key, begun.uploadId, signal);
  if (listed === undefined) throw new S3Error('io-error', 'the upload is gone from the server, somebody aborted it', { isRetryable: true });
  const isPlanned = ({ partNumber, etag, sizeBytes }: UploadedPart, index: number): boolean => {
    const there = listed[index];
    return partNumber === index + 1 && there?.partNumber === partNumber && there.etag === etag && there.sizeBytes === sizeBytes;
  };
  const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  if (listed.length === parts.length && parts.every(isPlanned) && sizeBytes === content.sizeBytes) return;
  throw notAsAnnounced('the parts that the server holds are not those that were sent');
}

async function swap(context: WriteContext, { target, begun, parts, content, signal }: FullUpload): Promise<SwapOutcome> {
  const { key, expected } = target;
  const checked = conditionForComplete(expected, context.abilities());
  const isOurs = (head: ObjectHead): boolean => isOfWrite(head, begun.writeId) && head.sizeBytes === content.sizeBytes;
  const perform = async (condition: Condition): Promise<WriteAnswer> => {
    try {
      return await context.api.completeUpload(key, begun.uploadId, parts, condition, signal);
    } catch (error) {
      // Gone: an earlier try completed it, and its answer was lost.
      if (error instanceof S3Error && error.details.status === 404) return { kind: 'refused', mayBeOurs: true };
      throw error;
    }
  };
  if (!checked.isChecked && expected === undefined && isPlaceholderUsable(context.abilities())) {
    const outcome = await writeReserved(context, { key, isOurs, perform, signal });
    return outcome.kind === 'done' ? outcome : { kind: 'stale' };
  }
  return swapIn(context, { key, expected, ...checked, isOurs, perform, signal });
}

async function verifyWhole(context: WriteContext, { target, parts, md5s, isMixed, content, begun, signal }: FullUpload, stored: Stored): Promise<SwapOutcome> {
  const { key } = target;
  const head = stored.head ?? (await lookAfter(context, { key, expected: target.expected, isOurs: (shown) => isOfWrite(shown, begun.writeId), signal }));
  // Somebody replaced it already, which they may.
  if (head === undefined || !isOfWrite(head, begun.writeId)) return { kind: 'stale' };
  const count = /-(\d+)$/.exec(head.etag)?.[1];
  const isWhole = head.sizeBytes === content.sizeBytes && (count === undefined || Number(count) === parts.length);
  if (!isWhole) throw await damaged(context, key, { ...stored, etag: head.etag });
  const intact: Stored = { kind: 'done', etag: head.etag, versionId: head.versionId ?? stored.versionId };
  if (head.etag === tagOfParts(parts, md5s) || (context.abilities().verifiesContent && !isMixed)) return intact;
  const sent = { key, sha256: content.sha256, sizeBytes: content.sizeBytes };
  return (await verifyByReading(context, sent, intact, signal)) === 'stale' ? { kind: 'stale' } : intact;
}

/** The tag that S3 gives to an object in parts: the MD5 of their MD5s, and their number. Where it comes out, all bytes are as sent. */
function tagOfParts(parts: readonly UploadedPart[], md5s: ReadonlyMap<number, string>): string | undefined {
  const digests = parts.map(({ partNumber }) => md5s.get(partNumber));
  if (digests.includes(undefined)) return undefined;
  return `${md5Of(Buffer.from(digests.join(''), 'hex'))}-${String(parts.length)}`;
}

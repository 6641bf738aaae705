/** One copy made by the server: conditional, at most once, and looked at afterwards (INV-17, INV-18, INV-27). */

import type { RelativePath, Sha256, Token } from '@wl/domain';

import type { S3Abilities } from '../abilities.js';
import type { Condition, CopySource, ObjectHead, S3Api, WriteAnswer } from '../s3-api.js';

import { conditionForCopy } from './conditions.js';
import type { WriteContext } from './context.js';
import { isBareMd5 } from './digests.js';
import { isOfWrite, propertiesFor } from './object-properties.js';
import { placeholderCopy } from './placeholder-steps.js';
import { isPlaceholderUsable } from './placeholder.js';
import { lookAfter, swapIn, type Stored, type SwapOutcome } from './swap.js';
import { damaged, removeOurs } from './verification.js';

/** One object to be copied. */
export interface CopyJob {
  readonly context: WriteContext;
  readonly source: { readonly api: S3Api; readonly bucket: string | undefined; readonly key: string; readonly head: ObjectHead };
  readonly target: { readonly path: RelativePath; readonly key: string; readonly expected: string | undefined };
  readonly attributes: { readonly mtimeMs: number; readonly isExecutable: boolean };
  /** Of the source's version. */
  readonly sha256: Sha256;
  readonly signal: AbortSignal;
}

/** Whether a new name is held by a placeholder while the server copies, because it compares nothing then (ADR 0011). */
export function copyTakesPlaceholder(abilities: S3Abilities): boolean {
  return !conditionForCopy(undefined, abilities).isChecked && isPlaceholderUsable(abilities);
}

/** What became of it. */
export type CopyResult = { readonly kind: 'done'; readonly token: Token } | { readonly kind: 'source-changed' } | { readonly kind: 'target-changed' };

/** Copies on the server. Rejects with `S3Error`. */
export async function copyOnServer(job: CopyJob): Promise<CopyResult> {
  const { context, source, target, signal } = job;
  const { key } = target;
  const { head } = source;
  const writeId = context.newId();
  // Many servers give a copy the ETag of its source; where they do, the hash we record is bound to it.
  const properties = propertiesFor(key, { attributes: job.attributes, sha256: job.sha256, etag: head.etag, writeId });
  const from: CopySource = {
    key: source.key,
    etag: head.etag,
    ...(source.bucket !== undefined && { bucket: source.bucket }),
    ...(head.versionId !== undefined && { versionId: head.versionId }),
  };
  const outcome = await perform(job, from, properties, writeId);
  if (outcome.kind === 'source-stale') return { kind: 'source-changed' };
  if (outcome.kind === 'stale') return { kind: 'target-changed' };

  const copied = outcome.head ?? (await lookAfter(context, { key, expected: target.expected, isOurs: (shown) => isOfWrite(shown, writeId), signal }));
  if (copied === undefined || !isOfWrite(copied, writeId)) return { kind: 'target-changed' };
  const stored: Stored = { kind: 'done', etag: copied.etag, versionId: copied.versionId ?? outcome.versionId };
  if (!(await isOfVersion(job, copied))) {
    await removeOurs(context, key, stored);
    return { kind: 'source-changed' };
  }
  if (copied.sha256 !== undefined && copied.sha256 !== job.sha256) throw await damaged(context, key, stored);
  // Where a copy gets another ETag than its source, the metadata cannot vouch for it.
  if (stored.etag !== head.etag) await context.hashes.keep(key, stored.etag, { sha256: job.sha256, sizeBytes: copied.sizeBytes }, signal);
  if (source.api === context.api) context.parts.rememberCopy({ key: source.key, etag: head.etag }, { key, etag: stored.etag });
  return { kind: 'done', token: context.tokenOf({ ...stored, sizeBytes: copied.sizeBytes }) };
}

async function perform(
  { context, source, target, signal }: CopyJob,
  from: CopySource,
  properties: ReturnType<typeof propertiesFor>,
  writeId: string,
): Promise<SwapOutcome | { readonly kind: 'source-stale' }> {
  const { key, expected } = target;
  const { sizeBytes } = source.head;
  const abilities = context.abilities();
  if (expected === undefined && copyTakesPlaceholder(abilities)) {
    return placeholderCopy(context, { source: from, key, properties, writeId, sizeBytes }, signal);
  }
  let isSourceStale = false;
  const copy = async (condition: Condition): Promise<WriteAnswer> => {
    const answer = await context.api.copyObject(from, key, condition, properties, signal);
    if (answer.kind !== 'stale') return answer;
    isSourceStale = true;
    return { kind: 'refused', mayBeOurs: false };
  };
  const isOurs = (head: ObjectHead): boolean => isOfWrite(head, writeId) && head.sizeBytes === sizeBytes;
  const outcome = await swapIn(context, { key, expected, ...conditionForCopy(expected, abilities), isOurs, perform: copy, signal });
  return isSourceStale ? { kind: 'source-stale' } : outcome;
}

/**
 * Whether what was copied is the version asked for. An equal ETag says so. Another one is usual
 * for objects written in parts, whose copy is written in one: then the source, looked at before
 * and after, has to be still that version.
 */
async function isOfVersion({ context, source, signal }: CopyJob, copied: ObjectHead): Promise<boolean> {
  const { head } = source;
  if (copied.sizeBytes !== head.sizeBytes) return false;
  if (copied.etag === head.etag) return true;
  if (context.abilities().tagsByMd5 && isBareMd5(copied.etag) && isBareMd5(head.etag)) return false;
  return (await source.api.headObject(source.key, signal))?.etag === head.etag;
}

/**
 * Copies on the server an object that is too large for one copy: as an upload in parts whose parts
 * the server takes from the source. Shown, and verified to be whole, like any upload in parts.
 *
 * INV-27: each part is asked for from the version that was seen, and since not every server
 * compares that, the source is looked at once more when all parts are there. An upload that was
 * broken off is never gone on with: nobody here has seen the bytes of its parts.
 */

import type { UploadedPart } from '../s3-api.js';

import { beginUpload, type BegunUpload } from './begin-upload.js';
import { completeUpload } from './complete-upload.js';
import type { LargeTarget } from './large-upload.js';
import { Limiter } from './limiter.js';
import { abortUpload, PARTS_AT_ONCE } from './parts-upload.js';
import type { CopyJob, CopyResult } from './server-copy.js';
import { partBytesFor, type Sizes } from './sizes.js';

/** Copies on the server, part by part. Rejects with `S3Error`; the upload is then aborted. */
export async function copyInParts(job: CopyJob, sizes: Sizes): Promise<CopyResult> {
  const { context, source, target, sha256, signal } = job;
  const content = { sha256, sizeBytes: source.head.sizeBytes };
  const large: LargeTarget = { ...target, attributes: { ...job.attributes, content } };
  const partBytes = partBytesFor(content.sizeBytes, { ...sizes, part: sizes.copiedPart });
  const begun = await beginUpload(context, large, partBytes, signal);
  let isComplete = false;
  try {
    const parts = await copyParts(job, begun, partBytes);
    if (parts === 'stale' || (await source.api.headObject(source.key, signal))?.etag !== source.head.etag) return { kind: 'source-changed' };
    const outcome = await completeUpload(context, { target: large, begun, parts, md5s: new Map(), isMixed: false, content, signal });
    if (outcome.kind === 'stale') return { kind: 'target-changed' };
    isComplete = true;
    context.journal.forget(begun.uploadId);
    await context.hashes.keep(target.key, outcome.etag, content, signal);
    return { kind: 'done', token: context.tokenOf({ ...outcome, sizeBytes: content.sizeBytes }) };
  } finally {
    if (!isComplete) await abortUpload(context, target.key, begun.uploadId);
  }
}

async function copyParts({ context, source, target, signal }: CopyJob, { uploadId }: BegunUpload, partBytes: number): Promise<readonly UploadedPart[] | 'stale'> {
  const { etag, sizeBytes, versionId } = source.head;
  const from = { key: source.key, etag, ...(source.bucket !== undefined && { bucket: source.bucket }), ...(versionId !== undefined && { versionId }) };
  const stop = new AbortController();
  const within = AbortSignal.any([signal, stop.signal]);
  const limiter = new Limiter(PARTS_AT_ONCE);
  const copies = Array.from({ length: Math.ceil(sizeBytes / partBytes) }, (_, index) =>
    limiter.run(() => {
      const offset = index * partBytes;
      const range = { offset, sizeBytes: Math.min(partBytes, sizeBytes - offset) };
      return context.api.copyPart(from, range, target.key, uploadId, index + 1, within);
    }, within),
  );
  try {
    const parts = await Promise.all(copies);
    return parts.every((part) => part !== 'stale') ? parts : 'stale';
  } finally {
    // Nothing may still be on its way into an upload that is aborted.
    stop.abort();
    await Promise.allSettled(copies);
  }
}

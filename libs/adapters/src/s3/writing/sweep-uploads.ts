/**
 * Cleans up uploads in parts when a storage starts: ours that nobody will go on with, and those
 * of anybody that are so old that nobody is at them any more. An upload that is not in our
 * journal may be another machine's: its age, by the server's own clock (INV-22), decides alone.
 */

import { S3Error } from '../s3-error.js';

import type { WriteContext } from './context.js';
import { isOfWrite } from './object-properties.js';
import { abortUpload } from './parts-upload.js';
import type { JournaledUpload } from './upload-journal.js';

/** From this age on, an upload is a leftover, in milliseconds. */
export const STALE_UPLOAD_MS = 7 * 24 * 3_600_000;

/** What was found. */
export interface SweptUploads {
  readonly aborted: number;
  /** Uploads of ours that wait to be gone on with. */
  readonly resumable: number;
}

/**
 * Sweeps the uploads below `prefix`. `serverNowMs`: the server's clock now, if it tells it; without
 * it only our own uploads are swept. Failures leave things to the next start; rejects only when stopped.
 */
export async function sweepUploads(
  context: Pick<WriteContext, 'api' | 'journal' | 'clock'>,
  prefix: string,
  serverNowMs: number | undefined,
  signal?: AbortSignal,
): Promise<SweptUploads> {
  const { api, journal } = context;
  let aborted = 0;
  try {
    for (const upload of journal.idle()) aborted += await sweepOurs(context, upload, signal);
    const ours = new Set(journal.all().map(({ uploadId }) => uploadId));
    const idle = journal.idle();
    const listed = new Set<string>();
    for await (const { key, uploadId, initiatedMs } of api.listUploads(prefix, signal)) {
      listed.add(uploadId);
      const isLeftover = !ours.has(uploadId) && serverNowMs !== undefined && serverNowMs - initiatedMs > STALE_UPLOAD_MS;
      if (!isLeftover) continue;
      await api.abortUpload(key, uploadId, signal);
      aborted += 1;
    }
    for (const { uploadId } of idle) if (!listed.has(uploadId)) journal.forget(uploadId);
  } catch (error) {
    if (!(error instanceof S3Error) || error.kind === 'cancelled') throw error;
  }
  return { aborted, resumable: journal.idle().filter(({ isGivenUp }) => isGivenUp === undefined).length };
}

async function sweepOurs(context: Pick<WriteContext, 'api' | 'journal' | 'clock'>, upload: JournaledUpload, signal: AbortSignal | undefined): Promise<number> {
  const { api, journal, clock } = context;
  const isStale = clock.nowMs() - upload.startedMs > STALE_UPLOAD_MS;
  if (upload.isGivenUp === true || upload.content === undefined || isStale) {
    await abortUpload(context, upload.key, upload.uploadId);
    return 1;
  }
  // Completed, and the answer was lost.
  const head = await api.headObject(upload.key, signal);
  if (head !== undefined && isOfWrite(head, upload.writeId)) journal.forget(upload.uploadId);
  return 0;
}

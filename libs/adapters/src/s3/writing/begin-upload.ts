/** Begins an upload in parts, or goes on with one that was begun for the same content before. */

import type { ContentIdentity, FileAttributes } from '@wl/ports';

import type { UploadedPart } from '../s3-api.js';

import type { WriteContext } from './context.js';
import type { LargeTarget } from './large-upload.js';
import { propertiesFor } from './object-properties.js';
import type { JournaledUpload } from './upload-journal.js';

/** An upload to put parts into. */
export interface BegunUpload {
  readonly uploadId: string;
  /** Id that the object will carry. */
  readonly writeId: string;
  /** What the server holds of it already, by number. */
  readonly parts: ReadonlyMap<number, UploadedPart>;
}

/** Resumes or begins an upload in parts of so many bytes. Earlier uploads of this key for other content are aborted: nobody will go on with them. */
export async function beginUpload(context: WriteContext, target: LargeTarget, partBytes: number, signal: AbortSignal): Promise<BegunUpload> {
  const { content } = target.attributes;
  if (content !== undefined) {
    const journaled = context.journal.resume(target.key, (upload) => isFor(upload, content, target.attributes, partBytes));
    const resumed = journaled === undefined ? undefined : await resume(context, journaled, signal);
    if (resumed !== undefined) return resumed;
  }
  await abortOthers(context, target.key);
  return begin(context, target, partBytes);
}

function isFor(upload: JournaledUpload, content: ContentIdentity, attributes: FileAttributes, partBytes: number): boolean {
  return (
    upload.content?.sha256 === content.sha256 &&
    upload.content.sizeBytes === content.sizeBytes &&
    upload.partBytes === partBytes &&
    upload.mtimeMs === toNoted(attributes.mtimeMs) &&
    upload.isExecutable === (attributes.isExecutable === true)
  );
}

async function resume({ api, journal }: WriteContext, upload: JournaledUpload, signal: AbortSignal): Promise<BegunUpload | undefined> {
  const { key, uploadId, writeId } = upload;
  try {
    const parts = await api.listParts(key, uploadId, signal);
    if (parts !== undefined) return { uploadId, writeId, parts: new Map(parts.map((part) => [part.partNumber, part])) };
  } catch (error) {
    journal.suspend(uploadId);
    throw error;
  }
  // Aborted or completed by somebody meanwhile.
  journal.forget(uploadId);
  return undefined;
}

/** Not to be stopped in the middle: an upload whose id we never learn could not be aborted. */
async function begin(context: WriteContext, target: LargeTarget, partBytes: number): Promise<BegunUpload> {
  const { api, journal, clock } = context;
  const { key, attributes } = target;
  const { content } = attributes;
  const writeId = context.newId();
  const properties = propertiesFor(key, { attributes, sha256: content?.sha256, etag: undefined, writeId });
  const { uploadId } = await api.createUpload(key, properties);
  journal.begin({
    key,
    uploadId,
    content: content === undefined ? undefined : { sha256: content.sha256, sizeBytes: content.sizeBytes },
    partBytes,
    writeId,
    mtimeMs: toNoted(attributes.mtimeMs),
    isExecutable: attributes.isExecutable === true,
    startedMs: clock.nowMs(),
  });
  return { uploadId, writeId, parts: new Map() };
}

/** Failing to clean up must not keep a file from being written. */
async function abortOthers({ api, journal }: WriteContext, key: string): Promise<void> {
  for (const upload of journal.idle()) {
    if (upload.key !== key) continue;
    await api.abortUpload(key, upload.uploadId).then(
      () => journal.forget(upload.uploadId),
      () => journal.giveUp(upload.uploadId),
    );
  }
}

/** JSON knows no NaN. */
function toNoted(mtimeMs: number): number | null {
  return Number.isFinite(mtimeMs) ? mtimeMs : null;
}

/**
 * Which uploads in parts are under way, kept across restarts: a later writer of the same
 * content under the same key goes on where the last one stopped, and what nobody goes on with
 * is found and aborted. The notes may be lost at the cost of time and space, never of content.
 */

import type { S3Notes } from '../s3-params.js';

const NOTE = 'uploads';

/** An upload that was begun. */
export interface JournaledUpload {
  readonly key: string;
  readonly uploadId: string;
  /** What is being uploaded; `undefined` where it was not known beforehand: then it cannot be resumed. */
  readonly content: { readonly sha256: string; readonly sizeBytes: number } | undefined;
  readonly partBytes: number;
  /** What the object will say of itself; it was settled when the upload began. */
  readonly writeId: string;
  readonly mtimeMs: number | null;
  readonly isExecutable: boolean;
  /** By this machine's clock, milliseconds since the epoch. */
  readonly startedMs: number;
  /** Given up; the server was not reached to say so. */
  readonly isGivenUp?: true;
}

/** The uploads of one storage. */
export class UploadJournal {
  /** Ids of those that a writer of this process is at. */
  readonly #active = new Set<string>();

  constructor(private readonly notes: S3Notes) {}

  /** Records an upload before its first part, as one that somebody is at. */
  begin(upload: JournaledUpload): void {
    this.#active.add(upload.uploadId);
    this.#write([...this.all(), upload]);
  }

  /** Takes hold of an upload of this key that nobody is at. */
  resume(key: string, isWanted: (upload: JournaledUpload) => boolean): JournaledUpload | undefined {
    const found = this.idle().find((upload) => upload.key === key && upload.isGivenUp === undefined && isWanted(upload));
    if (found !== undefined) this.#active.add(found.uploadId);
    return found;
  }

  /** The writer stopped; the upload may be resumed. */
  suspend(uploadId: string): void {
    this.#active.delete(uploadId);
  }

  /** The upload is to be aborted, and may not be reached just now. */
  giveUp(uploadId: string): void {
    this.#active.delete(uploadId);
    this.#write(this.all().map((upload) => (upload.uploadId === uploadId ? { ...upload, isGivenUp: true } : upload)));
  }

  /** The upload is completed or aborted. */
  forget(uploadId: string): void {
    this.#active.delete(uploadId);
    const rest = this.all().filter((upload) => upload.uploadId !== uploadId);
    this.#write(rest);
  }

  /** Those that no writer is at. */
  idle(): readonly JournaledUpload[] {
    return this.all().filter(({ uploadId }) => !this.#active.has(uploadId));
  }

  /** All of them. What is not ours to read is skipped. */
  all(): readonly JournaledUpload[] {
    const noted = this.notes.get(NOTE);
    return Array.isArray(noted) ? noted.filter(isUpload) : [];
  }

  #write(uploads: readonly JournaledUpload[]): void {
    this.notes.put(NOTE, uploads.length === 0 ? undefined : uploads);
  }
}

function isUpload(value: unknown): value is JournaledUpload {
  const noted = value as Partial<Record<keyof JournaledUpload, unknown>> | null;
  if (typeof noted !== 'object' || noted === null) return false;
  const content = noted.content as { sha256?: unknown; sizeBytes?: unknown } | null | undefined;
  return (
    [noted.key, noted.uploadId, noted.writeId].every((field) => typeof field === 'string') &&
    [noted.partBytes, noted.startedMs].every((field) => typeof field === 'number') &&
    (content === undefined || (typeof content?.sha256 === 'string' && typeof content.sizeBytes === 'number'))
  );
}

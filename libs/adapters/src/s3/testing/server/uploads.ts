/** Uploads in parts under way. */

/** A part that was uploaded. */
export interface StoredPart {
  readonly partNumber: number;
  readonly bytes: Buffer;
  /** Without quotes. */
  readonly etag: string;
  /** Base64 SHA-256 given with the part and kept. */
  readonly checksum: string | undefined;
  readonly lastModifiedMs: number;
}

/** An upload that is neither completed nor aborted. */
export interface PendingUpload {
  readonly uploadId: string;
  readonly key: string;
  /** Headers of the object it will become. */
  readonly headers: Readonly<Record<string, string>>;
  readonly initiatedMs: number;
  /** By number; a part uploaded again takes the place of the first. */
  readonly parts: Map<number, StoredPart>;
}

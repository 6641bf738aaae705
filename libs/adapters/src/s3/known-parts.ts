/**
 * What is known of the bytes of large objects: the SHA-256 of each part of one version of an
 * object. A later version is sent without the parts that it shares with the one it replaces
 * (ADR 0017). All of it may be lost, at the cost of sending a file as a whole.
 */

/** The parts of one version of an object. */
export interface KnownParts {
  readonly key: string;
  /** The version. */
  readonly etag: string;
  readonly sizeBytes: number;
  /** Size of every part but the last, which may be smaller. */
  readonly partBytes: number;
  /** SHA-256 of each part, 32 bytes each, in order. */
  readonly digests: Uint8Array;
}

/** Parts of the objects of one storage, kept across restarts: of one version of each object, of a bounded number of objects. */
export interface PartsMemory {
  /** `undefined` where nothing is known, or what is kept cannot be read. */
  recall(key: string): KnownParts | undefined;
  /** Takes the place of what was known of the object. Failures are swallowed: it may be lost. */
  remember(parts: KnownParts): void;
}

/** Bytes of a SHA-256. */
export const DIGEST_BYTES = 32;

/** Whether the numbers go together: as many digests as the object has parts. */
export function areWhole({ sizeBytes, partBytes, digests }: KnownParts): boolean {
  return sizeBytes > 0 && partBytes > 0 && digests.length === Math.ceil(sizeBytes / partBytes) * DIGEST_BYTES;
}

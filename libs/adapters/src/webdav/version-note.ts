/**
 * What wl notes of a version it wrote, as a property of the file where the server keeps such:
 * hash, size and the modification time that the file had where it came from. INV-24, ADR 0012: the
 * note names the ETag it belongs to and vouches for no other version; servers keep properties
 * when somebody else overwrites the content.
 */

import type { Sha256 } from '@wl/domain';

/** A note. */
export interface VersionNote {
  readonly sha256: Sha256;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  /** Without weakness and suffixes. */
  readonly etag: string;
  readonly isExecutable: boolean;
}

/** Namespace and name of the property. */
export const NOTE_NAMESPACE = 'urn:wl:webdav';
export const NOTE_NAME = 'version';

const SHAPE = /^1 ([0-9a-f]{64}) (\d{1,16}) (-?\d{1,17}(?:\.\d{1,9})?) ([x-]) (\S+)$/;

/** The property's text. */
export function formatNote({ sha256, sizeBytes, mtimeMs, etag, isExecutable }: VersionNote): string {
  return `1 ${sha256} ${String(sizeBytes)} ${String(mtimeMs)} ${isExecutable ? 'x' : '-'} ${encodeURIComponent(etag)}`;
}

/** Reads it; `undefined` for anything that we would not write. */
export function parseNote(text: string): VersionNote | undefined {
  const [, sha256, size, mtime, mode, etag] = SHAPE.exec(text.trim()) ?? [];
  if (sha256 === undefined || etag === undefined) return undefined;
  try {
    return { sha256: sha256 as Sha256, sizeBytes: Number(size), mtimeMs: Number(mtime), etag: decodeURIComponent(etag), isExecutable: mode === 'x' };
  } catch {
    return undefined;
  }
}

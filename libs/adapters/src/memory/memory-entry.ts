/** What a memory tree is made of. Entries are objects with an identity, as inodes are; versions are immutable. */

import type { RelativePath, Sha256, UnknownReason } from '@wl/domain';

/** One version of a file's content with its attributes. */
export interface FileVersion {
  readonly bytes: Uint8Array;
  /** Unique in the tree; grows with every change of any file. */
  readonly serial: number;
  /** Modification time, which anybody may set; milliseconds since the epoch. */
  readonly mtimeMs: number;
  /** When this version came to be, by the tree's clock; milliseconds since the epoch. */
  readonly changedMs: number;
  readonly isExecutable: boolean;
}

/** A file. Rewriting in place exchanges `version`; saving by rename exchanges the whole object. */
export interface MemoryFile {
  readonly kind: 'file';
  readonly inode: number;
  version: FileVersion;
  isUnreadable: boolean;
}

/** A directory. Children are found by their name as the tree compares names. */
export interface MemoryDirectory {
  readonly kind: 'directory';
  readonly children: Map<string, { readonly name: string; readonly entry: MemoryEntry }>;
  isUnreadable: boolean;
}

/** Anything that a name can stand for. */
export type MemoryEntry =
  | MemoryFile
  | MemoryDirectory
  | { readonly kind: 'symlink'; readonly target: string }
  | { readonly kind: 'special' };

/** What a path leads to. */
export type Place =
  | { readonly kind: 'found'; readonly entry: MemoryEntry }
  /** Nothing there; `parent` is the directory it would be in, `undefined` when that is missing or no directory. */
  | { readonly kind: 'absent'; readonly parent: MemoryDirectory | undefined }
  | { readonly kind: 'unknown'; readonly reason: UnknownReason };

/** A version that was replaced or removed through a backend. */
export interface TrashedFile {
  readonly path: RelativePath;
  readonly bytes: Uint8Array;
  readonly mtimeMs: number;
  /** Who put it there: a backend id. */
  readonly by: string;
  readonly reason: 'replaced' | 'removed' | 'displaced';
}

/** Bytes on their way to become a file. */
export interface StagedFile {
  readonly chunks: Uint8Array[];
  sizeBytes: number;
  sha256: Sha256 | undefined;
  /** Whether the writer still lives; a leftover of a crash is removed when somebody opens the tree. */
  isAlive: boolean;
}

/** What is plugged in at a tree's place: its content and everything that goes away with it. */
export interface MemoryVolume {
  readonly id: string;
  readonly root: MemoryDirectory;
  readonly trash: Map<string, TrashedFile>;
  readonly staging: Map<string, StagedFile>;
  marker: string | undefined;
}

/** A directory with nothing in it. */
export function emptyDirectory(): MemoryDirectory {
  return { kind: 'directory', children: new Map(), isUnreadable: false };
}

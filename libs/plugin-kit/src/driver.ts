/**
 * What an author writes for a new storage type: a handful of methods over a store that they know.
 * `createBackend` makes a whole `StorageBackend` of it, with ordered listings, verified and
 * conditional writes, hashes and the root marker.
 *
 * Paths are strings relative to the storage's root, `/`-separated, without a leading slash; `''`
 * is the root. The names of methods are those of the original's drivers where it had them. A
 * method that fails throws: an error of Node.js with its `code` (`ENOENT`, `EACCES`, …), or a
 * `BackendError` where its code says more. "Could not look" must throw; it is never an absence.
 */

import type { Watcher } from '@wl/ports';
import type { UnknownReason } from '@wl/domain';

/** A file as the store shows it. */
export interface FileAttr {
  readonly kind: 'file';
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly mtime_ms: number;
  /**
   * Stamp of this version, not empty: it changes whenever the content does (an ETag, a revision,
   * or size, time and inode together). Without a good one content would be lost unseen.
   */
  readonly token: string;
  /** Changed so recently that a further change might keep the token; default false. */
  readonly is_racy?: boolean;
  readonly is_executable?: boolean;
  /** Where the store keeps it with this very version: 64 lower-case hex digits. */
  readonly sha256?: string;
}

/** Whatever is at a path. `other` is neither file nor directory, or must not be followed. */
export type Attr = FileAttr | { readonly kind: 'directory' } | { readonly kind: 'other'; readonly reason: UnknownReason };

/** One entry of a directory. */
export type Entry = Attr & { readonly name: string };

/** A file's new content. */
export interface NewContent {
  /** Bytes. */
  readonly size: number;
  readonly sha256: string;
  /** What to give the file; left out where it makes no sense. */
  readonly mtime_ms: number | undefined;
  readonly is_executable: boolean | undefined;
  /** The bytes in order, from the start each time it is called. */
  chunks(): AsyncIterable<Uint8Array>;
}

/** How well a condition is kept when somebody else writes in the same instant; see `StorageCapabilities.replace`. */
export type Care = 'atomic' | 'checked' | 'window';

/** Access to a store. */
export interface Driver {
  /** For people, without secrets: a path or a URL. */
  readonly location: string;
  /** Default false; then the writing methods may be left out. */
  readonly is_read_only?: boolean;
  /** Whether `a` and `A` are two names; default true. */
  readonly is_case_sensitive?: boolean;
  /** Whether directories exist by themselves; default true. Without, `mkdir` and `rmdir` may be left out. */
  readonly keeps_empty_directories?: boolean;
  /** Whether what is replaced or removed can be had back from the store; default false. */
  readonly has_trash?: boolean;
  /** How well `safe_replace` and `unlink` keep `expected`; default `window`. */
  readonly care?: { readonly replace?: Care; readonly remove?: Care };
  /** Whether `safe_replace` verifies what it stored by `sha256`; default false: it is read back. */
  readonly verifies?: boolean;
  /** What a user should know of this store, one sentence each. */
  readonly notes?: readonly string[];

  /** Makes the store usable; throws `not-found` where its root is missing. May be called again. */
  open?(signal?: AbortSignal): Promise<void>;
  close?(): Promise<void>;
  /** Ids of the root that stay when it is moved (a volume's UUID); a marker is kept in any case. */
  root_ids?(): Promise<readonly string[]>;

  /** What is at a path; `undefined` where nothing is. Follows no link. */
  getattr(path: string): Promise<Attr | undefined>;
  /** All entries of a directory, in any order; throws unless it is complete. */
  readdir(path: string): Promise<readonly Entry[]>;
  /** The bytes of a file, in order. */
  read(path: string, signal?: AbortSignal): AsyncIterable<Uint8Array>;

  /**
   * Puts a file in place in one step, if the path still holds version `expected` (`undefined`:
   * nothing); `false` where it does not. A reader sees the old content or the new, never a part.
   */
  safe_replace?(path: string, content: NewContent, expected: string | undefined, signal?: AbortSignal): Promise<boolean>;
  /** Removes the file if it still is version `expected`; `false` where it is not. */
  unlink?(path: string, expected: string): Promise<boolean>;
  /** Makes a directory in one that exists. */
  mkdir?(path: string): Promise<void>;
  /** Removes a directory if it is empty; `false` where it is not. */
  rmdir?(path: string): Promise<boolean>;
  /** Makes all that was written survive a power loss; left out where that is so at once. */
  flush?(): Promise<void>;
  /** A watcher; left out where the store cannot tell of changes. */
  watcher?(): Watcher | undefined;
}

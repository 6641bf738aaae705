/**
 * The port of a storage: a place that holds a tree of files. Every driver (local
 * file system, S3, memory) implements it and passes `describeStorageBackend`.
 *
 * Common rules
 * - Paths are `RelativePath`s; nothing a method does leaves the root, whatever the
 *   tree looks like meanwhile (INV-34).
 * - "Could not look" is never "is not there" (INV-8): failures reject with
 *   `BackendError` or show up as `unknown`, absence is only ever reported when seen.
 * - The area `RESERVED_NAME` at the root belongs to the backend: never listed, and
 *   `stat` of anything in it answers absent.
 * - All methods may be called concurrently for different paths.
 * - An `AbortSignal` stops early with a `BackendError` of code `cancelled`, leaving
 *   every visible file whole.
 */

import type { FileNode, Node, RelativePath, Result, Sha256, Token, UnknownReason } from '@wl/domain';

import type { BackendError } from './errors.js';
import type { Inbox } from './inbox.js';
import type { JoinedRows } from './joined-rows.js';
import type { Programs } from './programs.js';
import type { Watcher } from './watcher.js';

/** What an entry of a listing is; numbers, since a listing holds millions of them. */
export const EntryKind = { file: 0, directory: 1, unknown: 2 } as const;
/** One of the values of `EntryKind`. */
export type EntryKindValue = (typeof EntryKind)[keyof typeof EntryKind];

/**
 * A run of a listing, as parallel arrays of one length (an object per entry costs
 * more than reading the directory). Only files have token, size and mtime; the other
 * rows hold `''` and 0 there.
 */
export interface ListingBatch {
  /** Keys in key order (UTF-8 bytes, directories with a trailing `/`), also across batches, without repeats. */
  readonly keys: readonly string[];
  /** `EntryKind` of each. */
  readonly kinds: Uint8Array;
  readonly tokens: readonly string[];
  /** Sizes in bytes. */
  readonly sizes: Float64Array;
  /** Modification times in milliseconds since the epoch, with fraction. */
  readonly mtimes: Float64Array;
  /** 1 where the file changed so recently that a further change might keep its token. */
  readonly racy: Uint8Array;
  /**
   * Index → why. On an `unknown` entry: why there is no observation. On a directory:
   * its entries could not be enumerated (completely), everything below is unknown.
   */
  readonly reasons: ReadonlyMap<number, UnknownReason>;
  /**
   * `keys` and `tokens` once more, joined; the arrays may then be made when they are asked for.
   * Only where each row is a file with a token or a directory without a reason, so that equal
   * text means equal rows. Worth it where runs end at keys that say so (`endsRun`).
   */
  readonly joined?: JoinedRows;
}

/** A name that no key can be made of, reported beside the listing (T75). */
export interface UnrepresentableName {
  /** The directory that holds it. */
  readonly directory: RelativePath;
  /** The name with what is not Unicode replaced by U+FFFD, for display. */
  readonly display: string;
}

/** Options of `list`. */
export interface ListOptions {
  readonly signal?: AbortSignal;
  /** Called for names that cannot be expressed as a path; they are not part of the listing. */
  readonly onUnrepresentable?: (name: UnrepresentableName) => void;
  /**
   * Directories whose content need not be listed. An optimisation that a backend may
   * leave out: the caller drops what lies below by itself.
   */
  readonly prune?: PathFilter;
}

/** The container's ignore rules. `patterns` (gitignore syntax) are there so that they can cross a thread. */
export interface PathFilter {
  readonly patterns: readonly string[];
  /** Whether the rules leave out this path (its ancestors were asked before and are not ignored). */
  ignores(path: RelativePath, isDirectory: boolean): boolean;
}

/** What a file's content hash turned out to be, or why there is none. */
export type HashOutcome =
  | { readonly kind: 'hashed'; readonly node: FileNode & { readonly hash: Sha256 } }
  | { readonly kind: 'absent' }
  /** Kept changing while it was read. */
  | { readonly kind: 'changing' }
  | { readonly kind: 'unknown'; readonly reason: UnknownReason; readonly message: string };

/** Answer of a conditional operation whose condition no longer held: observe again, reconcile again. */
export interface StaleToken {
  readonly kind: 'stale-token';
  /**
   * Where a version that was in the way was put, when it could not be left in place
   * (below the trash, relative to the root). Nothing is lost, the user must be told.
   */
  readonly leftover?: string;
}

/** A file as committed. */
export interface Committed {
  readonly token: Token;
  readonly isRacy: boolean;
}

/** Properties of a file's version that travel with its content. */
export interface FileAttributes {
  /** Modification time to give the file, milliseconds since the epoch, with fraction; ignored when not finite or out of range. */
  readonly mtimeMs: number;
  /** Whether a local copy should be executable. */
  readonly isExecutable?: boolean;
  /**
   * The content itself, where it is known before the bytes are. From a reader: what the store
   * recorded of this very version; other bytes are damaged ones. To a writer: what will be
   * written; a store that has to name it beforehand can do better with it (`hashFirstBytes`).
   */
  readonly content?: ContentIdentity;
}

/** Bytes by their hash and number. */
export interface ContentIdentity {
  readonly sha256: Sha256;
  readonly sizeBytes: number;
}

/** A file opened for reading one version of it. */
export interface FileReader {
  readonly attributes: FileAttributes;
  /** The bytes, once, in order. A failure in the middle rejects the iteration; a short read is a failure (INV-27, T41). */
  chunks(): AsyncIterable<Uint8Array>;
  /**
   * After the last chunk: whether what was read is one version, still the one expected.
   * `false` means the file changed while it was read; discard the bytes (T42).
   */
  isUnchanged(): Promise<boolean>;
  close(): Promise<void>;
}

/** A replacement being written. Nothing is visible before `commit`. */
export interface FileWriter {
  write(chunk: Uint8Array): Promise<void>;
  /**
   * Verifies that what was stored has `sha256` and `sizeBytes`, then shows it in one step,
   * only if the path still holds the expected version (INV-6, INV-17, INV-27).
   * Rejects with `damaged` when the stored bytes differ.
   */
  commit(content: ContentIdentity): Promise<Result<Committed, StaleToken>>;
  /** Drops everything written; safe to call at any time, also after `commit` (then it does nothing). */
  abort(): Promise<void>;
}

/** One file to be copied by `copyFrom`. */
export interface CopyRequest {
  readonly path: RelativePath;
  /** Where in the source the content is; default: the same path. A storage copies from itself under another name so (moves and duplicates). */
  readonly fromPath?: RelativePath;
  /**
   * The version to copy; where its hash is given, what is copied is verified to have it
   * (INV-27). A store that would have to transfer it all for that (`hashesByTransfer`) verifies
   * that it is this version, which the hash belongs to.
   */
  readonly from: FileNode;
  /** What the target is expected to hold: this version, or nothing. */
  readonly replaces: FileNode | undefined;
  /**
   * What to give the copy, as to `openForSafeReplace`; default: what the version copied has.
   * With it, only token, size and hash of `from` count.
   */
  readonly attributes?: FileAttributes;
}

/** What became of one `CopyRequest`. */
export type CopyOutcome =
  | {
      readonly kind: 'copied';
      readonly sha256: Sha256;
      readonly sizeBytes: number;
      readonly sourceToken: Token;
      readonly isSourceRacy: boolean;
      readonly targetToken: Token;
      readonly isTargetRacy: boolean;
    }
  /** The source is no longer the version asked for, or changed while being read. */
  | { readonly kind: 'source-changed' }
  /** The target is no longer as expected. */
  | { readonly kind: 'target-changed'; readonly leftover?: string }
  | { readonly kind: 'failed'; readonly error: BackendError };

/** A small file to be read whole. */
export interface WholeRead {
  readonly path: RelativePath;
  /** The version to read. */
  readonly expected: Token;
  readonly sizeBytes: number;
}

/** What became of one `WholeRead`. */
export type WholeReadOutcome =
  | {
      readonly kind: 'read';
      /** All of it; the caller may keep it. */
      readonly content: Uint8Array;
      /** Computed from `content`. */
      readonly sha256: Sha256;
      readonly attributes: FileAttributes;
      readonly isRacy: boolean;
    }
  /** It is another version, or changed while it was read, or is gone. */
  | { readonly kind: 'changed' }
  | { readonly kind: 'failed'; readonly error: BackendError };

/** A small file to be written whole; conditions as of `openForSafeReplace`. */
export interface WholeWrite {
  readonly path: RelativePath;
  readonly expected: Token | undefined;
  readonly content: Uint8Array;
  /** Of `content`; what is stored is verified to have it. */
  readonly sha256: Sha256;
  readonly attributes: FileAttributes;
}

/** What became of one `WholeWrite`. */
export type WholeWriteOutcome =
  | ({ readonly kind: 'written' } & Committed)
  | { readonly kind: 'stale'; readonly leftover?: string }
  | { readonly kind: 'failed'; readonly error: BackendError };

/**
 * Small files read and written whole, many at a time: what a stream costs for each would be
 * more than the file (ADR 0003). The same conditions and verification hold as for `read` and
 * `openForSafeReplace`, file by file; one that fails stops no other (INV-16).
 */
export interface WholeFiles {
  /** Largest file taken, in bytes. */
  readonly maxBytes: number;
  /** Reads all, in any order, each index once; reads ahead only so far that memory stays bounded (INV-40). Rejects only when stopped. */
  read(requests: readonly WholeRead[], signal?: AbortSignal): AsyncIterable<readonly { readonly index: number; readonly outcome: WholeReadOutcome }[]>;
  /** Writes all; one outcome each, in order. Several calls may run at once. Rejects only when stopped. */
  write(requests: readonly WholeWrite[], signal?: AbortSignal): Promise<readonly WholeWriteOutcome[]>;
}

/** What trying one ability of a storage showed. */
export interface AbilityReport {
  /** Short name for people: `create only if absent`. */
  readonly ability: string;
  readonly outcome: 'works' | 'missing' | 'not-tried';
  /** One sentence: what was tried and answered; what is done instead where it is missing. */
  readonly detail: string;
}

/** What a root is known by; all ids of it. Two roots are the same when they share an id (`isSameRoot`). */
export interface RootIdentity {
  /**
   * Stable, opaque; e.g. `marker:<uuid>`, `inode:<n>:<birth>`. An id `place:…` says only where
   * the root is and not which: it counts as long as nothing else is known of the root. Never
   * empty for a root that is there.
   */
  readonly ids: readonly string[];
  /**
   * Where the storage really is, after resolving links, when that can be compared with
   * others of the same `type` (local: absolute real path). For refusing overlaps.
   */
  readonly location: string;
}

/** In what this storage differs; callers branch on these, never on an adapter's name (INV-26). */
export interface StorageCapabilities {
  /** Writing methods reject with `read-only`. */
  readonly isReadOnly: boolean;
  /** `commit` over an existing file: `atomic` = compare and swap in one step; `checked` = look, swap, look again, both versions kept; `window` = a concurrent write between look and swap may be moved to the trash. */
  readonly replace: 'atomic' | 'checked' | 'window';
  /** The same for `remove`. */
  readonly remove: 'atomic' | 'checked' | 'window';
  /** Whether two names that differ only in case can stand side by side. */
  readonly isCaseSensitive: boolean;
  /** Whether directories exist by themselves (an object store may not keep empty ones). */
  readonly keepsEmptyDirectories: boolean;
  /** Whether replaced and removed versions are kept in a trash. */
  readonly hasTrash: boolean;
  /**
   * Files of at least this many bytes are written better when `FileAttributes.content` tells
   * beforehand what they will be; absent: never.
   */
  readonly hashFirstBytes?: number;
  /**
   * Files of at least this many bytes whose content the storage holds under another name are
   * better copied within it (`copyFrom` of itself) than written anew; absent: none.
   */
  readonly copyWithinBytes?: number;
  /**
   * Hashing a file here that the store keeps no hash of means transferring all of it, so that
   * nothing is gained by asking for a hash to save a transfer; absent: it is read where it lies.
   */
  readonly hashesByTransfer?: boolean;
  /** Downgrades a user should know of, one sentence each; empty when all is at its best. */
  readonly notes: readonly string[];
}

/** A place that holds a tree of files. */
export interface StorageBackend {
  /** Name of this storage in the container; key of its hash cache. */
  readonly backendId: string;
  /** Driver name from the manifest (`local`, `s3`, …). */
  readonly type: string;
  /** Human-readable place, without secrets: a path or a URL. */
  readonly displayLocation: string;
  /** Valid after `open`. */
  readonly capabilities: StorageCapabilities;

  /**
   * Makes the storage usable: checks the root, probes capabilities, removes staging
   * leftovers of an earlier crash that are recognisably ours, purges expired trash.
   * Rejects with `not-found` when the root is missing. Idempotent.
   *
   * A storage in whose place another root can come to stand, as an empty mount point where a
   * disk was, is tied to the one it was opened on: until it is opened again, operations on
   * another one reject with `not-found`, also if it is gone again before anybody looks (T04).
   */
  open(signal?: AbortSignal): Promise<void>;
  /** Releases everything; running operations are aborted. Idempotent. */
  close(): Promise<void>;

  /**
   * Looks at the root now, not at a remembered one (INV-10), nor only at the one that was
   * opened. With `mark`, first gives the root a marker if it has none and can be written.
   * Rejects when the root cannot be seen.
   */
  rootIdentity(options: { readonly mark: boolean }): Promise<RootIdentity>;

  /**
   * Lists everything below `directory` (not itself), recursively, in key order.
   *
   * Ends normally only when the whole subtree was enumerated; single places that could
   * not be are in the batches as `unknown` or directories with a reason. Rejects (from the
   * iteration) when the enumeration as a whole failed: then nothing may be concluded (T01–T06).
   * A `directory` that is not there rejects with `not-found`. Links are not followed.
   */
  list(directory: RelativePath, options?: ListOptions): AsyncIterable<ListingBatch>;

  /**
   * Observes one path; the hash is left `undefined` unless the store keeps one with the
   * version. Names are compared exactly: on a case-insensitive storage an entry of another
   * spelling answers `unknown: name-collision` (T73). Links are not followed.
   */
  stat(path: RelativePath): Promise<Node>;

  /** Token of the file at `path`, `undefined` where there is none (absent, or no file). */
  getFileToken(path: RelativePath): Promise<Token | undefined>;

  /**
   * Hashes the content of files; one outcome per path, in order. Each hash belongs to the
   * one version whose node is returned with it: a file that changes meanwhile is read again
   * a few times, then answers `changing`.
   */
  getHashes(paths: readonly RelativePath[], signal?: AbortSignal): Promise<readonly HashOutcome[]>;

  /** Opens version `expected` for reading; `stale-token` when the file is no longer that version. */
  read(path: RelativePath, expected: Token, signal?: AbortSignal): Promise<Result<FileReader, StaleToken>>;

  /**
   * Starts to replace the file at `path` if it still is version `expected` at commit
   * (compare-and-swap); `expected: undefined` means create, nothing of that name may exist.
   * The parent directory must exist. What is replaced goes to the trash.
   */
  openForSafeReplace(
    path: RelativePath,
    expected: Token | undefined,
    attributes: FileAttributes,
    signal?: AbortSignal,
  ): Promise<FileWriter>;

  /** Moves the file at `path` to the trash if it still is version `expected`. A missing file answers `stale-token`. */
  remove(path: RelativePath, expected: Token): Promise<Result<void, StaleToken>>;

  /**
   * Makes the directory `path`; its parent must exist. Succeeds when it is there already
   * (INV-18); anything else of that name answers `exists`. `like`: a storage that shows a
   * directory at that path too; where both are of a kind that has permissions, those of a new one
   * are the same, else those of whatever is made there.
   */
  makeDirectory(path: RelativePath, like?: StorageBackend): Promise<Result<void, 'exists' | 'parent-missing'>>;

  /** Removes the directory `path` if it is empty. Missing already is success (INV-18). */
  removeDirectory(path: RelativePath): Promise<Result<void, 'not-empty' | 'not-a-directory'>>;

  /** Makes everything committed so far survive a power loss. INV-15: the baseline is written after this. */
  flush(): Promise<void>;

  /** Small files in bulk, where the storage has a better way for them. */
  readonly wholeFiles?: WholeFiles;

  /** Files that another program brings; storages on a disk of this machine have it. */
  readonly inbox?: Inbox;

  /** Which files are programs, where the storage keeps that and its tokens tell it. Valid after `open`. */
  readonly programs?: Programs | undefined;

  /** Tries out what the storage can do and tells, in the order of a report; nothing of it is left behind. */
  check?(signal?: AbortSignal): Promise<readonly AbilityReport[]>;

  /** An efficient watcher of this storage, or `undefined` where it has none (the interval watcher serves then). */
  watcher(): Watcher | undefined;

  /**
   * Copies files from `source` within one medium, without passing their bytes through the
   * caller (a kernel copy, a server-side copy), under the same conditions and verification as
   * `read` + `openForSafeReplace`. Yields outcomes with the index of their request as they
   * are committed, each exactly once, in any order. Parent directories must exist.
   * Returns `undefined` when it has no such way from that source.
   */
  copyFrom?(
    source: StorageBackend,
    requests: readonly CopyRequest[],
    signal?: AbortSignal,
  ): AsyncIterable<readonly { readonly index: number; readonly outcome: CopyOutcome }[]> | undefined;

  /**
   * Files of at least this many bytes are better copied from another storage by `copyFrom` than read there and written
   * here, as far as both take them whole; absent: all.
   */
  readonly copyFromBytes?: number | undefined;

  /** Whether time is gained when a second `copyFrom` begins before the first has ended: one waits for the medium while the other reads and writes. */
  readonly overlapsCopies?: boolean;
}

/** The type of `StorageBackend.copyFrom`. */
export type CopyFrom = NonNullable<StorageBackend['copyFrom']>;

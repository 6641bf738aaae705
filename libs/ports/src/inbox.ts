/**
 * Files that another program brings: a storage on a disk of this machine offers a directory of its
 * own on that disk, somebody fills it, and the storage takes the files from it one by one, verified and
 * under the same conditions as what is written through it. Nothing shows before.
 */

import type { RelativePath, Sha256, Token } from '@wl/domain';

import type { BackendError } from './errors.js';
import type { Committed } from './storage-backend.js';

/** One file that lies in the inbox under its own path. */
export interface InboxItem {
  readonly path: RelativePath;
  /** What the path is expected to hold now; `undefined`: nothing. */
  readonly expected: Token | undefined;
  /** Of what was to be brought; what lies there is verified to have it (INV-27). */
  readonly sha256: Sha256;
  readonly sizeBytes: number;
}

/** What became of one `InboxItem`. */
export type InboxOutcome =
  | ({ readonly kind: 'taken' } & Committed)
  /** Nothing of that path lies in the inbox. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'stale'; readonly leftover?: string }
  | { readonly kind: 'failed'; readonly error: BackendError };

/** The inbox of a storage. Several may be open at once; each is one caller's. */
export interface Inbox {
  /** Makes an empty directory on the storage's disk and answers its absolute path. What a crash leaves of it is removed with other unfinished files. */
  open(): Promise<string>;
  /** Moves files from an open inbox to their places; time and permissions go along. One outcome each, in order. Rejects only when stopped. */
  take(directory: string, items: readonly InboxItem[], signal?: AbortSignal): Promise<readonly InboxOutcome[]>;
  /** Removes it with all that is left in it. */
  close(directory: string): Promise<void>;
}

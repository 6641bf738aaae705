/**
 * The port of the hash cache: (backend id, path, token) → SHA-256. It may be dropped at
 * any time at the cost of time only, and a hit counts only while the token is unchanged
 * (INV-24). Racy tokens are never put in.
 */

import type { RelativePath, Sha256, Token } from '@wl/domain';

/** One remembered hash. */
export interface HashCacheEntry {
  readonly path: RelativePath;
  readonly token: Token;
  readonly hash: Sha256;
}

/** Remembers content hashes of one base directory. Failures are swallowed by the implementation: a cache may forget. */
export interface HashCache {
  get(backendId: string, path: RelativePath, token: Token): Sha256 | undefined;
  /** One entry per path is kept, the latest. */
  putMany(backendId: string, entries: readonly HashCacheEntry[]): void;
  /** Drops entries of a backend (`wl container list-conflicts --force-scan`, a deleted storage). */
  drop(backendId: string): void;
}

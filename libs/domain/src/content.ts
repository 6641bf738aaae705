/**
 * What is known of the content at a path: hashes, tokens, and the three values of
 * an observation. INV-8: "unknown" is a value of its own and never reads as absent.
 */

import type { RelativePath } from './path.js';
import { invariant } from './result.js';

declare const brand: unique symbol;

/** SHA-256 of a file's bytes: 64 lower-case hex digits. Never an ETag. */
export type Sha256 = string & { readonly [brand]: 'Sha256' };

/**
 * Opaque stamp of one version of a file on one storage; compared for equality only.
 * An equal token may save a hash, it never decides a winner (INV-24).
 */
export type Token = string & { readonly [brand]: 'Token' };

/** A token that equals no other: stands where a version must be looked at again (a racily clean file). */
export const NO_TOKEN = '' as Token;

/** Begins every other token that equals no version's: one that tells something of a version which must be looked at again. */
export const UNTRUSTED = '?';

/** Whether a token that was written down may still be that of a version. */
export function isTrusted(token: Token): boolean {
  return token !== NO_TOKEN && !token.startsWith(UNTRUSTED);
}

/** The two ends of a job. In a two-way job they carry no priority. */
export type SideName = 'source' | 'target';

/** The other end. */
export function otherSide(side: SideName): SideName {
  return side === 'source' ? 'target' : 'source';
}

/** Turns 64 hex digits into a hash; throws on anything else. */
export function toSha256(hex: string): Sha256 {
  invariant(/^[0-9a-f]{64}$/.test(hex), 'a SHA-256 is 64 lower-case hex digits');
  return hex as Sha256;
}

/** Why a place could not be observed or cannot be synced; append-only. */
export type UnknownReason =
  | 'permission-denied'
  | 'read-error'
  | 'vanished'
  | 'listing-incomplete'
  | 'symlink'
  | 'special-file'
  | 'other-file-system'
  | 'name-not-unicode'
  | 'name-not-representable'
  | 'name-collision'
  | 'file-and-directory'
  | 'too-deep'
  | 'changing';

/** Reasons that lie in what the entry *is*, not in a failure to look: listed as skipped, not as problems. */
export const SKIP_REASONS: ReadonlySet<UnknownReason> = new Set<UnknownReason>([
  'symlink',
  'special-file',
  'other-file-system',
]);

/** A file as a storage showed it. `hash` is present once it was computed or taken from a matching token. */
export interface FileNode {
  readonly kind: 'file';
  readonly token: Token;
  readonly sizeBytes: number;
  /** Modification time in milliseconds since the epoch, with fraction; a hint only. */
  readonly mtimeMs: number;
  readonly hash: Sha256 | undefined;
  /** Changed so recently, or still in somebody's hands, that a further change might keep the token (git: racily clean). */
  readonly isRacy: boolean;
}

/** A directory. `unlisted`: its entries could not be enumerated to the end, so everything below is unknown (INV-8). */
export interface DirectoryNode {
  readonly kind: 'directory';
  readonly unlisted?: UnknownReason;
}

/** What one storage holds at one path. */
export type Node =
  | { readonly kind: 'absent' }
  | FileNode
  | DirectoryNode
  | { readonly kind: 'unknown'; readonly reason: UnknownReason }
  | { readonly kind: 'ignored' };

/** What both storages last agreed on at a path; `absent` means they never did. */
export type BaselineNode =
  | { readonly kind: 'absent' }
  | { readonly kind: 'file'; readonly hash: Sha256; readonly sizeBytes: number }
  | { readonly kind: 'directory' };

/** Shared instances: the common nodes carry no data. */
export const ABSENT = { kind: 'absent' } as const;
/** A directory, present. */
export const DIRECTORY = { kind: 'directory' } as const;
/** A path that the container's rules leave out. */
export const IGNORED = { kind: 'ignored' } as const;

/** Anything with a content: a file of a storage or of the baseline. */
export interface Content {
  readonly sizeBytes: number;
  readonly hash: Sha256 | undefined;
}

/**
 * Whether two files hold the same bytes. Different sizes settle it; otherwise both
 * hashes must be known (`hashesNeeded` says beforehand which to compute).
 */
export function sameContent(a: Content, b: Content): boolean {
  if (a.sizeBytes !== b.sizeBytes) return false;
  invariant(a.hash !== undefined && b.hash !== undefined, 'INV-24: content compared by something else than its hash');
  return a.hash === b.hash;
}

/**
 * Which sides must be hashed before `reconcile` can decide: those whose size equals that
 * of something they are to be compared with and whose hash is unknown. `known` is the
 * recorded conflict of the path: where one side is gone, the other is compared with the
 * version that was shown (INV-36), and without its hash the user's choice would go unseen.
 */
export function hashesNeeded(
  baseline: BaselineNode,
  source: Node,
  target: Node,
  known?: { readonly source: Version; readonly target: Version },
): { source: boolean; target: boolean } {
  const needs = (file: Node, other: Node, shown: Version | undefined): boolean => {
    if (file.kind !== 'file' || file.hash !== undefined) return false;
    const isOfSize = (content: { readonly kind: string; readonly sizeBytes?: number } | undefined): boolean =>
      content?.kind === 'file' && content.sizeBytes === file.sizeBytes;
    return isOfSize(other) || isOfSize(baseline) || (other.kind === 'absent' && isOfSize(shown));
  };
  return { source: needs(source, target, known?.source), target: needs(target, source, known?.target) };
}

/** One version as conflicts and reports show it. */
export type Version =
  | { readonly kind: 'absent' }
  | { readonly kind: 'directory' }
  | { readonly kind: 'file'; readonly sha256: Sha256 | undefined; readonly sizeBytes: number };

/** The version a node shows; unknown and ignored nodes have none. */
export function versionOf(node: Node): Version | undefined {
  switch (node.kind) {
    case 'absent':
    case 'directory':
      return { kind: node.kind };
    case 'file':
      return { kind: 'file', sha256: node.hash, sizeBytes: node.sizeBytes };
    default:
      return undefined;
  }
}

/** A place on one side that was skipped or could not be looked at. */
export interface Unsynced {
  readonly path: RelativePath;
  readonly side: SideName;
  readonly reason: UnknownReason;
}

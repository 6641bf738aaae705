/**
 * The plan of a pass as data: what the planner is fed, one key at a time, and the steps it
 * answers with. What each step does to the sides and to the baseline is in SPEC.md.
 */

import type { BaselineNode, DirectoryNode, FileNode, Node, SideName, UnknownReason } from './content.js';
import type { Key, RelativePath } from './path.js';
import type { ConflictCause } from './reconcile.js';

/** One key of the merged streams. A side is absent where its listing has no such key. */
export interface Triple {
  readonly key: Key;
  readonly baseline: BaselineNode;
  readonly source: Node;
  readonly target: Node;
}

/** What keeps a directory from being deleted. */
export type Survivor = 'conflict' | 'blocked' | 'ignored' | 'left-alone';

/** One step of a plan. Paths are complete, from the root. */
export type PlanItem =
  /** The same file on both sides, as the baseline says; tokens may have moved on. */
  | { readonly kind: 'in-sync'; readonly path: RelativePath; readonly source: FileNode; readonly target: FileNode }
  | {
      readonly kind: 'adopt';
      readonly path: RelativePath;
      readonly source: FileNode | DirectoryNode;
      readonly target: FileNode | DirectoryNode;
    }
  /** The baseline drops this row and, for a directory's key, everything below it. */
  | { readonly kind: 'forget'; readonly key: Key }
  | { readonly kind: 'make-directory'; readonly on: SideName; readonly path: RelativePath }
  | {
      readonly kind: 'copy-file';
      readonly to: SideName;
      readonly path: RelativePath;
      readonly from: FileNode;
      readonly replaces: FileNode | undefined;
    }
  | { readonly kind: 'delete-file'; readonly on: SideName; readonly path: RelativePath; readonly node: FileNode }
  | { readonly kind: 'delete-directory'; readonly on: SideName; readonly path: RelativePath }
  /** A directory deleted on the other side stays on `on`, because of what it still holds. */
  | { readonly kind: 'keep-directory'; readonly on: SideName; readonly path: RelativePath; readonly because: Survivor }
  | {
      readonly kind: 'conflict';
      readonly path: RelativePath;
      readonly cause: ConflictCause;
      readonly source: Node;
      readonly target: Node;
    }
  | { readonly kind: 'blocked'; readonly path: RelativePath; readonly side: SideName; readonly reason: UnknownReason };

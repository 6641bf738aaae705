/**
 * Three-way reconciliation of one name: given what both storages last agreed on and
 * what each holds now, say what to do. Pure and total: no clock, no I/O (INV-1).
 *
 * INV-5: content is overwritten or deleted only where it equals the baseline.
 * INV-2: swapping the sides mirrors the decision (two-way).
 * INV-37: in a one-way job no decision writes to the source.
 * Source: Pierce & Vouillon, "What's in Unison?", MS-CIS-03-36, 2004; the table is in SPEC.md.
 * Rules for what lies below a directory are in `tree-planner.ts`.
 */

import { otherSide, sameContent, type BaselineNode, type Node, type SideName, type Version } from './content.js';

/** Why a name is in conflict; append-only. */
export type ConflictCause =
  | 'both-created'
  | 'both-changed'
  | 'changed-and-deleted'
  | 'file-against-directory'
  | 'name-collision'
  | 'target-changed';

/** What to do about one name. */
export type Decision =
  /** Both sides hold what the baseline says. */
  | { readonly kind: 'in-sync' }
  /** Both sides hold the same; the baseline must learn it (INV-19). */
  | { readonly kind: 'adopt' }
  /** Neither side has it; the baseline must forget it. */
  | { readonly kind: 'forget' }
  /** Left out by the rules: the baseline forgets it, both sides keep what they have (INV-14). */
  | { readonly kind: 'ignored' }
  /** Bring the file or directory of the other side to `to`. */
  | { readonly kind: 'copy'; readonly to: SideName }
  /** Remove from `on` what still is the baseline's. */
  | { readonly kind: 'delete'; readonly on: SideName }
  /** Only the target of a one-way job has it: it stays. */
  | { readonly kind: 'left-alone' }
  /** Nothing changes on either side, nor in the baseline (INV-7). */
  | { readonly kind: 'conflict'; readonly cause: ConflictCause }
  /** `side` could not be observed, or holds what cannot be synced: nothing changes (INV-8). The source where it is both. */
  | { readonly kind: 'blocked'; readonly side: SideName };

/** A conflict as it was recorded: the versions the user was shown. */
export interface KnownConflict {
  readonly source: Version;
  readonly target: Version;
}

/** Decides one name of a two-way job. `known` is the recorded conflict of this path, if there is one. */
export function reconcile(baseline: BaselineNode, source: Node, target: Node, known?: KnownConflict): Decision {
  // Where one side could not be looked at, nothing at all is known to be true.
  if (source.kind === 'unknown') return { kind: 'blocked', side: 'source' };
  if (target.kind === 'unknown') return { kind: 'blocked', side: 'target' };
  if (source.kind === 'ignored' || target.kind === 'ignored') return { kind: 'ignored' };

  // Agreement first: sides that reached the same state by different routes have
  // nothing to exchange, only a stale baseline to replace.
  if (sameNode(source, target)) {
    if (sameNode(source, baseline)) return { kind: 'in-sync' };
    return source.kind === 'absent' ? { kind: 'forget' } : { kind: 'adopt' };
  }

  // A choice made in a known conflict: one of the two shown versions was removed.
  if (known !== undefined) return reconcileKnown(baseline, source, target, known);

  return reconcileDiffering(baseline, source, target);
}

/** Decides one name of a one-way job: what `reconcile` says, without ever writing to the source. */
export function reconcileOneWay(baseline: BaselineNode, source: Node, target: Node): Decision {
  const decision = reconcile(baseline, source, target);
  switch (decision.kind) {
    case 'copy':
      if (decision.to === 'target') return decision;
      // The target alone has something: new there, or changed there since the last agreement.
      return source.kind === 'absent' ? { kind: 'left-alone' } : { kind: 'conflict', cause: 'target-changed' };
    case 'delete':
      // Gone from the target only: creating it again can overwrite nothing.
      return decision.on === 'target' ? decision : { kind: 'copy', to: 'target' };
    case 'conflict':
      if (decision.cause !== 'changed-and-deleted') return decision;
      // Changed on the source, gone from the target: the source's word is final and nothing is in its way.
      return target.kind === 'absent' ? { kind: 'copy', to: 'target' } : decision;
    default:
      return decision;
  }
}

/** Both sides differ and at least one is present; nothing is known beyond the baseline. */
function reconcileDiffering(baseline: BaselineNode, source: ObservedNode, target: ObservedNode): Decision {
  if (source.kind !== 'absent' && target.kind !== 'absent' && source.kind !== target.kind) {
    return { kind: 'conflict', cause: 'file-against-directory' };
  }

  // They differ, so at most one still equals the baseline: the other one moved.
  if (sameNode(source, baseline)) return propagate('source', target);
  if (sameNode(target, baseline)) return propagate('target', source);

  // Both moved. A deletion against an edit is a conflict too: an edit that wins
  // silently undoes someone's decision.
  if (source.kind === 'absent' || target.kind === 'absent') return { kind: 'conflict', cause: 'changed-and-deleted' };
  return { kind: 'conflict', cause: baseline.kind === 'absent' ? 'both-created' : 'both-changed' };
}

/**
 * INV-36: a conflict ends by equality (handled before) or by removing one of the two shown
 * versions while the other still is the one shown: then that one is copied back. Anything
 * else keeps the conflict, with what is there now as the versions to choose from.
 */
function reconcileKnown(baseline: BaselineNode, source: ObservedNode, target: ObservedNode, known: KnownConflict): Decision {
  for (const side of ['source', 'target'] as const) {
    const removed = side === 'source' ? source : target;
    const remaining = side === 'source' ? target : source;
    const isChoice =
      removed.kind === 'absent' && known[side].kind !== 'absent' && isVersion(remaining, known[otherSide(side)]);
    if (isChoice) return { kind: 'copy', to: side };
  }
  const plain = reconcileDiffering(baseline, source, target);
  if (plain.kind === 'conflict') return plain;
  // One side went back to the baseline: the other's change is no longer disputed. A removal
  // is no such return, it was dealt with above.
  if (source.kind !== 'absent' && target.kind !== 'absent') return plain;
  // A name collision shows no versions: nothing stands against a copy, which is refused where the
  // other name still is. A deletion waits: it may be half of a rename whose other half is not in sight.
  if (known.source.kind === 'absent' && known.target.kind === 'absent') {
    return plain.kind === 'copy' ? plain : { kind: 'conflict', cause: 'name-collision' };
  }
  return { kind: 'conflict', cause: 'changed-and-deleted' };
}

/** `unchanged` still holds the baseline; the other side's `change` wins. */
function propagate(unchanged: SideName, change: ObservedNode): Decision {
  return change.kind === 'absent' ? { kind: 'delete', on: unchanged } : { kind: 'copy', to: unchanged };
}

type ObservedNode = Exclude<Node, { kind: 'unknown' } | { kind: 'ignored' }>;

function sameNode(a: ObservedNode, b: ObservedNode | BaselineNode): boolean {
  if (a.kind !== b.kind) return false;
  return a.kind !== 'file' || b.kind !== 'file' || sameContent(a, b);
}

function isVersion(node: ObservedNode, version: Version): boolean {
  if (node.kind !== version.kind) return false;
  if (node.kind !== 'file' || version.kind !== 'file') return true;
  return node.sizeBytes === version.sizeBytes && node.hash !== undefined && node.hash === version.sha256;
}

/**
 * Looks at both roots before anything is concluded from what they hold (INV-10, INV-23):
 * an unmounted disk, a swapped stick or a recreated bucket halts the job. Where it is lost
 * which roots they were (T21), one that could be an empty mount point is not taken for new.
 */

import { isSameRoot, otherSide, ROOT, rootOverlap, type SideName } from '@wl/domain';
import { isBackendError, type BackendError, type Halt, type RootIdentity, type StorageBackend } from '@wl/ports';

import { describeSide, storageAt, type PassContext } from './pass-context.js';

/** What looking at the roots needs of a pass. */
export type RootContext = Pick<PassContext, 'source' | 'target' | 'pair' | 'isUnidirectional'> & { readonly signal?: AbortSignal | undefined };

const SIDES = ['source', 'target'] as const;

/** The identities of both roots, or why the job must halt. */
export type RootCheck =
  | { readonly ok: true; readonly source: RootIdentity; readonly target: RootIdentity }
  | { readonly ok: false; readonly halt: Halt };

/**
 * Compares both roots with those stored with the baseline, and with each other. Opens the
 * storages first, unless they were opened before in this pass.
 */
export async function checkRoots(context: RootContext, { isOpen = false } = {}): Promise<RootCheck> {
  const seen = judge(await lookAtRoots(context, { source: false, target: false }, isOpen), context);
  if (!seen.ok || !context.pair.summary().areRootsLost) return seen;
  const halt = await doubtfulRoot(seen, context);
  return halt === undefined ? seen : { ok: false, halt };
}

/** Marks both roots that may be written, looks whether they still are the right ones, and stores what they are known by. */
export async function markRoots(context: RootContext): Promise<RootCheck> {
  // INV-37: the source of a one-way job is never written, not even to be marked.
  const marked = judge(await lookAtRoots(context, { source: !context.isUnidirectional, target: true }, true), context);
  if (!marked.ok) return marked;
  const stored = context.pair.summary();
  const isNews =
    marked.source.ids.some((id) => !stored.sourceRootIds.includes(id)) ||
    marked.target.ids.some((id) => !stored.targetRootIds.includes(id));
  if (isNews) context.pair.setRoots(marked.source.ids, marked.target.ids);
  return marked;
}

function judge(seen: RootCheck, context: RootContext): RootCheck {
  if (!seen.ok) return seen;
  const stored = context.pair.summary();
  for (const side of SIDES) {
    const ids = side === 'source' ? stored.sourceRootIds : stored.targetRootIds;
    if (!isSameRoot(ids, seen[side].ids)) return { ok: false, halt: changedRoot(side, context) };
  }
  const overlap = overlapHalt(seen.source, seen.target, context);
  return overlap === undefined ? seen : { ok: false, halt: overlap };
}

async function lookAtRoots(context: RootContext, mark: Record<SideName, boolean>, isOpen: boolean): Promise<RootCheck> {
  const found: Partial<Record<SideName, RootIdentity>> = {};
  for (const side of SIDES) {
    const storage = storageAt(context, side);
    try {
      if (!isOpen) await storage.open(context.signal);
      found[side] = await storage.rootIdentity({ mark: mark[side] && !storage.capabilities.isReadOnly });
    } catch (error) {
      if (!isBackendError(error) || error.code === 'cancelled') throw error;
      return { ok: false, halt: unseenRoot(side, error, context) };
    }
  }
  return { ok: true, source: found.source!, target: found.target! };
}

/** The halt for a root that could be an empty mount point, where the other root could not. */
async function doubtfulRoot(seen: Record<SideName, RootIdentity>, context: RootContext): Promise<Halt | undefined> {
  const doubtful: SideName[] = [];
  for (const side of SIDES) {
    try {
      if (await isBlank(storageAt(context, side), seen[side], context.signal)) doubtful.push(side);
    } catch (error) {
      if (!isBackendError(error) || error.code === 'cancelled') throw error;
      return unseenRoot(side, error, context);
    }
  }
  // Where both are blank there is nothing that could be copied to the wrong place.
  return doubtful.length === 1 ? lostRoot(doubtful[0]!, context) : undefined;
}

/** Whether a root shows no sign of an earlier sync: it holds nothing, and no mark. */
async function isBlank(storage: StorageBackend, { ids }: RootIdentity, signal: AbortSignal | undefined): Promise<boolean> {
  if (ids.some((id) => id.startsWith('marker:'))) return false;
  let isEmpty = true;
  const onUnrepresentable = (): void => {
    isEmpty = false;
  };
  for await (const { keys } of storage.list(ROOT, { onUnrepresentable, ...(signal && { signal }) })) {
    if (keys.length > 0) return false;
  }
  return isEmpty;
}

/** What the user can do about a root that could not be looked at. */
export function adviceOnRoot(error: BackendError): string {
  if (isMissing(error)) return 'Connect or mount it, or create it if it is meant to be new';
  if (error.code === 'unauthorized') return 'Give it credentials that work';
  return error.code === 'unreachable' || error.code === 'throttled' ? 'Make it reachable' : 'Make it readable';
}

function unseenRoot(side: SideName, error: BackendError, context: RootContext): Halt {
  return {
    reason: isMissing(error) ? 'root-missing' : 'root-unreadable',
    side,
    message: `${describeSide(context, side)} cannot be used: ${error.message}. Nothing was changed on the ${otherSide(side)}. ${adviceOnRoot(error)}; the sync then goes on by itself.`,
  };
}

function isMissing({ code }: BackendError): boolean {
  return code === 'not-found' || code === 'not-a-directory';
}

function changedRoot(side: SideName, context: RootContext): Halt {
  return {
    reason: 'root-changed',
    side,
    message: `${describeSide(context, side)} is not the place it was at the last sync (another disk, or an empty mount point?). Nothing was changed. Bring the old one back, or, if the new one is meant, go on with --accept-new-root: both sides are then merged as at a first sync and nothing is deleted.`,
    option: '--accept-new-root',
  };
}

function lostRoot(side: SideName, context: RootContext): Halt {
  return {
    reason: 'root-changed',
    side,
    message: `${describeSide(context, side)} is empty, and what was stored of it was damaged, so that nobody can tell whether it is the right place (an empty mount point?). Nothing was changed. Connect or mount the right one; the sync then goes on by itself. If it is meant to be empty, go on with --accept-new-root: both sides are then merged as at a first sync and nothing is deleted.`,
    option: '--accept-new-root',
  };
}

function overlapHalt(source: RootIdentity, target: RootIdentity, context: RootContext): Halt | undefined {
  const isComparable = mediumOf(context.source.type) === mediumOf(context.target.type);
  const overlap = isComparable ? rootOverlap(source.location, target.location) : 'apart';
  const sharesPlace = isComparable && source.ids.some((id) => !id.startsWith('marker:') && target.ids.includes(id));
  if (overlap === 'apart' && !sharesPlace) return undefined;
  const how = overlap === 'nested' ? 'one lies inside the other' : 'both are the same place';
  return {
    reason: 'overlapping-roots',
    message: `${describeSide(context, 'source')} and ${describeSide(context, 'target')} cannot be synced with each other: ${how}. Choose two separate places.`,
  };
}

/** Names the place of a storage as far as its params tell: two that differ may still be one, behind a link. */
export function placeOf({ type, displayLocation }: StorageBackend): string {
  return `${mediumOf(type)} ${displayLocation}`;
}

/** All local types name places in one file system tree. */
function mediumOf(type: string): string {
  return type.startsWith('local') ? 'local' : type;
}

/**
 * Compares two storages now, without baseline and without changing anything: what both
 * have and hold differently (reference §13.7). What only one side has is no conflict.
 */

import { ABSENT, pathOfKey, ROOT, TreePlanner, versionOf, type Node, type PlanItem } from '@wl/domain';
import type { BaselineScan, HashCache, HashOutcome, PathFilter, StorageBackend } from '@wl/ports';
import type { StatusConflict } from '@wl/ports/schemas';

import { BaselineCursor } from './baseline-cursor.js';
import { ListingCursor } from './cursors.js';
import { conflictJson } from './job-status.js';
import { hashFiles } from './hashing.js';
import { joinStreams, type JoinedRow } from './join.js';
import { settleAll } from './run-all.js';

/** What to compare. */
export interface Comparison {
  readonly source: StorageBackend;
  readonly target: StorageBackend;
  readonly cache: HashCache;
  readonly filter: PathFilter | undefined;
  /** Read every file again instead of trusting remembered hashes. */
  readonly isForced: boolean;
  readonly signal?: AbortSignal;
}

const CHUNK_ROWS = 1024;

/** The conflicts there are now, in key order. Rejects when a storage cannot be listed. */
export async function compareNow(comparison: Comparison): Promise<StatusConflict[]> {
  const { source, target, filter, signal } = comparison;
  const options = { ...(signal && { signal }), ...(filter && { prune: filter }) };
  const planner = new TreePlanner(ROOT, { isUnidirectional: false, known: () => undefined });
  const items: PlanItem[] = [];
  const conflicts: StatusConflict[] = [];
  const cursors = [new ListingCursor(source.list(ROOT, options), filter), new ListingCursor(target.list(ROOT, options), filter)] as const;
  const joined = joinStreams(...cursors, new BaselineCursor(noRows()), { chunkRows: CHUNK_ROWS, deliverAll: false, onSeen: () => undefined, signal });
  const collect = (): void => {
    for (const item of items.splice(0)) {
      if (item.kind !== 'conflict') continue;
      conflicts.push(conflictJson({ path: item.path, reason: item.cause, source: shown(item.source), target: shown(item.target) }));
    }
  };
  try {
    for await (const chunk of joined) {
      for (const row of await withHashes(chunk, comparison)) planner.visit({ ...row, baseline: ABSENT }, items);
      collect();
    }
  } finally {
    await settleAll(cursors.map((cursor) => cursor.close()));
  }
  planner.finish(items);
  collect();
  return conflicts;
}

/** Hashes the files that both sides have. */
async function withHashes(chunk: readonly JoinedRow[], comparison: Comparison): Promise<JoinedRow[]> {
  const pairs = chunk.filter((row) => row.source.kind === 'file' && row.target.kind === 'file');
  const [sources, targets] = await Promise.all([
    hashSide(pairs, 'source', comparison),
    hashSide(pairs, 'target', comparison),
  ]);
  return chunk.map((row) => ({
    ...row,
    source: sources.get(row.key) ?? row.source,
    target: targets.get(row.key) ?? row.target,
  }));
}

async function hashSide(rows: readonly JoinedRow[], side: 'source' | 'target', comparison: Comparison): Promise<Map<string, Node>> {
  const storage = comparison[side];
  const nodes = new Map<string, Node>();
  const unread = rows.filter((row) => {
    const node = row[side];
    if (comparison.isForced || node.kind !== 'file' || node.isRacy) return true;
    const hash = comparison.cache.get(storage.backendId, pathOfKey(row.key), node.token);
    if (hash !== undefined) nodes.set(row.key, { ...node, hash });
    return hash === undefined;
  });
  const outcomes = await hashFiles(storage, unread.map((row) => pathOfKey(row.key)), comparison.signal);
  unread.forEach((row, i) => nodes.set(row.key, nodeOf(outcomes[i]!)));
  comparison.cache.putMany(
    storage.backendId,
    outcomes.flatMap((outcome, i) =>
      outcome.kind === 'hashed' && !outcome.node.isRacy
        ? [{ path: pathOfKey(unread[i]!.key), token: outcome.node.token, hash: outcome.node.hash }]
        : [],
    ),
  );
  return nodes;
}

function nodeOf(outcome: HashOutcome): Node {
  switch (outcome.kind) {
    case 'hashed':
      return outcome.node;
    case 'absent':
      return ABSENT;
    case 'changing':
      return { kind: 'unknown', reason: 'changing' };
    case 'unknown':
      return { kind: 'unknown', reason: outcome.reason };
  }
}

function shown(node: Node) {
  return versionOf(node) ?? ({ kind: 'absent' } as const);
}

/** Without a baseline. */
function* noRows(): BaselineScan {
  // A scan that is at its end at once.
}

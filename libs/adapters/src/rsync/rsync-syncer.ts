/**
 * The syncer `rsync`: one way, once, from wherever the source is mounted to a disk of this machine.
 * It plans nothing: the generic syncer decides which files are copied and keeps baseline, conflicts and
 * halts. rsync brings a batch of them into the inbox of the target; from there each is taken under
 * the usual conditions.
 *
 * INV-27: rsync is not believed. The source is asked for the hash of each file after rsync has read
 * it, and what lies in the inbox must have it. INV-17: what is replaced is compared by the target.
 */

import { BackendError, RSYNC_TRAITS, type BackendErrorCode, type CopyFrom, type CopyOutcome, type CopyRequest, type HashOutcome, type Inbox, type InboxOutcome, type StorageBackend, type SyncerDefinition } from '@wl/ports';

import { findProgram, runRsync, type RsyncEnd, type RunRsync } from './run-rsync.js';

/** What the syncer works with. */
export interface RsyncHost {
  /** `PATH` of the daemon. */
  readonly searchPath: string | undefined;
  readonly run?: RunRsync;
  readonly find?: () => string | undefined;
}

/** One run of rsync brings no more, so that staging stays small and outcomes come soon. */
const BATCH = { files: 2000, bytes: 512 << 20 } as const;

const MISSING = 'needs the program rsync, which is not installed (Debian: apt install rsync)';

/** The definition to register. */
export function rsyncSyncer({ searchPath, run = runRsync, find = () => findProgram('rsync', searchPath) }: RsyncHost): SyncerDefinition {
  return {
    traits: RSYNC_TRAITS,
    unfit: ({ target, isUnidirectional }) => {
      if (!isUnidirectional) return 'brings files in one direction only; add --unidirectional';
      if (target.inbox === undefined) return 'brings files to disks of this machine only';
      return find() === undefined ? MISSING : undefined;
    },
    create: ({ target, generic, mounts }) => {
      const { inbox } = target;
      if (generic === undefined || mounts === undefined || inbox === undefined) throw new Error('there are no mounts, or no generic syncer to build on');
      const from = mounts.source;
      const toTarget: CopyFrom = (source, requests, signal) => bring({ source, from, inbox, run, find, signal }, requests);
      return generic({ toTarget, areVerified: true });
    },
  };
}

interface Bringing {
  readonly source: StorageBackend;
  /** Where the source is mounted. */
  readonly from: string;
  readonly inbox: Inbox;
  readonly run: RunRsync;
  readonly find: () => string | undefined;
  readonly signal: AbortSignal | undefined;
}

type Outcomes = readonly { readonly index: number; readonly outcome: CopyOutcome }[];

/** All requests, batch by batch; each is answered once. Rejects only when stopped. */
async function* bring(bringing: Bringing, requests: readonly CopyRequest[]): AsyncGenerator<Outcomes> {
  for (let start = 0; start < requests.length; ) {
    const batch: CopyRequest[] = [];
    for (let bytes = 0; batch.length < BATCH.files && start + batch.length < requests.length; ) {
      const next = requests[start + batch.length]!;
      bytes += next.from.sizeBytes;
      if (bytes > BATCH.bytes && batch.length > 0) break;
      batch.push(next);
    }
    const outcomes = await bringBatch(bringing, batch);
    const first = start;
    yield outcomes.map((outcome, offset) => ({ index: first + offset, outcome }));
    start += batch.length;
  }
}

async function bringBatch(bringing: Bringing, batch: readonly CopyRequest[]): Promise<readonly CopyOutcome[]> {
  const { inbox } = bringing;
  let directory: string | undefined;
  try {
    directory = await inbox.open();
    const end = await fetch(bringing, directory, batch);
    return await take(bringing, directory, batch, end);
  } catch (error) {
    if (!(error instanceof BackendError) || error.code === 'cancelled') throw error;
    return batch.map(() => ({ kind: 'failed', error }));
  } finally {
    // What stays is in staging, which is swept.
    if (directory !== undefined) await inbox.close(directory).catch(() => undefined);
  }
}

async function fetch({ run, find, from, signal }: Bringing, to: string, batch: readonly CopyRequest[]): Promise<RsyncEnd> {
  const program = find();
  if (program === undefined) throw new BackendError('unsupported', { operation: 'copy', retryable: false }, { explanation: `the syncer rsync ${MISSING}` });
  let end: RsyncEnd;
  try {
    end = await run({ program, from, to, paths: batch.map(({ path, fromPath = path }) => fromPath), signal });
  } catch (error) {
    throw new BackendError('unsupported', { operation: 'copy', retryable: true }, { cause: error, explanation: `rsync cannot be started: ${error instanceof Error ? error.message : String(error)}` });
  }
  if (end.kind === 'stopped') throw new BackendError('cancelled', { operation: 'copy', retryable: false }, { explanation: 'stopped on request' });
  return end;
}

/** Takes what rsync has brought of the versions that were asked for. */
async function take({ source, inbox, signal }: Bringing, directory: string, batch: readonly CopyRequest[], end: RsyncEnd): Promise<readonly CopyOutcome[]> {
  const hashed = await source.getHashes(batch.map(({ path, fromPath = path }) => fromPath), signal);
  const wanted = batch.flatMap((request, index) => {
    const outcome = hashed[index];
    return outcome?.kind === 'hashed' && isVersion(outcome, request) ? [{ request, index, node: outcome.node }] : [];
  });
  const items = wanted.map(({ request: { path, replaces }, node }) => ({ path, expected: replaces?.token, sha256: node.hash, sizeBytes: node.sizeBytes }));
  const taken = await inbox.take(directory, items, signal);
  const outcomes = batch.map((request, index): CopyOutcome => notWanted(request, hashed[index]));
  for (const [position, { request, index, node }] of wanted.entries()) {
    outcomes[index] = outcomeOf(request, node, taken[position]!, end);
  }
  return outcomes;
}

type Hashed = Extract<HashOutcome, { readonly kind: 'hashed' }>;

function isVersion({ node }: Hashed, { from }: CopyRequest): boolean {
  return node.token === from.token && (from.hash === undefined || from.hash === node.hash);
}

/** The source is another version than asked for, or cannot be read. */
function notWanted({ path }: CopyRequest, hashed: HashOutcome | undefined): CopyOutcome {
  if (hashed?.kind !== 'unknown') return { kind: 'source-changed' };
  return { kind: 'failed', error: new BackendError('io-error', { operation: 'read', path, retryable: true }, { explanation: hashed.message }) };
}

function outcomeOf({ path, from }: CopyRequest, node: Hashed['node'], taken: InboxOutcome, end: RsyncEnd): CopyOutcome {
  switch (taken.kind) {
    case 'taken':
      return { kind: 'copied', sha256: node.hash, sizeBytes: node.sizeBytes, sourceToken: from.token, isSourceRacy: node.isRacy, targetToken: taken.token, isTargetRacy: taken.isRacy };
    case 'stale':
      return taken.leftover === undefined ? { kind: 'target-changed' } : { kind: 'target-changed', leftover: taken.leftover };
    case 'failed':
      return taken;
    case 'missing':
      return { kind: 'failed', error: notBrought(path, end) };
  }
}

/** The source still has it, and rsync did not bring it. */
function notBrought(path: string, end: RsyncEnd): BackendError {
  const [code, explanation] = end.kind === 'failed' ? meaningOf(end) : (['io-error', 'rsync did not bring it and did not say why; is what is mounted still this storage?'] as const);
  return new BackendError(code, { operation: 'copy', path, retryable: true }, { explanation });
}

/** What rsync's exit codes mean to a user, by rsync(1). */
function meaningOf({ code, words }: Extract<RsyncEnd, { readonly kind: 'failed' }>): readonly [BackendErrorCode, string] {
  const said = words === '' ? '' : `: ${words}`;
  const ended = code === undefined ? 'rsync was ended from outside' : `rsync ended with code ${String(code)}`;
  if (/No space left on device|Disk quota exceeded/.test(words)) return ['no-space', `${ended}${said}`];
  if (/Permission denied/.test(words)) return ['permission-denied', `${ended}${said}`];
  return ['io-error', `${ended}${said}`];
}

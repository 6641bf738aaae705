/**
 * One write of one key, whatever kind it is (a `PUT`, the completion of an upload, a copy):
 * keeps the version to be replaced, writes only over what was expected (INV-17), and finds out
 * what became of a write whose answer was lost (INV-18, T36).
 *
 * Three ways, best first:
 * - The server compares and writes in one step: nothing can come in between.
 * - The bucket keeps versions: write, then look which version lies below ours. If it is not the
 *   expected one, somebody wrote in between: our version is removed by its id and theirs shows
 *   again. Two machines that do this at once agree: the later one sees the earlier one's version
 *   below its own and gives way.
 * - Neither: look right before and right after. What is written by others between look and write
 *   is replaced unseen (`window`); what they write after us is noticed.
 */

import type { Condition, ListedVersion, ObjectHead, WriteAnswer } from '../s3-api.js';
import { S3Error } from '../s3-error.js';

import type { CheckedCondition } from './conditions.js';
import type { WriteContext } from './context.js';

/** One write. */
export interface Swap extends CheckedCondition {
  readonly key: string;
  /** ETag of the version to be replaced; `undefined`: nothing may be there. */
  readonly expected: string | undefined;
  /** Whether an object is what this attempt writes. */
  isOurs(head: ObjectHead): boolean;
  perform(condition: Condition): Promise<WriteAnswer>;
  /** What `keepOld` answered, where it was called before. */
  readonly kept?: Promise<Kept>;
  readonly signal: AbortSignal | undefined;
}

/** Whether the version to be replaced is in the trash now; `not-needed` where nothing is replaced, or the bucket keeps it itself. */
export type Kept = 'kept' | 'stale' | 'not-needed';

/** What is now at the key. */
export interface Stored {
  readonly kind: 'done';
  readonly etag: string;
  readonly versionId: string | undefined;
  /** The object, where it was looked at after it was written. */
  readonly head?: ObjectHead;
}

/** What became of a write. `stale`: nothing of it shows. */
export type SwapOutcome = Stored | { readonly kind: 'stale' };

/** Answer of an outcome that may still be told apart by whether the old version was left alone. */
export type Attempt = Stored | { readonly kind: 'stale'; readonly mayHaveReplaced: boolean };

const LEFT_ALONE = { kind: 'stale', mayHaveReplaced: false } as const;
const LOST_AFTERWARDS = { kind: 'stale', mayHaveReplaced: true } as const;

/** Pauses before an object is looked at again that does not show what was just written, in milliseconds (T36). */
const SECOND_LOOKS_MS = [100, 400, 1500];

/** Writes, if what is there is what was expected. */
export async function swapIn(context: WriteContext, swap: Swap): Promise<SwapOutcome> {
  const { key, expected, signal } = swap;
  const kept = await (swap.kept ?? keepOld(context, key, expected, signal));
  if (kept === 'stale') return { kind: 'stale' };
  const forgetKept = async (): Promise<void> => {
    if (kept === 'kept' && expected !== undefined) await context.unkeep(key, expected);
  };
  let isTurnedDown = false;
  // Only a failure of the write itself shows that nothing was replaced, not one of a look afterwards.
  const perform = async (condition: Condition): Promise<WriteAnswer> => {
    try {
      return await swap.perform(condition);
    } catch (error) {
      isTurnedDown = wasRefused(error);
      throw error;
    }
  };
  try {
    const watched = { ...swap, perform };
    const attempt = await (swap.isChecked ? compareAndWrite(context, watched) : lookAndWrite(context, watched));
    if (attempt.kind === 'done') return attempt;
    if (!attempt.mayHaveReplaced) await forgetKept();
    return { kind: 'stale' };
  } catch (error) {
    if (isTurnedDown) await forgetKept();
    throw error;
  }
}

/** Puts the version to be replaced in the trash. */
export async function keepOld(context: WriteContext, key: string, expected: string | undefined, signal: AbortSignal | undefined): Promise<Kept> {
  if (expected === undefined || context.abilities().isVersioned) return 'not-needed';
  return context.keep(key, expected, signal);
}

async function compareAndWrite(context: WriteContext, swap: Swap): Promise<Attempt> {
  const answer = await performOrRecognise(context, swap);
  if (answer.kind === 'done') return answer.etag === '' ? lookedUp(context, swap, answer) : answer;
  if (!answer.mayBeOurs) return LEFT_ALONE;
  const head = await lookAfter(context, swap);
  if (head !== undefined && swap.isOurs(head)) return stored(head);
  // What this attempt may have written was replaced by others already, or nothing was written.
  return LOST_AFTERWARDS;
}

async function lookAndWrite(context: WriteContext, swap: Swap): Promise<Attempt> {
  const { api } = context;
  const before = await api.headObject(swap.key, swap.signal);
  if (before?.etag !== swap.expected) return LEFT_ALONE;
  const answer = await performOrRecognise(context, swap);
  if (answer.kind === 'refused') return LEFT_ALONE;
  if (context.abilities().isVersioned) return giveWay(context, swap, answer);
  const isOurs = (head: ObjectHead): boolean => swap.isOurs(head) || (head.etag !== '' && head.etag === answer.etag);
  const after = await lookAfter(context, { ...swap, isOurs });
  return after !== undefined && isOurs(after) ? stored(after) : LOST_AFTERWARDS;
}

/**
 * What is at a key that was just written. A look that shows what the write has replaced is a
 * moment old (T36): it is repeated a few times before it is believed.
 */
export async function lookAfter({ api, clock }: WriteContext, { key, expected, isOurs, signal }: Pick<Swap, 'key' | 'expected' | 'isOurs' | 'signal'>): Promise<ObjectHead | undefined> {
  for (let turn = 0; ; turn += 1) {
    const head = await api.headObject(key, signal);
    const pauseMs = SECOND_LOOKS_MS[turn];
    const isOld = head?.etag === expected && (head === undefined || !isOurs(head));
    if (!isOld || pauseMs === undefined) return head;
    await clock.sleep(pauseMs, signal);
  }
}

/** Performs the write; when its answer does not come, looks whether it took effect before giving up. */
async function performOrRecognise(context: WriteContext, swap: Swap): Promise<WriteAnswer> {
  try {
    return await swap.perform(swap.condition);
  } catch (error) {
    if (!mayHaveTakenEffect(error) || swap.signal?.aborted === true) throw error;
    const seen = await context.api.headObject(swap.key, swap.signal).then((head) => ({ head }), () => undefined);
    if (seen?.head !== undefined && swap.isOurs(seen.head)) return stored(seen.head);
    // Ceph answers 500 to some of those that lose a race: what was expected is gone, whoever took it.
    if (seen !== undefined && swap.isChecked && seen.head?.etag !== swap.expected) return { kind: 'refused', mayBeOurs: true };
    throw error;
  }
}

/** Whether a request that failed may have been carried out: no answer, or one that says nothing. */
export function mayHaveTakenEffect(error: unknown): boolean {
  if (!(error instanceof S3Error)) return false;
  const { status } = error.details;
  return error.kind !== 'cancelled' && (status === undefined || status >= 500 || status === 408 || status < 400);
}

/** Whether a request that failed was turned down for sure (403, 400, …). */
function wasRefused(error: unknown): boolean {
  return error instanceof S3Error && error.kind !== 'cancelled' && !mayHaveTakenEffect(error);
}

/** Looks at an object that was just written, where the answer does not tell enough (Ceph gives no ETag for a completed upload). */
export async function lookedUp(context: WriteContext, swap: Pick<Swap, 'key' | 'isOurs' | 'signal'>, answer: Stored): Promise<Attempt> {
  for (let turn = 0; ; turn += 1) {
    const head = await context.api.headObject(swap.key, swap.signal);
    if (head !== undefined && swap.isOurs(head)) return { ...stored(head), versionId: head.versionId ?? answer.versionId };
    const pauseMs = SECOND_LOOKS_MS[turn];
    if (pauseMs === undefined) return LOST_AFTERWARDS;
    await context.clock.sleep(pauseMs, swap.signal);
  }
}

/** In a bucket with versions: whether ours lies on the expected one; if not, it is taken away again. */
async function giveWay(context: WriteContext, swap: Swap, answer: Stored): Promise<Attempt> {
  const { api } = context;
  const ours = answer.versionId === undefined || answer.etag === '' ? await latestIfOurs(context, swap) : answer;
  if (ours?.versionId === undefined) return LOST_AFTERWARDS;
  const versions = await api.listVersions(swap.key, swap.signal);
  const position = versions.findIndex(({ versionId }) => versionId === ours.versionId);
  // Removed by its id meanwhile: somebody gave it a look and wanted it gone.
  if (position < 0) return LOST_AFTERWARDS;
  if (isExpectedBelow(versions[position + 1], swap.expected)) return ours;
  await api.deleteObject(swap.key, { kind: 'none' }, ours.versionId, swap.signal);
  return LEFT_ALONE;
}

async function latestIfOurs(context: WriteContext, swap: Swap): Promise<Stored | undefined> {
  const head = await lookAfter(context, swap);
  return head !== undefined && swap.isOurs(head) ? stored(head) : undefined;
}

function isExpectedBelow(below: ListedVersion | undefined, expected: string | undefined): boolean {
  if (below === undefined || below.isDeleteMarker) return expected === undefined;
  return below.etag === expected;
}

function stored(head: ObjectHead): Stored {
  return { kind: 'done', etag: head.etag, versionId: head.versionId, head };
}

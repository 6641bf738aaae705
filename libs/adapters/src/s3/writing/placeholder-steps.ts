/**
 * Removing and writing under a placeholder, and clearing what a crash left (ADR 0011).
 *
 * Removing: the placeholder is swapped in for the expected version, then deleted. The swap
 * decides: whoever comes later finds another version than expected. Creating: the placeholder
 * is created where nothing is, then written over. A crash after the first step leaves a
 * placeholder, which is deleted by whoever finds it old: the removal it began is then complete,
 * the creation it began has left nothing. (An existing object is never replaced this way: a
 * crash would turn an edit into a removal.)
 *
 * The second step is unconditional, so it is sent at most once, only while the placement is
 * young, and is not repeated when its answer is lost: the first one may have freed the name,
 * and a second would hit what somebody put there since. Such a name is left to be cleared.
 */

import type { Condition, CopySource, ObjectHead, ObjectProperties, WriteAnswer } from '../s3-api.js';

import { S3Error } from '../s3-error.js';

import type { WriteContext } from './context.js';
import { isOfWrite } from './object-properties.js';
import { actInTime, isPlacement, LEFTOVER_AGE_MS, place, renewed, type Placement } from './placeholder-hold.js';
import { isPlaceholder } from './placeholder.js';
import { lookedUp, mayHaveTakenEffect, type SwapOutcome } from './swap.js';

/** For how long a step that was begun goes on after a stop, in milliseconds. */
const GRACE_MS = 5000;

const ONCE: Condition = { kind: 'none', isOnce: true };

/**
 * Removes the object `key` if it is version `etag`. The caller has put that version in the trash.
 * `stale`: it is another version, nothing was done. `overtaken`: it is another version or gone,
 * and this call may have removed `etag` before; what is in the trash has to stay there.
 * Rejects when it is not known whether the placeholder is gone; the removal itself is then done.
 */
export async function placeholderDelete(context: WriteContext, key: string, etag: string, signal?: AbortSignal): Promise<'done' | 'stale' | 'overtaken'> {
  return toItsEnd(context, signal, async (within) => {
    const placement = await place(context, key, etag, within);
    if (typeof placement !== 'object') return placement;
    await removePlacement(context, placement, within);
    return 'done';
  });
}

/** One write of a name where nothing is. */
export interface ReservedWrite {
  readonly key: string;
  isOurs(head: ObjectHead): boolean;
  /** Sent at most once. `stale`: the source of a copy is another version. */
  perform(condition: Condition, signal: AbortSignal): Promise<WriteAnswer | { readonly kind: 'stale' }>;
  readonly signal: AbortSignal | undefined;
}

/** Creates an object by a write that the server does not compare for. `stale`: the name is taken. */
export function writeReserved(context: WriteContext, write: ReservedWrite): Promise<SwapOutcome | { readonly kind: 'source-stale' }> {
  return toItsEnd(context, write.signal, (signal) => reserveAndWrite(context, { ...write, signal }));
}

async function reserveAndWrite(context: WriteContext, write: ReservedWrite): Promise<SwapOutcome | { readonly kind: 'source-stale' }> {
  const { key, signal } = write;
  const first = await place(context, key, undefined, signal);
  const placement = typeof first === 'object' ? await renewed(context, first, signal) : 'stale';
  if (placement === 'stale') return { kind: 'stale' };
  try {
    const answer = await actInTime(context, placement, signal, (within) => write.perform(ONCE, within));
    if (answer.kind === 'done') return await lookedUp(context, write, answer);
    await removePlacement(context, placement, signal);
    return { kind: answer.kind === 'stale' ? 'source-stale' : 'stale' };
  } catch (error) {
    return afterFailure(context, write, placement, error);
  }
}

/** Asks for a copy under a placeholder: creates `key` from `source`. */
export function placeholderCopy(
  context: WriteContext,
  copy: { readonly source: CopySource; readonly key: string; readonly properties: ObjectProperties; readonly writeId: string; readonly sizeBytes: number },
  signal?: AbortSignal,
): Promise<SwapOutcome | { readonly kind: 'source-stale' }> {
  return writeReserved(context, {
    key: copy.key,
    isOurs: (head) => isOfWrite(head, copy.writeId) && head.sizeBytes === copy.sizeBytes,
    perform: (condition, within) => context.api.copyObject(copy.source, copy.key, condition, copy.properties, within),
    signal,
  });
}

/**
 * Clears a placeholder that a crash left: `gone` when there is none (any more), `fresh` when
 * somebody may still be at it. Safe to call on all machines at once: the one whose swap wins
 * deletes.
 */
export async function clearStalePlaceholder(context: WriteContext, key: string, signal?: AbortSignal): Promise<'cleared' | 'fresh' | 'gone'> {
  const head = await context.api.headObject(key, signal);
  if (head === undefined || !isPlaceholder(head.etag, head.sizeBytes)) return 'gone';
  // Both times are the server's own (INV-22); one that does not tell the time shows no age.
  const ageMs = head.serverTimeMs === undefined ? 0 : head.serverTimeMs - head.lastModifiedMs;
  if (ageMs < LEFTOVER_AGE_MS) return 'fresh';
  const placement = await place(context, key, head.etag, signal);
  if (typeof placement !== 'object') return 'fresh';
  await removePlacement(context, placement, signal);
  return 'cleared';
}

/** The write failed: what is there now? */
async function afterFailure(context: WriteContext, write: ReservedWrite, placement: Placement, error: unknown): Promise<SwapOutcome> {
  if (write.signal?.aborted === true) throw error;
  if (!mayHaveTakenEffect(error)) {
    // Refused for good, e.g. forbidden: the name is free again.
    await removePlacement(context, placement, write.signal).catch(() => undefined);
    throw error;
  }
  const head = await context.api.headObject(write.key, write.signal).catch(() => undefined);
  if (head === undefined || !write.isOurs(head)) throw error;
  return { kind: 'done', etag: head.etag, versionId: head.versionId, head };
}

/**
 * Does a step whose middle nobody should see: not begun when already stopped, but once begun it
 * is given some time to come to its end, so that a stop leaves no placeholder behind.
 */
async function toItsEnd<T>({ clock }: WriteContext, signal: AbortSignal | undefined, act: (signal: AbortSignal) => Promise<T>): Promise<T> {
  if (signal?.aborted === true) throw new S3Error('cancelled', 'stopped on request', { isRetryable: false });
  const late = new AbortController();
  const over = new AbortController();
  const onAbort = (): void => void clock.sleep(GRACE_MS, over.signal).then(() => late.abort());
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await act(late.signal);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    over.abort();
  }
}

/** Deletes our placeholder, once. */
async function removePlacement(context: WriteContext, placed: Placement, signal: AbortSignal | undefined): Promise<void> {
  const placement = await renewed(context, placed, signal);
  // Taken over while we slept: then it is deleted by whoever took it.
  if (placement === 'stale') return;
  const { key } = placement;
  try {
    await actInTime(context, placement, signal, (within) => context.api.deleteObject(key, ONCE, undefined, within));
  } catch (error) {
    if (!mayHaveTakenEffect(error) || signal?.aborted === true) throw error;
    const head = await context.api.headObject(key, signal);
    if (head !== undefined && isPlacement(head, placement)) throw error;
  }
}

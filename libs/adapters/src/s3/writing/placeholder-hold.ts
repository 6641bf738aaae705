/**
 * Placing a placeholder and holding it (ADR 0011). Whoever placed one may act on the name without
 * a condition, but only for a short time: others take a placeholder over when it is five
 * minutes old by the server's clock, and then it is theirs to act.
 */

import { invariant } from '@wl/domain';
import type { Clock } from '@wl/ports';

import type { ObjectHead } from '../s3-api.js';
import { S3Error } from '../s3-error.js';

import { conditionFor } from './conditions.js';
import type { WriteContext } from './context.js';
import { sha256Of } from './digests.js';
import { isOfWrite, propertiesFor } from './object-properties.js';
import { drawVariant, PLACEHOLDER_TYPE, placeholderBytes } from './placeholder.js';
import { mayHaveTakenEffect } from './swap.js';

/** For how long after it was placed its owner may begin to act on it, in milliseconds. */
export const HOLD_MS = 10_000;

/** A request that acts on it is given up after so many milliseconds from placing it. */
export const ACT_MS = 120_000;

/** Age from which a placeholder is a leftover that anyone may take over, in milliseconds by the server's clock. */
export const LEFTOVER_AGE_MS = 300_000;

/** How often a placement is renewed before it is left to be cleared. */
const MOST_RENEWALS = 5;

/** A placeholder that we put in place. */
export interface Placement {
  readonly key: string;
  readonly etag: string;
  readonly writeId: string;
  /** Taken before the request was sent: the server cannot have dated it earlier than that. */
  readonly placedMonotonicMs: number;
  readonly placedWallMs: number;
}

/**
 * Reserves a name whose object is `expected` (an ETag, or nothing). `stale`: it is something else,
 * nothing was done. `overtaken`: it is something else, but ours may have been in place before
 * (an answer was lost, and others took the name over while we slept).
 */
export async function place(context: WriteContext, key: string, expected: string | undefined, signal?: AbortSignal): Promise<Placement | 'stale' | 'overtaken'> {
  const { api, clock } = context;
  const { condition, isChecked } = conditionFor(expected, context.abilities());
  invariant(isChecked, 'INV-17: a name can be reserved only where the server compares');
  const writeId = context.newId();
  const content = placeholderBytes(drawVariant(writeId, expected));
  const sha256 = sha256Of(content);
  const written = propertiesFor(key, { attributes: { mtimeMs: Number.NaN }, sha256: undefined, etag: undefined, writeId });
  const placedAt = { placedMonotonicMs: clock.monotonicMs(), placedWallMs: clock.nowMs() };
  const lookedUp = async (): Promise<Placement | 'stale' | 'overtaken'> => {
    const head = await api.headObject(key, signal);
    if (head !== undefined && isOfWrite(head, writeId)) return { key, etag: head.etag, writeId, ...placedAt };
    return head?.etag === expected ? 'stale' : 'overtaken';
  };
  try {
    const answer = await api.putObject(key, content, sha256, { ...written, contentType: PLACEHOLDER_TYPE }, condition, signal);
    if (answer.kind === 'done') return { key, etag: answer.etag, writeId, ...placedAt };
    return answer.mayBeOurs ? await lookedUp() : 'stale';
  } catch (error) {
    if (!mayHaveTakenEffect(error) || signal?.aborted === true) throw error;
    const placement = await lookedUp().catch(() => undefined);
    if (typeof placement !== 'object') throw error;
    return placement;
  }
}

/**
 * The placement itself while it is young, else a new one in its place; `stale` when others took
 * it over. Both clocks are asked: a monotonic one stands still while a machine is suspended,
 * the other may be set back.
 */
export async function renewed(context: WriteContext, placement: Placement, signal?: AbortSignal): Promise<Placement | 'stale'> {
  let held = placement;
  // The answer to placing it again may be as late as the one before.
  for (let turn = 0; !isYoung(context.clock, held); turn += 1) {
    if (turn === MOST_RENEWALS) throw new S3Error('unreachable', 'the server takes too long to answer for a name to be held', { isRetryable: true });
    const again = await place(context, held.key, held.etag, signal);
    if (typeof again !== 'object') return 'stale';
    held = again;
  }
  return held;
}

function isYoung(clock: Clock, { placedMonotonicMs, placedWallMs }: Placement): boolean {
  const isInTime = (elapsedMs: number): boolean => elapsedMs >= 0 && elapsedMs < HOLD_MS;
  return isInTime(clock.monotonicMs() - placedMonotonicMs) && isInTime(clock.nowMs() - placedWallMs);
}

/** Whether an object is this placement. */
export function isPlacement(head: ObjectHead, { etag, writeId }: Placement): boolean {
  return head.etag === etag && isOfWrite(head, writeId);
}

/** Runs a request with a signal that ends it when the placement may soon belong to others. */
export async function actInTime<T>(context: WriteContext, placement: Placement, signal: AbortSignal | undefined, act: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController();
  const over = new AbortController();
  const restMs = ACT_MS - (context.clock.monotonicMs() - placement.placedMonotonicMs);
  void context.clock.sleep(restMs, over.signal).then(() => late.abort());
  try {
    return await act(signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]));
  } finally {
    over.abort();
  }
}

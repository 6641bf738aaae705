/** Cuts the files to be copied into batches and keeps every bulk thread busy with one. */

import type { CopyOutcome, CopyRequest } from '@wl/ports';

import { cutBatches, type Batch } from './batches.js';
import type { CopyItem, CopyItemOutcome } from './worker/copy-batch.js';
import { fromWireError, toWireError } from './worker/failure.js';

/** Outcomes with the index of their request. */
export type CopyResults = readonly { readonly index: number; readonly outcome: CopyOutcome }[];

/** A batch shares one flush, so it should be large; its outcomes come together, so it should take no longer than a breath. */
const MAX_BATCH_FILES = 512;
const MAX_BATCH_BYTES = 64 << 20;

/**
 * Copies one batch; `undefined` for items that were not reached. `hasIdleThread` says that a
 * thread has nothing to do meanwhile, and will not have.
 */
export type CopyItems = (items: readonly CopyItem[], hasIdleThread: boolean) => Promise<readonly (CopyItemOutcome | undefined)[]>;

/**
 * Copies all requests, `width` batches at a time. When `stopped` answers an error no further
 * batch begins; what was copied by then is still yielded, then the error is thrown.
 */
export async function* copying(
  requests: readonly CopyRequest[],
  copyItems: CopyItems,
  width: number,
  stopped: () => Error | undefined,
): AsyncGenerator<CopyResults, void, undefined> {
  const running = new Map<Batch, Promise<Copied>>();
  const batches = cutBatches(requests, ({ from }) => from.sizeBytes, { files: MAX_BATCH_FILES, bytes: MAX_BATCH_BYTES, width });
  let next = 0;
  let isCutShort = false;
  try {
    for (;;) {
      for (let batch = batches[next]; batch !== undefined && running.size < width && stopped() === undefined; batch = batches[next]) {
        next += 1;
        const hasIdleThread = next === batches.length && running.size + 1 < width;
        running.set(batch, copyBatch(requests.slice(batch.start, batch.end), batch, copyItems, hasIdleThread));
      }
      if (running.size === 0) break;
      const { batch, outcomes } = await Promise.race(running.values());
      running.delete(batch);
      isCutShort ||= outcomes.includes(undefined);
      yield resultsOf(requests, batch, outcomes);
    }
  } finally {
    await Promise.allSettled(running.values());
  }
  const error = isCutShort || next < batches.length ? stopped() : undefined;
  if (error !== undefined) throw error;
}

interface Copied {
  readonly batch: Batch;
  readonly outcomes: readonly (CopyItemOutcome | undefined)[];
}

/** Copies one batch. What kept it from being copied at all is each item's failure; a batch that was stopped has no outcomes. */
async function copyBatch(requests: readonly CopyRequest[], batch: Batch, copyItems: CopyItems, hasIdleThread: boolean): Promise<Copied> {
  try {
    return { batch, outcomes: await copyItems(requests.map(itemOf), hasIdleThread) };
  } catch (caught) {
    const error = toWireError(caught, 'copy');
    const outcome: CopyItemOutcome | undefined = error.code === 'cancelled' ? undefined : { kind: 'failed', error };
    return { batch, outcomes: requests.map(() => outcome) };
  }
}

function itemOf({ path, fromPath, from, replaces, attributes }: CopyRequest): CopyItem {
  return {
    path,
    sourcePath: fromPath ?? path,
    sourceToken: from.token,
    sourceHash: from.hash ?? '',
    sizeBytes: from.sizeBytes,
    replaces: replaces?.token,
    attributes,
  };
}

function resultsOf(requests: readonly CopyRequest[], batch: Batch, outcomes: readonly (CopyItemOutcome | undefined)[]): CopyResults {
  const results: { index: number; outcome: CopyOutcome }[] = [];
  for (const [offset, outcome] of outcomes.entries()) {
    const request = requests[batch.start + offset];
    if (outcome !== undefined && request !== undefined) results.push({ index: batch.start + offset, outcome: outcomeOf(outcome, request) });
  }
  return results;
}

function outcomeOf(outcome: CopyItemOutcome, { from }: CopyRequest): CopyOutcome {
  if (outcome.kind === 'failed') return { kind: 'failed', error: fromWireError(outcome.error) };
  if (outcome.kind !== 'copied') return outcome;
  const { kind, sha256, sizeBytes, isSourceRacy, targetToken, isTargetRacy } = outcome;
  return { kind, sha256, sizeBytes, sourceToken: from.token, isSourceRacy, targetToken, isTargetRacy };
}

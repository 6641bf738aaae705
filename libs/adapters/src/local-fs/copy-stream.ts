/** Cuts the files to be copied into batches and keeps every bulk thread busy with one. */

import type { CopyOutcome, CopyRequest } from '@wl/ports';

import { fromWireError } from './worker/failure.js';
import type { CopyItem, CopyItemOutcome } from './worker/copy-batch.js';

/** Outcomes with the index of their request. */
export type CopyResults = readonly { readonly index: number; readonly outcome: CopyOutcome }[];

/** A batch shares one flush, so it should be large; its outcomes come together, so it should take no longer than a breath. */
const MAX_BATCH_FILES = 512;
const MAX_BATCH_BYTES = 64 << 20;

/** A run of requests. */
interface Batch {
  readonly start: number;
  readonly end: number;
}

/**
 * Copies one batch; `undefined` for items that were not reached. `hasIdleThread` says that a
 * thread has nothing to do meanwhile, and will not have.
 */
export type CopyItems = (items: readonly CopyItem[], hasIdleThread: boolean) => Promise<readonly (CopyItemOutcome | undefined)[]>;

/** Copies all requests, `width` batches at a time. `check` throws when copying has to stop. */
export async function* copying(
  requests: readonly CopyRequest[],
  copyItems: CopyItems,
  width: number,
  check: () => void,
): AsyncGenerator<CopyResults, void, undefined> {
  const running = new Map<number, Promise<{ readonly batch: Batch; readonly outcomes: readonly (CopyItemOutcome | undefined)[] }>>();
  const batches = cut(requests, width);
  let next = 0;
  try {
    while (next < batches.length || running.size > 0) {
      check();
      for (let batch = batches[next]; batch !== undefined && running.size < width; batch = batches[next]) {
        next += 1;
        const { start } = batch;
        const launched = batch;
        const hasIdleThread = next === batches.length && running.size + 1 < width;
        running.set(
          start,
          copyItems(requests.slice(start, batch.end).map(itemOf), hasIdleThread).then((outcomes) => ({ batch: launched, outcomes })),
        );
      }
      const { batch, outcomes } = await Promise.race(running.values());
      running.delete(batch.start);
      yield resultsOf(requests, batch, outcomes);
      // Files that were not reached: only a task that was told to stop leaves some.
      if (outcomes.includes(undefined)) check();
    }
  } finally {
    await Promise.allSettled(running.values());
  }
}

/** Cuts by number and bytes; few requests are spread over the threads. */
function cut(requests: readonly CopyRequest[], width: number): Batch[] {
  const batches: Batch[] = [];
  const maxFiles = Math.min(MAX_BATCH_FILES, Math.max(1, Math.ceil(requests.length / width)));
  for (let start = 0; start < requests.length; ) {
    let end = start;
    for (let bytes = 0; end < requests.length && end - start < maxFiles; end += 1) {
      bytes += requests[end]?.from.sizeBytes ?? 0;
      if (bytes > MAX_BATCH_BYTES && end > start) break;
    }
    batches.push({ start, end });
    start = end;
  }
  return batches;
}

function itemOf({ path, from, replaces }: CopyRequest): CopyItem {
  return { path, sourceToken: from.token, sourceHash: from.hash ?? '', sizeBytes: from.sizeBytes, replaces: replaces?.token };
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
  return outcome.kind === 'copied' ? { ...outcome, sourceToken: from.token } : outcome;
}

/** A listing as it reaches the caller: a few batches are fetched ahead of the reader, no more (INV-40). */

import { ROOT, type RelativePath } from '@wl/domain';
import type { ListingBatch, ListOptions } from '@wl/ports';

import type { TaskRunner } from './task-runner.js';
import type { CancelFlag } from './worker/cancellation.js';
import type { RootSpec } from './worker/directory-tree.js';
import { failure } from './worker/failure.js';
import { unpackRows, type PackedRows } from './worker/listing-rows.js';

/** A listing to be made. */
export interface ListingRequest {
  readonly runner: TaskRunner;
  readonly root: RootSpec;
  readonly directory: RelativePath;
  readonly options: ListOptions;
  /** Raised by the storage when it closes. */
  readonly flag: CancelFlag;
  /** Throws when the listing has to stop. */
  readonly check: () => void;
}

/** Lists; ends normally only when everything was enumerated. */
export async function* listing({ runner, root, directory, options, flag, check }: ListingRequest): AsyncGenerator<ListingBatch, void, undefined> {
  check();
  const pinned = runner.pin();
  let id: number | undefined;
  const ahead: Promise<PackedRows | undefined>[] = [];
  try {
    const scan = { directory, prune: options.prune?.patterns ?? [] };
    id = await pinned.run('scanOpen', { root, scan, flag }, 'quick');
    for (let i = 0; i < BATCHES_AHEAD; i += 1) ahead.push(next(pinned, id));
    for (;;) {
      const rows = await ahead.shift();
      check();
      if (rows === undefined) return;
      ahead.push(next(pinned, id));
      for (const name of rows.unrepresentable) options.onUnrepresentable?.(name);
      if (rows.count > 0) yield unpackRows(rows);
      check();
    }
  } finally {
    await Promise.allSettled(ahead);
    if (id !== undefined) await pinned.run('scanClose', { id }, 'quick').catch(() => undefined);
    await pinned.close();
  }
}

/** Enough that a thread finds something to do while the main one is busy; a batch is 300 KiB at most. */
const BATCHES_AHEAD = 3;

function next(runner: TaskRunner, id: number): Promise<PackedRows | undefined> {
  const rows = runner.run('scanNext', { id }, 'quick');
  // Its failure is met when it is awaited; until then nobody may take it for unhandled.
  rows.catch(() => undefined);
  return rows;
}

/** What a listing that has to stop rejects with. */
export function listingCancelled(directory: RelativePath): Error {
  return failure('cancelled', 'list', directory === ROOT ? undefined : directory, 'stopped on request');
}

/** A listing as it reaches the caller: batches are fetched one ahead of the reader, no more. */

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
  let ahead: Promise<PackedRows | undefined> | undefined;
  try {
    const scan = { directory, prune: options.prune?.patterns ?? [] };
    id = await pinned.run('scanOpen', { root, scan, flag }, 'quick');
    const fetch = { id };
    ahead = pinned.run('scanNext', fetch, 'quick');
    for (;;) {
      const rows = await ahead;
      check();
      if (rows === undefined) return;
      ahead = pinned.run('scanNext', fetch, 'quick');
      // Its failure is met when it is awaited; until then nobody may take it for unhandled.
      ahead.catch(() => undefined);
      for (const name of rows.unrepresentable) options.onUnrepresentable?.(name);
      if (rows.count > 0) yield unpackRows(rows);
      check();
    }
  } finally {
    await ahead?.catch(() => undefined);
    if (id !== undefined) await pinned.run('scanClose', { id }, 'quick').catch(() => undefined);
    await pinned.close();
  }
}

/** What a listing that has to stop rejects with. */
export function listingCancelled(directory: RelativePath): Error {
  return failure('cancelled', 'list', directory === ROOT ? undefined : directory, 'stopped on request');
}

/** Hashing files of a storage so that one that fails is no matter of the others (INV-16). */

import type { RelativePath } from '@wl/domain';
import { isBackendError, type HashOutcome, type StorageBackend } from '@wl/ports';

import { concernsWholeStorage } from './pass-context.js';

/** One outcome per path, in order. Rejects only for what concerns the storage as a whole. */
export async function hashFiles(
  storage: StorageBackend,
  paths: readonly RelativePath[],
  signal: AbortSignal | undefined,
): Promise<readonly HashOutcome[]> {
  if (paths.length === 0) return [];
  try {
    return await storage.getHashes(paths, signal);
  } catch (error) {
    if (!isBackendError(error) || concernsWholeStorage(error)) throw error;
    if (paths.length === 1) return [{ kind: 'unknown', reason: 'read-error', message: error.message }];
  }
  // Some file among them spoiled the answer for all: each is asked for by itself.
  const outcomes: HashOutcome[] = [];
  for (const path of paths) outcomes.push(...(await hashFiles(storage, [path], signal)));
  return outcomes;
}

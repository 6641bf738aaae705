/**
 * `check-storage`: opens a storage of its own accord, lets it try what it can do, and closes it
 * again. A storage that cannot be opened is an error with the reason. One that has no way of
 * trying tells what it found out when it was opened.
 */

import { WildlandError } from '@wl/engine';
import { isBackendError, type AbilityReport, type Clock, type StorageBackend, type StorageCapabilities } from '@wl/ports';
import type { StorageParams } from '@wl/ports/schemas';

import type { CreateStorage, Watching } from './storages.js';

/** Tries out a storage; rejects with `WildlandError` when it cannot be used. Stops early when `signal` aborts. */
export type CheckStorage = (params: StorageParams, signal: AbortSignal) => Promise<readonly AbilityReport[]>;

/** What a check works with. */
export interface CheckParts {
  readonly createStorage: CreateStorage;
  readonly watch: Watching['watch'];
  readonly clock: Clock;
}

/** A check tries a few dozen requests; one that takes longer than this waits for something that does not come. Milliseconds. */
export const CHECK_LIMIT_MS = 120_000;

/** Makes the check. */
export function storageChecker(parts: CheckParts): CheckStorage {
  return async (params, signal) => {
    const storage = parts.createStorage(params);
    const ended = new AbortController();
    const limit = parts.clock.sleep(CHECK_LIMIT_MS, ended.signal).then(() => {
      if (!ended.signal.aborted) throw new WildlandError(`${placeOf(storage)} did not answer within ${String(CHECK_LIMIT_MS / 1000)} s.`);
      return [];
    });
    const stop = AbortSignal.any([signal, ended.signal]);
    try {
      return await Promise.race([check(storage, parts, stop), limit]);
    } finally {
      ended.abort();
      await storage.close();
    }
  };
}

async function check(storage: StorageBackend, { watch }: CheckParts, signal: AbortSignal): Promise<readonly AbilityReport[]> {
  try {
    await storage.open(signal);
    const tried = await storage.check?.(signal);
    const found = tried ?? [seen(storage), ...capabilityReport(storage.capabilities)];
    return [...found, noticing(storage, watch)];
  } catch (error) {
    if (!isBackendError(error)) throw error;
    throw new WildlandError(`${placeOf(storage)} cannot be used: ${error.message}`, { cause: error });
  }
}

function placeOf(storage: StorageBackend): string {
  return `Storage ${storage.backendId} at ${storage.displayLocation}`;
}

function seen(storage: StorageBackend): AbilityReport {
  return { ability: 'open', outcome: 'works', detail: `${storage.displayLocation} is there and can be looked at` };
}

/** What was found out when a storage was opened, in the words of a report. */
export function capabilityReport(capabilities: StorageCapabilities): AbilityReport[] {
  const report = (ability: string, isThere: boolean, there: string, missing: string): AbilityReport => ({
    ability,
    outcome: isThere ? 'works' : 'missing',
    detail: isThere ? there : missing,
  });
  const { isReadOnly, isCaseSensitive, keepsEmptyDirectories, hasTrash, notes } = capabilities;
  return [
    report('write', !isReadOnly, 'files can be written', 'it is read-only: nothing is ever written or removed'),
    ...(isReadOnly
      ? []
      : [
          swapReport('replace', capabilities.replace),
          swapReport('remove', capabilities.remove),
          report('trash', hasTrash, 'replaced and removed versions are kept for a while', 'replaced and removed versions are gone'),
        ]),
    report('upper and lower case', isCaseSensitive, 'names may differ in case alone', 'names that differ in case alone are conflicts'),
    report('empty directories', keepsEmptyDirectories, 'are kept', 'are not kept'),
    ...notes.map((note): AbilityReport => ({ ability: 'note', outcome: 'missing', detail: note })),
  ];
}

function swapReport(what: 'replace' | 'remove', how: StorageCapabilities['replace']): AbilityReport {
  const details = {
    atomic: 'compares and acts in one step',
    checked: 'looks right before and after; of a write that comes between, both versions are kept',
    window: 'looks right before; a write in that very instant may end up in the trash',
  };
  return { ability: `${what} only if unchanged`, outcome: how === 'window' ? 'missing' : 'works', detail: details[how] };
}

function noticing(storage: StorageBackend, watch: Watching['watch']): AbilityReport {
  const ability = 'notice changes';
  try {
    return { ability, outcome: 'works', detail: watch(storage).description };
  } catch (error) {
    return { ability, outcome: 'missing', detail: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * The target last chosen for a container (`default-remote-for-container`). W-42 of the reference:
 * it is saved only when the job has started, and goes when its storage or container goes.
 */

import { ok, type Result } from '@wl/domain';

import type { ConfigStore } from './config-store.js';
import type { SetupError } from './setup-error.js';

/** Remembers the target of a container; to be called once the job has started. */
export async function rememberTarget(config: ConfigStore, containerUuid: string, backendId: string): Promise<Result<void, SetupError>> {
  const updated = await config.update((draft) => {
    draft['default-remote-for-container'] = { ...draft['default-remote-for-container'], [containerUuid]: backendId };
  });
  return updated.ok ? ok(undefined) : updated;
}

/** Forgets the target of a container; with `backendId` only if it is that one. */
export async function forgetTarget(config: ConfigStore, containerUuid: string, backendId?: string): Promise<Result<void, SetupError>> {
  const loaded = await config.load();
  if (!loaded.ok) return loaded;
  const remembered = loaded.value.saved['default-remote-for-container']?.[containerUuid];
  if (remembered === undefined || (backendId !== undefined && remembered !== backendId)) return ok(undefined);
  const updated = await config.update((draft) => {
    const { [containerUuid]: _forgotten, ...others } = draft['default-remote-for-container'] ?? {};
    draft['default-remote-for-container'] = others;
  });
  return updated.ok ? ok(undefined) : updated;
}

/**
 * Chooses the syncer of a job. Where a syncer that needs file-system paths might serve, both
 * storages are looked at for theirs first; nowhere else, since that opens them.
 */

import type { Result, SyncerRequest, SyncerSelection } from '@wl/domain';
import type { StorageBackend, SyncerContext, SyncerDefinition } from '@wl/ports';
import type { ExplainSyncerArgs, StorageParams } from '@wl/ports/schemas';

import type { Storages, SyncerRegistry } from './syncer-registry.js';

/** An absolute path at which the file system shows a storage. */
export type Mount = string;

/** Finds the mount of a storage; the error is a reason without a full stop. Never rejects for want of one. */
export type FindMount = (params: StorageParams, storage: StorageBackend) => Promise<Result<Mount, string>>;

/** What a choice is made with. */
export interface ChoiceParts {
  readonly registry: SyncerRegistry;
  readonly findMount?: FindMount;
}

/** The syncer, what is said of each, and the mounts where the chosen one needs them. */
export interface Choice extends SyncerSelection<SyncerDefinition> {
  readonly mounts: SyncerContext['mounts'] | undefined;
}

/** What of a request to start decides on the syncer. */
export type ChoiceArgs = Pick<ExplainSyncerArgs, 'source' | 'target' | 'continuous' | 'unidirectional' | 'syncer'>;

/** Chooses for a request and the storages made from it; `isForTelling`: what is said of each matters too. */
export async function chooseSyncer(args: ChoiceArgs, storages: Storages, parts: ChoiceParts, { isForTelling }: { readonly isForTelling: boolean }): Promise<Choice> {
  const request: SyncerRequest = {
    sourceType: storages.source.type,
    targetType: storages.target.type,
    continuous: args.continuous,
    oneShot: !args.continuous,
    unidirectional: args.unidirectional,
    allowsMount: false,
  };
  const { registry, findMount } = parts;
  if (findMount === undefined || !registry.wantsMounts(request, args.syncer, isForTelling)) return { ...registry.select(request, storages, args.syncer), mounts: undefined };
  const source = await findMount(args.source, storages.source);
  const target = await findMount(args.target, storages.target);
  if (!source.ok || !target.ok) {
    const missing = [source.ok ? [] : [`the source ${source.error}`], target.ok ? [] : [`the target ${target.error}`]].flat();
    return { ...registry.select({ ...request, mountProblem: missing.join(' and ') }, storages, args.syncer), mounts: undefined };
  }
  const selection = registry.select({ ...request, allowsMount: true }, storages, args.syncer);
  const isNeeded = selection.chosen?.traits.REQUIRES_MOUNT === true;
  return { ...selection, mounts: isNeeded ? { source: source.value, target: target.value } : undefined };
}

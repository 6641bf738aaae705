/** The request that starts a job over two storages of a container. */

import { jobId, type ContainerManifest, type StorageParams } from '@wl/adapters/manifests';
import type { StartArgs } from '@wl/ports/schemas';

/** How the job is to run. */
export interface SyncMode {
  readonly isOneShot: boolean;
  readonly isUnidirectional: boolean;
  readonly isDryRun?: boolean;
  readonly allowMassDelete?: boolean;
  readonly acceptNewRoot?: boolean;
  /** Name of the syncer to use; the daemon chooses where it is left out. */
  readonly syncer?: string | undefined;
}

/** Everything the daemon needs: it reads no manifests. */
export function startRequest(container: ContainerManifest, source: StorageParams, target: StorageParams, mode: SyncMode): StartArgs {
  const isDryRun = mode.isDryRun ?? false;
  const { ignore } = container.data;
  return {
    'container-name': container.name,
    // A dry run has an id of its own, so that it can look on while the job itself is running.
    'job-id': jobId(container, target) + (isDryRun ? '|dry-run' : ''),
    source,
    target,
    continuous: !mode.isOneShot,
    unidirectional: mode.isUnidirectional,
    ...(ignore !== undefined && ignore.length > 0 ? { ignore } : {}),
    ...(isDryRun ? { 'dry-run': true } : {}),
    ...(mode.allowMassDelete === true ? { 'allow-mass-delete': true } : {}),
    ...(mode.acceptNewRoot === true ? { 'accept-new-root': true } : {}),
    ...(mode.syncer === undefined ? {} : { syncer: mode.syncer }),
  };
}

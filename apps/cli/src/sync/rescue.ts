/**
 * Before a storage leaves a container: whether what it holds is elsewhere too, and if nobody
 * knows, one pass that brings it there (reference §5.7). W-45 of the reference: a job that is
 * SYNCED with conflicts does not hold everything elsewhere.
 */

import { isLocal, type ContainerManifest, type StorageParams } from '@wl/adapters/manifests';
import type { StatusJob } from '@wl/ports/schemas';

import type { Services } from '../context.js';
import { CommandFailure } from '../errors.js';
import { EXIT, unsyncedOf } from '../exit-codes.js';
import { unsyncedSummary } from '../format/unsynced.js';
import { jobsOf, usableStorages } from '../lookup.js';
import { reportOutcome } from './report-outcome.js';
import { startRequest } from './start-request.js';

/** Makes sure that the container's other storages have what this one has. Throws `CommandFailure` when they have not. */
export async function rescueContent(services: Services, container: ContainerManifest, backendId: string): Promise<void> {
  const storages = await usableStorages(services, container);
  const leaving = storages.find((storage) => storage['backend-id'] === backendId);
  const others = storages.filter((storage) => storage !== leaving);
  // The last storage of a container: its data stays where it is, there is nowhere to bring it.
  if (leaving === undefined || others.length === 0) return;
  const jobs = await jobsWith(services, container, backendId);
  if (jobs.length > 0) {
    for (const job of jobs) assertInSync(job, container);
    return;
  }
  services.output.line(`Outdated storage for container ${container.uuid}`);
  await bringOver(services, container, leaving, others);
}

/** The jobs of a container that use a storage. */
export async function jobsWith({ daemon }: Pick<Services, 'daemon'>, container: ContainerManifest, backendId: string): Promise<readonly StatusJob[]> {
  const connection = await daemon.connect();
  try {
    return jobsOf(await connection.status(), container).filter((job) => [job.source, job.target].some((side) => side['backend-id'] === backendId));
  } finally {
    connection.close();
  }
}

function assertInSync(job: StatusJob, container: ContainerManifest): void {
  if (job.state !== 'SYNCED') {
    throw new CommandFailure(`Syncing of container ${container.name} is in progress (${job.state}): try again when wl status shows SYNCED, or use --force`);
  }
  const { conflicts, problems } = unsyncedOf(job);
  if (conflicts + problems === 0) return;
  throw new CommandFailure(`not everything in this storage is elsewhere too (${unsyncedSummary(job)}, see wl status): settle that first, or use --force`);
}

async function bringOver(services: Services, container: ContainerManifest, leaving: StorageParams, others: readonly StorageParams[]): Promise<void> {
  const writable = others.filter((storage) => storage['read-only'] !== true);
  const target = writable.find((storage) => !isLocal(storage)) ?? writable[0];
  if (target === undefined) throw new CommandFailure(`all other storages of ${container.name} are read-only, so nothing can be brought there: use --force to delete all the same`);
  const request = startRequest(container, leaving, target, { isOneShot: true, isUnidirectional: true });
  const outcome = await services.oneShot.run(request, async (answer) => {
    services.output.line(answer);
  });
  const exitCode = reportOutcome(services, outcome, { isDryRun: false });
  if (exitCode === EXIT.ok) return;
  // What is of a kind that is never synced is in no other storage in any case.
  const isOnlySkipped = outcome.kind === 'finished' && exitCode === EXIT.unsynced && unsyncedOf(outcome.job).conflicts + unsyncedOf(outcome.job).problems === 0;
  if (isOnlySkipped) return;
  throw new CommandFailure(
    'the storage was not deleted, since not everything in it is elsewhere too: see above, or use --force',
    exitCode === EXIT.interrupted ? EXIT.interrupted : EXIT.failed,
  );
}

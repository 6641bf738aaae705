/** Containers and their storages, found by what the user types. */

import { containerId, type ContainerManifest, type StorageParams } from '@wl/adapters/manifests';
import type { Status, StatusJob } from '@wl/ports/schemas';

import type { Services } from './context.js';
import { CommandFailure, orFail } from './errors.js';
import { nearest } from './suggest.js';

/** The container called `name`. Throws `CommandFailure`, naming those there are. */
export async function loadContainer({ containers }: Pick<Services, 'containers'>, name: string): Promise<ContainerManifest> {
  const loaded = await containers.load(name);
  if (loaded.ok) return loaded.value;
  if (loaded.error.code !== 'not-found') throw new CommandFailure(loaded.error.message);
  const listed = await containers.list();
  const known = listed.ok ? listed.value.containers.map((container) => container.name) : [];
  const near = nearest(name, known);
  const advice =
    near !== undefined
      ? `Did you mean ${near}?`
      : known.length > 0
        ? `There are: ${known.join(', ')}`
        : 'There are none yet: wl container create NAME makes one';
  throw new CommandFailure(`container not found: ${name}. ${advice}`);
}

/** The storages of a container that can be used; says which were left out and why. */
export async function usableStorages(
  { storages, output }: Pick<Services, 'storages' | 'output'>,
  container: ContainerManifest,
): Promise<readonly StorageParams[]> {
  const found = orFail(await storages.storagesOf(container));
  for (const problem of found.problems) output.notice(`Warning: ${problem.message}`);
  return found.storages;
}

/** The jobs of a container. */
export function jobsOf(status: Status, container: ContainerManifest): readonly StatusJob[] {
  return status.jobs.filter((job) => job['container-id'] === containerId(container));
}

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

/**
 * The storages that `name` stands for: all of a container, or the one with that backend-id or
 * manifest. Throws `CommandFailure` when it stands for none, or for several.
 */
export async function findStorages(services: Pick<Services, 'containers' | 'storages' | 'output'>, name: string): Promise<readonly StorageParams[]> {
  const container = await services.containers.load(name);
  if (container.ok) {
    const own = await usableStorages(services, container.value);
    if (own.length === 0) throw new CommandFailure(`container ${container.value.name} has no storage that can be used`);
    return own;
  }
  if (container.error.code !== 'not-found') throw new CommandFailure(container.error.message);
  const manifest = await services.storages.load(name);
  if (manifest.ok) return [manifest.value.params];
  if (manifest.error.code !== 'not-found') throw new CommandFailure(manifest.error.message);
  const found = await storagesWithId(services, name);
  const [only] = found;
  if (only === undefined) throw new CommandFailure(`there is no storage and no container called ${name}. \`wl storage list\` shows the storages there are`);
  // A storage that several containers name by its manifest is still one.
  if (new Set(found.map((storage) => JSON.stringify(storage))).size > 1) {
    throw new CommandFailure(`several storages have the backend-id ${name}: name the container instead, to look at all of its storages`);
  }
  return [only];
}

async function storagesWithId({ storages, output }: Pick<Services, 'storages' | 'output'>, backendId: string): Promise<StorageParams[]> {
  const { containers, problems } = orFail(await storages.containersWith(backendId));
  for (const problem of problems) output.notice(`Warning: ${problem.message}`);
  const found: StorageParams[] = [];
  for (const container of containers) {
    const own = orFail(await storages.storagesOf(container)).storages;
    found.push(...own.filter((storage) => storage['backend-id'] === backendId));
  }
  return found;
}

/** The jobs of a container. */
export function jobsOf(status: Status, container: ContainerManifest): readonly StatusJob[] {
  return status.jobs.filter((job) => job['container-id'] === containerId(container));
}

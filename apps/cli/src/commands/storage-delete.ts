/** `wl storage delete`: takes storages out of their containers; the data in them stays. */

import type { ContainerManifest, StorageManifest } from '@wl/adapters/manifests';
import { Command, Option } from 'clipanion';

import { CommandFailure, orFail } from '../errors.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { loadContainer, usableStorages } from '../lookup.js';
import { jobsWith, rescueContent } from '../sync/rescue.js';
import { WlCommand } from '../wl-command.js';

/** What a NAME stands for. */
interface FoundStorage {
  readonly backendId: string;
  /** Its own manifest, if it has one. */
  readonly manifest: StorageManifest | undefined;
  readonly containers: readonly ContainerManifest[];
}

export class StorageDeleteCommand extends WlCommand {
  static override paths = [['storage', 'delete']];
  static override usage = Command.Usage({
    category: 'Storages',
    description: 'take storages out of their containers; the data in them stays',
    details: `
      NAME is a backend-id, or the name of a storage manifest.

      Where no running sync shows that another storage of the container holds everything too, one pass brings it there first; if that is not possible the storage stays. \`--force\` leaves this out.
    `,
  });

  names = Option.Rest({ name: 'NAME', required: 1 });
  containerName = Option.String('--container', { description: 'take it out of this container only' });
  force = Option.Boolean('-f,--force', false, { description: 'do not care whether its content is elsewhere too' });
  noCascade = Option.Boolean('--no-cascade', false, { description: 'delete its own manifest only, leave containers as they are' });

  override async execute(): Promise<ExitCode> {
    for (const name of this.names) await this.deleteOne(name);
    return EXIT.ok;
  }

  private async deleteOne(name: string): Promise<void> {
    const { output, storages } = this.context;
    const { backendId, manifest, containers } = await this.find(name);
    if (!this.noCascade) {
      // All are asked before the first is changed.
      if (!this.force) for (const container of containers) await rescueContent(this.context, container, backendId);
      for (const container of containers) {
        await this.endJobs(container, backendId);
        orFail(await storages.remove(container, backendId));
        output.line(`Removed storage ${backendId} from container ${container.file}`);
      }
    }
    if (manifest !== undefined && (this.containerName === undefined || this.noCascade)) {
      orFail(await storages.delete(manifest));
      output.line(`Deleted: ${manifest.file}`);
    }
  }

  private async find(name: string): Promise<FoundStorage> {
    const { storages, output } = this.context;
    const loaded = await storages.load(name);
    if (!loaded.ok && loaded.error.code !== 'not-found') throw new CommandFailure(loaded.error.message);
    const manifest = loaded.ok ? loaded.value : undefined;
    const backendId = manifest?.params['backend-id'] ?? name;
    const containers = await this.containersWith(backendId);
    if (containers.length === 0 && (manifest === undefined || this.containerName !== undefined)) {
      throw new CommandFailure(`storage not found: ${name}. wl storage list shows those there are`);
    }
    if (this.noCascade && manifest === undefined) {
      throw new CommandFailure(`${name} has no manifest of its own, so there is nothing to delete with --no-cascade`);
    }
    output.detail(`Storage ${backendId}, in ${containers.map((container) => container.name).join(', ') || 'no container'}`);
    return { backendId, manifest, containers };
  }

  private async containersWith(backendId: string): Promise<readonly ContainerManifest[]> {
    const { storages, output } = this.context;
    if (this.containerName !== undefined) {
      const container = await loadContainer(this.context, this.containerName);
      const own = await usableStorages(this.context, container);
      return own.some((storage) => storage['backend-id'] === backendId) ? [container] : [];
    }
    const { containers, problems } = orFail(await storages.containersWith(backendId));
    for (const problem of problems) output.notice(`Warning: ${problem.message}`);
    return containers;
  }

  /** A job must not go on with a storage that no manifest names any more. */
  private async endJobs(container: ContainerManifest, backendId: string): Promise<void> {
    const { daemon, output } = this.context;
    if ((await usableStorages(this.context, container)).length < 2) return;
    const jobs = await jobsWith(this.context, container, backendId);
    if (jobs.length === 0) return;
    const connection = await daemon.connect();
    try {
      for (const job of jobs) output.line(await connection.stop(job['job-id']));
    } finally {
      connection.close();
    }
  }
}

/** `wl container delete`: ends the container's jobs and removes its manifest; data in its storages stays. */

import { containerId } from '@wl/adapters/manifests';
import { Command, Option } from 'clipanion';

import { orFail } from '../errors.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { WlCommand } from '../wl-command.js';

export class ContainerDeleteCommand extends WlCommand {
  static override paths = [['container', 'delete']];
  static override usage = Command.Usage({
    category: 'Containers',
    description: 'remove containers; the data in their storages stays',
    details: 'Sync jobs of the containers are ended first.',
  });

  containerNames = Option.Rest({ name: 'CONTAINER', required: 1 });

  override async execute(): Promise<ExitCode> {
    const { output } = this.context;
    for (const name of this.containerNames) {
      await this.endJobs(name);
      const { file } = orFail(await this.context.containers.delete(name));
      output.line(`Deleted: ${file}`);
    }
    return EXIT.ok;
  }

  private async endJobs(name: string): Promise<void> {
    const { containers, daemon, output } = this.context;
    const container = await containers.load(name);
    // One that cannot be opened can still be deleted; one that is not there is for `delete` to say.
    if (!container.ok) return;
    // A job needs two storages: without them no daemon has to be asked.
    if (container.value.data.backends.storage.length < 2) return;
    const connection = await daemon.connect();
    try {
      for (const job of await connection.stopContainer(containerId(container.value))) output.line(`Sync for job ${job} stopped`);
    } finally {
      connection.close();
    }
  }
}

/** `wl container list` and `wl container info`: what containers there are and what they are made of. */

import { writeYaml, type ContainerManifest } from '@wl/adapters/manifests';
import { Command, Option } from 'clipanion';

import type { Services } from '../context.js';
import { CommandFailure, orFail } from '../errors.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { containerDump } from '../format/container-text.js';
import { loadContainer, usableStorages } from '../lookup.js';
import { WlCommand } from '../wl-command.js';

const HEADING = 'Sensitive fields are hidden.';

export class ContainerListCommand extends WlCommand {
  static override paths = [['container', 'list']];
  static override usage = Command.Usage({ category: 'Containers', description: 'show all containers with their storages' });

  override async execute(): Promise<ExitCode> {
    const { containers, output } = this.context;
    const listed = orFail(await containers.list());
    for (const problem of listed.problems) output.notice(`Warning: ${problem.message}`);
    if (listed.containers.length > 0) output.line(HEADING);
    for (const container of listed.containers) {
      try {
        await printContainer(this.context, container);
      } catch (error) {
        // One that cannot be shown must not hide the others.
        if (!(error instanceof CommandFailure)) throw error;
        output.notice(`Warning: ${error.message}`);
      }
    }
    return EXIT.ok;
  }
}

export class ContainerInfoCommand extends WlCommand {
  static override paths = [['container', 'info']];
  static override usage = Command.Usage({ category: 'Containers', description: 'show one container with its storages' });

  containerName = Option.String({ name: 'CONTAINER' });

  override async execute(): Promise<ExitCode> {
    const container = await loadContainer(this.context, this.containerName);
    this.context.output.line(HEADING);
    await printContainer(this.context, container);
    return EXIT.ok;
  }
}

async function printContainer(services: Services, container: ContainerManifest): Promise<void> {
  const storages = await usableStorages(services, container);
  services.output.line(container.file);
  services.output.line(await writeYaml(undefined, containerDump(container, storages)));
}

/** `wl container sign` and `wl storage sign`: sign a manifest again after it was changed by hand. */

import { Command, Option } from 'clipanion';

import { orFail } from '../errors.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { WlCommand } from '../wl-command.js';

const DETAILS = 'A manifest that was changed without being signed is refused by every other command. Look through it first: what is signed is taken for yours.';

export class ContainerSignCommand extends WlCommand {
  static override paths = [['container', 'sign']];
  static override usage = Command.Usage({ category: 'Containers', description: 'sign a container manifest that was changed by hand', details: DETAILS });

  manifest = Option.String({ name: 'CONTAINER' });

  override async execute(): Promise<ExitCode> {
    const { file } = orFail(await this.context.containers.sign(this.manifest));
    this.context.output.line(`Signed: ${file}`);
    return EXIT.ok;
  }
}

export class StorageSignCommand extends WlCommand {
  static override paths = [['storage', 'sign']];
  static override usage = Command.Usage({ category: 'Storages', description: 'sign a storage manifest that was changed by hand', details: DETAILS });

  manifest = Option.String({ name: 'STORAGE' });

  override async execute(): Promise<ExitCode> {
    const { file } = orFail(await this.context.storages.sign(this.manifest));
    this.context.output.line(`Signed: ${file}`);
    return EXIT.ok;
  }
}

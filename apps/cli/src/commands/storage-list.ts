/** `wl storage list`: all storages, those with a manifest of their own first. */

import { Command } from 'clipanion';

import { CommandFailure, orFail } from '../errors.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { storageLine, storagePlace } from '../format/container-text.js';
import { oneLine } from '../format/text.js';
import { usableStorages } from '../lookup.js';
import { WlCommand } from '../wl-command.js';

export class StorageListCommand extends WlCommand {
  static override paths = [['storage', 'list']];
  static override usage = Command.Usage({ category: 'Storages', description: 'show all storages' });

  override async execute(): Promise<ExitCode> {
    const { containers, output, storages } = this.context;
    const standalone = orFail(await storages.list());
    for (const { file, params } of standalone.storages) {
      output.lines([file, `  type: ${oneLine(params.type)}`, `  backend_id: ${oneLine(params['backend-id'])}`]);
      const place = storagePlace(params);
      if (place !== undefined) output.line(`  location: ${oneLine(place)}`);
    }
    const listed = orFail(await containers.list());
    for (const problem of [...standalone.problems, ...listed.problems]) output.notice(`Warning: ${problem.message}`);
    for (const container of listed.containers) {
      try {
        const own = await usableStorages(this.context, container);
        const ownIds = new Set(standalone.storages.map(({ params }) => params['backend-id']));
        const inline = own.filter((storage) => !ownIds.has(storage['backend-id']));
        if (inline.length > 0) output.lines([`${container.file} (inline)`, ...inline.map((storage) => `  ${storageLine(storage)}`)]);
      } catch (error) {
        // One that cannot be shown must not hide the others.
        if (!(error instanceof CommandFailure)) throw error;
        output.notice(`Warning: ${error.message}`);
      }
    }
    return EXIT.ok;
  }
}

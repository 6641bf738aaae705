/** `wl container list-conflicts`: compares all storages of a container with each other, now. */

import { containerId, type StorageParams } from '@wl/adapters/manifests';
import { Command, Option } from 'clipanion';

import { EXIT, type ExitCode } from '../exit-codes.js';
import { conflictLine } from '../format/unsynced.js';
import { loadContainer, usableStorages } from '../lookup.js';
import { WlCommand } from '../wl-command.js';

export class ContainerListConflictsCommand extends WlCommand {
  static override paths = [['container', 'list-conflicts']];
  static override usage = Command.Usage({
    category: 'Containers',
    description: 'show where the storages of a container hold different things',
    details: 'Looks at all pairs of storages, whether or not they are being synced. Exits with 0 when there are no conflicts, with 3 when there are.',
    examples: [['Read all files again instead of trusting what is remembered of them', '$0 container list-conflicts --force-scan photos']],
  });

  containerName = Option.String({ name: 'CONTAINER' });
  forceScan = Option.Boolean('--force-scan', false, { description: 'hash every file again' });

  override async execute(): Promise<ExitCode> {
    const { daemon, interrupts, output } = this.context;
    const container = await loadContainer(this.context, this.containerName);
    const pairs = pairsOf(await usableStorages(this.context, container));
    const aborted = new AbortController();
    const release = interrupts.listen(() => {
      aborted.abort();
    });
    const connection = await daemon.connect();
    let found = 0;
    try {
      for (const [source, target] of pairs) {
        const conflicts = await connection.listConflicts(
          {
            source,
            target,
            'container-id': containerId(container),
            'force-scan': this.forceScan,
            ...(container.data.ignore === undefined ? {} : { ignore: container.data.ignore }),
          },
          aborted.signal,
        );
        if (conflicts.length > 0 && found === 0) output.line('Conflicts detected on:');
        found += conflicts.length;
        output.lines(conflicts.map((conflict) => conflictLine(conflict, source['backend-id'], target['backend-id'])));
      }
    } catch (error) {
      if (!aborted.signal.aborted) throw error;
      output.error('Interrupted; what is listed is not all.');
      return EXIT.interrupted;
    } finally {
      release();
      connection.close();
    }
    if (found === 0) output.line('No conflicts were detected.');
    return found === 0 ? EXIT.ok : EXIT.unsynced;
  }
}

function pairsOf(storages: readonly StorageParams[]): (readonly [StorageParams, StorageParams])[] {
  return storages.flatMap((source, index) => storages.slice(index + 1).map((target) => [source, target] as const));
}

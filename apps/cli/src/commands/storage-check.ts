/** `wl storage check`: what can be done with a storage, found out by trying, in the daemon. */

import type { StorageParams } from '@wl/adapters/manifests';
import { ControlClientError } from '@wl/adapters/socket';
import { Command, Option } from 'clipanion';

import type { DaemonConnection } from '../daemon/daemon-connection.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { abilityLines, storageHeading } from '../format/ability-text.js';
import { createColors } from '../format/colors.js';
import { credentialsHint } from '../format/credentials-hint.js';
import { storagePlace } from '../format/container-text.js';
import { oneLine } from '../format/text.js';
import { findStorages } from '../lookup.js';
import { WlCommand } from '../wl-command.js';

export class StorageCheckCommand extends WlCommand {
  static override paths = [['storage', 'check']];
  static override usage = Command.Usage({
    category: 'Storages',
    description: 'try out what can be done with a storage, or with all storages of a container',
    details: `
      Says of each ability whether it works, is missing, or was not tried, and what is done instead. Nothing is left behind. STORAGE is a backend-id, the name of a storage manifest, or a container.

      Exits with 0 when the storage can be used, with 1 when it cannot, giving the reason. \`--json\` prints one object a storage, one in a line.
    `,
    examples: [['The bucket of photos', '$0 storage check photos']],
  });

  target = Option.String({ name: 'STORAGE' });
  json = Option.Boolean('--json', false, { description: 'print one JSON object a storage' });

  override async execute(): Promise<ExitCode> {
    const { daemon, interrupts, output } = this.context;
    const storages = await findStorages(this.context, this.target);
    const aborted = new AbortController();
    const release = interrupts.listen(() => {
      aborted.abort();
    });
    const connection = await daemon.connect();
    let exitCode: ExitCode = EXIT.ok;
    try {
      for (const storage of storages) {
        if (!(await this.check(storage, connection, aborted.signal))) exitCode = EXIT.failed;
      }
    } catch (error) {
      if (!aborted.signal.aborted) throw error;
      output.error('Interrupted; what is shown is not all.');
      return EXIT.interrupted;
    } finally {
      release();
      // The daemon gives up what nobody waits for any more.
      connection.close();
    }
    return exitCode;
  }

  /** Checks one storage and prints what came out; whether it can be used. */
  private async check(storage: StorageParams, connection: DaemonConnection, signal: AbortSignal): Promise<boolean> {
    const { output, toCommand } = this.context;
    const about = { type: storage.type, 'backend-id': storage['backend-id'], ...locationOf(storage) };
    if (!this.json) output.line(storageHeading(storage));
    try {
      const abilities = await connection.checkStorage({ storage }, signal);
      if (this.json) output.line(JSON.stringify({ storage: about, abilities }));
      else output.lines(abilityLines(abilities, createColors(output.isRich(output.stdout))));
      return true;
    } catch (error) {
      // What the daemon says of one storage must not hide the others.
      if (!(error instanceof ControlClientError) || error.origin !== 'daemon') throw error;
      if (this.json) output.line(JSON.stringify({ storage: about, abilities: [], error: error.desc }));
      output.error(`Error: ${oneLine(error.desc)}`);
      const hint = credentialsHint([error.desc], toCommand, 'credentials' in storage);
      if (hint !== undefined) output.error(hint);
      return false;
    }
  }
}

function locationOf(storage: StorageParams): { readonly location?: string } {
  const location = storagePlace(storage);
  return location === undefined ? {} : { location };
}

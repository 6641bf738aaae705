/** `wl plugin remove`: takes a plugin out, also of the running daemon. */

import { Command, Option } from 'clipanion';

import { CommandFailure } from '../errors.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { InstalledPlugins } from '../plugins/installed-plugins.js';
import { WlCommand } from '../wl-command.js';

export class PluginRemoveCommand extends WlCommand {
  static override paths = [['plugin', 'remove']];
  static override usage = Command.Usage({
    category: 'Plugins',
    description: 'take a plugin out',
    details: 'Jobs that run go on with it until they are stopped, or the daemon is; storages of its types cannot be synced afterwards. Their data stays.',
  });

  plugin = Option.String({ name: 'NAME' });

  override async execute(): Promise<ExitCode> {
    const { baseDirectory, daemon, npm, output } = this.context;
    const installed = new InstalledPlugins(baseDirectory, npm);
    const known = Object.keys(await installed.dependencies());
    if (!known.includes(this.plugin)) {
      throw new CommandFailure(`there is no plugin ${this.plugin} in this base directory. ${known.length === 0 ? 'There are none' : `There are: ${known.join(', ')}`}`);
    }
    await installed.remove(this.plugin);
    const connection = await daemon.connectIfRunning();
    await connection?.reloadPlugins();
    connection?.close();
    output.line(`Removed ${this.plugin}.`);
    return EXIT.ok;
  }
}

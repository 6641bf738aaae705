/** `wl plugin add`: installs a plugin, and has the running daemon use it. */

import { existsSync } from 'node:fs';
import path from 'node:path';

import { Command, Option } from 'clipanion';

import { CommandFailure, UsageError } from '../errors.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { pluginLines } from '../format/plugin-text.js';
import { InstalledPlugins } from '../plugins/installed-plugins.js';
import { WlCommand } from '../wl-command.js';

export class PluginAddCommand extends WlCommand {
  static override paths = [['plugin', 'add']];
  static override usage = Command.Usage({
    category: 'Plugins',
    description: 'install a plugin from a package, a tarball or a folder',
    details: `
      A plugin runs in the sync daemon, with all rights that you have: add only what you would run yourself. No script of the package is run when it is installed.

      A daemon that runs uses the plugin at once. Exits with 1 where it refuses it, giving the reasons.
    `,
    examples: [
      ['From the registry', '$0 plugin add wl-plugin-example'],
      ['From a file', '$0 plugin add ./wl-plugin-example-1.0.0.tgz'],
      ['From a folder that you work on', '$0 plugin add .'],
    ],
  });

  spec = Option.String({ name: 'PACKAGE' });

  override async execute(): Promise<ExitCode> {
    const { baseDirectory, daemon, npm, output, toCommand } = this.context;
    const installed = new InstalledPlugins(baseDirectory, npm);
    const { name, version } = await installed.add(this.place());
    const connection = await daemon.connect();
    try {
      const plugins = await connection.reloadPlugins();
      const plugin = plugins.find((one) => one.name === name);
      if (plugin === undefined) {
        await installed.remove(name);
        throw new CommandFailure(`${name} is no plugin of wl: its package.json has no wildland field. It was taken out again`);
      }
      output.line(`Installed ${name} ${version}.`);
      output.lines(pluginLines(plugin));
      if (plugin.state !== 'refused') return EXIT.ok;
      output.error(`Error: the plugin was refused. \`${toCommand(`wl plugin remove ${name}`)}\` takes it out`);
      return EXIT.failed;
    } finally {
      connection.close();
    }
  }

  /** What npm is given: a path is absolute, so that it cannot be taken for the name of a package, nor a name for a path. */
  private place(): string {
    const { spec } = this;
    if (spec === '' || spec.startsWith('-')) throw new UsageError(`${JSON.stringify(spec)} is neither a package nor a file`);
    const file = path.resolve(this.context.workingDirectory, spec);
    const isPath = /^[./~]/.test(spec) || path.isAbsolute(spec) || spec.endsWith('.tgz') || spec.endsWith('.tar.gz');
    if (!isPath) return spec;
    if (!existsSync(file)) throw new CommandFailure(`there is no file or folder ${file}`);
    return file;
  }
}

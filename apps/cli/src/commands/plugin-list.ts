/** `wl plugin list` and `wl plugin doctor`: the plugins there are, and what is wrong with them. */

import { discoverPlugins, type FoundPlugin } from '@wl/adapters/plugins';
import type { StatusPlugin } from '@wl/ports/schemas';
import { Command, Option } from 'clipanion';

import { EXIT, type ExitCode } from '../exit-codes.js';
import { builtInLines, pluginDetails, pluginLines } from '../format/plugin-text.js';
import { WlCommand } from '../wl-command.js';

export class PluginListCommand extends WlCommand {
  static override paths = [['plugin', 'list']];
  static override usage = Command.Usage({
    category: 'Plugins',
    description: 'show the plugins',
    details: 'Says of each whether the daemon uses it, and why not. Where no daemon runs, what is installed is shown as it is. The syncers that are built in follow. `--json` prints one object a plugin, one in a line.',
  });

  json = Option.Boolean('--json', false, { description: 'print one JSON object a plugin' });

  override async execute(): Promise<ExitCode> {
    const { daemon, output, pluginPlaces } = this.context;
    const connection = await daemon.connectIfRunning();
    const plugins = connection === undefined ? (await discoverPlugins(pluginPlaces)).map(asFound) : await connection.plugins();
    connection?.close();
    if (this.json) {
      output.lines(plugins.map((plugin) => JSON.stringify(plugin)));
      return EXIT.ok;
    }
    const isRunning = connection !== undefined;
    for (const plugin of plugins) output.lines(pluginLines(plugin, isRunning || plugin.state === 'refused' ? plugin.state : 'not tried: the sync daemon is not running'));
    if (plugins.length === 0) output.line('There are no plugins.');
    output.lines(builtInLines());
    return EXIT.ok;
  }
}

export class PluginDoctorCommand extends WlCommand {
  static override paths = [['plugin', 'doctor']];
  static override usage = Command.Usage({
    category: 'Plugins',
    description: 'load the plugins again and tell what is wrong with them',
    details: 'Exits with 1 when one of them is refused.',
  });

  override async execute(): Promise<ExitCode> {
    const { daemon, output } = this.context;
    const connection = await daemon.connect();
    try {
      const plugins = await connection.reloadPlugins();
      for (const plugin of plugins) output.lines([...pluginLines(plugin), ...pluginDetails(plugin)]);
      if (plugins.length === 0) output.line('There are no plugins.');
      return plugins.some(({ state }) => state === 'refused') ? EXIT.failed : EXIT.ok;
    } finally {
      connection.close();
    }
  }
}

/** What can be said of a plugin without running any of it. */
function asFound({ name, version, directory, manifest }: FoundPlugin): StatusPlugin {
  const { storage_sync = [], storage_backends = [] } = manifest.ok ? manifest.value : {};
  return {
    name,
    version,
    place: directory,
    state: manifest.ok ? 'loaded' : 'refused',
    reasons: manifest.ok ? [] : [manifest.error],
    syncers: storage_sync.map((entry) => entry.name),
    backends: storage_backends.map((entry) => ({ type: entry.name, fields: [] })),
  };
}

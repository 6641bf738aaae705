/** The daemon's command line. */

import { parseArgs } from 'node:util';

import { err, ok, type Result } from '@wl/domain';

/** What the user may say. Paths as given. */
export interface DaemonOptions {
  readonly baseDir: string | undefined;
  readonly logPath: string | undefined;
  readonly socketPath: string | undefined;
}

/** Printed for `--help` and after a mistake. */
export const USAGE = `usage: wl-sync-daemon [-b DIR] [-l PATH] [-s PATH]

Keeps the storages of containers in sync. \`wl\` starts it when needed and \`wl stop\` ends it.

  -b, --base-dir DIR      base directory (default: $XDG_CONFIG_HOME/wildland or ~/.config/wildland)
  -l, --log-path PATH     log file, - for standard error (default: $WL_SYNC_LOG_PATH or
                          ~/.local/share/wildland/wl-sync.log)
  -s, --socket-path PATH  control socket (default: sync-socket-path of config.yaml)
  -h, --help              this text
      --version           the version
`;

/** Reads the arguments; the error is a sentence for the user. */
export function parseOptions(args: readonly string[]): Result<DaemonOptions | 'help' | 'version', string> {
  try {
    const { values } = parseArgs({
      args: [...args],
      strict: true,
      options: {
        'base-dir': { type: 'string', short: 'b' },
        'log-path': { type: 'string', short: 'l' },
        'socket-path': { type: 'string', short: 's' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
      },
    });
    if (values.help === true) return ok('help');
    if (values.version === true) return ok('version');
    return ok({ baseDir: values['base-dir'], logPath: values['log-path'], socketPath: values['socket-path'] });
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}

/** `wl version`: which wl this is. */

import { Command } from 'clipanion';

import { EXIT, type ExitCode } from '../exit-codes.js';
import { VERSION } from '../version.js';
import { WlCommand } from '../wl-command.js';

export class VersionCommand extends WlCommand {
  static override paths = [['version']];
  static override usage = Command.Usage({ description: 'show the version of this program' });

  override async execute(): Promise<ExitCode> {
    this.context.output.line(`wl ${VERSION}`);
    return EXIT.ok;
  }
}

/** `wl status`: all sync jobs, once or as they change. */

import { Command, Option } from 'clipanion';

import type { DaemonConnection } from '../daemon/daemon-connection.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { createColors } from '../format/colors.js';
import { statusLines } from '../format/status-text.js';
import { formatTimeOfDay } from '../format/text.js';
import { WlCommand } from '../wl-command.js';

/** Time between two looks, in milliseconds. */
const LOOK_MS = 1_000;
const DEFAULT_ROWS = 24;
const CLEAR_SCREEN = '\u001b[2J';
const HOME = '\u001b[H';
const CLEAR_TO_END_OF_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
/** Lines longer than the terminal are cut by it instead of pushing others off the screen. */
const CUT_LONG_LINES = '\u001b[?7l';
const WRAP_LONG_LINES = '\u001b[?7h';

export class StatusCommand extends WlCommand {
  static override paths = [['status']];
  static override usage = Command.Usage({
    description: 'show all sync jobs: state, conflicts, problems, and how to go on',
    details: '`--json` prints one object in one line, described by `schemas/status.schema.json`; it only ever gains fields.',
    examples: [['Watch what happens', '$0 status --watch']],
  });

  json = Option.Boolean('--json', false, { description: 'print one JSON object in one line' });
  watch = Option.Boolean('--watch', false, { description: 'go on showing it until Ctrl-C: each second on a terminal, else when it changes' });

  override async execute(): Promise<ExitCode> {
    const connection = await this.context.daemon.connect();
    try {
      if (this.watch) await this.follow(connection);
      else this.context.output.lines(await this.look(connection, false));
      return EXIT.ok;
    } finally {
      connection.close();
    }
  }

  private async follow(connection: DaemonConnection): Promise<void> {
    const { clock, interrupts, output } = this.context;
    const ended = new AbortController();
    const release = interrupts.listen(() => {
      ended.abort();
    });
    const isPainting = output.isRich(output.stdout) && !this.json;
    let printed = '';
    try {
      if (isPainting) output.stdout.write(CLEAR_SCREEN + CUT_LONG_LINES);
      while (!ended.signal.aborted) {
        const lines = await this.look(connection, true);
        if (isPainting) this.paint(lines);
        else if (lines.join('\n') !== printed) {
          printed = lines.join('\n');
          output.lines(lines);
        }
        await clock.sleep(LOOK_MS, ended.signal);
      }
    } finally {
      if (isPainting) output.stdout.write(WRAP_LONG_LINES);
      release();
    }
  }

  /** What to print; while it is printed again and again on plain paper, nothing in it may depend on the time of day. */
  private async look(connection: DaemonConnection, isRepeated: boolean): Promise<string[]> {
    const { clock, output, toCommand } = this.context;
    const status = await connection.status();
    if (this.json) return [JSON.stringify(status)];
    const isRich = output.isRich(output.stdout);
    return statusLines(status, {
      nowMs: isRepeated && !isRich ? undefined : clock.nowMs(),
      colors: createColors(isRich),
      toCommand,
    });
  }

  private paint(lines: readonly string[]): void {
    const { clock, output } = this.context;
    // A terminal that does not know its size says 0.
    const rows = Math.max(2, (output.stdout.rows || DEFAULT_ROWS) - 1);
    const all = [`wl status at ${formatTimeOfDay(clock.nowMs())}, Ctrl-C ends it`, '', ...lines];
    const shown = all.length <= rows ? all : [...all.slice(0, rows - 1), `… and ${all.length - rows + 1} more lines`];
    output.stdout.write(HOME + shown.map((line) => line + CLEAR_TO_END_OF_LINE).join('\n') + '\n' + CLEAR_BELOW);
  }
}

/** `wl start` and `wl stop`: the sync daemon, by hand. */

import { Command } from 'clipanion';

import { CommandFailure } from '../errors.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { formatCounted } from '../format/text.js';
import { WlCommand } from '../wl-command.js';

export class StartCommand extends WlCommand {
  static override paths = [['start']];
  static override usage = Command.Usage({
    description: 'start the sync daemon; other commands do that by themselves when they need it',
    details: 'The jobs that were running when the daemon last ended go on.',
  });

  override async execute(): Promise<ExitCode> {
    const { daemon, output } = this.context;
    const { connection, isNew } = await daemon.reach();
    try {
      const { pid } = await connection.version();
      const process = pid === undefined ? '' : ` (process ${pid})`;
      output.line(isNew ? `Started the sync daemon${process}.` : `The sync daemon is already running${process}.`);
      return EXIT.ok;
    } finally {
      connection.close();
    }
  }
}

/** A daemon that copies a large file ends it first or gives it up; both are quick. Milliseconds. */
const STOP_LIMIT_MS = 60_000;
const LOOK_MS = 50;

export class StopCommand extends WlCommand {
  static override paths = [['stop']];
  static override usage = Command.Usage({
    description: 'end the sync daemon',
    details: 'Every file is whole then. Continuous jobs go on when the daemon is started again; to end them for good use `wl container stop-sync`.',
  });

  override async execute(): Promise<ExitCode> {
    const { clock, daemon, output, stillRuns } = this.context;
    const connection = await daemon.connectIfRunning();
    if (connection === undefined) {
      output.line('The sync daemon is not running.');
      return EXIT.ok;
    }
    // A daemon of another version may not know this question; it can be ended all the same.
    const status = await connection.status().catch(() => undefined);
    await connection.shutdown();
    const pid = status?.daemon.pid;
    const deadlineMs = clock.monotonicMs() + STOP_LIMIT_MS;
    while (pid !== undefined && stillRuns(pid)) {
      if (clock.monotonicMs() > deadlineMs) throw new CommandFailure(`the sync daemon (process ${pid}) is still ending after a minute: see its log`);
      await clock.sleep(LOOK_MS);
    }
    const lasting = status?.jobs.filter((job) => job.mode === 'continuous').length ?? 0;
    const rest = lasting === 0 ? '' : ` ${formatCounted(lasting, 'continuous job')} will go on when it is started again.`;
    output.line(`Stopped the sync daemon.${rest}`);
    return EXIT.ok;
  }
}

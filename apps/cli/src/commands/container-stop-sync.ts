/** `wl container stop-sync`: ends the sync jobs of a container for good. */

import { containerId } from '@wl/adapters/manifests';
import type { StatusJob } from '@wl/ports/schemas';
import { Command, Option } from 'clipanion';

import { CommandFailure } from '../errors.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { jobsOf, loadContainer } from '../lookup.js';
import { WlCommand } from '../wl-command.js';

export class ContainerStopSyncCommand extends WlCommand {
  static override paths = [['container', 'stop-sync']];
  static override usage = Command.Usage({
    category: 'Containers',
    description: 'end the sync jobs of a container',
    details: 'A running job ends where every file is whole. Both storages stay as they are.',
    examples: [['End all jobs of a container', '$0 container stop-sync photos']],
  });

  containerName = Option.String({ name: 'CONTAINER' });
  targetStorage = Option.String('--target-storage', { description: 'backend-id or type of the target whose job is to end; else all' });

  override async execute(): Promise<ExitCode> {
    const { daemon, output } = this.context;
    const container = await loadContainer(this.context, this.containerName);
    const id = containerId(container);
    // Also where no daemon runs: its jobs would come back with it.
    const connection = await daemon.connect();
    try {
      const { targetStorage } = this;
      if (targetStorage === undefined) {
        const stopped = await connection.stopContainer(id);
        if (stopped.length === 0) throw notRunning(id);
        output.lines(stopped.map((job) => `Sync for job ${job} stopped`));
        return EXIT.ok;
      }
      const jobs = jobsOf(await connection.status(), container).filter((job) => isTarget(job, targetStorage));
      if (jobs.length === 0) throw notRunning(`${id}|${targetStorage}`);
      for (const job of jobs) output.line(await connection.stop(job['job-id']));
      return EXIT.ok;
    } finally {
      connection.close();
    }
  }
}

function isTarget({ target }: StatusJob, wanted: string): boolean {
  return target['backend-id'] === wanted || target.type === wanted;
}

function notRunning(job: string): CommandFailure {
  return new CommandFailure(`Sync for job ${job} is not running`);
}

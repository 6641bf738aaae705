/** `wl container resolve`: ends a conflict by choosing the side that is right. */

import type { StatusJob } from '@wl/ports/schemas';
import { Command, Option } from 'clipanion';

import { CommandFailure } from '../errors.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { oneLine } from '../format/text.js';
import { jobsOf, loadContainer } from '../lookup.js';
import { WlCommand } from '../wl-command.js';

export class ContainerResolveCommand extends WlCommand {
  static override paths = [['container', 'resolve']];
  static override usage = Command.Usage({
    category: 'Containers',
    description: 'end a conflict by choosing the side that is right',
    details: `
      The other side's version goes to its trash. The container must be syncing: \`wl status\` shows the conflicts and which storage is source and target.

      Both versions have to be those that the conflict recorded; if one has changed since, nothing is done.
    `,
    examples: [['Keep the version of the source', '$0 container resolve photos trip/day1.jpg --keep source']],
  });

  containerName = Option.String({ name: 'CONTAINER' });
  conflictPath = Option.String({ name: 'PATH' });
  keep = Option.String('--keep', { required: true, description: 'source, target, or the backend-id of the storage that is right' });
  targetStorage = Option.String('--target-storage', { description: 'backend-id of the target, where several jobs have the conflict' });

  override async execute(): Promise<ExitCode> {
    const { daemon, output } = this.context;
    const container = await loadContainer(this.context, this.containerName);
    const connection = await daemon.connect();
    try {
      const job = this.findJob(jobsOf(await connection.status(), container));
      const keep = this.sideOf(job);
      await connection.resolve({ 'job-id': job['job-id'], path: this.conflictPath, keep });
      output.line(`Resolved: ${oneLine(this.conflictPath)}, keeping what the ${keep} has`);
      return EXIT.ok;
    } finally {
      connection.close();
    }
  }

  private findJob(all: readonly StatusJob[]): StatusJob {
    const { targetStorage, conflictPath } = this;
    if (all.length === 0) throw new CommandFailure(`container ${this.containerName} is not syncing: start it with wl container sync, its conflicts can be resolved then`);
    const jobs = targetStorage === undefined ? all : all.filter(({ target }) => target['backend-id'] === targetStorage);
    if (jobs.length === 0) throw new CommandFailure(`no job of this container has the target ${targetStorage}. There are: ${targetsOf(all)}`);
    // A list that was cut may hide the path: the daemon knows.
    const candidates = jobs.length === 1 ? jobs : jobs.filter((job) => job.conflicts.some(({ path }) => path === conflictPath));
    const [job] = candidates;
    if (job === undefined) throw new CommandFailure(`there is no conflict on ${oneLine(conflictPath)}: wl status shows those there are`);
    if (candidates.length > 1) {
      throw new CommandFailure(`several jobs have a conflict on ${oneLine(conflictPath)}: name one with --target-storage. There are: ${targetsOf(candidates)}`);
    }
    return job;
  }

  private sideOf(job: StatusJob): 'source' | 'target' {
    const { keep } = this;
    if (keep === 'source' || keep === job.source['backend-id']) return 'source';
    if (keep === 'target' || keep === job.target['backend-id']) return 'target';
    throw new CommandFailure(`--keep takes source, target, ${job.source['backend-id']} or ${job.target['backend-id']}, not ${keep}`, EXIT.usage);
  }
}

function targetsOf(jobs: readonly StatusJob[]): string {
  return jobs.map(({ target }) => target['backend-id']).join(', ');
}

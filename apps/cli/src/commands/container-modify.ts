/** `wl container modify`: changes a container's manifest; running jobs keep what they were started with. */

import type { ContainerManifest } from '@wl/adapters/manifests';
import { err, ok, type Result } from '@wl/domain';
import type { Container } from '@wl/ports/schemas';
import { Command, Option } from 'clipanion';

import { CommandFailure, orFail, UsageError } from '../errors.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { jobsOf, loadContainer, usableStorages } from '../lookup.js';
import { WlCommand } from '../wl-command.js';

export class ContainerModifyCommand extends WlCommand {
  static override paths = [['container', 'modify']];
  static override usage = Command.Usage({
    category: 'Containers',
    description: 'change what a container is called, holds and leaves alone',
    details: 'Jobs that are running keep what they were started with: stop the sync and start it again for the change to count.',
    examples: [['Leave temporary files alone', "$0 container modify photos --add-ignore '*.tmp'"]],
  });

  containerName = Option.String({ name: 'CONTAINER' });
  addIgnore = Option.Array('--add-ignore', { description: 'a pattern in gitignore syntax of what is left alone' });
  delIgnore = Option.Array('--del-ignore', { description: 'a pattern that is to count no more' });
  addPath = Option.Array('--add-path', { description: 'an absolute path under which the container appears' });
  delPath = Option.Array('--del-path', { description: 'a path under which it appears no more' });
  addCategory = Option.Array('--add-category', { description: 'an absolute path that groups containers' });
  delCategory = Option.Array('--del-category', { description: 'a category that is to go' });
  title = Option.String('--title', { description: 'the title for people' });
  delStorage = Option.Array('--del-storage', { description: 'a storage to take out, by backend-id or number from 0; its data stays' });

  override async execute(): Promise<ExitCode> {
    const { containers, output, storages } = this.context;
    const before = await loadContainer(this.context, this.containerName);
    const isAsked = [this.addIgnore, this.delIgnore, this.addPath, this.delPath, this.addCategory, this.delCategory, this.title, this.delStorage];
    if (isAsked.every((option) => option === undefined)) throw new UsageError('nothing to change: see wl container modify --help for what can be');

    const backendIds = await this.storagesToDelete(before);
    if (backendIds.length > 0) await this.refuseWhileSyncing(before, backendIds);
    let after = orFail(await containers.update(before, (draft) => this.change(draft)));
    for (const backendId of backendIds) after = orFail(await storages.remove(after, backendId));
    if (JSON.stringify(after.data) === JSON.stringify(before.data)) {
      output.line('Nothing changed.');
      return EXIT.ok;
    }
    output.line(`Saved: ${after.file}`);
    await this.remindOfJobs(after);
    return EXIT.ok;
  }

  private change(draft: Container): Result<void, { readonly code: 'invalid'; readonly message: string }> {
    const lists = [
      ['ignore', 'ignore patterns', this.addIgnore, this.delIgnore],
      ['paths', 'paths', this.addPath, this.delPath],
      ['categories', 'categories', this.addCategory, this.delCategory],
    ] as const;
    for (const [key, label, added = [], deleted = []] of lists) {
      const current = draft[key] ?? [];
      const missing = deleted.find((entry) => !current.includes(entry));
      if (missing !== undefined) return err({ code: 'invalid', message: `${missing} is not among the ${label}. There are: ${current.join(', ') || 'none'}` });
      const next = [...current.filter((entry) => !deleted.includes(entry)), ...added.filter((entry) => !current.includes(entry))];
      if (next.length > 0 || draft[key] !== undefined) draft[key] = next;
    }
    if (this.title !== undefined) draft.title = this.title;
    return ok(undefined);
  }

  private async storagesToDelete(container: ContainerManifest): Promise<readonly string[]> {
    const wanted = this.delStorage ?? [];
    if (wanted.length === 0) return [];
    const usable = await usableStorages(this.context, container);
    const ids = wanted.map((word) => {
      const byId = usable.find((storage) => storage['backend-id'] === word);
      const storage = byId ?? (/^\d+$/.test(word) ? usable[Number(word)] : undefined);
      if (storage === undefined) {
        const known = usable.map((candidate, index) => `${index}: ${candidate['backend-id']}`).join(', ');
        throw new CommandFailure(`Storage ${word} not found in container ${container.name}. It has: ${known || 'none'}`);
      }
      return storage['backend-id'];
    });
    return [...new Set(ids)];
  }

  /** A job would go on using a storage that no manifest names any more (W-45 of the reference). */
  private async refuseWhileSyncing(container: ContainerManifest, backendIds: readonly string[]): Promise<void> {
    const connection = await this.context.daemon.connect();
    try {
      const jobs = jobsOf(await connection.status(), container);
      const busy = jobs.find((job) => backendIds.includes(job.source['backend-id']) || backendIds.includes(job.target['backend-id']));
      if (busy === undefined) return;
      throw new CommandFailure(`a sync of ${container.name} uses this storage: end it first with wl container stop-sync, or use wl storage delete`);
    } finally {
      connection.close();
    }
  }

  /** W-46 of the reference: nobody said that running jobs know nothing of the change. */
  private async remindOfJobs(container: ContainerManifest): Promise<void> {
    const connection = await this.context.daemon.connectIfRunning();
    if (connection === undefined) return;
    try {
      if (jobsOf(await connection.status(), container).length === 0) return;
      this.context.output.notice('Its sync runs with the old settings: for the change to count use wl container stop-sync, then wl container sync.');
    } finally {
      connection.close();
    }
  }
}

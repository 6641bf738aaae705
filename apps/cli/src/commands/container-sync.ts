/** `wl container sync`: keeps two storages of a container in sync, in the daemon or once. */

import { chooseStorages, rememberTarget, shellWord, type ChosenStorages, type ContainerManifest } from '@wl/adapters/manifests';
import type { StartArgs } from '@wl/ports/schemas';
import { Command, Option } from 'clipanion';

import { orFail, UsageError } from '../errors.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { syncerLines } from '../format/syncer-text.js';
import { loadContainer, usableStorages } from '../lookup.js';
import { startRequest } from '../sync/start-request.js';
import { reportOutcome } from '../sync/report-outcome.js';
import { WlCommand } from '../wl-command.js';

export class ContainerSyncCommand extends WlCommand {
  static override paths = [['container', 'sync']];
  static override usage = Command.Usage({
    category: 'Containers',
    description: 'keep two storages of a container in sync',
    details: `
      Without \`--one-shot\` the sync goes on in the background until \`wl container stop-sync\`, also after a restart; \`wl status\` shows it.

      The source is the first local storage, the target the one chosen last, else the first that is not local, else the first that is not the source.

      The daemon takes the syncer that fits the two storages best; \`--explain\` tells which that is and why no other, and starts nothing.

      Exits with 0 when both storages agree, 3 when conflicts or paths that are not in sync remain, 1 on failure, 130 when interrupted. A dry run exits as the run would.
    `,
    examples: [
      ['Keep syncing in the background', '$0 container sync photos'],
      ['Sync once and wait', '$0 container sync --one-shot photos'],
      ['Show what one pass would do', '$0 container sync --dry-run photos'],
    ],
  });

  containerName = Option.String({ name: 'CONTAINER' });
  targetStorage = Option.String('--target-storage', { description: 'backend-id or type of the target; remembered as the default' });
  sourceStorage = Option.String('--source-storage', { description: 'backend-id or type of the source' });
  oneShot = Option.Boolean('--one-shot', false, { description: 'sync once and wait for the end' });
  noWait = Option.Boolean('--no-wait', false, { description: 'with --one-shot: do not wait' });
  unidirectional = Option.Boolean('--unidirectional', false, { description: 'never change the source' });
  dryRun = Option.Boolean('-n,--dry-run', false, { description: 'show what one pass would do, change nothing' });
  allowMassDelete = Option.Boolean('--allow-mass-delete', false, { description: 'go on although so much is to be deleted' });
  acceptNewRoot = Option.Boolean('--accept-new-root', false, {
    description: 'take a place that is another than before as new: a first sync, nothing is deleted',
  });
  syncer = Option.String('--syncer', { description: 'use this syncer instead of the best one' });
  explain = Option.Boolean('--explain', false, { description: 'tell which syncer would be used and why no other, start nothing' });

  override async execute(): Promise<ExitCode> {
    if (this.noWait && this.dryRun) throw new UsageError('--no-wait and --dry-run do not go together: a dry run has a result to wait for');
    if (this.noWait && !this.oneShot) throw new UsageError('--no-wait goes with --one-shot: without it the command does not wait anyway');
    const container = await loadContainer(this.context, this.containerName);
    const chosen = await this.choose(container);
    for (const notice of chosen.notices) this.context.output.notice(notice);
    const request = startRequest(container, chosen.source, chosen.target, {
      isOneShot: this.oneShot || this.dryRun,
      isUnidirectional: this.unidirectional,
      isDryRun: this.dryRun,
      allowMassDelete: this.allowMassDelete,
      acceptNewRoot: this.acceptNewRoot,
      syncer: this.syncer,
    });
    if (this.explain) return this.explainOnly(request);
    const onStarted = async (answer: string): Promise<void> => {
      this.context.output.line(answer);
      // INV-38: a dry run leaves no trace.
      if (!this.dryRun && chosen.rememberTarget !== undefined) {
        orFail(await rememberTarget(this.context.config, container.uuid, chosen.rememberTarget));
      }
    };
    if (request.continuous || this.noWait) return this.startOnly(container, request, onStarted);
    const outcome = await this.context.oneShot.run(request, onStarted);
    return reportOutcome(this.context, outcome, { isDryRun: this.dryRun });
  }

  private async choose(container: ContainerManifest): Promise<ChosenStorages> {
    const { config } = this.context;
    const storages = await usableStorages(this.context, container);
    const remembered = orFail(await config.load()).values['default-remote-for-container'][container.uuid];
    return orFail(
      chooseStorages({
        containerName: container.name,
        storages,
        sourceStorage: this.sourceStorage,
        targetStorage: this.targetStorage,
        rememberedTarget: remembered,
        isUnidirectional: this.unidirectional,
      }),
    );
  }

  private async explainOnly({ source, target, continuous, unidirectional, syncer }: StartArgs): Promise<ExitCode> {
    const { daemon, output } = this.context;
    const connection = await daemon.connect();
    try {
      const syncers = await connection.explainSyncer({ source, target, continuous, unidirectional, ...(syncer !== undefined && { syncer }) });
      output.lines(syncerLines(syncers));
      if (syncers.some(({ chosen }) => chosen)) return EXIT.ok;
      const isKnown = syncer === undefined || syncers.some(({ name }) => name === syncer);
      output.error(isKnown ? 'Error: no syncer can serve these storages so' : `Error: there is no syncer ${syncer}`);
      return EXIT.failed;
    } finally {
      connection.close();
    }
  }

  private async startOnly(
    container: ContainerManifest,
    request: ReturnType<typeof startRequest>,
    onStarted: (answer: string) => Promise<void>,
  ): Promise<ExitCode> {
    const { daemon, output, toCommand } = this.context;
    const connection = await daemon.connect();
    try {
      await connection.version();
      await onStarted(await connection.start(request));
    } finally {
      connection.close();
    }
    if (this.noWait) {
      const name = shellWord(container.name);
      output.line(
        `The sync runs in the background: \`${toCommand('wl status')}\` shows it, \`${toCommand(`wl container stop-sync ${name}`)}\` ends or clears it.`,
      );
    }
    return EXIT.ok;
  }
}

/** What `wl storage create` has in common for all types: the options, the checks, the first sync. */

import type { StorageParams } from '@wl/ports/schemas';
import { Option } from 'clipanion';

import { orFail, UsageError } from '../errors.js';
import type { ExitCode } from '../exit-codes.js';
import { loadContainer, usableStorages } from '../lookup.js';
import { checkNewStorage, ownFilesWarning, type StorageTypes } from '../storage-types.js';
import { fillNewStorage } from '../sync/initial-sync.js';
import { WlCommand } from '../wl-command.js';

/** Adds a storage of one type to a container. */
export abstract class StorageCreateCommand extends WlCommand {
  storageName = Option.String({ name: 'NAME', required: false });
  containerName = Option.String('--container', { required: true, description: 'the container' });
  backendId = Option.String('--backend-id', { description: 'the id of the storage (default: a new UUID)' });
  watcherInterval = Option.String('--watcher-interval', { description: this.watcherIntervalText });
  readOnly = Option.Boolean('--read-only', false, { description: 'never write to this storage' });
  skipSync = Option.Boolean('--skip-sync', false, { description: 'do not fill the storage now' });
  trusted = Option.Boolean('--trusted', false, { description: 'accept unsigned manifests from this storage' });
  inline = Option.Boolean('--inline', true, { description: 'write it into the container (default); --no-inline: into a manifest of its own' });

  /** The fields of this type, checked as far as they can be without looking anywhere. Throws `UsageError`. */
  protected abstract ownFields(): StorageParams;

  /** Help for the option. */
  protected get watcherIntervalText(): string {
    return 'look for changes every so many seconds';
  }

  /** The types that can be added. */
  protected async knownTypes(): Promise<StorageTypes> {
    return this.context.storageTypes;
  }

  /** Adds what is only asked for once everything else is found right. */
  protected async withSecrets(storage: StorageParams): Promise<StorageParams> {
    return storage;
  }

  override async execute(): Promise<ExitCode> {
    const { baseDirectory, output, storages } = this.context;
    const wanted = this.params();
    const container = await loadContainer(this.context, this.containerName);
    await checkNewStorage(wanted, await usableStorages(this.context, container), await this.knownTypes());
    const warning = ownFilesWarning(wanted, baseDirectory);
    if (warning !== undefined) output.notice(warning);
    if (this.inline && this.storageName !== undefined) output.notice(`Note: the name ${this.storageName} is not used, since the storage is written into its container.`);

    const whole = await this.withSecrets(wanted);
    const added = orFail(await storages.add(container, whole, this.inline ? {} : { standalone: { name: this.storageName } }));
    output.line(`Using container: ${container.file} (${container.data.paths[0]})`);
    output.line(`Adding storage ${added.storage['backend-id']} to container.`);
    if (added.file !== undefined) output.line(`Created: ${added.file}`);
    output.line(`Saved container ${added.container.file}`);
    return fillNewStorage(this.context, added, { isSkipped: this.skipSync });
  }

  private params(): StorageParams {
    const { watcherInterval, backendId } = this;
    if (watcherInterval !== undefined && !/^[1-9]\d{0,8}$/.test(watcherInterval)) {
      throw new UsageError(`--watcher-interval needs a number of seconds from 1 on, not ${watcherInterval}`);
    }
    return {
      ...this.ownFields(),
      ...(backendId === undefined ? {} : { 'backend-id': backendId }),
      ...(watcherInterval === undefined ? {} : { 'watcher-interval': Number(watcherInterval) }),
      ...(this.readOnly ? { 'read-only': true } : {}),
      ...(this.trusted ? { trusted: true } : {}),
    };
  }
}

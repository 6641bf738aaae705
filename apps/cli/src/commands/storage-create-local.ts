/** `wl storage create local`: adds a directory to a container. */

import path from 'node:path';

import type { StorageParams } from '@wl/ports/schemas';
import { Command, Option } from 'clipanion';

import { orFail, UsageError } from '../errors.js';
import type { ExitCode } from '../exit-codes.js';
import { loadContainer, usableStorages } from '../lookup.js';
import { checkNewStorage, ownFilesWarning } from '../storage-types.js';
import { fillNewStorage } from '../sync/initial-sync.js';
import { WlCommand } from '../wl-command.js';

export class StorageCreateLocalCommand extends WlCommand {
  static override paths = [
    ['storage', 'create', 'local'],
    ['storage', 'create', 'local-cached'],
    ['storage', 'create', 'local-dir-cached'],
  ];
  static override usage = Command.Usage({
    category: 'Storages',
    description: 'add a directory to a container as a storage',
    details: 'The directory must exist. Files in it stay as they are; they are synced when the container is. NAME is for a storage with a manifest of its own (`--no-inline`).',
    examples: [['A disk that is looked through every 30 seconds', '$0 storage create local --container photos --location /mnt/usb/photos --watcher-interval 30']],
  });

  storageName = Option.String({ name: 'NAME', required: false });
  containerName = Option.String('--container', { required: true, description: 'the container' });
  location = Option.String('--location', { required: true, description: 'the directory' });
  backendId = Option.String('--backend-id', { description: 'the id of the storage (default: a new UUID)' });
  watcherInterval = Option.String('--watcher-interval', { description: 'look for changes every so many seconds, instead of being told' });
  readOnly = Option.Boolean('--read-only', false, { description: 'never write to this storage' });
  skipSync = Option.Boolean('--skip-sync', false, { description: 'do not fill the storage now' });
  trusted = Option.Boolean('--trusted', false, { description: 'accept unsigned manifests from this storage' });
  inline = Option.Boolean('--inline', true, { description: 'write it into the container (default); --no-inline: into a manifest of its own' });

  override async execute(): Promise<ExitCode> {
    const { baseDirectory, output, storages, storageTypes } = this.context;
    const wanted = this.params();
    const container = await loadContainer(this.context, this.containerName);
    await checkNewStorage(wanted, await usableStorages(this.context, container), storageTypes);
    const warning = ownFilesWarning(wanted, baseDirectory);
    if (warning !== undefined) output.notice(warning);
    if (this.inline && this.storageName !== undefined) output.notice(`Note: the name ${this.storageName} is not used, since the storage is written into its container.`);

    const added = orFail(await storages.add(container, wanted, this.inline ? {} : { standalone: { name: this.storageName } }));
    output.line(`Using container: ${container.file} (${container.data.paths[0]})`);
    output.line(`Adding storage ${added.storage['backend-id']} to container.`);
    if (added.file !== undefined) output.line(`Created: ${added.file}`);
    output.line(`Saved container ${added.container.file}`);
    return fillNewStorage(this.context, added, { isSkipped: this.skipSync });
  }

  private params(): StorageParams {
    const type = this.path.at(-1) ?? 'local';
    const { location, watcherInterval, backendId } = this;
    if (location === '') throw new UsageError('--location needs a directory');
    if (watcherInterval !== undefined && !/^[1-9]\d{0,8}$/.test(watcherInterval)) {
      throw new UsageError(`--watcher-interval needs a number of seconds from 1 on, not ${watcherInterval}`);
    }
    return {
      type,
      location: path.resolve(this.context.workingDirectory, location),
      ...(backendId === undefined ? {} : { 'backend-id': backendId }),
      ...(watcherInterval === undefined ? {} : { 'watcher-interval': Number(watcherInterval) }),
      ...(this.readOnly ? { 'read-only': true } : {}),
      ...(this.trusted ? { trusted: true } : {}),
    };
  }
}

/** `wl storage create local`: adds a directory to a container. */

import path from 'node:path';

import type { StorageParams } from '@wl/ports/schemas';
import { Command, Option } from 'clipanion';

import { UsageError } from '../errors.js';
import { StorageCreateCommand } from './storage-create.js';

export class StorageCreateLocalCommand extends StorageCreateCommand {
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

  location = Option.String('--location', { required: true, description: 'the directory' });

  protected override get watcherIntervalText(): string {
    return 'look for changes every so many seconds, instead of being told';
  }

  protected override ownFields(): StorageParams {
    if (this.location === '') throw new UsageError('--location needs a directory');
    return { type: this.path.at(-1) ?? 'local', location: path.resolve(this.context.workingDirectory, this.location) };
  }
}

/** `wl storage create zip-archive`: adds an archive to a container, to be read from. */

import path from 'node:path';

import type { StorageParams } from '@wl/ports/schemas';
import { Command, Option } from 'clipanion';

import { UsageError } from '../errors.js';
import { StorageCreateCommand } from './storage-create.js';

export class StorageCreateZipCommand extends StorageCreateCommand {
  static override paths = [['storage', 'create', 'zip-archive']];
  static override usage = Command.Usage({
    category: 'Storages',
    description: 'add a zip archive to a container as a storage that is only read',
    details: `
      The archive must exist; \`wl\` never writes to it. Make it the source of a one-way sync: what its owner changes is brought to the target. Replace it by a rename, so that no half of it is ever seen.

      NAME is for a storage with a manifest of its own (\`--no-inline\`).
    `,
    examples: [
      ['An archive that somebody else keeps up to date', '$0 storage create zip-archive --container handbook --backend-id archive --location ~/Downloads/handbook.zip'],
      ['Bring what is in it to a folder, and keep doing so', '$0 container sync handbook --unidirectional --source-storage archive'],
    ],
  });

  location = Option.String('--location', { required: true, description: 'the archive' });

  protected override get watcherIntervalText(): string {
    return 'list the archive every so many seconds, instead of looking at its size and time once a second';
  }

  protected override ownFields(): StorageParams {
    if (this.location === '') throw new UsageError('--location needs the path of an archive');
    return { type: 'zip-archive', location: path.resolve(this.context.workingDirectory, this.location), 'read-only': true };
  }
}

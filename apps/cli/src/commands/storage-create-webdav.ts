/** `wl storage create webdav`: adds a folder of a WebDAV server to a container. */

import { parseWebdavUrl } from '@wl/adapters/manifests';
import type { StorageParams } from '@wl/ports/schemas';
import { Command, Option } from 'clipanion';

import { UsageError } from '../errors.js';
import { readSecret } from '../secret-input.js';
import { StorageCreateCommand } from './storage-create.js';

export class StorageCreateWebdavCommand extends StorageCreateCommand {
  static override paths = [['storage', 'create', 'webdav']];
  static override usage = Command.Usage({
    category: 'Storages',
    description: 'add a folder of a WebDAV server to a container as a storage',
    details: `
      The folder must exist. Unless \`--skip-sync\` is given, files are brought there from the first local storage at once.

      With \`--login\` the password is asked for on the terminal, or read from standard input with \`--password -\`; both are stored with the storage, readable for you alone.

      \`wl storage check\` tells what the server can do. NAME is for a storage with a manifest of its own (\`--no-inline\`).
    `,
    examples: [['A folder of a server, as ann', '$0 storage create webdav --container photos --url https://dav.example.org/ann/photos --login ann --password - < secret.txt']],
  });

  url = Option.String('--url', { required: true, description: 'https://host[:port]/path of the folder' });
  login = Option.String('--login', { description: 'the login to store with the storage' });
  password = Option.String('--password', { description: '`-`: read the password from standard input instead of asking for it' });

  protected override get watcherIntervalText(): string {
    return 'list the folder every so many seconds to notice changes (default: 30, less often while nothing happens)';
  }

  protected override ownFields(): StorageParams {
    const { login, password } = this;
    if (password !== undefined && password !== '-') {
      throw new UsageError(
        'a password has no place on a command line, where everyone on this machine can see it: leave --password out to be asked for it, ' +
          'or pipe it in with --password -. If this was the real one, remove it from the history of your shell',
      );
    }
    if (password !== undefined && login === undefined) throw new UsageError('--password goes with --login: one is of no use without the other');
    if (login !== undefined && (login === '' || /[:\u0000-\u001f\u007f]/.test(login))) throw new UsageError("--login needs a login, without ':' and control characters");
    const url = parseWebdavUrl(this.url);
    if (!url.ok) throw new UsageError(`--url: ${url.error.message}`);
    return { type: 'webdav', url: url.value };
  }

  protected override async withSecrets(storage: StorageParams): Promise<StorageParams> {
    if (this.login === undefined) return storage;
    const password = await readSecret(this.context, { name: 'password', option: '--password', isPiped: this.password !== undefined });
    return { ...storage, credentials: { login: this.login, password } };
  }
}

/** `wl storage create sftp`: adds a folder of an SFTP server to a container. */

import path from 'node:path';

import { isHostKeyFingerprint, sftpPlaceOf } from '@wl/adapters/manifests';
import type { StorageParams } from '@wl/ports/schemas';
import { Command, Option } from 'clipanion';

import { UsageError } from '../errors.js';
import { readSecret } from '../secret-input.js';
import { StorageCreateCommand } from './storage-create.js';

export class StorageCreateSftpCommand extends StorageCreateCommand {
  static override paths = [['storage', 'create', 'sftp']];
  static override usage = Command.Usage({
    category: 'Storages',
    description: 'add a folder of an SFTP server to a container as a storage',
    details: `
      The folder must exist. Unless \`--skip-sync\` is given, files are brought there from the first local storage at once.

      Without \`--identity\` and \`--passwd\` the ssh-agent logs in, whose SSH_AUTH_SOCK the daemon was started with. The passphrase of a key, or a password, is asked for on the terminal with \`--passphrase -\` or \`--passwd -\`, or read from standard input where that is no terminal; it is stored with the storage, readable for you alone.

      The server's key must be known: log in once with \`ssh\`, which adds it to ~/.ssh/known_hosts, or give its fingerprint with \`--host-key\`.

      \`wl storage check\` tells what the server can do. NAME is for a storage with a manifest of its own (\`--no-inline\`).
    `,
    examples: [
      ['A folder in the home of ann, by the key of the agent', '$0 storage create sftp --container photos --host files.example.org --login ann --path photos'],
      ['With a key file', '$0 storage create sftp --container photos --host files.example.org --login ann --path /srv/photos --identity ~/.ssh/id_ed25519'],
    ],
  });

  host = Option.String('--host', { required: true, description: 'name or address of the server' });
  port = Option.String('--port', { description: 'its port (default: 22)' });
  login = Option.String('--login', { description: 'the login (default: the user that the daemon runs as)' });
  folder = Option.String('--path', { description: 'the folder; without a leading slash below the home of the login (default: the home)' });
  identity = Option.String('--identity', { description: 'a private key file' });
  passphrase = Option.String('--passphrase', { description: '`-`: ask for the passphrase of the key, or read it from standard input' });
  passwd = Option.String('--passwd', { description: '`-`: ask for the password of the login, or read it from standard input' });
  hostKey = Option.String('--host-key', { description: "SHA256:… of the server's key, instead of known_hosts" });

  protected override get watcherIntervalText(): string {
    return 'list the folder every so many seconds to notice changes (default: 30, less often while nothing happens)';
  }

  protected override ownFields(): StorageParams {
    const { host, port, login, folder, identity, passphrase, passwd, hostKey } = this;
    refuseSecret('--passphrase', passphrase);
    refuseSecret('--passwd', passwd);
    if (passphrase !== undefined && passwd !== undefined) throw new UsageError('--passphrase and --passwd cannot both be given: one secret is read');
    if (passphrase !== undefined && identity === undefined) throw new UsageError('--passphrase goes with --identity: one is of no use without the other');
    if (port !== undefined && !/^\d{1,5}$/.test(port)) throw new UsageError(`--port needs a number, not ${port}`);
    if (hostKey !== undefined && !isHostKeyFingerprint(hostKey)) throw new UsageError('--host-key needs a fingerprint, SHA256:…, as `ssh-keygen -l` shows it');
    const storage: StorageParams = {
      type: 'sftp',
      host,
      ...(port !== undefined && { port: Number(port) }),
      ...(login !== undefined && { login }),
      ...(folder !== undefined && { path: folder }),
      // The daemon has another working directory.
      ...(identity !== undefined && { identity: path.resolve(identity) }),
      ...(hostKey !== undefined && { 'host-key': hostKey }),
    };
    const place = sftpPlaceOf(storage);
    if (!place.ok) throw new UsageError(place.error.message);
    return storage;
  }

  protected override async withSecrets(storage: StorageParams): Promise<StorageParams> {
    if (this.passphrase !== undefined) return { ...storage, passphrase: await readSecret(this.context, { name: 'passphrase', option: '--passphrase', isPiped: true }) };
    if (this.passwd !== undefined) return { ...storage, passwd: await readSecret(this.context, { name: 'password', option: '--passwd', isPiped: true }) };
    return storage;
  }
}

function refuseSecret(option: string, value: string | undefined): void {
  if (value === undefined || value === '-') return;
  throw new UsageError(
    `a secret has no place on a command line, where everyone on this machine can see it: write ${option} - to be asked for it, or to pipe it in. ` +
      'If this was the real one, remove it from the history of your shell',
  );
}

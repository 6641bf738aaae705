/** `wl container create`: makes a container, with storages if they are named. */

import { storageFromArgument } from '@wl/adapters/manifests';
import type { StorageParams } from '@wl/ports/schemas';
import { Command, Option } from 'clipanion';

import { CommandFailure, orFail } from '../errors.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { checkNewStorage, ownFilesWarning } from '../storage-types.js';
import { WlCommand } from '../wl-command.js';

export class ContainerCreateCommand extends WlCommand {
  static override paths = [['container', 'create']];
  static override usage = Command.Usage({
    category: 'Containers',
    description: 'make a container, with storages if they are named',
    details: 'A user and a key are made first where there are none. Without a NAME the container is called by its uuid.',
    examples: [
      ['A container without storages yet', '$0 container create photos'],
      ['Two directories that are to hold the same files', '$0 container create docs --storage ~/Docs --storage /mnt/usb/docs'],
    ],
  });

  containerName = Option.String({ name: 'NAME', required: false });
  storage = Option.Array('--storage', { description: 'a directory or URL that holds the files; give it once for each storage' });
  containerPath = Option.Array('--path', { description: 'an absolute path under which the container appears; may be given several times' });
  title = Option.String('--title', { description: 'a title for people' });
  category = Option.Array('--category', { description: 'an absolute path that groups containers; needs --title' });
  ignore = Option.Array('--ignore', { description: 'a pattern in gitignore syntax of what is left alone on every storage' });
  owner = Option.String('--owner,--user', { description: 'the owner: a name of a user, a fingerprint, or @default' });

  override async execute(): Promise<ExitCode> {
    const { containers, output } = this.context;
    if (this.owner !== undefined) await this.checkOwner(this.owner);
    const storages = await this.readStorages(this.storage ?? []);
    const container = orFail(
      await containers.create({
        name: this.containerName,
        paths: this.containerPath,
        title: this.title,
        categories: this.category,
        ignore: this.ignore,
        storages,
      }),
    );
    output.line(`Created: ${container.file}`);
    if (container.name !== this.containerName && this.containerName !== undefined) {
      output.notice(`Note: the container is called ${container.name} in commands.`);
    }
    return EXIT.ok;
  }

  private async readStorages(texts: readonly string[]): Promise<StorageParams[]> {
    const { baseDirectory, config, env, output, storageTypes, workingDirectory } = this.context;
    if (texts.length === 0) return [];
    const { 'local-hostname': localHostname } = orFail(await config.load()).values;
    const storages: StorageParams[] = [];
    for (const text of texts) {
      const storage = orFail(storageFromArgument(text, { env, workingDirectory, localHostname }));
      await checkNewStorage(storage, storages, storageTypes);
      const warning = ownFilesWarning(storage, baseDirectory);
      if (warning !== undefined) output.notice(warning);
      storages.push(storage);
    }
    return storages;
  }

  /** Only the default owner's secret key signs new manifests. */
  private async checkOwner(wanted: string): Promise<void> {
    const { users } = this.context;
    const { fingerprint } = orFail(await users.ensureDefaultOwner()).publicKey;
    if (['@default', '@default-owner', fingerprint].includes(wanted)) return;
    const { users: known } = orFail(await users.list());
    if (known.some((user) => user.name === wanted && user.owner === fingerprint)) return;
    throw new CommandFailure(`containers can only be made for the default owner, ${fingerprint}, and ${wanted} is another: change @default-owner in config.yaml first`);
  }
}

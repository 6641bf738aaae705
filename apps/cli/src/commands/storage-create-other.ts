/** `wl storage create other`: adds a storage of a type that a plugin serves. */

import type { StorageParams, StatusPlugin } from '@wl/ports/schemas';
import { Command, Option } from 'clipanion';

import { CommandFailure, UsageError } from '../errors.js';
import { readSecret } from '../secret-input.js';
import type { StorageTypes } from '../storage-types.js';
import { StorageCreateCommand } from './storage-create.js';

type Backend = StatusPlugin['backends'][number];

/** Fields that mean the same for all types, and have options or a place of their own. */
const COMMON = new Set(['type', 'object', 'owner', 'container-path', 'version', 'backend-id', 'read-only', 'primary', 'trusted', 'watcher-interval', 'access', 'is-local-owner']);

export class StorageCreateOtherCommand extends StorageCreateCommand {
  static override paths = [['storage', 'create', 'other']];
  static override usage = Command.Usage({
    category: 'Storages',
    description: 'add a storage of a type that a plugin serves',
    details: `
      \`wl plugin doctor\` shows the types there are and their fields. A secret field is asked for on the terminal, or read from standard input where that is none; it is stored with the storage, readable for you alone.
    `,
    examples: [['A storage of type shelf', '$0 storage create other --type shelf --container photos --field place=/mnt/shelf']],
  });

  type = Option.String('--type', { required: true, description: 'the type' });
  fields = Option.Array('--field', [], { description: 'a field of the type; may be given several times' });
  secretField = Option.String('--secret-field', { description: 'a field whose value is read from standard input' });

  protected override ownFields(): StorageParams {
    const fields: Record<string, string> = {};
    for (const field of this.fields) {
      const at = field.indexOf('=');
      // The value is never repeated: it may be a secret that belongs elsewhere.
      if (at <= 0) throw new UsageError('--field needs KEY=VALUE');
      const name = field.slice(0, at);
      if (COMMON.has(name)) throw new UsageError(`${name} is no field of a type`);
      fields[name] = field.slice(at + 1);
    }
    return { ...fields, type: this.type };
  }

  protected override async knownTypes(): Promise<StorageTypes> {
    const backends = await this.backends();
    const backend = backends.find(({ type }) => type === this.type);
    if (backend !== undefined) this.checkFields(backend);
    // The types that are built in have commands that know their fields.
    return new Set(backends.map(({ type }) => type));
  }

  protected override async withSecrets(storage: StorageParams): Promise<StorageParams> {
    const { secretField } = this;
    if (secretField === undefined) return storage;
    return { ...storage, [secretField]: await readSecret(this.context, { name: secretField, isPiped: true }) };
  }

  private async backends(): Promise<readonly Backend[]> {
    const connection = await this.context.daemon.connect();
    try {
      return (await connection.plugins()).filter(({ state }) => state !== 'refused').flatMap(({ backends }) => backends);
    } finally {
      connection.close();
    }
  }

  private checkFields({ type, fields }: Backend): void {
    const given = this.fields.map((field) => field.slice(0, field.indexOf('=')));
    for (const { name, required, secret } of fields) {
      if (secret && given.includes(name)) {
        throw new UsageError(`the field ${name} is a secret, which has no place on a command line: use --secret-field ${name}`);
      }
      if (required && !given.includes(name) && this.secretField !== name) {
        throw new CommandFailure(`a storage of type ${type} needs the field ${name}: add ${secret ? `--secret-field ${name}` : `--field ${name}=…`}`);
      }
    }
  }
}

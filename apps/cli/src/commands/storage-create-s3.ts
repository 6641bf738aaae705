/** `wl storage create s3`: adds a place in a bucket to a container. */

import path from 'node:path';

import { parseEndpointUrl, parseS3Url, parseServerSideEncryption } from '@wl/adapters/manifests';
import type { Result } from '@wl/domain';
import type { StorageParams } from '@wl/ports/schemas';
import { Command, Option } from 'clipanion';

import { UsageError } from '../errors.js';
import { readSecret } from '../secret-input.js';
import { StorageCreateCommand } from './storage-create.js';

/** What lies in these has to be brought back for hours before it can be read. */
const FROZEN_CLASSES: ReadonlySet<string> = new Set(['GLACIER', 'DEEP_ARCHIVE']);

export class StorageCreateS3Command extends StorageCreateCommand {
  static override paths = [['storage', 'create', 's3']];
  static override usage = Command.Usage({
    category: 'Storages',
    description: 'add a place in an S3 bucket to a container as a storage',
    details: `
      The bucket must exist; files go below the path of the URL. Unless \`--skip-sync\` is given, they are brought there from the first local storage at once.

      With \`--access-key\` the secret key is asked for on the terminal, or read from standard input with \`--secret-key -\`; both are stored with the storage, readable for you alone. Without, the daemon takes what AWS tools take: environment, profile, SSO, instance role.

      \`wl storage check\` tells what the server can do. NAME is for a storage with a manifest of its own (\`--no-inline\`).
    `,
    examples: [
      ['A bucket at AWS, with the credentials of your profile', '$0 storage create s3 --container photos --s3-url s3://bucket/photos'],
      [
        'A server of your own',
        '$0 storage create s3 --container photos --s3-url s3://bucket/photos --endpoint-url https://s3.example.org --access-key KEY --secret-key - < secret.txt',
      ],
    ],
  });

  s3Url = Option.String('--s3-url', { required: true, description: 's3://bucket/path' });
  endpointUrl = Option.String('--endpoint-url', { description: 'https://host[:port] of the server (default: AWS)' });
  region = Option.String('--region', { description: 'the region (default: that of the profile, or what the server says)' });
  accessKey = Option.String('--access-key', { description: 'the access key to store with the storage' });
  secretKey = Option.String('--secret-key', { description: '`-`: read the secret key from standard input instead of asking for it' });
  pathStyle = Option.Boolean('--path-style', { description: 'name the bucket in the path (default with --endpoint-url); --no-path-style: in the host name' });
  storageClass = Option.String('--storage-class', { description: 'the storage class of what is written, e.g. STANDARD_IA' });
  sse = Option.String('--sse', { description: 'server-side encryption of what is written: aes256, aws:kms or aws:kms:KEYID' });
  mountPath = Option.String('--mount-path', { description: 'where the bucket is mounted into the file system, for syncers that need that' });
  withIndex = Option.Boolean('--with-index', false, { description: 'write an HTML page of each directory, for browsing the bucket as a web site' });

  protected override get watcherIntervalText(): string {
    return 'list the bucket every so many seconds to notice changes (default: 30, less often while nothing happens)';
  }

  protected override ownFields(): StorageParams {
    const { region, pathStyle, storageClass } = this;
    this.checkCredentialOptions();
    if (region !== undefined && !/^[a-z0-9][a-z0-9-]*$/i.test(region)) throw new UsageError(`--region: ${JSON.stringify(region)} cannot be a region; they read like eu-central-1`);
    if (storageClass !== undefined && !/^[\w-]+$/.test(storageClass)) throw new UsageError(`--storage-class: ${JSON.stringify(storageClass)} cannot be a storage class; they read like STANDARD_IA`);
    if (storageClass !== undefined && FROZEN_CLASSES.has(storageClass.toUpperCase())) {
      throw new UsageError(`--storage-class ${storageClass} cannot be synced: what lies there cannot be read at once. GLACIER_IR can`);
    }
    const { mountPath } = this;
    if (mountPath !== undefined && !path.isAbsolute(mountPath)) throw new UsageError(`--mount-path: ${JSON.stringify(mountPath)} is no absolute path`);
    return {
      type: 's3',
      s3_url: orUsage('--s3-url', parseS3Url(this.s3Url)).url,
      ...(this.endpointUrl === undefined ? {} : { endpoint_url: orUsage('--endpoint-url', parseEndpointUrl(this.endpointUrl)) }),
      ...(region === undefined ? {} : { region }),
      ...(pathStyle === undefined ? {} : { 'path-style': pathStyle }),
      ...(storageClass === undefined ? {} : { 'storage-class': storageClass }),
      ...(this.sse === undefined ? {} : { sse: orUsage('--sse', parseServerSideEncryption(this.sse)) }),
      ...(mountPath === undefined ? {} : { 'mount-path': mountPath }),
      ...(this.withIndex ? { 'with-index': true } : {}),
    };
  }

  protected override async withSecrets(storage: StorageParams): Promise<StorageParams> {
    if (this.accessKey === undefined) return storage;
    const secretKey = await readSecret(this.context, { name: 'secret key', isPiped: this.secretKey !== undefined });
    return { ...storage, credentials: { 'access-key': this.accessKey, 'secret-key': secretKey } };
  }

  private checkCredentialOptions(): void {
    const { accessKey, secretKey } = this;
    if (secretKey !== undefined && secretKey !== '-') {
      throw new UsageError(
        'a secret key has no place on a command line, where everyone on this machine can see it: leave --secret-key out to be asked for it, ' +
          'or pipe it in with --secret-key -. If this was the real one, remove it from the history of your shell',
      );
    }
    if (secretKey !== undefined && accessKey === undefined) throw new UsageError('--secret-key goes with --access-key: one is of no use without the other');
    if (accessKey !== undefined && !/^[\x21-\x7e]+$/.test(accessKey)) throw new UsageError('--access-key needs an access key, without spaces');
  }
}

/** The value of a checked option; what is wrong with it is wrong usage. */
function orUsage<T>(option: string, result: Result<T, { readonly message: string }>): T {
  if (!result.ok) throw new UsageError(`${option}: ${result.error.message}`);
  return result.value;
}

/**
 * A machine whose containers have a bucket as a storage. At the end of every test it is looked
 * through for secrets: none may be in an output, a log, a status, or a file that others can read.
 */

import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import type { Child, ChildOptions, Run } from '../../e2e/testing/child.js';
import { plant, treeOf } from '../../e2e/testing/tree.js';
import { until } from '../../e2e/testing/until.js';
import { World } from '../../e2e/testing/world.js';
import { filesOf, sortedText, type Bucket } from './bucket.js';

/** Milliseconds. */
const DEADLINE_MS = 60_000;

/** How a storage differs from the usual one. */
export interface S3StorageOptions {
  readonly backendId?: string;
  readonly endpoint?: string;
  /** `undefined`: no keys are given, the machine has to find some. */
  readonly keys?: { readonly accessKey: string; readonly secretKey: string } | undefined;
  readonly url?: string;
  /** Further words of the command line. */
  readonly more?: readonly string[];
}

/** The usual backend-ids. */
export const FOLDER_ID = 'folder';
export const BUCKET_ID = 'bucket';

export const ONE_SHOT = ['container', 'sync', '--one-shot', 'photos'] as const;

/** A scratch home that watches over secrets. */
export class S3World extends World {
  readonly #children: Child[] = [];
  readonly #secrets = new Set<string>();

  constructor() {
    super();
    // Keys of whoever runs the tests are not for the programs under test.
    for (const name of Object.keys(this.env)) if (name.startsWith('AWS_') || name.startsWith('WL_S3_')) delete this.env[name];
    this.env['AWS_EC2_METADATA_DISABLED'] = 'true';
  }

  /** From now on this text must show up nowhere. */
  keepSecret(text: string): void {
    this.#secrets.add(text);
  }

  override start(command: readonly string[], options: Partial<ChildOptions> = {}): Child {
    const child = super.start(command, options);
    this.#children.push(child);
    return child;
  }

  /** `wl storage create s3` for the container `photos`, the secret on its standard input; its end, whatever it is. */
  createS3Storage(bucket: Bucket, options: S3StorageOptions = {}): Promise<Run> {
    const { endpoint, region } = bucket.account;
    const keys = 'keys' in options ? options.keys : bucket.account;
    if (keys !== undefined) this.keepSecret(keys.secretKey);
    const words = ['--container', 'photos', '--s3-url', options.url ?? bucket.url, '--endpoint-url', options.endpoint ?? endpoint, '--region', region];
    const more = [...(keys === undefined ? [] : ['--access-key', keys.accessKey, '--secret-key', '-']), ...(options.more ?? [])];
    const command = this.command('storage', 'create', 's3', ...words, '--backend-id', options.backendId ?? BUCKET_ID, '--skip-sync', ...more);
    return this.start(command, keys === undefined ? {} : { stdin: `${keys.secretKey}\n` }).ended;
  }

  /** The same; it must succeed. */
  async addBucket(bucket: Bucket, options: S3StorageOptions = {}): Promise<void> {
    const run = await this.createS3Storage(bucket, options);
    if (run.code !== 0) throw new Error(`wl storage create s3 ended with ${run.code ?? run.signal}\nstdout: ${run.stdout}\nstderr: ${run.stderr}\n${this.log()}`);
  }

  /** The container `photos` over a new folder and a bucket that is looked at every second; gives the folder. */
  async folderAndBucket(bucket: Bucket, files: Readonly<Record<string, string | Uint8Array>> = {}, options: S3StorageOptions = {}): Promise<string> {
    const folder = this.folder('photos');
    plant(folder, files);
    await this.wl('container', 'create', 'photos');
    await this.wl('storage', 'create', 'local', '--container', 'photos', '--location', folder, '--backend-id', FOLDER_ID, '--skip-sync');
    await this.addBucket(bucket, { ...options, more: ['--watcher-interval', '1', ...(options.more ?? [])] });
    return folder;
  }

  /** The same, synced once. */
  async syncedFolder(bucket: Bucket, files: Readonly<Record<string, string | Uint8Array>> = {}, options: S3StorageOptions = {}): Promise<string> {
    const folder = await this.folderAndBucket(bucket, files, options);
    await this.wl(...ONE_SHOT);
    return folder;
  }

  /** The same, kept in sync by a continuous job. */
  async runningFolder(bucket: Bucket, files: Readonly<Record<string, string | Uint8Array>> = {}, options: S3StorageOptions = {}): Promise<string> {
    const folder = await this.syncedFolder(bucket, files, options);
    await this.wl('container', 'sync', 'photos');
    await this.untilSynced();
    return folder;
  }

  /** Waits until a folder holds exactly those files; what directories there are does not matter. */
  async untilFiles(folder: string, expected: Readonly<Record<string, string>>, deadlineMs = DEADLINE_MS): Promise<void> {
    const wanted = sortedText(expected);
    const seen = (): string => sortedText(filesOf(treeOf(folder)));
    await until(() => seen() === wanted, () => `${folder} to hold ${wanted}; it holds ${seen()}\n${this.log().split('\n').slice(-15).join('\n')}`, deadlineMs);
  }

  override async close(): Promise<void> {
    const leaks = this.#leaks();
    await super.close();
    if (leaks.length > 0) throw new Error(`a secret shows up in ${leaks.join('; ')}`);
  }

  #leaks(): string[] {
    const found: string[] = [];
    const look = (where: string, text: string): void => {
      for (const secret of this.#secrets) if (text.includes(secret)) found.push(where);
    };
    for (const [index, { stdout, stderr }] of this.#children.entries()) look(`the output of program ${index}: ${stdout}${stderr}`, stdout + stderr);
    look('the log', this.log());
    for (const file of openFiles(this.home)) look(`${file}, which others may read`, readFileSync(file, 'latin1'));
    return found;
  }
}

/** Files below a directory that others than the owner may read. */
function openFiles(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const place = path.join(directory, entry.name);
    if (entry.isDirectory()) return openFiles(place);
    return entry.isFile() && (lstatSync(place).mode & 0o077) !== 0 ? [place] : [];
  });
}

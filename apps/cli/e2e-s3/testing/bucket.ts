/** A bucket of one test, seen and changed from outside. */

import { randomUUID } from 'node:crypto';

import { contentText } from '../../e2e/testing/tree.js';
import { until } from '../../e2e/testing/until.js';
import { S3Client, type S3Account } from './s3-client.js';

/** The storage's own area, below its prefix. */
const OWN_AREA = '.wl/';

/** A pass over a bucket takes longer than one over a folder; a test may share the machine with others. Milliseconds. */
const DEADLINE_MS = 60_000;

/** The server that the tests were given. */
export function givenAccount(): S3Account {
  const value = (name: string): string => {
    const text = process.env[name];
    if (text === undefined || text === '') throw new Error(`${name} is not set: these tests need an S3 server. Start one first: eval "$(npm run --silent s3:start -- DIR)"`);
    return text;
  };
  return { endpoint: value('WL_S3_ENDPOINT'), accessKey: value('WL_S3_ACCESS_KEY'), secretKey: value('WL_S3_SECRET_KEY'), region: value('WL_S3_REGION') };
}

/** A new bucket, and a folder in it that is a storage: the place of the objects under test. */
export class Bucket {
  private constructor(
    readonly client: S3Client,
    readonly name: string,
    /** Folder in the bucket; without slashes around it. */
    readonly folder: string,
  ) {}

  static async make(account: S3Account = givenAccount(), folder = 'photos'): Promise<Bucket> {
    const bucket = new Bucket(new S3Client(account), `e2e-${randomUUID()}`, folder);
    await bucket.client.createBucket(bucket.name);
    return bucket;
  }

  /** Another folder of the same bucket. */
  beside(folder: string): Bucket {
    return new Bucket(this.client, this.name, folder);
  }

  get url(): string {
    return `s3://${this.name}/${this.folder}`;
  }

  get account(): S3Account {
    return this.client.account;
  }

  /** Writes objects by name. */
  async plant(files: Readonly<Record<string, string | Uint8Array>>, metadata: Readonly<Record<string, string>> = {}): Promise<void> {
    for (const [name, content] of Object.entries(files)) await this.client.put(this.name, this.#key(name), content, metadata);
  }

  async remove(...names: readonly string[]): Promise<void> {
    for (const name of names) await this.client.remove(this.name, this.#key(name));
  }

  /** An object's headers. */
  head(name: string): ReturnType<S3Client['head']> {
    return this.client.head(this.name, this.#key(name));
  }

  /** The objects that are files, as `treeOf` shows files. Directory markers and the own area are left out. */
  async files(): Promise<Record<string, string>> {
    return this.#contents((name) => !name.startsWith(OWN_AREA) && !name.endsWith('/'), contentText);
  }

  /** Whole texts of the objects in the own area: trash and whatever else is kept there. */
  async ownTexts(): Promise<Record<string, string>> {
    return this.#contents((name) => name.startsWith(OWN_AREA), (bytes) => bytes.toString('utf8'));
  }

  /** Everything there is in this folder of the bucket, the own area too, by name, with ETags. */
  async everything(): Promise<Record<string, string>> {
    const listed = await this.client.list(this.name, `${this.folder}/`);
    return Object.fromEntries(listed.map(({ key, etag }) => [key.slice(this.folder.length + 1), etag]));
  }

  /** Keys of uploads in parts that have not ended. */
  uploads(): Promise<string[]> {
    return this.client.uploads(this.name);
  }

  /** Waits until the files are exactly those. */
  async untilFiles(expected: Readonly<Record<string, string>>, deadlineMs = DEADLINE_MS): Promise<void> {
    const wanted = sortedText(expected);
    await until(
      async () => sortedText(await this.files()) === wanted,
      async () => `${this.url} to hold ${wanted}; it holds ${sortedText(await this.files())}`,
      deadlineMs,
    );
  }

  /** Removes everything in it, as an outsider would, all folders; then nothing is left of it but the empty bucket. */
  async empty(): Promise<void> {
    for (const { key } of await this.client.list(this.name)) await this.client.remove(this.name, key);
    for (let pages = 0; pages < 100; pages += 1) {
      const versions = await this.client.versions(this.name);
      if (versions.length === 0) return;
      for (const { key, versionId } of versions) await this.client.removeVersion(this.name, key, versionId);
    }
    throw new Error(`${this.name} cannot be emptied`);
  }

  /** Removes it with everything in it. A request that its client gave up may be carried out meanwhile: then it is not empty any more, and emptied again. */
  async destroy(): Promise<void> {
    await until(
      async () => {
        await this.empty();
        await this.client.deleteBucket(this.name);
        return true;
      },
      `${this.name} to be removed`,
      DEADLINE_MS,
    );
  }

  async recreate(): Promise<void> {
    await this.client.createBucket(this.name);
  }

  /** Objects that vanish while they are looked at are left out. */
  async #contents(isWanted: (name: string) => boolean, text: (bytes: Buffer) => string): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const name of Object.keys(await this.everything())) {
      if (!isWanted(name)) continue;
      const bytes = await this.client.get(this.name, this.#key(name));
      if (bytes !== undefined) found[name] = text(bytes);
    }
    return found;
  }

  #key(name: string): string {
    return `${this.folder}/${name}`;
  }
}

/** Files of a tree: object stores keep no directories. */
export function filesOf(tree: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(tree).filter(([name]) => !name.endsWith('/')));
}

/** A record as text that is equal for equal records. */
export function sortedText(record: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))));
}

/** A bucket on the S3 server of the tests, in this process, that stands for the right side of a world. */

import { importSource } from '../../bundle-testing.mjs';
import { ROOT } from '../programs.mjs';
import { sha256 } from '../sha256.mjs';
import { AREA, bytesOf, DIRECTORY } from './files.mjs';

const FOLDER = 'photos/';

/** Requests that change something, by the names the server's log gives them. */
const CHANGING = new Set([
  'PutObject', 'CopyObject', 'DeleteObject', 'DeleteObjects', 'CreateMultipartUpload', 'UploadPart', 'UploadPartCopy', 'CompleteMultipartUpload', 'AbortMultipartUpload',
]);

let servers;

/** The objects of one world. */
export class BucketSide {
  static async open() {
    servers ??= await importSource(ROOT, 'libs/adapters/src/s3/testing/server/index.ts');
    return new BucketSide(await servers.startS3Server({ buckets: ['bucket'] }));
  }

  constructor(server) {
    this.server = server;
    this.hands = server.bucket('bucket');
  }

  /** The storage as the protocol carries it. */
  params() {
    const { endpointUrl, accessKey, secretKey, region } = this.server;
    return {
      type: 's3', 'backend-id': 'right', s3_url: `s3://bucket/${FOLDER}`, endpoint_url: endpointUrl, region,
      credentials: { 'access-key': accessKey, 'secret-key': secretKey },
    };
  }

  /** Does what a user does, as `edit` in files.mjs. */
  edit(steps) {
    for (const [what, name, other] of steps) {
      if (what === 'write') this.hands.put(FOLDER + name, bytesOf(other));
      else if (what === 'directory') this.hands.put(`${FOLDER}${name}/`, '');
      else for (const key of this.#keysOf(name)) {
        if (what === 'rename') this.hands.put(FOLDER + other + key.slice(FOLDER.length + name.length), this.hands.get(key));
        this.hands.delete(key);
      }
    }
  }

  #keysOf(name) {
    return this.hands.keys(FOLDER).filter((key) => key === FOLDER + name || key.startsWith(`${FOLDER}${name}/`));
  }

  /** From now on `restore` brings back what is there now, tags and times too. */
  keep() {
    this.kept = this.hands.keys().map((key) => [key, this.hands.head(key)]);
  }

  restore() {
    this.server.log.clear();
    this.server.removeBucket('bucket');
    this.server.createBucket('bucket');
    this.hands = this.server.bucket('bucket');
    for (const [key, { bytes, metadata, etag, lastModifiedMs, headers }] of this.kept) {
      this.hands.put(key, bytes, { metadata, etag, lastModifiedMs, contentType: headers['content-type'] });
    }
  }

  /** Everything below the folder: path → sha256, or `DIRECTORY`; directories that hold something count as there. */
  everything() {
    const found = {};
    for (const key of this.hands.keys(FOLDER)) {
      const name = key.slice(FOLDER.length);
      for (let at = name.indexOf('/'); at > 0; at = name.indexOf('/', at + 1)) found[name.slice(0, at)] = DIRECTORY;
      if (name !== '' && !name.endsWith('/')) found[name] = sha256(this.hands.get(key));
    }
    return found;
  }

  visible() {
    return Object.fromEntries(Object.entries(this.everything()).filter(([name]) => name !== AREA && !name.startsWith(`${AREA}/`)));
  }

  /** Calls `hook` for each request that changes something, before it is carried out; returns what ends that. */
  onChange(hook) {
    return this.server.before('*', (request) => (CHANGING.has(request.operation) ? hook() : undefined));
  }

  /** Requests since `restore` that changed something, as calls of a report. */
  changes() {
    return this.server.log.writes.map(({ operation, key }, index) => ({ number: index + 1, name: operation, path: key, result: 0 }));
  }

  uploads() {
    return this.hands.uploads();
  }

  async close() {
    await this.server.close();
  }
}

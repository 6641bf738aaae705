/**
 * Looks at single objects. INV-8: a missing object is absent only where the bucket itself
 * answered; a `HEAD` has no body that could tell a missing bucket from a missing object, so an
 * absence is confirmed by a listing, which shows a directory of that name as well.
 */

import { createHash } from 'node:crypto';

import { ABSENT, DIRECTORY, ROOT, toSha256, type FileNode, type Node, type RelativePath, type Sha256, type Token } from '@wl/domain';
import { isBackendError, type HashOutcome } from '@wl/ports';

import type { DirectoryKnowledge } from './directory-knowledge.js';
import type { HashRecords } from './hash-records.js';
import type { KeyLayout } from './key-layout.js';
import type { ObjectHead, S3Api } from './s3-api.js';
import { toBackendError } from './s3-error.js';
import { tokenOf } from './version-token.js';
import { attributesOf, trustedHash } from './writing/object-properties.js';
import { isPlaceholder } from './writing/placeholder.js';
import type { RecordParts } from './writing/recording.js';

/** How often an object that changes while it is hashed is read again. */
const HASH_TRIES = 3;

/** Objects looked at or hashed at the same time. */
const HASHED_AT_ONCE = 16;

/** A file as an object shows it. */
export function nodeOf(head: ObjectHead): FileNode {
  return {
    kind: 'file',
    token: tokenOf(head),
    sizeBytes: head.sizeBytes,
    mtimeMs: attributesOf(head).mtimeMs,
    hash: trustedHash(head),
    isRacy: false,
  };
}

/** Observes the objects of one storage. */
export class Observer {
  constructor(
    private readonly api: S3Api,
    private readonly layout: KeyLayout,
    private readonly directories: DirectoryKnowledge,
    private readonly record: RecordParts,
    private readonly hashRecords: Pick<HashRecords, 'find'>,
  ) {}

  async stat(path: RelativePath, signal?: AbortSignal): Promise<Node> {
    if (this.layout.isReserved(path)) return ABSENT;
    const key = this.#keyOf(path);
    // No object can have such a key.
    if (key === undefined) return ABSENT;
    const [head, isDirectory] = await Promise.all([
      path === ROOT ? undefined : this.head(key, path, signal),
      this.hasEntries(path, signal),
    ]);
    if (head !== undefined && isDirectory) return { kind: 'unknown', reason: 'file-and-directory' };
    if (head !== undefined) return isPlaceholder(head.etag, head.sizeBytes) ? { kind: 'unknown', reason: 'changing' } : nodeOf(head);
    return path === ROOT || isDirectory ? DIRECTORY : ABSENT;
  }

  /** Whether anything is in a directory, its marker included. */
  async hasEntries(path: RelativePath, signal?: AbortSignal): Promise<boolean> {
    try {
      const prefix = this.layout.directory(path, 'stat');
      const { objects } = await this.api.list({ prefix, maxKeys: 1 }, signal);
      if (objects.length > 0) this.directories.seen(path);
      return objects.length > 0;
    } catch (error) {
      if (isBackendError(error) && error.code === 'name-not-representable') return false;
      throw toBackendError(error, 'stat', path);
    }
  }

  async token(path: RelativePath): Promise<Token | undefined> {
    const key = this.layout.isReserved(path) ? undefined : this.#keyOf(path);
    if (key === undefined || path === ROOT) return undefined;
    const head = await this.head(key, path);
    if (head !== undefined) return isPlaceholder(head.etag, head.sizeBytes) ? undefined : tokenOf(head);
    await this.hasEntries(path);
    return undefined;
  }

  /** One outcome per path, in order. */
  async hashes(paths: readonly RelativePath[], signal?: AbortSignal): Promise<readonly HashOutcome[]> {
    const outcomes = new Array<HashOutcome>(paths.length);
    let next = 0;
    const work = async (): Promise<void> => {
      for (let index = next++; index < paths.length; index = next++) outcomes[index] = await this.#hash(paths[index]!, signal);
    };
    await Promise.all(Array.from({ length: Math.min(HASHED_AT_ONCE, paths.length) }, work));
    return outcomes;
  }

  /** The object itself, whatever it is. */
  async head(key: string, path: RelativePath, signal?: AbortSignal): Promise<ObjectHead | undefined> {
    try {
      return await this.api.headObject(key, signal);
    } catch (error) {
      throw toBackendError(error, 'stat', path);
    }
  }

  async #hash(path: RelativePath, signal?: AbortSignal): Promise<HashOutcome> {
    for (let turn = 0; turn < HASH_TRIES; turn += 1) {
      const key = this.#keyOf(path);
      const head = key === undefined || path === ROOT || this.layout.isReserved(path) ? undefined : await this.head(key, path, signal);
      if (key === undefined || head === undefined) return this.#noFile(path, signal);
      if (isPlaceholder(head.etag, head.sizeBytes)) return { kind: 'changing' };
      const node = nodeOf(head);
      const hash = node.hash ?? (await this.hashRecords.find(key, head, signal)) ?? (await this.#read(key, path, head, signal));
      if (hash !== 'stale') return { kind: 'hashed', node: { ...node, hash } };
    }
    return { kind: 'changing' };
  }

  async #noFile(path: RelativePath, signal?: AbortSignal): Promise<HashOutcome> {
    const node = await this.stat(path, signal);
    if (node.kind === 'absent') return { kind: 'absent' };
    if (node.kind === 'file') return { kind: 'changing' };
    return { kind: 'unknown', reason: node.kind === 'unknown' ? node.reason : 'read-error', message: `${path} is no file` };
  }

  /** Reads all of a version once (an object written by others, T87); the caller remembers the hash under its token. */
  async #read(key: string, path: RelativePath, { etag, sizeBytes }: ObjectHead, signal?: AbortSignal): Promise<Sha256 | 'stale'> {
    try {
      const opened = await this.api.getObject(key, etag, 0, signal);
      if (opened === 'stale') return 'stale';
      if (opened.head.sizeBytes !== sizeBytes) {
        opened.destroy();
        return 'stale';
      }
      const hash = createHash('sha256');
      const recording = this.record({ key, etag, sizeBytes });
      for await (const chunk of opened.body) {
        hash.update(chunk);
        recording?.add(chunk);
      }
      recording?.keep();
      return toSha256(hash.digest('hex'));
    } catch (error) {
      throw toBackendError(error, 'read', path);
    }
  }

  #keyOf(path: RelativePath): string | undefined {
    try {
      return this.layout.file(path, 'stat');
    } catch (error) {
      if (isBackendError(error) && error.code === 'name-not-representable') return undefined;
      throw error;
    }
  }
}

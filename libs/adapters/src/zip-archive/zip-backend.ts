/**
 * The storage driver for zip archives (`zip-archive`): read-only. Its owner replaces the archive as
 * a whole; what was opened before goes on being read as it was.
 */

import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';

import { ABSENT, ancestorsOf, DIRECTORY, directoryKey, err, ok, ROOT, toSha256, type Node, type RelativePath, type Result, type Token } from '@wl/domain';
import type {
  BackendError} from '@wl/ports';
import {
  EntryKind,
  isBackendError,
  packListing,
  type Clock,
  type FileReader,
  type FileWriter,
  type HashOutcome,
  type ListingBatch,
  type ListOptions,
  type RootIdentity,
  type StaleToken,
  type StorageBackend,
  type StorageCapabilities,
  type Watcher,
} from '@wl/ports';

import { Archive } from './archive.js';
import type { ArchiveIndex, IndexedEntry, PackedFile } from './archive-index.js';
import { ArchiveWatcher } from './archive-watcher.js';
import { EntryReader } from './entry-reader.js';
import { failure, toBackendError, type Concern } from './failure.js';

/** Which archive. */
export interface ZipParams {
  readonly backendId: string;
  /** Absolute path of the archive. */
  readonly location: string;
}

/** What the driver works with. */
export interface ZipHost {
  readonly clock: Clock;
}

/** Makes the driver of an archive. Nothing is opened before the storage is. */
export function createZipBackend(params: ZipParams, host: ZipHost): StorageBackend {
  return new ZipBackend(params, host);
}

const CAPABILITIES: StorageCapabilities = {
  isReadOnly: true,
  replace: 'atomic',
  remove: 'atomic',
  isCaseSensitive: true,
  keepsEmptyDirectories: true,
  hasTrash: false,
  notes: [],
};
const BATCH_ROWS = 1000;
const HASH_ATTEMPTS = 3;

/** A zip archive as a storage. */
class ZipBackend implements StorageBackend {
  readonly backendId: string;
  readonly type = 'zip-archive';
  readonly displayLocation: string;
  readonly capabilities = CAPABILITIES;
  readonly #archive: Archive;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  readonly #readers = new Set<EntryReader>();

  constructor({ backendId, location }: ZipParams, { clock }: ZipHost) {
    this.backendId = backendId;
    this.displayLocation = location;
    this.#clock = clock;
    this.#archive = new Archive(location, clock);
  }

  async open(signal?: AbortSignal): Promise<void> {
    await this.#index({ operation: 'open the storage' }, signal);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#readers].map((reader) => reader.close()));
  }

  /** An archive is replaced by its owner, so only its place stays. */
  async rootIdentity(): Promise<RootIdentity> {
    const concern = { operation: 'look at the root' };
    this.#assertOpen(concern);
    await this.#archive.stamp(concern);
    const location = await realpath(this.displayLocation).catch((error: unknown) => {
      throw toBackendError(error, concern);
    });
    return { ids: [`place:${location}`], location };
  }

  list(directory: RelativePath, options: ListOptions = {}): AsyncIterable<ListingBatch> {
    return { [Symbol.asyncIterator]: () => this.#list(directory, options) };
  }

  async stat(path: RelativePath): Promise<Node> {
    if (path === ROOT) return this.#index({ operation: 'stat' }).then(() => DIRECTORY);
    return nodeOf(await this.#index({ operation: 'stat', path }), path);
  }

  async getFileToken(path: RelativePath): Promise<Token | undefined> {
    const node = await this.stat(path);
    return node.kind === 'file' ? node.token : undefined;
  }

  async getHashes(paths: readonly RelativePath[], signal?: AbortSignal): Promise<readonly HashOutcome[]> {
    const outcomes: HashOutcome[] = [];
    for (const path of paths) outcomes.push(await this.#hash(path, signal));
    return outcomes;
  }

  async read(path: RelativePath, expected: Token, signal?: AbortSignal): Promise<Result<FileReader, StaleToken>> {
    const reader = await this.#openReader(path, expected, signal);
    return reader === undefined ? err({ kind: 'stale-token' }) : ok(reader);
  }

  async openForSafeReplace(path: RelativePath): Promise<FileWriter> {
    throw this.#refusal('replace', path);
  }

  async remove(path: RelativePath): Promise<Result<void, StaleToken>> {
    throw this.#refusal('remove', path);
  }

  async makeDirectory(path: RelativePath): Promise<Result<void, 'exists' | 'parent-missing'>> {
    throw this.#refusal('make directory', path);
  }

  async removeDirectory(path: RelativePath): Promise<Result<void, 'not-empty' | 'not-a-directory'>> {
    throw this.#refusal('remove directory', path);
  }

  async flush(): Promise<void> {
    // Nothing is ever written.
  }

  watcher(): Watcher {
    return new ArchiveWatcher(this.#archive, this.#clock);
  }

  async *#list(directory: RelativePath, { signal, onUnrepresentable }: ListOptions): AsyncGenerator<ListingBatch> {
    const concern = { operation: 'list', path: directory };
    const index = await this.#index(concern, signal);
    const node = directory === ROOT ? DIRECTORY : nodeOf(index, directory);
    if (node.kind === 'absent') throw failure('not-found', concern, 'there is no such directory');
    if (node.kind !== 'directory') throw failure('not-a-directory', concern, 'it is no directory');
    if (directory === ROOT) for (const name of index.unrepresentable) onUnrepresentable?.(name);
    const [start, end] = rangeOf(index.rows, directoryKey(directory));
    for (let at = start; at < end; at += BATCH_ROWS) {
      yield packListing(index.rows.slice(at, Math.min(end, at + BATCH_ROWS)));
      this.#assertOpen(concern, signal);
    }
  }

  async #hash(path: RelativePath, signal: AbortSignal | undefined): Promise<HashOutcome> {
    const concern = { operation: 'hash', path };
    for (let attempt = 0; attempt < HASH_ATTEMPTS; attempt += 1) {
      const node = nodeOf(await this.#index(concern, signal), path);
      if (node.kind === 'absent') return node;
      if (node.kind === 'unknown') return { ...node, message: `unable to read ${path}: ${node.reason}` };
      if (node.kind !== 'file') return { kind: 'unknown', reason: 'vanished', message: `${path} is a directory` };
      const reader = await this.#openReader(path, node.token, signal);
      if (reader === undefined) continue;
      try {
        const hash = createHash('sha256');
        for await (const chunk of reader.chunks()) hash.update(chunk);
        if (await reader.isUnchanged()) return { kind: 'hashed', node: { ...node, hash: toSha256(hash.digest('hex')) } };
      } catch (error) {
        if (!isBackendError(error) || error.code === 'cancelled') throw error;
        return { kind: 'unknown', reason: 'read-error', message: error.message };
      } finally {
        await reader.close();
      }
    }
    return { kind: 'changing' };
  }

  /** `undefined`: it is not that version. */
  async #openReader(path: RelativePath, expected: Token, signal: AbortSignal | undefined): Promise<EntryReader | undefined> {
    const concern = { operation: 'read', path };
    const archive = await this.#whileOpen(concern, signal, (either) => this.#archive.open(concern, either));
    const entry = archive.index.byPath.get(path);
    if (!isFile(entry) || entry.token !== expected) {
      await archive.handle.close();
      return undefined;
    }
    const isCurrent = async (): Promise<boolean> => (await this.getFileToken(path)) === expected;
    const reader = new EntryReader({ path, archive, entry, isCurrent, signal, onEnd: (ended) => this.#readers.delete(ended) });
    this.#readers.add(reader);
    return reader;
  }

  #index(concern: Concern, signal?: AbortSignal): Promise<ArchiveIndex> {
    return this.#whileOpen(concern, signal, (either) => this.#archive.index(concern, either));
  }

  /** A failure after the storage was closed, or stopped by the caller, is no other one. */
  async #whileOpen<T>(concern: Concern, signal: AbortSignal | undefined, act: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.#assertOpen(concern, signal);
    try {
      return await act(signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]));
    } catch (error) {
      this.#assertOpen(concern, signal);
      throw error;
    }
  }

  #refusal(operation: string, path: RelativePath): BackendError {
    return failure('read-only', { operation, path }, 'nothing is ever written to an archive');
  }

  #assertOpen(concern: Concern, signal?: AbortSignal): void {
    if (this.#closing.signal.aborted) throw failure('cancelled', concern, 'the storage is closed');
    if (signal?.aborted === true) throw failure('cancelled', concern, 'stopped on request');
  }
}

function isFile(entry: IndexedEntry | undefined): entry is IndexedEntry & { readonly packed: PackedFile } {
  return entry?.packed !== undefined;
}

function nodeOf(index: ArchiveIndex, path: RelativePath): Node {
  const entry = index.byPath.get(path);
  if (entry === undefined) {
    // INV-8: below what could not be observed nothing is known to be absent.
    const above = ancestorsOf(path).map((one) => index.byPath.get(one)).find((one) => one?.kind === EntryKind.unknown);
    return above?.reason === undefined ? ABSENT : { kind: 'unknown', reason: above.reason };
  }
  if (entry.kind === EntryKind.directory) return DIRECTORY;
  if (entry.kind === EntryKind.unknown) return { kind: 'unknown', reason: entry.reason ?? 'read-error' };
  return { kind: 'file', token: entry.token as Token, sizeBytes: entry.sizeBytes, mtimeMs: entry.mtimeMs, hash: undefined, isRacy: false };
}

/** Where the rows below a directory begin and end; its own row is the one before. */
function rangeOf(rows: readonly IndexedEntry[], key: string): readonly [number, number] {
  if (key === '') return [0, rows.length];
  const start = rows.findIndex((row) => row.key === key) + 1;
  let end = start;
  while (end < rows.length && rows[end]?.key.startsWith(key) === true) end += 1;
  return [start, end];
}

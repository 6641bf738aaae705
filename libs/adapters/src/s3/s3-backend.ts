/**
 * The storage driver for buckets (`s3`). This class speaks the port and holds what lasts: what is
 * known of the endpoint and of directories, and what is under way. The wire is behind `S3Api`,
 * the rules of writing are in `writing/`.
 */

import { setMaxListeners } from 'node:events';

import { ABSENT, err, ok, RESERVED_NAME, ROOT, type Node, type RelativePath, type Result, type Token } from '@wl/domain';
import {
  BackendError,
  type AbilityReport,
  type CopyOutcome,
  type CopyRequest,
  type FileAttributes,
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
  type WholeFiles,
} from '@wl/ports';

import { abilityReports } from './ability-reports.js';
import type { AbilityStore } from './ability-store.js';
import { capabilitiesOf } from './capabilities.js';
import type { Directories } from './directories.js';
import type { IndexPages } from './index-pages.js';
import type { KeyLayout } from './key-layout.js';
import type { Lister } from './listing-stream.js';
import { ObjectReader } from './object-reader.js';
import type { Observer } from './observer.js';
import { copyPlaced } from './placed-copies.js';
import { PlacedWriter } from './placed-writer.js';
import { removeObject } from './remover.js';
import type { RootMarker } from './root-marker.js';
import type { S3Api } from './s3-api.js';
import { toBackendError } from './s3-error.js';
import { versionOf } from './version-token.js';
import { createWholeFiles } from './whole-files.js';
import type { WriteContext } from './writing/context.js';
import type { CopyManner, CopyOrigin } from './writing/copy-within.js';
import { ObjectWriter } from './writing/object-writer.js';
import type { RecordParts } from './writing/recording.js';
import { copyTakesPlaceholder } from './writing/server-copy.js';
import { expectedTag } from './writing/whole-writer.js';

/**
 * Smaller objects are read and written rather than copied by a server that compares nothing then: two requests instead of
 * four. At the prices that are usual, so many bytes out of a bucket cost what the two requests do.
 */
const CARRIED_BYTES = 64 * 1024;

/** What the driver is put together from; `create-s3-backend.ts` does it. */
export interface S3Parts {
  readonly backendId: string;
  readonly isReadOnly: boolean;
  readonly bucket: string;
  /** `s3://bucket/path/`, for people. */
  readonly displayLocation: string;
  /** Names the endpoint: storages of one can copy from each other. */
  readonly endpoint: string;
  readonly api: S3Api;
  readonly layout: KeyLayout;
  readonly abilities: AbilityStore;
  readonly observer: Observer;
  readonly directories: Directories;
  readonly lister: Lister;
  readonly marker: RootMarker;
  readonly context: WriteContext;
  readonly record: RecordParts;
  readonly index: IndexPages | undefined;
  /** Clears away leftovers of earlier runs; runs beside the work. */
  readonly housekeeping: (signal: AbortSignal) => Promise<void>;
}

/** How long closing waits for what is being cleared away, in milliseconds. */
const HOUSEKEEPING_GRACE_MS = 2000;

/** A folder of a bucket as a storage. */
export class S3Backend implements StorageBackend {
  readonly backendId: string;
  readonly type = 's3';
  readonly displayLocation: string;
  readonly wholeFiles: WholeFiles;
  readonly #parts: S3Parts;
  /** Aborted when the storage closes. */
  readonly #closing = new AbortController();
  readonly #readers = new Set<ObjectReader>();
  readonly #writers = new Set<ObjectWriter>();
  /** Aborted when nothing is cleared away any more. */
  readonly #ending = new AbortController();
  #housekeeping: Promise<void> | undefined;

  constructor(parts: S3Parts) {
    this.#parts = parts;
    // Every request under way listens to it.
    setMaxListeners(0, this.#closing.signal, this.#ending.signal);
    this.backendId = parts.backendId;
    this.displayLocation = parts.displayLocation;
    this.wholeFiles = createWholeFiles({
      api: parts.api,
      layout: parts.layout,
      directories: parts.directories,
      context: parts.context,
      ensureAbilities: () => this.#ensureAbilities('replace'),
      assertWritable: (operation, path) => this.#assertWritable(operation, path),
      signalFor: (signal) => this.#signalFor(signal),
      onChange: (path) => parts.index?.noteChange(path),
    });
  }

  get capabilities(): StorageCapabilities {
    return capabilitiesOf(this.#parts.abilities.known, this.#parts.isReadOnly);
  }

  get copyFromBytes(): number | undefined {
    const abilities = this.#parts.abilities.known;
    return abilities?.copies === true && copyTakesPlaceholder(abilities) ? CARRIED_BYTES : undefined;
  }

  async open(signal?: AbortSignal): Promise<void> {
    this.#assertOpen('open the storage', undefined, signal);
    try {
      await this.#parts.api.headBucket(this.#signalFor(signal));
    } catch (error) {
      throw toBackendError(error, 'open the storage');
    }
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    // Uploads in parts are left as they are, to be taken up again.
    await Promise.allSettled([...this.#writers].map((writer) => writer.suspend()));
    this.#closing.abort();
    await Promise.allSettled([...this.#readers].map((reader) => reader.close()));
    await this.#endHousekeeping();
    await this.#parts.api.close();
  }

  /** A run that writes a single file would never clear anything away if it did not wait a moment for it. */
  async #endHousekeeping(): Promise<void> {
    if (this.#housekeeping === undefined) return;
    const over = new AbortController();
    await Promise.race([this.#housekeeping, this.#parts.context.clock.sleep(HOUSEKEEPING_GRACE_MS, over.signal)]);
    over.abort();
    this.#ending.abort();
    await this.#housekeeping;
  }

  async rootIdentity({ mark }: { readonly mark: boolean }): Promise<RootIdentity> {
    this.#assertOpen('look at the root');
    const { marker, abilities, endpoint, displayLocation, isReadOnly } = this.#parts;
    const place = `place:${endpoint} ${displayLocation}`;
    const isMarking = mark && !isReadOnly;
    // Nearly always the marker is there; asked at once, neither answer waits for the other.
    const [found] = await Promise.all([marker.read(this.#closing.signal), isMarking ? this.#ensureAbilities('mark the root') : undefined]);
    const id = found === undefined && isMarking ? await marker.make(abilities.get().createsIfAbsent, this.#closing.signal) : found;
    return { ids: id === undefined ? [place] : [`marker:${id}`, place], location: `${endpoint}/${displayLocation.replace(/^s3:\/\//, '')}` };
  }

  list(directory: RelativePath, options: ListOptions = {}): AsyncIterable<ListingBatch> {
    return { [Symbol.asyncIterator]: () => this.#list(directory, options) };
  }

  async stat(path: RelativePath): Promise<Node> {
    this.#assertOpen('stat', path);
    return this.#parts.layout.isReserved(path) ? ABSENT : this.#parts.observer.stat(path, this.#closing.signal);
  }

  async getFileToken(path: RelativePath): Promise<Token | undefined> {
    this.#assertOpen('stat', path);
    return this.#parts.observer.token(path);
  }

  async getHashes(paths: readonly RelativePath[], signal?: AbortSignal): Promise<readonly HashOutcome[]> {
    this.#assertOpen('hash', undefined, signal);
    return this.#parts.observer.hashes(paths, this.#signalFor(signal));
  }

  async read(path: RelativePath, expected: Token, signal?: AbortSignal): Promise<Result<FileReader, StaleToken>> {
    this.#assertOpen('read', path, signal);
    const { api, layout, record } = this.#parts;
    const version = versionOf(expected);
    if (version === undefined || path === ROOT || layout.isReserved(path)) return err({ kind: 'stale-token' });
    const key = layout.file(path, 'read');
    try {
      const object = await api.getObject(key, version.etag, 0, this.#signalFor(signal));
      if (object === 'stale') return err({ kind: 'stale-token' });
      if (object.head.sizeBytes !== version.sizeBytes) {
        object.destroy();
        return err({ kind: 'stale-token' });
      }
      const isCurrent = async (): Promise<boolean> => (await this.#parts.observer.head(key, path))?.etag === version.etag;
      const reader = new ObjectReader(path, object, isCurrent, signal, (ended) => this.#readers.delete(ended), record({ key, ...version }));
      this.#readers.add(reader);
      return ok(reader);
    } catch (error) {
      throw toBackendError(error, 'read', path);
    }
  }

  async openForSafeReplace(path: RelativePath, expected: Token | undefined, attributes: FileAttributes, signal?: AbortSignal): Promise<FileWriter> {
    this.#assertWritable('replace', path, signal);
    const { context, directories, index, layout } = this.#parts;
    await this.#ensureAbilities('replace', path);
    const key = layout.file(path, 'replace');
    const lookAgain = (): Promise<'free' | 'taken'> => directories.checkPlace(path, 'replace', signal);
    const tag = expectedTag(context, expected);
    const place = tag === undefined ? 'taken' : await lookAgain();
    const writer = new ObjectWriter(context, { path, key, expected: tag?.etag, attributes }, this.#signalFor(signal));
    this.#writers.add(writer);
    return new PlacedWriter(writer, {
      place,
      lookAgain,
      onCommit: () => index?.noteChange(path),
      onEnd: () => this.#writers.delete(writer),
    });
  }

  async remove(path: RelativePath, expected: Token): Promise<Result<void, StaleToken>> {
    this.#assertWritable('remove', path);
    const { layout, context, directories, index } = this.#parts;
    await this.#ensureAbilities('remove', path);
    const removed = await removeObject(context, layout.file(path, 'remove'), path, expected, this.#closing.signal);
    if (!removed.ok) return removed;
    directories.noteRemoval(path);
    index?.noteChange(path);
    return removed;
  }

  async makeDirectory(path: RelativePath): Promise<Result<void, 'exists' | 'parent-missing'>> {
    this.#assertWritable('make directory', path);
    await this.#ensureAbilities('make directory', path);
    const made = await this.#parts.directories.make(path, this.#closing.signal);
    if (made.ok) this.#parts.index?.noteChange(path);
    return made;
  }

  async removeDirectory(path: RelativePath): Promise<Result<void, 'not-empty' | 'not-a-directory'>> {
    this.#assertWritable('remove directory', path);
    await this.#ensureAbilities('remove directory', path);
    const removed = await this.#parts.directories.remove(path, this.#closing.signal);
    if (removed.ok) this.#parts.index?.noteRemoval(path);
    return removed;
  }

  /** What a server has answered to is durable. What is left to do: directories that lost their last file, index pages. */
  async flush(): Promise<void> {
    if (this.#parts.isReadOnly || this.#parts.abilities.known === undefined) return;
    try {
      await this.#parts.directories.keepEmptied(this.#closing.signal);
      await this.#parts.index?.write(this.#closing.signal);
    } catch (error) {
      throw toBackendError(error, 'flush');
    }
  }

  /** Buckets are looked through at intervals. */
  watcher(): Watcher | undefined {
    return undefined;
  }

  copyFrom(
    source: StorageBackend,
    requests: readonly CopyRequest[],
    signal?: AbortSignal,
  ): AsyncIterable<readonly { readonly index: number; readonly outcome: CopyOutcome }[]> | undefined {
    if (!this.sharesEndpointWith(source) || this.#parts.abilities.known?.copies === false) return undefined;
    return { [Symbol.asyncIterator]: () => this.#copy(source, requests, {}, signal) };
  }

  /** Whether its server can copy from another storage. */
  sharesEndpointWith(source: StorageBackend): source is S3Backend {
    return source instanceof S3Backend && source.#parts.endpoint === this.#parts.endpoint;
  }

  /** As `copyFrom`, but what the server cannot copy safely fails, saying why, instead of passing through this machine. */
  copyOnServer(source: S3Backend, requests: readonly CopyRequest[], signal?: AbortSignal): NonNullable<ReturnType<S3Backend['copyFrom']>> {
    return { [Symbol.asyncIterator]: () => this.#copy(source, requests, { noStreams: true }, signal) };
  }

  async check(signal?: AbortSignal): Promise<readonly AbilityReport[]> {
    await this.open(signal);
    if (this.#parts.isReadOnly) {
      return [{ ability: 'list', outcome: 'works', detail: 'the bucket can be listed; nothing else was tried, since the storage is read-only' }];
    }
    try {
      return abilityReports(await this.#parts.abilities.renew());
    } catch (error) {
      throw toBackendError(error, 'check the storage');
    }
  }

  async *#list(directory: RelativePath, options: ListOptions): AsyncGenerator<ListingBatch> {
    this.#assertOpen('list', directory, options.signal);
    if (this.#parts.layout.isReserved(directory)) {
      throw new BackendError('not-found', { operation: 'list', path: directory, retryable: false }, { explanation: 'there is no such directory' });
    }
    const signal = this.#signalFor(options.signal);
    for await (const batch of this.#parts.lister.list(directory, { ...options, signal })) {
      yield batch;
      this.#assertOpen('list', directory, options.signal);
    }
  }

  async *#copy(source: S3Backend, requests: readonly CopyRequest[], manner: CopyManner, signal?: AbortSignal) {
    this.#assertWritable('copy', undefined, signal);
    await this.#ensureAbilities('copy');
    const { context, directories, index } = this.#parts;
    const { api, bucket, context: names, observer } = source.#parts;
    const origin: CopyOrigin = {
      api,
      bucket: bucket === this.#parts.bucket ? undefined : bucket,
      keyOf: (path) => names.keyOf(path),
      etagOf: (token) => names.etagOf(token),
      tokenOf: (version) => names.tokenOf(version),
      hashOf: async (path, within) => (await observer.hashes([path], within))[0]!,
    };
    const parts = { context, origin, directories, manner, assertWritable: (operation: string, path: RelativePath) => this.#assertWritable(operation, path) };
    for await (const results of copyPlaced(parts, requests, this.#signalFor(signal))) {
      for (const { index: at, outcome } of results) if (outcome.kind === 'copied') index?.noteChange(requests[at]!.path);
      yield results;
    }
  }

  async #ensureAbilities(operation: string, path?: RelativePath): Promise<void> {
    try {
      await this.#parts.abilities.ensure();
    } catch (error) {
      throw toBackendError(error, operation, path);
    }
    // Leftovers are cleared away once something is written anyhow, so that a dry run leaves no trace (T84).
    this.#housekeeping ??= this.#parts.housekeeping(this.#ending.signal).catch(() => undefined);
  }

  #assertOpen(operation: string, path?: RelativePath, signal?: AbortSignal): void {
    if (!this.#closing.signal.aborted && signal?.aborted !== true) return;
    throw new BackendError('cancelled', { operation, ...(path !== undefined && { path }), retryable: false }, {
      explanation: this.#closing.signal.aborted ? 'the storage is closed' : 'stopped on request',
    });
  }

  #assertWritable(operation: string, path?: RelativePath, signal?: AbortSignal): void {
    const details = { operation, ...(path !== undefined && { path }), retryable: false };
    if (this.#parts.isReadOnly) throw new BackendError('read-only', details, { explanation: 'the storage is marked as read-only' });
    this.#assertOpen(operation, path, signal);
    if (path !== undefined && (path === ROOT || this.#parts.layout.isReserved(path))) {
      throw new BackendError('name-not-representable', details, { explanation: `${RESERVED_NAME} is reserved` });
    }
  }

  #signalFor(signal: AbortSignal | undefined): AbortSignal {
    if (signal === undefined) return this.#closing.signal;
    const either = AbortSignal.any([signal, this.#closing.signal]);
    setMaxListeners(0, either);
    return either;
  }
}

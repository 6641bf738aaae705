/**
 * A storage in memory: the first backend to pass the conformance suite, the fake that the
 * engine's tests stand on, and the ground of the simulator. Commits and removals compare
 * and swap in one step. `faults` and `events` are there to be meddled with.
 */

import { ABSENT, err, ok, ROOT, type Node, type RelativePath, type Result, type Token } from '@wl/domain';
import {
  isBackendError,
  packListing,
  PROGRAM_TOKENS,
  type Committed,
  type CopyOutcome,
  type CopyRequest,
  type FileAttributes,
  type FileReader,
  type FileWriter,
  type HashOutcome,
  type ListingBatch,
  type ListingRow,
  type ListOptions,
  type NotKept,
  type Programs,
  type RootIdentity,
  type StaleToken,
  type StorageBackend,
  type StorageCapabilities,
  type Watcher,
  type WholeFiles,
  withJoinedRows,
} from '@wl/ports';

import type { FileVersion } from './memory-entry.js';
import { MemoryEvents } from './memory-events.js';
import { MemoryFaults } from './memory-faults.js';
import { failure, MemoryGate } from './memory-gate.js';
import { walk } from './memory-listing.js';
import { MemoryObserver } from './memory-observer.js';
import { MemoryReader } from './memory-reader.js';
import type { MemoryTree } from './memory-tree.js';
import { MemoryWholeFiles } from './memory-whole.js';
import { assertPlace, assertSpace, MemoryWriter, sha256Of, swapIn } from './memory-writer.js';

/** How one backend looks at its tree. */
export interface MemoryBackendOptions {
  readonly backendId: string;
  /** Default `memory`. */
  readonly type?: string;
  readonly isReadOnly?: boolean;
  /** Rows in a batch of a listing and outcomes in one of `copyFrom`; default 3, so that every test sees several. */
  readonly batchSize?: number;
  /** Default 64 KiB. */
  readonly chunkBytes?: number;
  /** Whether `stat` and `read` tell the hash, as a store that keeps checksums does; default false. */
  readonly keepsHashes?: boolean;
  /** Whether `copyFrom` works from other memory backends; default false. */
  readonly copiesWithin?: boolean;
  /** From which size on the storage copies from itself; default never. Then `copyFrom` itself works whatever `copiesWithin` says. */
  readonly copyWithinBytes?: number;
  /** Told as it is; default: not told. */
  readonly copyFromBytes?: number;
  /** Default false. */
  readonly hashesByTransfer?: boolean;
  /**
   * Whether it refuses to work on another volume than it was opened on, as a disk's backend does
   * that keeps an eye on the directory; default false, as with a store that is reached by name only.
   */
  readonly tiesToVolume?: boolean;
  /** Whether `watcher` gives one; default true. */
  readonly hasWatcher?: boolean;
  /** Whether small files are taken whole, with `wholeFiles`; default false. */
  readonly hasWholeFiles?: boolean;
  /** Largest file that is taken whole; default 64 KiB. */
  readonly wholeFileBytes?: number;
  /** Told in `capabilities`; default: not told. */
  readonly hashFirstBytes?: number;
  /** Which files are programs: kept, and told by tokens (default); `not-kept`, as on a disk that shows them all alike; `untold`, as in a bucket. */
  readonly programs?: 'kept' | 'not-kept' | 'untold';
}

/** One machine's view of a `MemoryTree`. */
export class MemoryBackend implements StorageBackend {
  readonly overlapsCopies = true;
  readonly backendId: string;
  readonly type: string;
  readonly displayLocation: string;
  readonly capabilities: StorageCapabilities;
  readonly copyFromBytes: number | undefined;
  readonly tree: MemoryTree;
  readonly faults: MemoryFaults;
  readonly events: MemoryEvents;
  readonly wholeFiles?: WholeFiles;
  readonly programs: Programs | undefined;
  readonly #options: MemoryBackendOptions;
  readonly #gate: MemoryGate;
  readonly #observer: MemoryObserver;
  /** Attempts to open that are under way. */
  #opening = 0;
  #wasOpened = false;
  readonly #writers = new Set<MemoryWriter>();

  constructor(tree: MemoryTree, options: MemoryBackendOptions) {
    this.tree = tree;
    this.#options = options;
    this.backendId = options.backendId;
    this.type = options.type ?? 'memory';
    this.displayLocation = tree.location;
    this.copyFromBytes = options.copyFromBytes;
    this.capabilities = {
      isReadOnly: options.isReadOnly ?? false,
      replace: 'atomic',
      remove: 'atomic',
      isCaseSensitive: tree.isCaseSensitive,
      keepsEmptyDirectories: tree.keepsEmptyDirectories,
      hasTrash: true,
      ...(options.hashFirstBytes !== undefined && { hashFirstBytes: options.hashFirstBytes }),
      ...(options.copyWithinBytes !== undefined && { copyWithinBytes: options.copyWithinBytes }),
      ...(options.hashesByTransfer !== undefined && { hashesByTransfer: options.hashesByTransfer }),
      notes: [],
    };
    this.faults = new MemoryFaults(options.backendId, tree.clock);
    this.events = new MemoryEvents(tree);
    this.#gate = new MemoryGate(tree, this.faults, options.backendId, options.tiesToVolume ?? false);
    this.#observer = new MemoryObserver(tree, this.#gate, this.faults, options.keepsHashes ?? false);
    this.programs = options.programs === 'untold' ? undefined : { ...PROGRAM_TOKENS, setExecutable: (path, expected, isExecutable) => this.#setExecutable(path, expected, isExecutable) };
    if (options.hasWholeFiles === true) this.wholeFiles = new MemoryWholeFiles(this, options.wholeFileBytes ?? 65_536, options.batchSize ?? 3);
  }

  async open(signal?: AbortSignal): Promise<void> {
    if (this.#gate.state === 'crashed') throw failure('cancelled', 'open', ROOT, 'the backend has crashed');
    this.#opening += 1;
    this.#gate.state = 'open';
    try {
      await this.#gate.pass('open', ROOT, signal, (volume) => {
        // Leftovers of a crash; those of other machines that still write are not ours to touch.
        for (const [name, staged] of volume.staging) if (!staged.isAlive) volume.staging.delete(name);
      });
      this.#wasOpened = true;
    } catch (error) {
      // One attempt that fails shuts no door on another that is under way.
      if (this.#opening === 1 && !this.#wasOpened && this.#gate.state === 'open') this.#gate.state = 'new';
      throw error;
    } finally {
      this.#opening -= 1;
    }
  }

  async close(): Promise<void> {
    if (this.#gate.state !== 'open') return;
    await this.faults.before('close', ROOT)?.catch(() => undefined);
    this.#gate.state = 'closed';
    for (const writer of this.#writers) await writer.abort();
  }

  /** Ends as a killed process does: nothing more is done, what was staged is left behind. Make a new backend to go on. */
  crash(): void {
    this.#gate.state = 'crashed';
    for (const writer of this.#writers) writer.crash();
  }

  rootIdentity({ mark }: { readonly mark: boolean }): Promise<RootIdentity> {
    return this.#gate.pass('rootIdentity', ROOT, undefined, (volume) => {
      if (mark && !this.capabilities.isReadOnly) volume.marker ??= `${this.tree.id}-${String(this.tree.nextSerial())}`;
      const marker = volume.marker === undefined ? [] : [`marker:${volume.marker}`];
      return { ids: [...marker, `volume:${volume.id}`], location: this.tree.location };
    });
  }

  async *list(directory: RelativePath, options: ListOptions = {}): AsyncGenerator<ListingBatch> {
    const { signal } = options;
    await this.#gate.pass('list', directory, signal, () => undefined);
    const batchSize = this.#options.batchSize ?? 3;
    const cut = this.faults.take('list', directory, 'truncate')?.afterRows ?? Infinity;
    const end = this.faults.take('list', directory, 'shorten')?.afterRows ?? Infinity;
    let rewind = this.faults.take('list', directory, 'rewind')?.afterRows ?? Infinity;
    let rows = walk(this.tree, this.faults, directory, options);
    for (let count = 0, isDone = false; !isDone; ) {
      const batch = await this.#gate.pass('list-batch', directory, signal, () => {
        const taken: ListingRow[] = [];
        while (taken.length < batchSize && count < cut && !isDone) {
          if (count === rewind) {
            rows = walk(this.tree, this.faults, directory, options);
            rewind = Infinity;
          }
          const next = rows.next();
          if (next.done === true || count === end) isDone = true;
          else taken.push(next.value);
          count += 1;
        }
        return taken;
      });
      if (batch.length > 0) yield withJoinedRows(packListing(batch));
      if (count >= cut && !isDone) throw failure('io-error', 'list', directory, 'injected fault: the listing was cut short');
    }
  }

  stat(path: RelativePath): Promise<Node> {
    return this.#gate.pass('stat', path, undefined, () => {
      if (path !== ROOT && this.tree.isReserved(path)) return ABSENT;
      const marked = this.faults.take('stat', path, 'mark-unknown');
      return marked === undefined ? this.#observer.observe('stat', path) : { kind: 'unknown', reason: marked.reason };
    });
  }

  getFileToken(path: RelativePath): Promise<Token | undefined> {
    return this.#gate.pass('getFileToken', path, undefined, () => {
      if (this.tree.isReserved(path)) return undefined;
      const node = this.#observer.observe('getFileToken', path);
      if (node.kind === 'unknown' && node.reason === 'permission-denied') throw failure('permission-denied', 'stat', path);
      return node.kind === 'file' ? node.token : undefined;
    });
  }

  async getHashes(paths: readonly RelativePath[], signal?: AbortSignal): Promise<readonly HashOutcome[]> {
    this.#gate.assertOpen('getHashes', ROOT, signal);
    const outcomes: HashOutcome[] = [];
    for (const path of paths) outcomes.push(await this.#observer.hash(path, signal));
    return outcomes;
  }

  read(path: RelativePath, expected: Token, signal?: AbortSignal): Promise<Result<FileReader, StaleToken>> {
    return this.#gate.pass('read', path, signal, () => {
      const file = this.#observer.versionAt('read', path);
      if (file === undefined || this.tree.tokenOf(file) !== expected) return err({ kind: 'stale-token' });
      const chunkBytes = this.#options.chunkBytes ?? 65_536;
      const keepsHashes = this.#options.keepsHashes ?? false;
      return ok(new MemoryReader({ tree: this.tree, gate: this.#gate, faults: this.faults, path, expected, signal, chunkBytes, keepsHashes }, file));
    });
  }

  openForSafeReplace(path: RelativePath, expected: Token | undefined, attributes: FileAttributes, signal?: AbortSignal): Promise<FileWriter> {
    return this.#gate.pass('openForSafeReplace', path, signal, (volume) => {
      this.#assertWritable('replace', path);
      assertPlace(this.tree, path);
      const { tree, faults, backendId } = this;
      const writer = new MemoryWriter({ tree, gate: this.#gate, faults, backendId, path, expected, attributes, signal }, volume);
      this.#writers.add(writer);
      return writer;
    });
  }

  remove(path: RelativePath, expected: Token): Promise<Result<void, StaleToken>> {
    return this.#gate.pass('remove', path, undefined, () => {
      this.#assertWritable('remove', path);
      const file = this.#observer.versionAt('remove', path);
      const isForced = file !== undefined && this.faults.take('remove', path, 'ignore-precondition') !== undefined;
      if (file === undefined || (this.tree.tokenOf(file) !== expected && !isForced)) return err({ kind: 'stale-token' });
      this.tree.trashFile(path, this.backendId, 'removed');
      return ok(undefined);
    });
  }

  makeDirectory(path: RelativePath): Promise<Result<void, 'exists' | 'parent-missing'>> {
    return this.#gate.pass('makeDirectory', path, undefined, () => {
      this.#assertWritable('make directory', path);
      const place = this.tree.locate(path, true);
      if (place.kind === 'found') return place.entry.kind === 'directory' ? ok(undefined) : err('exists');
      if (place.kind === 'unknown') return err(place.reason === 'name-collision' ? 'exists' : 'parent-missing');
      try {
        assertPlace(this.tree, path);
      } catch (error) {
        if (isBackendError(error) && (error.code === 'not-found' || error.code === 'not-a-directory')) return err('parent-missing');
        throw error;
      }
      this.tree.mkdir(path);
      return ok(undefined);
    });
  }

  removeDirectory(path: RelativePath): Promise<Result<void, 'not-empty' | 'not-a-directory'>> {
    return this.#gate.pass('removeDirectory', path, undefined, () => {
      this.#assertWritable('remove directory', path);
      const place = this.tree.locate(path, true);
      if (place.kind === 'unknown' && place.reason === 'permission-denied') throw failure('permission-denied', 'remove directory', path);
      if (place.kind !== 'found') return ok(undefined);
      if (place.entry.kind !== 'directory') return err('not-a-directory');
      if (place.entry.children.size > 0) return err('not-empty');
      this.tree.remove(path);
      return ok(undefined);
    });
  }

  #setExecutable(path: RelativePath, expected: Token, isExecutable: boolean): Promise<Result<Committed, StaleToken | NotKept>> {
    return this.#gate.pass('setExecutable', path, undefined, () => {
      this.#assertWritable('set permissions', path);
      const file = this.#observer.versionAt('setExecutable', path);
      if (file === undefined || this.tree.tokenOf(file) !== expected) return err({ kind: 'stale-token' });
      if (this.#options.programs === 'not-kept') return err({ kind: 'not-kept', message: 'all files are alike here' });
      this.tree.setExecutable(path, isExecutable);
      const { token, isRacy } = this.tree.nodeOf(this.#observer.versionAt('setExecutable', path) ?? file);
      return ok({ token, isRacy });
    });
  }

  flush(): Promise<void> {
    return this.#gate.pass('flush', ROOT, undefined, () => this.tree.sync());
  }

  watcher(): Watcher | undefined {
    return this.#options.hasWatcher === false ? undefined : this.events.watcher();
  }

  copyFrom(
    source: StorageBackend,
    requests: readonly CopyRequest[],
    signal?: AbortSignal,
  ): AsyncIterable<readonly { readonly index: number; readonly outcome: CopyOutcome }[]> | undefined {
    if (!(source instanceof MemoryBackend)) return undefined;
    const isWithin = source === this && this.capabilities.copyWithinBytes !== undefined;
    if (this.#options.copiesWithin !== true && !isWithin) return undefined;
    return this.#copyAll(source, requests, signal);
  }

  async *#copyAll(source: MemoryBackend, requests: readonly CopyRequest[], signal?: AbortSignal) {
    this.#gate.assertOpen('copyFrom', ROOT, signal);
    this.#assertWritable('copy', ROOT);
    const batchSize = this.#options.batchSize ?? 3;
    let batch: { index: number; outcome: CopyOutcome }[] = [];
    for (const [index, request] of requests.entries()) {
      const outcome = await this.#copy(source, request, signal).catch((error: unknown): CopyOutcome => {
        if (!isBackendError(error) || error.code === 'cancelled') throw error;
        return { kind: 'failed', error };
      });
      batch.push({ index, outcome });
      if (batch.length < batchSize) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }

  async #copy(source: MemoryBackend, request: CopyRequest, signal?: AbortSignal): Promise<CopyOutcome> {
    const { path, fromPath = path, from, replaces } = request;
    const isStillThere = (): FileVersion | undefined => {
      const file = source.#observer.versionAt('read', fromPath);
      return file !== undefined && source.tree.tokenOf(file) === from.token ? file.version : undefined;
    };
    const opened = await source.#gate.pass('read', fromPath, signal, isStillThere);
    if (opened === undefined) return { kind: 'source-changed' };
    return this.#gate.pass('copyFrom', path, signal, () => {
      const version = isStillThere();
      const sha256 = version && sha256Of(version.bytes);
      if (version === undefined || sha256 === undefined || (from.hash !== undefined && from.hash !== sha256)) return { kind: 'source-changed' };
      const { tree, faults, backendId } = this;
      this.#assertWritable('copy', path);
      const attributes = request.attributes ?? { mtimeMs: version.mtimeMs, isExecutable: version.isExecutable };
      assertPlace(tree, path);
      assertSpace(tree, version.bytes.length, path);
      const swapped = swapIn({ tree, faults, backendId, path, expected: replaces?.token, attributes }, new Uint8Array(version.bytes));
      if (!swapped.ok) return { kind: 'target-changed', ...(swapped.error.leftover === undefined ? {} : { leftover: swapped.error.leftover }) };
      return {
        kind: 'copied',
        sha256,
        sizeBytes: version.bytes.length,
        sourceToken: from.token,
        isSourceRacy: from.isRacy,
        targetToken: swapped.value.token,
        isTargetRacy: swapped.value.isRacy,
      };
    });
  }

  #assertWritable(operation: string, path: RelativePath): void {
    if (this.capabilities.isReadOnly) throw failure('read-only', operation, path, 'the storage was opened read-only');
    if (path === ROOT) return;
    if (this.tree.isReserved(path)) throw failure('permission-denied', operation, path, 'this name belongs to the backend');
  }
}

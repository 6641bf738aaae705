/**
 * The storage driver for directories of this machine (`local`, `local-cached`,
 * `local-dir-cached`; the caches of the original have no use here).
 *
 * This class speaks the port and holds what lasts: which directory was found at the root,
 * open readers and writers, names changed since the last flush. All disk work is in tasks
 * (`worker/`), run by a `TaskRunner`.
 */

import { isAbsolute } from 'node:path';

import { ABSENT, parentOf, RESERVED_NAME, type Node, type RelativePath, type Result, type Token } from '@wl/domain';
import {
  LOCAL_STORAGE_TYPES,
  type Clock,
  type CopyRequest,
  type FileAttributes,
  type FileReader,
  type FileWriter,
  type HashOutcome,
  type Inbox,
  type ListingBatch,
  type ListOptions,
  PROGRAM_TOKENS,
  type Programs,
  type RootIdentity,
  type StaleToken,
  type StorageBackend,
  type StorageCapabilities,
  type Watcher,
  type WholeFiles,
} from '@wl/ports';

import { Batcher } from './batcher.js';
import { capabilitiesOf } from './capabilities.js';
import { copying, type CopyResults } from './copy-stream.js';
import { LocalFileReader } from './file-reader.js';
import { LocalFileWriter } from './file-writer.js';
import { LocalInbox } from './inbox.js';
import { listing, listingCancelled } from './listing-stream.js';
import { PathLocks } from './path-locks.js';
import type { Lane, TaskRunner } from './task-runner.js';
import { LocalWholeFiles } from './whole-files.js';
import { cancel, createCancelFlag, type CancelFlag } from './worker/cancellation.js';
import type { CopyItem, CopyItemOutcome } from './worker/copy-batch.js';
import { packCopies, unpackOutcomes } from './worker/copy-message.js';
import type { RootSpec } from './worker/directory-tree.js';
import { failure, fromWireError } from './worker/failure.js';
import { trashRunOf } from './worker/housekeeping.js';
import type { TakenItem } from './worker/inbox.js';
import type { Uptime } from './worker/instance.js';
import { isReserved } from './worker/open-file.js';
import type { ProgramAnswer, ProgramStep } from './worker/programs.js';
import type { OpenedRoot } from './worker/root.js';
import { createSharedHash } from './worker/shared-hash.js';
import { FEW_FILES, type BatchOutcome } from './worker/staged-batch.js';
import type { ChangeAnswer, ChangeStep, CopyTask, LookStep, Settled, Tasks, Writable } from './worker/tasks.js';
import type { WholeWriteItem } from './worker/whole-write.js';
import type { CommitItem, CommitItemOutcome } from './worker/write-file.js';

/** Types of storage that this driver serves. */
export const LOCAL_TYPES = LOCAL_STORAGE_TYPES;

/** From the storage's manifest. */
export interface LocalFsParams {
  readonly backendId: string;
  readonly type: (typeof LOCAL_TYPES)[number];
  /** Absolute path of an existing directory. */
  readonly location: string;
  readonly readOnly?: boolean;
}

/** What the driver works with. */
export interface LocalFsHost {
  /** Where tasks run. */
  readonly runner: TaskRunner;
  /** Whether `close` ends the runner too. */
  readonly ownsRunner: boolean;
  readonly clock: Clock;
  /** Since when the machine runs: what the age of the trash is counted by. */
  readonly uptime: () => Uptime;
  /** For how long replaced and removed versions are kept. */
  readonly trashRetentionDays: number;
  /** Name of this instance's staging directory. */
  readonly instance: string;
  readonly createWatcher?: ((location: string) => Watcher) | undefined;
}

/** A directory of this machine as a storage. */
export class LocalFsBackend implements StorageBackend {
  readonly overlapsCopies = true;
  readonly backendId: string;
  readonly type: string;
  readonly displayLocation: string;
  readonly wholeFiles: WholeFiles;
  readonly inbox: Inbox;
  private readonly isReadOnly: boolean;
  private root: RootSpec;
  private opened: OpenedRoot | undefined;
  private isClosed = false;
  private hasWritten = false;

  private readonly keptPrograms: Programs = {
    ...PROGRAM_TOKENS,
    setExecutable: (path, expected, isExecutable) => this.setExecutable({ path, expected, isExecutable }),
  };

  /** Raised when the storage closes, one for each running operation. */
  private readonly flags = new Set<CancelFlag>();
  private readonly running = new Set<Promise<unknown>>();
  private readonly listings = new Set<AsyncGenerator<ListingBatch, void, undefined>>();
  private readonly readers = new Set<LocalFileReader>();
  private readonly writers = new Set<LocalFileWriter>();
  private readonly locks = new PathLocks();
  private readonly looks: Batcher<LookStep, Settled<Node | Token | undefined>>;
  private readonly changes: Batcher<ChangeStep, Settled<ChangeAnswer>>;
  private readonly commits: Batcher<CommitItem, CommitItemOutcome>;
  private readonly programSteps: Batcher<ProgramStep, Settled<ProgramAnswer>>;
  /** Directories in which names changed since the last flush. */
  private unflushed = new Set<RelativePath>();

  constructor(
    params: LocalFsParams,
    private readonly host: LocalFsHost,
  ) {
    this.backendId = params.backendId;
    this.type = params.type;
    this.displayLocation = params.location;
    this.isReadOnly = params.readOnly === true;
    this.root = { path: params.location };
    this.looks = new Batcher((steps) => this.run('look', { root: this.root, steps }), 2);
    this.changes = new Batcher((steps) => this.run('change', { ...this.writable(), steps }), 2);
    this.commits = new Batcher(
      (items) => this.flagged((flag) => this.run('commit', { ...this.writable(), items, flag }, 'bulk')),
      host.runner.bulkThreads,
    );
    this.programSteps = new Batcher((steps) => this.run('setExecutable', { root: this.root, steps }), 2);
    this.wholeFiles = new LocalWholeFiles({
      width: host.runner.bulkThreads,
      isReadOnly: this.isReadOnly,
      hold: (signal) => this.hold(signal),
      read: (items, flag) => this.run('readWhole', { root: this.root, items, flag }, 'bulk'),
      write: (items, bytes, flag) => this.writeWhole(items, bytes, flag),
    });
    this.inbox = new LocalInbox({
      location: params.location,
      instance: host.instance,
      width: host.runner.bulkThreads,
      assertWritable: () => this.checkWritable('replace'),
      hold: (signal) => this.hold(signal),
      make: (inbox) => this.run('makeInbox', { root: this.writable().root, inbox }, 'bulk'),
      take: (inbox, items, flag) => this.takeFromInbox(inbox, items, flag),
      drop: (inbox) => this.run('dropInbox', { root: this.root, inbox }, 'bulk'),
    });
  }

  get programs(): Programs | undefined {
    return this.opened?.abilities.keepsExecutable === true ? this.keptPrograms : undefined;
  }

  get capabilities(): StorageCapabilities {
    return capabilitiesOf(this.opened, this.isReadOnly);
  }

  async open(signal?: AbortSignal): Promise<void> {
    if (this.isClosed) throw this.closedError('open the storage');
    if (signal?.aborted === true) throw failure('cancelled', 'open the storage', undefined, 'stopped on request');
    if (!isAbsolute(this.displayLocation)) throw failure('not-found', 'open the storage', undefined, 'its location must be an absolute path');
    const area = this.isReadOnly ? undefined : this.writable().area;
    const request = { root: { path: this.displayLocation }, area, nowMs: this.host.clock.nowMs() };
    const opened = await this.run('open', request);
    this.adopt(opened);
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    for (const flag of this.flags) cancel(flag);
    await Promise.allSettled([...this.running]);
    await Promise.allSettled([...this.listings].map((list) => list.return()));
    await Promise.allSettled([...this.readers].map((reader) => reader.close()));
    await Promise.allSettled([...this.writers].map((writer) => writer.abort()));
    // A root that is gone took its staging along.
    if (this.hasWritten) await this.host.runner.run('close', this.writable(), 'quick').catch(() => undefined);
    if (this.host.ownsRunner) await this.host.runner.close();
  }

  async rootIdentity({ mark }: { readonly mark: boolean }): Promise<RootIdentity> {
    const area = this.isReadOnly ? undefined : this.writable().area;
    const known = await this.run('identify', { root: { path: this.displayLocation }, area, mark });
    // Only what was opened is worked on: whoever looks in the middle of a pass must not let it go on elsewhere.
    const isSame = known.device === (this.root.device ?? known.device) && known.inode === (this.root.inode ?? known.inode);
    if (isSame) this.adopt(known);
    if (isSame && mark && !this.isReadOnly) await this.tidyTrash();
    return { ids: known.ids, location: known.location };
  }

  list(directory: RelativePath, options: ListOptions = {}): AsyncIterable<ListingBatch> {
    return { [Symbol.asyncIterator]: () => this.startListing(directory, options) };
  }

  async stat(path: RelativePath): Promise<Node> {
    if (isReserved(path)) return ABSENT;
    return (await this.look({ kind: 'stat', path })) as Node;
  }

  async getFileToken(path: RelativePath): Promise<Token | undefined> {
    if (isReserved(path)) return undefined;
    return (await this.look({ kind: 'token', path })) as Token | undefined;
  }

  async getHashes(paths: readonly RelativePath[], signal?: AbortSignal): Promise<readonly HashOutcome[]> {
    return this.flagged(async (flag) => {
      const outcomes: HashOutcome[] = new Array<HashOutcome>(paths.length);
      let next = 0;
      const work = async (): Promise<void> => {
        while (next < paths.length) {
          const start = next;
          next += HASH_BATCH_FILES;
          const batch = paths.slice(start, next);
          const hashed = await this.run('hash', { root: this.root, paths: batch, flag }, 'bulk');
          for (const [offset, outcome] of hashed.entries()) outcomes[start + offset] = outcome;
        }
      };
      await Promise.all(Array.from({ length: this.host.runner.bulkThreads }, work));
      return outcomes;
    }, signal);
  }

  async read(path: RelativePath, expected: Token, signal?: AbortSignal): Promise<Result<FileReader, StaleToken>> {
    this.checkSignal(signal, 'read', path);
    const opened = isReserved(path) ? undefined : await this.run('openReader', { root: this.root, path, expected });
    if (opened === undefined) return { ok: false, error: { kind: 'stale-token' } };
    const reader = new LocalFileReader(path, opened, this.host.runner, signal, (ended) => this.readers.delete(ended));
    this.readers.add(reader);
    return { ok: true, value: reader };
  }

  async openForSafeReplace(path: RelativePath, expected: Token | undefined, attributes: FileAttributes, signal?: AbortSignal): Promise<FileWriter> {
    this.checkWritable('replace', path);
    this.checkSignal(signal, 'replace', path);
    const file = await this.run('stage', { ...this.writable(), path, isReplacing: expected !== undefined, attributes });
    const writer = new LocalFileWriter(
      { path, expected, attributes },
      file,
      {
        commit: (item) => this.commit(item),
        drop: (dropped) => this.host.runner.run('drop', { ...this.writable(), file: dropped }, 'quick'),
        onEnd: (ended) => this.writers.delete(ended),
      },
      signal,
    );
    this.writers.add(writer);
    return writer;
  }

  remove(path: RelativePath, expected: Token): Promise<Result<void, StaleToken>> {
    return this.change<StaleToken>({ kind: 'remove', path, expected });
  }

  makeDirectory(path: RelativePath, like?: StorageBackend): Promise<Result<void, 'exists' | 'parent-missing'>> {
    return this.change({ kind: 'make-directory', path, like: like instanceof LocalFsBackend ? like.root : undefined });
  }

  removeDirectory(path: RelativePath): Promise<Result<void, 'not-empty' | 'not-a-directory'>> {
    return this.change({ kind: 'remove-directory', path });
  }

  async flush(): Promise<void> {
    const directories = this.unflushed;
    if (directories.size === 0) return;
    this.unflushed = new Set();
    try {
      await this.run('flush', { root: this.root, directories: [...directories] }, directories.size > FEW_FILES ? 'bulk' : 'quick');
    } catch (error) {
      for (const directory of directories) this.unflushed.add(directory);
      throw error;
    }
  }

  watcher(): Watcher | undefined {
    return this.host.createWatcher?.(this.displayLocation);
  }

  copyFrom(source: StorageBackend, requests: readonly CopyRequest[], signal?: AbortSignal): AsyncIterable<CopyResults> | undefined {
    if (!(source instanceof LocalFsBackend)) return undefined;
    return { [Symbol.asyncIterator]: () => this.startCopying(source, requests, {}, signal) };
  }

  /** As `copyFrom`, but files of any size share their blocks with those of the source, where the file system can do that. */
  copySharing(source: LocalFsBackend, requests: readonly CopyRequest[], signal?: AbortSignal): AsyncIterable<CopyResults> {
    return { [Symbol.asyncIterator]: () => this.startCopying(source, requests, { shareFromBytes: 1 }, signal) };
  }

  private async *startListing(directory: RelativePath, options: ListOptions): AsyncGenerator<ListingBatch, void, undefined> {
    if (isReserved(directory)) throw failure('not-found', 'list', directory, 'no such directory');
    const flag = createCancelFlag();
    const { signal } = options;
    const check = (): void => {
      if (this.isClosed || signal?.aborted === true) throw listingCancelled(directory);
    };
    const stop = (): void => cancel(flag);
    signal?.addEventListener('abort', stop, { once: true });
    this.flags.add(flag);
    const list = listing({ runner: this.host.runner, root: this.root, directory, options, flag, check });
    this.listings.add(list);
    try {
      yield* list;
    } finally {
      this.listings.delete(list);
      this.flags.delete(flag);
      signal?.removeEventListener('abort', stop);
    }
  }

  private async *startCopying(source: LocalFsBackend, requests: readonly CopyRequest[], manner: Pick<CopyTask, 'shareFromBytes'>, signal?: AbortSignal): AsyncGenerator<CopyResults, void, undefined> {
    this.checkWritable('copy');
    const flag = createCancelFlag();
    const stop = (): void => cancel(flag);
    const stopped = (): Error | undefined =>
      this.isClosed || signal?.aborted === true ? failure('cancelled', 'copy', undefined, 'stopped on request') : undefined;
    signal?.addEventListener('abort', stop, { once: true });
    this.flags.add(flag);
    try {
      yield* copying(
        requests,
        (items, hasIdleThread) => this.copyItems(items, { ...this.writable(), ...manner, from: source.root, flag }, hasIdleThread),
        this.host.runner.bulkThreads,
        stopped,
      );
    } finally {
      this.flags.delete(flag);
      signal?.removeEventListener('abort', stop);
    }
  }

  private async copyItems(items: readonly CopyItem[], ends: Omit<CopyTask, 'items'>, hasIdleThread: boolean): Promise<readonly (CopyItemOutcome | undefined)[]> {
    const task: CopyTask = { ...ends, items: packCopies(items) };
    const paths = items.map(({ path }) => path);
    const [only] = items;
    if (!hasIdleThread || items.length !== 1 || only === undefined || only.sizeBytes < HASH_BESIDE_BYTES) {
      return unpackOutcomes(await this.changing(paths, this.run('copy', task, isQuick(items) ? 'quick' : 'bulk')));
    }
    const { from, flag } = ends;
    const beside = createSharedHash();
    const copied = this.changing(paths, this.run('copy', { ...task, beside }, 'bulk'));
    // The copy does not depend on it: what goes wrong there is done here.
    this.run('hashBeside', { root: from, path: only.sourcePath, token: only.sourceToken, beside, flag }, 'bulk').catch(() => undefined);
    return unpackOutcomes(await copied);
  }

  private async look(step: LookStep): Promise<Node | Token | undefined> {
    const answer = await this.looks.add(step);
    if (!answer.ok) throw fromWireError(answer.error);
    return answer.value;
  }

  private async change<E>(step: ChangeStep): Promise<Result<void, E>> {
    this.checkWritable(step.kind === 'remove' ? 'remove' : 'change', step.path);
    const answer = await this.changing([step.path], this.locks.run(step.path, () => this.changes.add(step)));
    if (!answer.ok) throw fromWireError(answer.error);
    return answer.value as Result<void, E>;
  }

  private async setExecutable(step: ProgramStep): Promise<ProgramAnswer> {
    this.checkWritable('set permissions', step.path);
    const answer = await this.locks.run(step.path, () => this.programSteps.add(step));
    if (!answer.ok) throw fromWireError(answer.error);
    return answer.value;
  }

  private commit(item: CommitItem): Promise<CommitItemOutcome> {
    // Two commits to one path at once would take each other's file for somebody else's.
    return this.changing([item.path], this.locks.run(item.path, () => this.commits.add(item)));
  }

  private writeWhole(items: readonly WholeWriteItem[], bytes: ArrayBuffer, flag: CancelFlag): Promise<readonly (BatchOutcome | undefined)[]> {
    const paths = items.map(({ path }) => path);
    return this.changing(paths, this.locks.runAll(paths, () => this.run('writeWhole', { ...this.writable(), items, bytes, flag }, 'bulk', [bytes])));
  }

  private takeFromInbox(inbox: string, items: readonly TakenItem[], flag: CancelFlag): Promise<readonly (BatchOutcome | undefined)[]> {
    const paths = items.map(({ path }) => path);
    return this.changing(paths, this.locks.runAll(paths, () => this.run('takeFromInbox', { ...this.writable(), inbox, items, flag }, 'bulk')));
  }

  /**
   * Notes for the next flush what a step that has ended may have changed. Not before: a flush that
   * comes while it is under way makes nothing of it durable, and would have the note forgotten (INV-15).
   */
  private async changing<T>(paths: readonly RelativePath[], step: Promise<T>): Promise<T> {
    try {
      return await step;
    } finally {
      for (const path of paths) this.unflushed.add(parentOf(path));
    }
  }

  private adopt(opened: OpenedRoot): void {
    const before = this.opened;
    // What was tried out on this very directory before holds for it still.
    const isKnown = before !== undefined && before.areTried && !opened.areTried && before.device === opened.device && before.inode === opened.inode;
    this.opened = isKnown ? { ...opened, abilities: before.abilities, areTried: true } : opened;
    const { device, inode, isCaseSensitive } = opened;
    const { areTried, abilities } = this.opened;
    this.root = { path: this.displayLocation, device, inode, isCaseSensitive, keepsPermissions: !areTried || abilities.keepsExecutable };
  }

  /** At the begin of every pass that may write: a daemon may run for months. Nearly always nothing is due, which shows quickly. */
  private async tidyTrash(): Promise<void> {
    const { clock, uptime, trashRetentionDays: retentionDays } = this.host;
    const request = { ...this.writable(), now: { ...uptime(), wallMs: clock.nowMs() } };
    if (await this.run('tidyTrash', { ...request, limits: { retentionDays, mayRemove: false } })) return;
    await this.run('tidyTrash', { ...request, limits: { retentionDays, mayRemove: true } }, 'bulk');
  }

  private writable(): Writable {
    const { clock, instance } = this.host;
    this.hasWritten = true;
    return { root: this.root, area: { instance, trashRun: trashRunOf(clock.nowMs(), instance.slice(-4)) } };
  }

  private async run<K extends keyof Tasks>(task: K, request: Parameters<Tasks[K]>[0], lane: Lane = 'quick', handedOver?: readonly ArrayBuffer[]): Promise<Awaited<ReturnType<Tasks[K]>>> {
    if (this.isClosed) throw this.closedError('use the storage');
    const running = this.host.runner.run(task, request, lane, handedOver);
    this.running.add(running);
    try {
      return await running;
    } finally {
      this.running.delete(running);
    }
  }

  /** Gives a step a flag that is raised when the signal aborts or the storage closes. */
  private async flagged<T>(step: (flag: CancelFlag) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const { flag, release } = this.hold(signal);
    try {
      return await step(flag);
    } finally {
      release();
    }
  }

  /** The same for work of several steps. */
  private hold(signal: AbortSignal | undefined): { readonly flag: CancelFlag; readonly release: () => void } {
    this.checkSignal(signal, 'use the storage');
    const flag = createCancelFlag();
    const stop = (): void => cancel(flag);
    signal?.addEventListener('abort', stop, { once: true });
    this.flags.add(flag);
    const release = (): void => {
      this.flags.delete(flag);
      signal?.removeEventListener('abort', stop);
    };
    return { flag, release };
  }

  private checkWritable(operation: string, path?: RelativePath): void {
    if (this.isReadOnly) throw failure('read-only', operation, path, 'this storage is set up as read-only');
    if (path !== undefined && isReserved(path)) throw failure('name-not-representable', operation, path, `${RESERVED_NAME} is reserved`);
  }

  private checkSignal(signal: AbortSignal | undefined, operation: string, path?: RelativePath): void {
    if (signal?.aborted === true) throw failure('cancelled', operation, path, 'stopped on request');
  }

  private closedError(operation: string): Error {
    return failure('cancelled', operation, undefined, 'the storage was closed');
  }
}

/** Whether copying takes no longer than looking: as an edit does, whose copy then waits for no thread to start. */
function isQuick(items: readonly CopyItem[]): boolean {
  return items.length <= FEW_FILES && items.every(({ sizeBytes }) => sizeBytes <= QUICK_BYTES);
}

/** The largest file that is copied between looks at others. */
const QUICK_BYTES = 256 << 10;
/** How many files are hashed in one task. */
const HASH_BATCH_FILES = 128;
/** From this size on a file is hashed on a second thread while it is copied, if one is idle. */
const HASH_BESIDE_BYTES = 16 << 20;

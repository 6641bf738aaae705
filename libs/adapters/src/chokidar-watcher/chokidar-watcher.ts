/**
 * Watches a local directory through chokidar, directories only: a watch for every file
 * loses events and costs 8 kB each, while the events of a directory name its entries.
 * Chokidar's own file events are not used at all; its `raw` events become hints.
 *
 * Two gaps of chokidar are closed here (T62). What is put into a new directory before its
 * watch exists is told by hinting at the whole directory, and looked after once more a
 * second later. A directory exchanged for another of the same name (`rm -r d; mkdir d`)
 * keeps the dead watch of the old one, so the identity of known directories is checked
 * whenever their name appears in an event.
 *
 * INV-30: an overflow of the kernel's queue is silent. But an overflow has filled the queue, and the
 * queue is emptied in one turn of the event loop: a turn with about as many events as it holds
 * is taken for one, and everything is looked at (T62).
 * INV-34: links are not followed.
 */

import type { Stats } from 'node:fs';
import { lstat, readdir, readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';

import { parseRelativePath, RESERVED_NAME, ROOT, type RelativePath } from '@wl/domain';
import { BackendError, isBackendError, type Clock, type Watcher, type WatcherListener } from '@wl/ports';
import { watch, type ChokidarOptions, type FSWatcher } from 'chokidar';

import { readDirectoriesOnly, type ReadDirectory } from './directory-reader.js';
import { HintBatch } from './hint-batch.js';
import { networkFileSystem } from './network-file-system.js';
import { codeOf, explainWatchError, toWatchError } from './watch-error.js';

/** A new directory is looked at again after this; chokidar reads a directory anew once a second at most. */
const LOOK_AGAIN_MS = 1_100;

/** Parts that a test may replace. */
export interface ChokidarWatcherOptions {
  readonly watch?: (root: string, options: ChokidarOptions) => FSWatcher;
  /** How directories are read; by `readdir` when left out. */
  readonly readDirectory?: ReadDirectory;
  /** What the system calls the kind of file system a directory is on, as `statfs` does; asked from the system when left out. */
  readonly fileSystemType?: number;
  /** Events that the kernel keeps for a reader at most; asked from the system when left out. */
  readonly queuedEvents?: number;
}

/** Where Linux says how many events it keeps, and what it keeps where it does not say. */
const QUEUE_SETTING = '/proc/sys/fs/inotify/max_queued_events';
const USUAL_QUEUE = 16_384;

/** Watcher of one directory tree. */
export class ChokidarWatcher implements Watcher {
  /** All that run: they share one queue of the kernel. */
  static readonly #open = new Set<ChokidarWatcher>();
  /** Events of this turn of the event loop, told to any of them. */
  static #eventsInTurn = 0;
  readonly description: string;
  #queuedEvents: number | undefined;
  readonly #fileSystemType: number | undefined;
  readonly #location: string;
  readonly #clock: Clock;
  readonly #watch: (root: string, options: ChokidarOptions) => FSWatcher;
  readonly #readDirectory: ReadDirectory | undefined;
  readonly #stopping = new AbortController();
  readonly #batch = new HintBatch();
  /** Directories that chokidar watches, with the identity they had then. */
  readonly #known = new Map<RelativePath, string>();
  /** Directories whose watch is new: something may have slipped in before it. */
  readonly #young = new Set<RelativePath>();
  /** Kinds of errors the user was told of. */
  readonly #told = new Set<string>();
  #listener: WatcherListener | undefined;
  #chokidar: FSWatcher | undefined;
  #root = '';
  #isReady = false;
  #tick: NodeJS.Immediate | undefined;
  #lookingAgain: Promise<void> | undefined;
  #isLookingAgain = false;

  /** `location`: path of the directory to watch. */
  constructor(location: string, clock: Clock, options: ChokidarWatcherOptions = {}) {
    this.#location = location;
    this.#clock = clock;
    this.#watch = options.watch ?? watch;
    this.#readDirectory = options.readDirectory;
    this.#queuedEvents = options.queuedEvents;
    this.#fileSystemType = options.fileSystemType;
    this.description = process.platform === 'linux' ? 'inotify' : 'file system events';
  }

  async start(listener: WatcherListener): Promise<void> {
    if (this.#listener !== undefined) throw new Error('a ChokidarWatcher is used for one start only');
    this.#listener = listener;
    try {
      this.#root = await realpath(this.#location);
      const stats = await stat(this.#root);
      if (!stats.isDirectory()) throw Object.assign(new Error('not a directory'), { code: 'ENOTDIR' });
    } catch (error) {
      throw toWatchError(error, this.#location);
    }
    // Chokidar takes backslashes for separators everywhere.
    if (path.sep === '/' && this.#root.includes('\\')) throw this.#refusal('unsupported', 'a path with a backslash cannot be watched');
    this.#queuedEvents ??= await queueLength();
    ChokidarWatcher.#open.add(this);
    try {
      await this.#untilReady();
      if (!this.#known.has(ROOT)) throw Object.assign(new Error('the directory vanished'), { code: 'ENOENT' });
    } catch (error) {
      await this.stop();
      throw isBackendError(error) ? error : toWatchError(error, this.#location);
    }
    this.#isReady = true;
    await this.#mindOtherMachines();
    this.#tellSoon();
    // Directories made while chokidar was still reading have no watch yet.
    for (const directory of this.#known.keys()) this.#young.add(directory);
    this.#lookingAgain = this.#lookAgain(0);
  }

  async stop(): Promise<void> {
    ChokidarWatcher.#open.delete(this);
    this.#stopping.abort();
    clearImmediate(this.#tick);
    const chokidar = this.#chokidar;
    await chokidar?.close();
    // Closing removes all listeners, and an error still under way would then end the process.
    chokidar?.on('error', () => undefined);
    await this.#lookingAgain;
  }

  /** The kernel tells of what this machine does; what others do to a directory that they share with it makes no event here (INV-30). */
  async #mindOtherMachines(): Promise<void> {
    const name = await networkFileSystem(this.#root, this.#fileSystemType);
    if (name === undefined) return;
    this.#degrade('network', `${this.#location} is on a network file system (${name}): what other machines change there makes no events and is found a little later.`);
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  #untilReady(): Promise<void> {
    return new Promise((resolve, reject) => {
      const { signal } = this.#stopping;
      const cancel = (): void => reject(this.#refusal('cancelled', 'the watcher was stopped'));
      if (signal.aborted) return cancel();
      signal.addEventListener('abort', cancel, { once: true });
      const reserved = path.join(this.#root, RESERVED_NAME);
      const chokidar = this.#watch(this.#root, {
        followSymlinks: false,
        ignored: (candidate, stats) => candidate === reserved || (stats !== undefined && !stats.isDirectory()),
        // Listings report what cannot be read.
        ignorePermissionErrors: true,
        // Would leave out directories whose names look like an editor's temporary files.
        atomic: false,
        // Otherwise all watchers in the process share their handles by path, dead ones too.
        persistent: false,
      });
      this.#chokidar = chokidar;
      readDirectoriesOnly(chokidar, this.#readDirectory);
      chokidar.on('raw', (event, name, details) => this.#onRaw(event, name, details));
      chokidar.on('addDir', (directory, stats) => this.#onDirectoryAdded(directory, stats));
      chokidar.on('unlinkDir', (directory) => this.#onDirectoryGone(directory));
      chokidar.on('error', (error) => {
        const isRoot = error instanceof Error && 'path' in error && error.path === this.#root;
        if (isRoot && !this.#isReady) return reject(error);
        this.#onError(error);
        // Chokidar waits for ever for the end of a directory whose reading broke off: it counts as read.
        if (!this.#isReady && (error as { syscall?: unknown }).syscall !== 'watch') chokidar._emitReady();
      });
      chokidar.once('ready', () => resolve());
      if (chokidar.options.usePolling) {
        this.#degrade('polling', `${this.#location} is watched by polling, which misses changed files: unset CHOKIDAR_USEPOLLING and start the daemon again.`);
      }
    });
  }

  /** What the system reports of one directory: `name` is an entry of it, or its own name when it was itself moved or removed. */
  #onRaw(event: string, name: unknown, details: unknown): void {
    ChokidarWatcher.#count();
    const watched = typeof details === 'object' && details !== null && 'watchedPath' in details ? details.watchedPath : undefined;
    const directory = typeof watched === 'string' ? this.#relative(watched) : undefined;
    // Polling by CHOKIDAR_USEPOLLING has no watched path.
    if (directory === undefined) return this.#hintSubtree(ROOT);
    if (typeof name !== 'string' || name === '') return this.#hintSubtree(directory);
    const isSelf = event === 'rename' && name === path.basename(watched as string);
    if (isSelf) {
      this.#hintSubtree(directory);
      void this.#checkIdentity(directory);
    }
    const raw = directory === ROOT ? name : `${directory}/${name}`;
    const entry = parseRelativePath(raw);
    if (!entry.ok) {
      if (entry.error !== 'reserved') this.#hintSubtree(directory);
      return;
    }
    // What is not Unicode arrives as U+FFFD and names nothing.
    if (name.includes('\ufffd')) return this.#hintSubtree(directory);
    this.#batch.addEntry(entry.value);
    this.#tellSoon();
    if (event === 'rename' && this.#known.has(entry.value)) void this.#checkIdentity(entry.value);
  }

  /** Counts an event. At the end of a turn with so many that there may have been more, everything is news. */
  static #count(): void {
    ChokidarWatcher.#eventsInTurn += 1;
    if (ChokidarWatcher.#eventsInTurn > 1) return;
    setImmediate(() => {
      const events = ChokidarWatcher.#eventsInTurn;
      ChokidarWatcher.#eventsInTurn = 0;
      // Events of names that nobody watches any more filled the queue, too, and are not counted here.
      for (const watcher of ChokidarWatcher.#open) if (events * 2 >= (watcher.#queuedEvents ?? USUAL_QUEUE)) watcher.#hintSubtree(ROOT);
    });
  }

  #onDirectoryAdded(absolute: string, stats: Stats | undefined): void {
    const directory = this.#relative(absolute);
    if (directory === undefined) return;
    this.#known.set(directory, stats === undefined ? '' : identityOf(stats));
    if (!this.#isReady) return;
    this.#hintSubtree(directory);
    this.#lookAgainAt(directory);
  }

  #onDirectoryGone(absolute: string): void {
    const directory = this.#relative(absolute);
    if (directory === undefined) return;
    this.#known.delete(directory);
    this.#young.delete(directory);
    if (directory === ROOT) this.#onRootGone();
    this.#batch.addEntry(directory);
    this.#tellSoon();
  }

  #onError(error: unknown): void {
    const code = codeOf(error);
    const where = error instanceof Error && 'path' in error && typeof error.path === 'string' ? this.#relative(error.path) : undefined;
    this.#hintSubtree(this.#told.has(code) ? (where ?? ROOT) : ROOT);
    this.#degrade(code, explainWatchError(code, this.#location));
  }

  #onRootGone(): void {
    this.#hintSubtree(ROOT);
    this.#degrade('root', `${this.#location} was moved or removed: changes are no longer noticed until it is back and the job is started again.`);
  }

  /** Whether the directory is still the one that is watched; if another has its name, that one is watched from now on. */
  async #checkIdentity(directory: RelativePath): Promise<void> {
    const stats = await lstat(this.#absolute(directory)).catch(() => undefined);
    const known = this.#known.get(directory);
    if (this.#isStopped || known === undefined) return;
    const isThere = stats?.isDirectory() === true;
    if (isThere && identityOf(stats) === known) return;
    if (directory === ROOT) this.#onRootGone();
    // Chokidar notices by itself what is gone.
    else if (isThere) this.#watchAnew(directory, identityOf(stats));
  }

  #watchAnew(directory: RelativePath, identity: string): void {
    const absolute = this.#absolute(directory);
    this.#hintSubtree(directory);
    if (absolute.includes('\\')) return;
    // The public `unwatch` would go on ignoring every path below for ever.
    this.#chokidar?._remove(path.dirname(absolute), path.basename(absolute), true);
    this.#known.set(directory, identity);
    this.#chokidar?.add(absolute);
    this.#lookAgainAt(directory);
  }

  #lookAgainAt(directory: RelativePath): void {
    this.#young.add(directory);
    if (!this.#isLookingAgain) this.#lookingAgain = this.#lookAgain(LOOK_AGAIN_MS);
  }

  /** Looks into young directories for what came between chokidar's reading and its watch. */
  async #lookAgain(delayMs: number): Promise<void> {
    this.#isLookingAgain = true;
    for (let restMs = delayMs; this.#young.size > 0; restMs = LOOK_AGAIN_MS) {
      const isFirst = restMs === 0;
      if (!isFirst) await this.#clock.sleep(restMs, this.#stopping.signal);
      const directories = [...this.#young];
      this.#young.clear();
      for (const directory of directories) {
        if (this.#isStopped) return;
        await this.#lookInto(directory);
        if (!isFirst) this.#hintSubtree(directory);
      }
    }
    this.#isLookingAgain = false;
  }

  async #lookInto(directory: RelativePath): Promise<void> {
    const entries = await readdir(this.#absolute(directory), { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const child = parseRelativePath(directory === ROOT ? entry.name : `${directory}/${entry.name}`);
      if (!entry.isDirectory() || !child.ok) continue;
      if (this.#known.has(child.value)) await this.#checkIdentity(child.value);
      else if (!entry.name.includes('\\') && !this.#isStopped) this.#chokidar?.add(this.#absolute(child.value));
    }
  }

  #hintSubtree(directory: RelativePath): void {
    this.#batch.addSubtree(directory);
    this.#tellSoon();
  }

  /** The kernel's events come in heaps: one turn of the event loop is told as one batch. */
  #tellSoon(): void {
    if (this.#isStopped || !this.#isReady || this.#tick !== undefined) return;
    this.#tick = setImmediate(() => {
      this.#tick = undefined;
      const hints = this.#batch.take();
      if (hints.length > 0) this.#listener?.hints(hints);
    });
  }

  #degrade(kind: string, message: string): void {
    if (this.#isStopped || this.#told.has(kind)) return;
    this.#told.add(kind);
    this.#listener?.degraded(message);
  }

  #refusal(code: 'unsupported' | 'cancelled', explanation: string): BackendError {
    return new BackendError(code, { operation: 'watch', path: this.#location, retryable: false }, { explanation });
  }

  #absolute(directory: RelativePath): string {
    return path.join(this.#root, directory);
  }

  /** The path below the root, `undefined` for what is no path or lies elsewhere. */
  #relative(absolute: string): RelativePath | undefined {
    if (absolute === this.#root) return ROOT;
    const prefix = this.#root.endsWith(path.sep) ? this.#root : `${this.#root}${path.sep}`;
    if (!absolute.startsWith(prefix)) return undefined;
    const relative = absolute.slice(prefix.length);
    const parsed = parseRelativePath(path.sep === '/' ? relative : relative.replaceAll(path.sep, '/'));
    return parsed.ok ? parsed.value : undefined;
  }
}

/** How many events the system keeps for a reader. */
async function queueLength(): Promise<number> {
  const text = await readFile(QUEUE_SETTING, 'utf8').catch(() => '');
  return /^\d+$/.test(text.trim()) ? Number(text) : USUAL_QUEUE;
}

/** What tells a directory from another of the same name; an inode number alone is given again at once. */
function identityOf(stats: Stats): string {
  return `${String(stats.dev)}:${String(stats.ino)}:${String(stats.birthtimeMs)}`;
}

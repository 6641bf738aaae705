/**
 * The ground of a memory tree: what is mounted, how names and versions are told apart, and
 * the few steps by which entries come and go. Depends on nothing but the calls and the
 * clock, so a run can be replayed.
 */

import { RESERVED_NAME, ROOT, utf8Length, type FileNode, type RelativePath, type Token } from '@wl/domain';
import { programToken, type Clock } from '@wl/ports';

import {
  emptyDirectory,
  type FileVersion,
  type MemoryDirectory,
  type MemoryEntry,
  type MemoryFile,
  type MemoryVolume,
  type Place,
  type StagedFile,
  type TrashedFile,
} from './memory-entry.js';

/** How a tree behaves. */
export interface MemoryTreeOptions {
  /** Names this storage; trees with the same id are the same place to `rootIdentity`. */
  readonly id: string;
  readonly clock: Clock;
  /** Absolute path the storage pretends to be at, for overlap checks; default `/memory/<id>`. */
  readonly location?: string;
  /** Default true. */
  readonly isCaseSensitive?: boolean;
  /** False: a directory is there only as long as files are in it, as in an object store. Default true. */
  readonly keepsEmptyDirectories?: boolean;
  /** Files, staged files and trash together; default unlimited. Binds backends only. */
  readonly capacityBytes?: number;
  /**
   * 0 (default): every version has a token of its own. Otherwise tokens are made of times
   * cut to this many milliseconds, and two changes within one tick may keep the token.
   */
  readonly timestampGranularityMs?: number;
  /**
   * Whether changes last only from `sync` on (`flush` of a backend, or the operating system in
   * its own time), so that `losePower` can take back any of those since. Default false.
   */
  readonly losesUnflushed?: boolean;
  /** Longest name in UTF-8 bytes; default 255. */
  readonly maxNameBytes?: number;
}

/** A change as observers hear of it. `isTree`: everything below `path` may have changed too. */
export interface TreeChange {
  /** Raw: names may be such that no `RelativePath` can be made of them. */
  readonly path: string;
  readonly isTree: boolean;
  /** The backend that did it; `undefined`: a person, or the world. */
  readonly by: string | undefined;
}

/** Entries by path, with what identifies their versions. */
export class TreeStore {
  readonly id: string;
  readonly clock: Clock;
  readonly location: string;
  readonly isCaseSensitive: boolean;
  readonly keepsEmptyDirectories: boolean;
  readonly maxNameBytes: number;
  readonly losesUnflushed: boolean;
  /** May be changed at any time; `undefined` = unlimited. */
  capacityBytes: number | undefined;
  readonly #granularityMs: number;
  readonly #observers = new Set<(change: TreeChange) => void>();
  /** What a file path held before its last change; `undefined` = nothing. */
  readonly #previous = new Map<string, { readonly inode: number; readonly version: FileVersion } | undefined>();
  #serial = 0;
  #actor: string | undefined;
  #volume: MemoryVolume | undefined;

  constructor(options: MemoryTreeOptions) {
    this.id = options.id;
    this.clock = options.clock;
    this.location = options.location ?? `/memory/${options.id}`;
    this.isCaseSensitive = options.isCaseSensitive ?? true;
    this.keepsEmptyDirectories = options.keepsEmptyDirectories ?? true;
    this.capacityBytes = options.capacityBytes;
    this.maxNameBytes = options.maxNameBytes ?? 255;
    this.losesUnflushed = options.losesUnflushed ?? false;
    this.#granularityMs = options.timestampGranularityMs ?? 0;
    this.#volume = this.newVolume();
  }

  /** Versions that backends replaced or removed, by the name that `leftover` would give (`.wl/trash/…`). */
  get trash(): ReadonlyMap<string, TrashedFile> {
    return this.#volume?.trash ?? new Map<string, TrashedFile>();
  }

  /** Bytes that writers have staged and not committed. */
  get staging(): ReadonlyMap<string, StagedFile> {
    return this.#volume?.staging ?? new Map<string, StagedFile>();
  }

  /** An empty volume with an identity of its own, not yet mounted. */
  newVolume(): MemoryVolume {
    this.#serial += 1;
    return { id: `${this.id}#${String(this.#serial)}`, root: emptyDirectory(), trash: new Map(), staging: new Map(), marker: undefined };
  }

  /** Hears of every change from now on, at once; returns how to stop. */
  observe(observer: (change: TreeChange) => void): () => void {
    this.#observers.add(observer);
    return () => void this.#observers.delete(observer);
  }

  /** What is mounted, `undefined` when the root is missing. */
  get volume(): MemoryVolume | undefined {
    return this.#volume;
  }

  protected set volume(volume: MemoryVolume | undefined) {
    this.#volume = volume;
  }

  /** Does one step in the name of a backend, so that observers can tell its changes from those of people. */
  actAs<T>(backendId: string, step: () => T): T {
    this.#actor = backendId;
    try {
      return step();
    } finally {
      this.#actor = undefined;
    }
  }

  /** A number that was not given before. */
  nextSerial(): number {
    this.#serial += 1;
    return this.#serial;
  }

  /**
   * Follows a path from the root, through no links. With `isExact`, a name that differs in
   * its spelling from the one on a case-insensitive tree is a collision, not a match.
   */
  locate(path: string, isExact: boolean): Place {
    if (this.#volume === undefined) return { kind: 'unknown', reason: 'read-error' };
    let entry: MemoryEntry = this.#volume.root;
    if (path === ROOT) return { kind: 'found', entry };
    let parent: MemoryDirectory | undefined;
    const names = path.split('/');
    for (const [index, name] of names.entries()) {
      if (entry.kind === 'symlink') return { kind: 'unknown', reason: 'symlink' };
      if (entry.kind !== 'directory') return { kind: 'absent', parent: undefined };
      if (entry.isUnreadable && isExact) return { kind: 'unknown', reason: 'permission-denied' };
      parent = entry;
      const child = parent.children.get(this.#fold(name));
      if (child === undefined) return { kind: 'absent', parent: index === names.length - 1 ? parent : undefined };
      if (isExact && child.name !== name) return { kind: 'unknown', reason: 'name-collision' };
      entry = child.entry;
    }
    return { kind: 'found', entry };
  }

  /** A path as its names are spelled here. */
  protected spelling(path: string): string {
    let directory = this.#volume?.root;
    return path
      .split('/')
      .map((name) => {
        const child = directory?.children.get(this.#fold(name));
        directory = child?.entry.kind === 'directory' ? child.entry : undefined;
        return child?.name ?? name;
      })
      .join('/');
  }

  /** What a file's version looks like to an observer. */
  nodeOf(file: { readonly inode: number; readonly version: FileVersion }): FileNode {
    const { version } = file;
    return {
      kind: 'file',
      token: this.tokenOf(file),
      sizeBytes: version.bytes.length,
      mtimeMs: version.mtimeMs,
      hash: undefined,
      isRacy: this.#granularityMs > 0 && this.#tick(this.clock.nowMs()) <= this.#tick(version.changedMs),
    };
  }

  /** The token of a file's version. */
  tokenOf({ inode, version }: { readonly inode: number; readonly version: FileVersion }): Token {
    const times = [version.bytes.length, this.#tick(version.mtimeMs), this.#tick(version.changedMs)];
    const parts = [inode, ...(this.#granularityMs === 0 ? [version.serial] : times)];
    return programToken(parts.join('.'), version.isExecutable);
  }

  /** What a file path held before its last change; `undefined` when it never changed, `null` when nothing was there. */
  previousOf(path: string): { readonly inode: number; readonly version: FileVersion } | null | undefined {
    return this.#previous.has(path) ? (this.#previous.get(path) ?? null) : undefined;
  }

  /** Puts a new file at `path`, over whatever file is there. */
  putFile(path: RelativePath, bytes: Uint8Array, mtimeMs: number | undefined, isExecutable: boolean): MemoryFile {
    const file = this.newFile(this.newVersion(bytes, mtimeMs, isExecutable));
    this.remember(path);
    this.attach(path, file);
    this.changed(path, false);
    return file;
  }

  /** Moves the file at `path` to the trash and returns its name there. */
  trashFile(path: RelativePath, by: string, reason: TrashedFile['reason']): string {
    const file = this.fileAt(path);
    if (file === undefined || this.#volume === undefined) throw new Error(`no file at ${path}`);
    const name = `${RESERVED_NAME}/trash/${String(this.nextSerial())}-${path.replaceAll('/', '-')}`;
    this.#volume.trash.set(name, { path, bytes: file.version.bytes, mtimeMs: file.version.mtimeMs, by, reason });
    if (reason !== 'replaced') {
      this.remember(path);
      this.detach(path);
      this.changed(path, false);
    }
    return name;
  }

  /** Bytes that count against the capacity. */
  usedBytes(): number {
    let usedBytes = 0;
    for (const [, entry] of this.entries()) if (entry.kind === 'file') usedBytes += entry.version.bytes.length;
    for (const { bytes } of this.trash.values()) usedBytes += bytes.length;
    for (const { sizeBytes } of this.staging.values()) usedBytes += sizeBytes;
    return usedBytes;
  }

  /** Whether a name can be held. */
  canHold(name: string): boolean {
    return utf8Length(name) <= this.maxNameBytes;
  }

  /** Whether a path lies in the area that belongs to us. */
  isReserved(path: string): boolean {
    return this.#fold(path.split('/', 1)[0] ?? '') === RESERVED_NAME;
  }

  /** Everything a user sees, with its path. */
  protected *entries(): Generator<[string, MemoryEntry]> {
    const stack: [string, MemoryEntry][] = this.#volume === undefined ? [] : [['', this.#volume.root]];
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      const [path, entry] = top;
      if (path !== '') yield top;
      if (entry.kind !== 'directory') continue;
      for (const child of entry.children.values()) {
        const childPath = path === '' ? child.name : `${path}/${child.name}`;
        if (!this.isReserved(childPath)) stack.push([childPath, child.entry]);
      }
    }
  }

  protected fileAt(path: string): MemoryFile | undefined {
    const place = this.locate(path, false);
    if (place.kind === 'found' && place.entry.kind === 'file') return place.entry;
    return undefined;
  }

  protected newFile(version: FileVersion): MemoryFile {
    return { kind: 'file', inode: this.nextSerial(), version, isUnreadable: false };
  }

  protected newVersion(bytes: Uint8Array, mtimeMs: number | undefined, isExecutable: boolean): FileVersion {
    const changedMs = this.clock.nowMs();
    return { bytes, serial: this.nextSerial(), mtimeMs: mtimeMs ?? changedMs, changedMs, isExecutable };
  }

  /** The directory at `path`, made with those above it when missing. */
  protected directory(path: string): MemoryDirectory {
    if (this.#volume === undefined) throw new Error(`no volume is mounted at ${this.location}`);
    let directory = this.#volume.root;
    if (path === ROOT) return directory;
    for (const name of path.split('/')) {
      const child = directory.children.get(this.#fold(name))?.entry;
      if (child !== undefined && child.kind !== 'directory') throw new Error(`${name} in ${path} is no directory`);
      const next = child ?? emptyDirectory();
      if (child === undefined) directory.children.set(this.#fold(name), { name, entry: next });
      directory = next;
    }
    return directory;
  }

  /** Puts an entry at `path`, making the directories above it; throws where a directory is in the way. */
  protected attach(path: string, entry: MemoryEntry): void {
    const slash = path.lastIndexOf('/');
    const parent = this.directory(slash < 0 ? ROOT : path.slice(0, slash));
    const name = path.slice(slash + 1);
    const there = parent.children.get(this.#fold(name));
    if (there?.entry.kind === 'directory' && (entry.kind !== 'directory' || there.entry.children.size > 0)) {
      throw new Error(`${path} is a directory`);
    }
    parent.children.set(this.#fold(name), { name: there === undefined ? name : there.name, entry });
  }

  /** Takes the entry at `path` out of its directory. */
  protected detach(path: string, prunes = true): void {
    const slash = path.lastIndexOf('/');
    const place = this.locate(slash < 0 ? ROOT : path.slice(0, slash), false);
    if (place.kind !== 'found' || place.entry.kind !== 'directory') return;
    place.entry.children.delete(this.#fold(path.slice(slash + 1)));
    if (prunes) this.prune(path);
  }

  /** Where directories do not exist by themselves, those above `path` end with their last entry. */
  protected prune(path: string): void {
    if (this.keepsEmptyDirectories) return;
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const place = this.locate(path.slice(0, slash), false);
      if (place.kind === 'found' && place.entry.kind === 'directory' && place.entry.children.size === 0) this.detach(path.slice(0, slash), false);
    }
  }

  /** Notes what a file path holds before it changes, for stale reads. */
  protected remember(path: string): void {
    const file = this.fileAt(path);
    this.#previous.set(path, file === undefined ? undefined : { inode: file.inode, version: file.version });
  }

  protected rememberAll(path: string, entry: MemoryEntry): void {
    if (entry.kind === 'file') this.remember(path);
    if (entry.kind !== 'directory') return;
    for (const child of entry.children.values()) this.rememberAll(`${path}/${child.name}`, child.entry);
  }

  /** Tells the observers. */
  protected changed(path: string, isTree: boolean): void {
    for (const observer of this.#observers) observer({ path, isTree, by: this.#actor });
  }

  #fold(name: string): string {
    return this.isCaseSensitive ? name : name.toLowerCase();
  }

  #tick(timeMs: number): number {
    return Math.floor(timeMs / this.#granularityMs);
  }
}

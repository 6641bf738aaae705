/**
 * A storage in memory that several backends may share, as several machines share one
 * bucket or one network disk. Its public methods are what a person does with other
 * tools: write, save by rename, remove, unplug. Everything is synchronous and depends on
 * nothing but the calls and the clock, so a run can be replayed.
 */

import { RESERVED_NAME, ROOT, utf8Length, type FileNode, type RelativePath, type Token } from '@wl/domain';
import type { Clock } from '@wl/ports';

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
  /** Longest name in UTF-8 bytes; default 255. */
  readonly maxNameBytes?: number;
}

/** A change as observers hear of it. `isTree`: everything below `path` may have changed too. */
export interface TreeChange {
  /** Raw: names may be such that no `RelativePath` can be made of them. */
  readonly path: string;
  readonly isTree: boolean;
}

/** A file system in memory. */
export class MemoryTree {
  readonly id: string;
  readonly clock: Clock;
  readonly location: string;
  readonly isCaseSensitive: boolean;
  readonly keepsEmptyDirectories: boolean;
  readonly maxNameBytes: number;
  /** May be changed at any time; `undefined` = unlimited. */
  capacityBytes: number | undefined;
  readonly #granularityMs: number;
  readonly #observers = new Set<(change: TreeChange) => void>();
  /** What a file path held before its last change; `undefined` = nothing. */
  readonly #previous = new Map<string, { readonly inode: number; readonly version: FileVersion } | undefined>();
  #serial = 0;
  #volume: MemoryVolume | undefined;

  constructor(options: MemoryTreeOptions) {
    this.id = options.id;
    this.clock = options.clock;
    this.location = options.location ?? `/memory/${options.id}`;
    this.isCaseSensitive = options.isCaseSensitive ?? true;
    this.keepsEmptyDirectories = options.keepsEmptyDirectories ?? true;
    this.capacityBytes = options.capacityBytes;
    this.maxNameBytes = options.maxNameBytes ?? 255;
    this.#granularityMs = options.timestampGranularityMs ?? 0;
    this.#volume = this.newVolume();
  }

  /** Rewrites a file in place, or creates it with the directories above it. */
  write(path: string, content: Uint8Array | string, options: { readonly mtimeMs?: number } = {}): void {
    const file = this.#fileAt(path);
    const version = this.#newVersion(toBytes(content), options.mtimeMs, file?.version.isExecutable ?? false);
    this.#remember(path);
    if (file !== undefined) file.version = version;
    else this.#attach(path, this.#newFile(version));
    this.#changed(path, false);
  }

  /** Saves a file as most editors do: a new file renamed over the old one. */
  save(path: string, content: Uint8Array | string): void {
    const file = this.#fileAt(path);
    this.#remember(path);
    this.#attach(path, this.#newFile(this.#newVersion(toBytes(content), undefined, file?.version.isExecutable ?? false)));
    this.#changed(path, false);
  }

  /** Adds to the end of a file in place. */
  append(path: string, content: Uint8Array | string): void {
    this.write(path, Buffer.concat([this.read(path) ?? new Uint8Array(0), toBytes(content)]));
  }

  /** Sets the modification time only. */
  touch(path: string, mtimeMs: number): void {
    const file = this.#fileAt(path);
    if (file === undefined) throw new Error(`no file at ${path}`);
    this.#remember(path);
    file.version = { ...this.#newVersion(file.version.bytes, mtimeMs, file.version.isExecutable) };
    this.#changed(path, false);
  }

  /** Removes whatever is at `path`, with everything below; nothing there is fine. */
  remove(path: string): void {
    const place = this.locate(path, false);
    if (place.kind !== 'found') return;
    this.#rememberAll(path, place.entry);
    this.#detach(path);
    this.#changed(path, place.entry.kind === 'directory');
  }

  /** Makes a directory and those above it; does nothing where directories are not kept. */
  mkdir(path: string): void {
    if (!this.keepsEmptyDirectories) return;
    this.#directory(path);
    this.#changed(path, false);
  }

  /** Renames; a file or empty directory at `to` is replaced. */
  rename(from: string, to: string): void {
    const place = this.locate(from, false);
    if (place.kind !== 'found') throw new Error(`nothing at ${from}`);
    const { entry } = place;
    this.#rememberAll(from, entry);
    this.#remember(to);
    this.#detach(from, false);
    this.#attach(to, entry);
    this.#prune(from);
    const isTree = entry.kind === 'directory';
    this.#changed(from, isTree);
    this.#changed(to, isTree);
  }

  /** Makes a symbolic link; nobody ever follows it. */
  symlink(path: string, target: string): void {
    this.#attach(path, { kind: 'symlink', target });
    this.#changed(path, false);
  }

  /** Makes something that is no file, directory or link. */
  special(path: string): void {
    this.#attach(path, { kind: 'special' });
    this.#changed(path, false);
  }

  /** Takes away or gives back the right to read a file or to look into a directory. */
  setUnreadable(path: string, isUnreadable: boolean): void {
    const place = this.locate(path, false);
    if (place.kind !== 'found' || (place.entry.kind !== 'file' && place.entry.kind !== 'directory')) throw new Error(`nothing readable at ${path}`);
    place.entry.isUnreadable = isUnreadable;
    this.#changed(path, false);
  }

  /** The bytes of a file, `undefined` where none is. */
  read(path: string): Uint8Array | undefined {
    return this.#fileAt(path)?.version.bytes;
  }

  /** The content of a file as text, `undefined` where none is. */
  text(path: string): string | undefined {
    const bytes = this.read(path);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  }

  /** Every path below the root that a user sees, without the reserved area; unordered. */
  paths(): string[] {
    return [...this.#entries()].map(([path]) => path);
  }

  /** The whole visible tree as one plain value: files by their text, directories with a trailing slash by `''`. */
  snapshot(): Record<string, string> {
    const rows: [string, string][] = [];
    for (const [path, entry] of this.#entries()) {
      if (entry.kind === 'file') rows.push([path, new TextDecoder().decode(entry.version.bytes)]);
      else rows.push(entry.kind === 'directory' ? [`${path}/`, ''] : [path, `<${entry.kind}>`]);
    }
    return Object.fromEntries(rows.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Versions that backends replaced or removed, by the name that `leftover` would give (`.wl/trash/…`). */
  get trash(): ReadonlyMap<string, TrashedFile> {
    return this.#volume?.trash ?? new Map<string, TrashedFile>();
  }

  /** Bytes that writers have staged and not committed. */
  get staging(): ReadonlyMap<string, StagedFile> {
    return this.#volume?.staging ?? new Map<string, StagedFile>();
  }

  /** Takes the volume out, as an unplugged disk, and leaves no root at all or an empty mount point (T04). */
  unmount(leaving: 'nothing' | 'empty-directory' = 'nothing'): MemoryVolume {
    const volume = this.#volume;
    if (volume === undefined) throw new Error('no volume is mounted');
    this.#volume = leaving === 'nothing' ? undefined : this.newVolume();
    this.#changed(ROOT, true);
    return volume;
  }

  /** Puts a volume in the place of whatever is there: the one taken out, another tree's, or a new one (T05). */
  mount(volume: MemoryVolume): void {
    this.#volume = volume;
    this.#changed(ROOT, true);
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

  // What backends stand on.

  /** What is mounted, `undefined` when the root is missing. */
  get volume(): MemoryVolume | undefined {
    return this.#volume;
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
    for (const [index, name] of path.split('/').entries()) {
      if (entry.kind === 'symlink') return { kind: 'unknown', reason: 'symlink' };
      if (entry.kind !== 'directory') return { kind: 'absent', parent: undefined };
      if (entry.isUnreadable && isExact) return { kind: 'unknown', reason: 'permission-denied' };
      parent = entry;
      const child = parent.children.get(this.#fold(name));
      if (child === undefined) return { kind: 'absent', parent: index === path.split('/').length - 1 ? parent : undefined };
      if (isExact && child.name !== name) return { kind: 'unknown', reason: 'name-collision' };
      entry = child.entry;
    }
    return { kind: 'found', entry };
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
    if (this.#granularityMs === 0) return `${String(inode)}.${String(version.serial)}` as Token;
    const parts = [inode, version.bytes.length, this.#tick(version.mtimeMs), this.#tick(version.changedMs)];
    return parts.join('.') as Token;
  }

  /** What a file path held before its last change; `undefined` when it never changed, `null` when nothing was there. */
  previousOf(path: string): { readonly inode: number; readonly version: FileVersion } | null | undefined {
    return this.#previous.has(path) ? (this.#previous.get(path) ?? null) : undefined;
  }

  /** Puts a new file at `path`, over whatever file is there. */
  putFile(path: RelativePath, bytes: Uint8Array, mtimeMs: number | undefined, isExecutable: boolean): MemoryFile {
    const file = this.#newFile(this.#newVersion(bytes, mtimeMs, isExecutable));
    this.#remember(path);
    this.#attach(path, file);
    this.#changed(path, false);
    return file;
  }

  /** Moves the file at `path` to the trash and returns its name there. */
  trashFile(path: RelativePath, by: string, reason: TrashedFile['reason']): string {
    const file = this.#fileAt(path);
    if (file === undefined || this.#volume === undefined) throw new Error(`no file at ${path}`);
    const name = `${RESERVED_NAME}/trash/${String(this.nextSerial())}-${path.replaceAll('/', '-')}`;
    this.#volume.trash.set(name, { path, bytes: file.version.bytes, mtimeMs: file.version.mtimeMs, by, reason });
    if (reason !== 'replaced') this.remove(path);
    return name;
  }

  /** Bytes that count against the capacity. */
  usedBytes(): number {
    let usedBytes = 0;
    for (const [, entry] of this.#entries()) if (entry.kind === 'file') usedBytes += entry.version.bytes.length;
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

  *#entries(): Generator<[string, MemoryEntry]> {
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

  #fileAt(path: string): MemoryFile | undefined {
    const place = this.locate(path, false);
    if (place.kind === 'found' && place.entry.kind === 'file') return place.entry;
    return undefined;
  }

  #newFile(version: FileVersion): MemoryFile {
    return { kind: 'file', inode: this.nextSerial(), version, isUnreadable: false };
  }

  #newVersion(bytes: Uint8Array, mtimeMs: number | undefined, isExecutable: boolean): FileVersion {
    const changedMs = this.clock.nowMs();
    return { bytes, serial: this.nextSerial(), mtimeMs: mtimeMs ?? changedMs, changedMs, isExecutable };
  }

  /** The directory at `path`, made with those above it when missing. */
  #directory(path: string): MemoryDirectory {
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

  #attach(path: string, entry: MemoryEntry): void {
    const slash = path.lastIndexOf('/');
    const parent = this.#directory(slash < 0 ? ROOT : path.slice(0, slash));
    const name = path.slice(slash + 1);
    const there = parent.children.get(this.#fold(name));
    if (there?.entry.kind === 'directory' && (entry.kind !== 'directory' || there.entry.children.size > 0)) {
      throw new Error(`${path} is a directory`);
    }
    parent.children.set(this.#fold(name), { name: there === undefined ? name : there.name, entry });
  }

  #detach(path: string, prunes = true): void {
    const slash = path.lastIndexOf('/');
    const place = this.locate(slash < 0 ? ROOT : path.slice(0, slash), false);
    if (place.kind !== 'found' || place.entry.kind !== 'directory') return;
    place.entry.children.delete(this.#fold(path.slice(slash + 1)));
    if (prunes) this.#prune(path);
  }

  /** Where directories do not exist by themselves, those above `path` end with their last entry. */
  #prune(path: string): void {
    if (this.keepsEmptyDirectories) return;
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const place = this.locate(path.slice(0, slash), false);
      if (place.kind === 'found' && place.entry.kind === 'directory' && place.entry.children.size === 0) this.#detach(path.slice(0, slash), false);
    }
  }

  #remember(path: string): void {
    const file = this.#fileAt(path);
    this.#previous.set(path, file === undefined ? undefined : { inode: file.inode, version: file.version });
  }

  #rememberAll(path: string, entry: MemoryEntry): void {
    if (entry.kind === 'file') this.#remember(path);
    if (entry.kind !== 'directory') return;
    for (const child of entry.children.values()) this.#rememberAll(`${path}/${child.name}`, child.entry);
  }

  #changed(path: string, isTree: boolean): void {
    for (const observer of this.#observers) observer({ path, isTree });
  }

  #fold(name: string): string {
    return this.isCaseSensitive ? name : name.toLowerCase();
  }

  #tick(timeMs: number): number {
    return Math.floor(timeMs / this.#granularityMs);
  }
}

function toBytes(content: Uint8Array | string): Uint8Array {
  return typeof content === 'string' ? new TextEncoder().encode(content) : Uint8Array.from(content);
}

/**
 * A storage in memory that several backends may share, as several machines share one
 * bucket or one network disk. Its methods are what a person does with other tools: write,
 * save by rename, remove, unplug. All of them are done at once, in one step.
 */

import { ROOT } from '@wl/domain';

import type { MemoryVolume } from './memory-entry.js';
import { afterPowerLoss, durableState, type DurableState } from './power-loss.js';
import { TreeStore } from './tree-store.js';

/** A file system in memory. */
export class MemoryTree extends TreeStore {
  #durable: DurableState = new Map();

  /** Rewrites a file in place, or creates it with the directories above it. */
  write(path: string, content: Uint8Array | string, options: { readonly mtimeMs?: number } = {}): void {
    const file = this.fileAt(path);
    const version = this.newVersion(toBytes(content), options.mtimeMs, file?.version.isExecutable ?? false);
    this.remember(path);
    if (file !== undefined) file.version = version;
    else this.attach(path, this.newFile(version));
    this.changed(path, false);
  }

  /** Saves a file as most editors do: a new file renamed over the old one. */
  save(path: string, content: Uint8Array | string): void {
    const file = this.fileAt(path);
    this.remember(path);
    this.attach(path, this.newFile(this.newVersion(toBytes(content), undefined, file?.version.isExecutable ?? false)));
    this.changed(path, false);
  }

  /** Adds to the end of a file in place. */
  append(path: string, content: Uint8Array | string): void {
    this.write(path, Buffer.concat([this.read(path) ?? new Uint8Array(0), toBytes(content)]));
  }

  /** Sets the modification time only. */
  touch(path: string, mtimeMs: number): void {
    const file = this.fileAt(path);
    if (file === undefined) throw new Error(`no file at ${path}`);
    this.remember(path);
    file.version = { ...this.newVersion(file.version.bytes, mtimeMs, file.version.isExecutable) };
    this.changed(path, false);
  }

  /** Makes a file a program, or no longer one; its content and modification time stay. */
  setExecutable(path: string, isExecutable: boolean): void {
    const file = this.fileAt(path);
    if (file === undefined) throw new Error(`no file at ${path}`);
    this.remember(path);
    file.version = this.newVersion(file.version.bytes, file.version.mtimeMs, isExecutable);
    this.changed(path, false);
  }

  /** Removes whatever is at `path`, with everything below; nothing there is fine. */
  remove(path: string): void {
    const place = this.locate(path, false);
    if (place.kind !== 'found') return;
    this.rememberAll(path, place.entry);
    this.detach(path);
    this.changed(path, place.entry.kind === 'directory');
  }

  /** Makes a directory and those above it; does nothing where directories are not kept. */
  mkdir(path: string): void {
    if (!this.keepsEmptyDirectories) return;
    this.directory(path);
    this.changed(path, false);
  }

  /** Renames; a file or empty directory at `to` is replaced. */
  rename(from: string, to: string): void {
    const place = this.locate(from, false);
    if (place.kind !== 'found' || to.startsWith(`${from}/`)) throw new Error(`unable to rename ${from} to ${to}`);
    const { entry } = place;
    const spelling = this.spelling(from);
    this.rememberAll(from, entry);
    this.remember(to);
    this.detach(from, false);
    try {
      this.attach(to, entry);
    } catch (error) {
      this.attach(spelling, entry);
      throw error;
    }
    this.prune(from);
    const isTree = entry.kind === 'directory';
    this.changed(from, isTree);
    this.changed(to, isTree);
  }

  /** Makes a symbolic link; nobody ever follows it. */
  symlink(path: string, target: string): void {
    this.attach(path, { kind: 'symlink', target });
    this.changed(path, false);
  }

  /** Makes something that is no file, directory or link. */
  special(path: string): void {
    this.attach(path, { kind: 'special' });
    this.changed(path, false);
  }

  /** Takes away or gives back the right to read a file or to look into a directory. */
  setUnreadable(path: string, isUnreadable: boolean): void {
    const place = this.locate(path, false);
    if (place.kind !== 'found' || (place.entry.kind !== 'file' && place.entry.kind !== 'directory')) throw new Error(`nothing readable at ${path}`);
    place.entry.isUnreadable = isUnreadable;
    this.changed(path, false);
  }

  /** The bytes of a file, `undefined` where none is. */
  read(path: string): Uint8Array | undefined {
    return this.fileAt(path)?.version.bytes;
  }

  /** Whether a file is executable, `undefined` where none is. */
  isExecutable(path: string): boolean | undefined {
    return this.fileAt(path)?.version.isExecutable;
  }

  /** The content of a file as text, `undefined` where none is. */
  text(path: string): string | undefined {
    const bytes = this.read(path);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  }

  /** Every path below the root that a user sees, without the reserved area; unordered. */
  paths(): string[] {
    return [...this.entries()].map(([path]) => path);
  }

  /** The whole visible tree as one plain value: files by their text, directories with a trailing slash by `''`. */
  snapshot(): Record<string, string> {
    const rows: [string, string][] = [];
    for (const [path, entry] of this.entries()) {
      if (entry.kind === 'file') rows.push([path, new TextDecoder().decode(entry.version.bytes)]);
      else rows.push(entry.kind === 'directory' ? [`${path}/`, ''] : [path, `<${entry.kind}>`]);
    }
    return Object.fromEntries(rows.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Makes everything done so far survive `losePower`. */
  sync(): void {
    if (this.losesUnflushed) this.#durable = durableState(this.entries());
  }

  /** Whether what is at a path now was made to last; `undefined` where everything lasts at once. */
  isDurable(path: string): boolean | undefined {
    if (!this.losesUnflushed) return undefined;
    const place = this.locate(path, true);
    const kept = this.#durable.get(path);
    if (place.kind !== 'found') return kept === undefined;
    if (place.entry.kind !== 'file') return kept?.kind === place.entry.kind;
    return kept?.kind === 'file' && Buffer.compare(kept.version.bytes, place.entry.version.bytes) === 0;
  }

  /**
   * The power fails: of what was done since the last `sync`, each change of a name is kept or
   * taken back as `survives` says, in no order; trash and marker are kept. Contents are old or new,
   * never torn: a backend shows nothing before its bytes are safe (DESIGN §5). Returns the names whose
   * last change is lost.
   */
  losePower(survives: (path: string) => boolean): string[] {
    if (this.volume === undefined) return [];
    const { lost, kept } = afterPowerLoss(this.#durable, durableState(this.entries()), survives);
    const { children } = this.volume.root;
    for (const [name] of children) if (!this.isReserved(name)) children.delete(name);
    for (const [path, entry] of kept) {
      if (entry.kind === 'directory') this.directory(path);
      else this.attach(path, entry.kind === 'file' ? { ...entry, isUnreadable: false } : entry);
    }
    this.sync();
    this.changed(ROOT, true);
    return lost;
  }

  /** Takes the volume out, as an unplugged disk, and leaves no root at all or an empty mount point (T04). */
  unmount(leaving: 'nothing' | 'empty-directory' = 'nothing'): MemoryVolume {
    const volume = this.volume;
    if (volume === undefined) throw new Error('no volume is mounted');
    this.volume = leaving === 'nothing' ? undefined : this.newVolume();
    this.changed(ROOT, true);
    return volume;
  }

  /** Puts a volume in the place of whatever is there: the one taken out, another tree's, or a new one (T05). */
  mount(volume: MemoryVolume): void {
    this.volume = volume;
    this.changed(ROOT, true);
  }
}

function toBytes(content: Uint8Array | string): Uint8Array {
  return typeof content === 'string' ? new TextEncoder().encode(content) : new Uint8Array(content);
}

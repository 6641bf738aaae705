/** A driver over maps in memory: the smallest there is, for the tests of `createBackend` itself. */

import type { Attr, Driver, Entry, FileAttr } from '../driver.js';

interface StoredFile {
  readonly bytes: Uint8Array;
  readonly mtimeMs: number;
  readonly version: number;
}

/** A tree and somebody who changes it from outside. */
export class MapStore {
  readonly files = new Map<string, StoredFile>();
  readonly directories = new Set<string>();
  isThere = true;
  #version = 0;

  constructor(readonly keepsEmptyDirectories: boolean) {}

  write(path: string, bytes: Uint8Array, mtimeMs = 1_600_000_000_000): void {
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) this.directories.add(path.slice(0, slash));
    this.#version += 1;
    this.files.set(path, { bytes: new Uint8Array(bytes), mtimeMs, version: this.#version });
  }

  remove(path: string): void {
    for (const name of [...this.files.keys()]) if (name === path || name.startsWith(`${path}/`)) this.files.delete(name);
    for (const name of [...this.directories]) if (name === path || name.startsWith(`${path}/`)) this.directories.delete(name);
  }

  mkdir(path: string): void {
    if (!this.keepsEmptyDirectories) return;
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) this.directories.add(path.slice(0, slash));
    this.directories.add(path);
  }

  rename(from: string, to: string): void {
    for (const [name, file] of [...this.files]) {
      if (name !== from && !name.startsWith(`${from}/`)) continue;
      this.files.delete(name);
      this.write(to + name.slice(from.length), file.bytes, file.mtimeMs);
    }
    for (const name of [...this.directories]) {
      if (name !== from && !name.startsWith(`${from}/`)) continue;
      this.directories.delete(name);
      this.directories.add(to + name.slice(from.length));
    }
  }

  /** Every path there is, directories too. */
  paths(): string[] {
    return [...this.files.keys(), ...(this.keepsEmptyDirectories ? this.directories : this.#impliedDirectories())];
  }

  at(path: string): Attr | undefined {
    if (path === '') return this.isThere ? { kind: 'directory' } : undefined;
    const file = this.files.get(path);
    if (file !== undefined) return attrOf(file);
    return (this.keepsEmptyDirectories ? this.directories : this.#impliedDirectories()).has(path) ? { kind: 'directory' } : undefined;
  }

  #impliedDirectories(): Set<string> {
    const implied = new Set<string>();
    for (const path of this.files.keys()) for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) implied.add(path.slice(0, slash));
    return implied;
  }
}

/** Access to a `MapStore`. */
export function mapDriver(store: MapStore, options: Partial<Driver> = {}): Driver {
  return {
    location: 'memory:map',
    keeps_empty_directories: store.keepsEmptyDirectories,
    care: { replace: 'atomic', remove: 'atomic' },
    getattr: async (path) => store.at(path),
    readdir: async (path) => {
      if (store.at(path)?.kind !== 'directory') throw Object.assign(new Error('no such directory'), { code: 'ENOENT' });
      const prefix = path === '' ? '' : `${path}/`;
      const names = store.paths().filter((name) => name.startsWith(prefix) && !name.slice(prefix.length).includes('/'));
      return names.map((name): Entry => ({ ...store.at(name)!, name: name.slice(prefix.length) }));
    },
    read: async function* (path) {
      const file = store.files.get(path);
      if (file === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      for (let start = 0; start < file.bytes.length; start += 65_536) yield file.bytes.subarray(start, start + 65_536);
    },
    safe_replace: async (path, content, expected) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of content.chunks()) chunks.push(chunk);
      const at = store.at(path);
      if (expected === undefined ? at !== undefined : at?.kind !== 'file' || at.token !== expected) return false;
      store.write(path, new Uint8Array(Buffer.concat(chunks)), content.mtime_ms ?? 0);
      return true;
    },
    unlink: async (path, expected) => {
      const at = store.at(path);
      if (at?.kind !== 'file' || at.token !== expected) return false;
      return store.files.delete(path);
    },
    mkdir: async (path) => store.mkdir(path),
    rmdir: async (path) => {
      if (store.paths().some((name) => name.startsWith(`${path}/`))) return false;
      return store.directories.delete(path);
    },
    ...options,
  };
}

function attrOf({ bytes, mtimeMs, version }: StoredFile): FileAttr {
  return { kind: 'file', size: bytes.length, mtime_ms: mtimeMs, token: String(version) };
}

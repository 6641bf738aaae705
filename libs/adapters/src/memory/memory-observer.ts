/** Looking at single places of a memory tree: what is there, which version, which hash. */

import { ABSENT, DIRECTORY, type FileNode, type Node, type RelativePath } from '@wl/domain';
import type { HashOutcome } from '@wl/ports';

import type { FileVersion } from './memory-entry.js';
import type { MemoryFaults, MemoryOperation } from './memory-faults.js';
import { failure, type MemoryGate } from './memory-gate.js';
import type { MemoryTree } from './memory-tree.js';
import { sha256Of } from './memory-writer.js';

/** How often a file that keeps changing is hashed anew. */
const HASH_ATTEMPTS = 3;

/** One backend's eyes. */
export class MemoryObserver {
  readonly #tree: MemoryTree;
  readonly #gate: MemoryGate;
  readonly #faults: MemoryFaults;
  readonly #keepsHashes: boolean;

  constructor(tree: MemoryTree, gate: MemoryGate, faults: MemoryFaults, keepsHashes: boolean) {
    this.#tree = tree;
    this.#gate = gate;
    this.#faults = faults;
    this.#keepsHashes = keepsHashes;
  }

  /** Hashes the file at `path`, again a few times when it changes meanwhile. */
  async hash(path: RelativePath, signal: AbortSignal | undefined): Promise<HashOutcome> {
    for (let attempt = 0; attempt < HASH_ATTEMPTS; attempt += 1) {
      const before = await this.#gate.pass('getHashes', path, signal, () => this.observe('getHashes', path));
      if (before.kind === 'absent') return before;
      if (before.kind === 'unknown') return { ...before, message: `unable to read ${path}: ${before.reason}` };
      if (before.kind !== 'file') return { kind: 'unknown', reason: 'vanished', message: `${path} is a directory now` };
      const hashed = await this.#gate.pass('chunk', path, signal, (): HashOutcome | undefined => {
        const place = this.#tree.locate(path, true);
        if (place.kind !== 'found' || place.entry.kind !== 'file') return undefined;
        if (place.entry.isUnreadable) return { kind: 'unknown', reason: 'permission-denied', message: `unable to read ${path}: permission-denied` };
        const node = this.#tree.nodeOf(place.entry);
        if (node.token !== before.token) return undefined;
        return { kind: 'hashed', node: { ...node, hash: sha256Of(place.entry.version.bytes) } };
      });
      if (hashed !== undefined) return hashed;
    }
    return { kind: 'changing' };
  }

  /** What is at `path`, or was before its last change where reads are stale. */
  observe(operation: MemoryOperation, path: RelativePath): Node {
    const previous = this.#faults.take(operation, path, 'stale') === undefined ? undefined : this.#tree.previousOf(path);
    if (previous === null) return ABSENT;
    if (previous !== undefined) return this.#nodeOf(previous);
    const place = this.#tree.locate(path, true);
    if (place.kind === 'absent') return ABSENT;
    if (place.kind === 'unknown') return { kind: 'unknown', reason: place.reason };
    switch (place.entry.kind) {
      case 'file':
        return this.#nodeOf(place.entry);
      case 'directory':
        return DIRECTORY;
      case 'symlink':
        return { kind: 'unknown', reason: 'symlink' };
      case 'special':
        return { kind: 'unknown', reason: 'special-file' };
    }
  }

  #nodeOf(file: { readonly inode: number; readonly version: FileVersion }): FileNode {
    const node = this.#tree.nodeOf(file);
    return this.#keepsHashes ? { ...node, hash: sha256Of(file.version.bytes) } : node;
  }

  /** The file that reading or removing `path` would meet. */
  versionAt(operation: MemoryOperation, path: RelativePath): { readonly inode: number; readonly version: FileVersion } | undefined {
    const isStale = operation === 'read' && this.#faults.take('read', path, 'stale') !== undefined;
    const previous = isStale ? this.#tree.previousOf(path) : undefined;
    if (previous !== undefined) return previous ?? undefined;
    const place = this.#tree.locate(path, true);
    const isUnreadable =
      (place.kind === 'unknown' && place.reason === 'permission-denied') ||
      (place.kind === 'found' && place.entry.kind === 'file' && operation === 'read' && place.entry.isUnreadable);
    if (isUnreadable) throw failure('permission-denied', operation, path);
    return place.kind === 'found' && place.entry.kind === 'file' ? place.entry : undefined;
  }
}

/**
 * Directories in a bucket: a directory is there when any key starts with its own, and an empty
 * object of that very key (a marker) keeps it while it is empty. We put a marker for each
 * directory we make; those that others filled without one get theirs when we remove their last
 * file, so that emptying a folder does not delete it.
 */

import { err, ok, parentOf, ROOT, type RelativePath, type Result } from '@wl/domain';
import { BackendError } from '@wl/ports';

import type { S3Abilities } from './abilities.js';
import type { DirectoryKnowledge } from './directory-knowledge.js';
import type { KeyLayout } from './key-layout.js';
import type { Observer } from './observer.js';
import type { Condition, S3Api } from './s3-api.js';
import { toBackendError } from './s3-error.js';
import { sha256Of } from './writing/digests.js';

const EMPTY = new Uint8Array(0);
const EMPTY_SHA256 = sha256Of(EMPTY);

/** Makes, checks and removes the directories of one storage. */
export class Directories {
  /** Directories out of which files were removed since the last flush. */
  readonly #emptied = new Set<RelativePath>();

  constructor(
    private readonly api: S3Api,
    private readonly layout: KeyLayout,
    private readonly observer: Observer,
    private readonly known: DirectoryKnowledge,
    private readonly abilities: () => S3Abilities,
  ) {}

  /**
   * Whether a file may stand at `path`: `taken` when a directory has the name. Rejects with
   * `not-found` or `not-a-directory` when there is no directory to hold it.
   */
  async checkPlace(path: RelativePath, operation: string, signal?: AbortSignal): Promise<'free' | 'taken'> {
    const parent = parentOf(path);
    if (!this.known.isDirectory(parent)) {
      const node = await this.observer.stat(parent, signal);
      if (node.kind === 'absent') throw new BackendError('not-found', { operation, path, retryable: false }, { explanation: `there is no directory ${parent}` });
      if (node.kind !== 'directory') throw new BackendError('not-a-directory', { operation, path, retryable: false }, { explanation: `${parent} is a file` });
    }
    if (this.known.isNone(path)) return 'free';
    return (await this.observer.hasEntries(path, signal)) ? 'taken' : 'free';
  }

  async make(path: RelativePath, signal?: AbortSignal): Promise<Result<void, 'exists' | 'parent-missing'>> {
    const key = this.layout.directory(path, 'make directory');
    if (this.known.isDirectory(path)) return ok(undefined);
    const parent = parentOf(path);
    if (!this.known.isDirectory(parent) && (await this.observer.stat(parent, signal)).kind !== 'directory') return err('parent-missing');
    // Where a listing has just passed, it was seen that nothing has this name; a file that came since is reported (T76).
    if (!this.known.isNone(path)) {
      const node = await this.observer.stat(path, signal);
      if (node.kind === 'directory') return ok(undefined);
      if (node.kind !== 'absent') return err('exists');
    }
    await this.#mark(key, path, signal);
    this.known.seen(path);
    return ok(undefined);
  }

  async remove(path: RelativePath, signal?: AbortSignal): Promise<Result<void, 'not-empty' | 'not-a-directory'>> {
    const key = this.layout.directory(path, 'remove directory');
    try {
      const { objects } = await this.api.list({ prefix: key, maxKeys: 2 }, signal);
      if (objects.some((object) => object.key !== key)) return err('not-empty');
      const [marker] = objects;
      if (marker === undefined) {
        const isFile = (await this.observer.head(this.layout.file(path, 'remove directory'), path, signal)) !== undefined;
        if (isFile) return err('not-a-directory');
      } else {
        // What comes into the directory meanwhile stays: only the marker goes (INV-9).
        await this.api.deleteObject(key, { kind: 'none' }, undefined, signal);
      }
    } catch (error) {
      throw toBackendError(error, 'remove directory', path);
    }
    this.known.gone(path);
    this.#emptied.delete(path);
    return ok(undefined);
  }

  /** A file was removed: its directory may have been kept by it alone. */
  noteRemoval(path: RelativePath): void {
    const parent = parentOf(path);
    if (parent !== ROOT) this.#emptied.add(parent);
  }

  /** Marks the directories that lost their last file and are still wanted. */
  async keepEmptied(signal?: AbortSignal): Promise<void> {
    const emptied = [...this.#emptied];
    this.#emptied.clear();
    for (const path of emptied) {
      if (!(await this.observer.hasEntries(path, signal))) await this.#mark(this.layout.directory(path, 'make directory'), path, signal);
    }
  }

  async #mark(key: string, path: RelativePath, signal?: AbortSignal): Promise<void> {
    // A marker that is there already serves as well, whoever put it (INV-18).
    const condition: Condition = { kind: this.abilities().createsIfAbsent ? 'absent' : 'none' };
    try {
      await this.api.putObject(key, EMPTY, EMPTY_SHA256, { metadata: new Map(), contentType: 'application/x-directory' }, condition, signal);
    } catch (error) {
      throw toBackendError(error, 'make directory', path);
    }
  }
}

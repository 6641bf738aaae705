/**
 * A whole storage from a driver. What a store cannot do by itself is done here as well as it can
 * be from outside, and said in `capabilities`: content is collected aside and compared with what
 * was promised before the driver sees it, conditions are asked again right before the driver is,
 * and what was stored is read back (INV-6, INV-17, INV-27).
 */

import { randomUUID } from 'node:crypto';

import {
  ABSENT,
  ancestorsOf,
  DIRECTORY,
  err,
  isWithin,
  nameOf,
  ok,
  parentOf,
  RESERVED_NAME,
  ROOT,
  toSha256,
  type Node,
  type RelativePath,
  type Result,
  type Token,
} from '@wl/domain';
import type {
  FileAttributes,
  FileReader,
  FileWriter,
  HashOutcome,
  ListingBatch,
  ListOptions,
  RootIdentity,
  StaleToken,
  StorageBackend,
  StorageCapabilities,
  Watcher,
} from '@wl/ports';

import type { Attr, Driver } from './driver.js';
import { DriverReader } from './driver-reader.js';
import { DriverWriter, type WriterParts } from './driver-writer.js';
import { hashFile } from './hash-file.js';
import { listTree } from './listing.js';
import { PathLocks } from './path-locks.js';
import { Spool } from './spool.js';
import { assertGoing, failure, translated } from './translate.js';
import { isVersion, toNode } from './versions.js';

/** What of a storage's parameters every backend needs. */
export interface BackendParams {
  readonly type: string;
  readonly 'backend-id': string;
  readonly 'read-only'?: boolean;
}

/** Makes a storage; `open` it before use. */
export function createBackend(params: BackendParams, driver: Driver): StorageBackend {
  return new DriverBackend(params, driver);
}

const MARKER = `${RESERVED_NAME}/root-id` as RelativePath;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Files that are hashed at the same time. */
const HASHED_AT_ONCE = 4;

class DriverBackend implements StorageBackend {
  readonly backendId: string;
  readonly type: string;
  readonly displayLocation: string;
  readonly capabilities: StorageCapabilities;
  readonly #driver: Driver;
  readonly #locks = new PathLocks();
  readonly #writers = new Set<FileWriter>();
  #isClosed = false;

  constructor(params: BackendParams, driver: Driver) {
    this.#driver = driver;
    this.backendId = params['backend-id'];
    this.type = params.type;
    this.displayLocation = driver.location;
    this.capabilities = {
      isReadOnly: (driver.is_read_only ?? false) || (params['read-only'] ?? false),
      replace: driver.care?.replace ?? 'window',
      remove: driver.care?.remove ?? 'window',
      isCaseSensitive: driver.is_case_sensitive ?? true,
      keepsEmptyDirectories: driver.keeps_empty_directories ?? true,
      hasTrash: driver.has_trash ?? false,
      hashesByTransfer: true,
      notes: driver.notes ?? [],
    };
  }

  async open(signal?: AbortSignal): Promise<void> {
    assertGoing(signal, 'open', ROOT);
    this.#isClosed = false;
    await translated('open', ROOT, async () => this.#driver.open?.(signal));
    await this.#assertRoot('open');
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const writer of this.#writers) await writer.abort();
    await translated('close', ROOT, async () => this.#driver.close?.());
  }

  async rootIdentity({ mark }: { readonly mark: boolean }): Promise<RootIdentity> {
    await this.#assertRoot('look at the root');
    const own = await translated('look at the root', ROOT, async () => this.#driver.root_ids?.());
    let marker = await this.#readMarker();
    if (marker === undefined && mark && !this.capabilities.isReadOnly) marker = await this.#writeMarker();
    const { location } = this.#driver;
    return { ids: [...(marker === undefined ? [] : [`marker:${marker}`]), ...(own ?? []), `place:${location}`], location };
  }

  async *list(directory: RelativePath, options: ListOptions = {}): AsyncGenerator<ListingBatch> {
    assertGoing(options.signal, 'list', directory);
    const at = await this.#look(directory, 'list');
    if (at === undefined) throw failure('not-found', 'list', directory);
    if (at.kind !== 'directory') throw failure('not-a-directory', 'list', directory);
    const assertOpen = (): void => {
      if (this.#isClosed) throw failure('cancelled', 'list', directory, 'the storage was closed');
    };
    const batches = listTree(directory, options, { driver: this.#driver, assertOpen });
    for (;;) {
      const next = await translated('list', directory, () => batches.next());
      if (next.done === true) return;
      yield next.value;
    }
  }

  async stat(path: RelativePath): Promise<Node> {
    if (isReserved(path)) return ABSENT;
    let at: Attr | undefined;
    try {
      at = await this.#look(path, 'look at');
    } catch (error) {
      if ((error as { readonly code?: unknown }).code === 'permission-denied') return { kind: 'unknown', reason: 'permission-denied' };
      throw error;
    }
    if (at === undefined) {
      // Below a root that is gone nothing was seen to be absent.
      await this.#assertRoot('look at');
      return ABSENT;
    }
    if (path !== ROOT && !(await this.#isSpelledSo(path))) return { kind: 'unknown', reason: 'name-collision' };
    if (at.kind === 'other') return { kind: 'unknown', reason: at.reason };
    return at.kind === 'directory' ? DIRECTORY : toNode(at);
  }

  async getFileToken(path: RelativePath): Promise<Token | undefined> {
    const node = await this.stat(path);
    return node.kind === 'file' ? node.token : undefined;
  }

  async getHashes(paths: readonly RelativePath[], signal?: AbortSignal): Promise<readonly HashOutcome[]> {
    assertGoing(signal, 'hash', ROOT);
    const outcomes = new Array<HashOutcome>(paths.length);
    const open = paths.entries();
    const work = async (): Promise<void> => {
      for (const [index, path] of open) outcomes[index] = await hashFile(path, { look: () => this.#look(path, 'hash'), driver: this.#driver, signal });
    };
    await Promise.all(Array.from({ length: HASHED_AT_ONCE }, work));
    return outcomes;
  }

  async read(path: RelativePath, expected: Token, signal?: AbortSignal): Promise<Result<FileReader, StaleToken>> {
    assertGoing(signal, 'read', path);
    const look = (): Promise<Attr | undefined> => this.#look(path, 'read');
    const at = await look();
    if (!isVersion(at, expected)) return err({ kind: 'stale-token' });
    return ok(new DriverReader({ driver: this.#driver, path, look, signal }, at));
  }

  async openForSafeReplace(path: RelativePath, expected: Token | undefined, attributes: FileAttributes, signal?: AbortSignal): Promise<FileWriter> {
    assertGoing(signal, 'replace', path);
    this.#assertWritable('replace', path);
    await this.#assertParent(path);
    const parts: WriterParts = {
      driver: this.#driver,
      path,
      expected,
      attributes,
      signal,
      look: () => this.#look(path, 'replace'),
      assertParent: () => this.#assertParent(path),
      alone: (action) => this.#locks.run(path, action),
      onEnd: (writer) => this.#writers.delete(writer),
    };
    const writer = new DriverWriter(parts, new Spool());
    this.#writers.add(writer);
    return writer;
  }

  async remove(path: RelativePath, expected: Token): Promise<Result<void, StaleToken>> {
    this.#assertWritable('remove', path);
    return this.#locks.run(path, async () => {
      const at = await this.#look(path, 'remove');
      if (!isVersion(at, expected)) return err({ kind: 'stale-token' });
      const isDone = await translated('remove', path, async () => able(this.#driver, 'unlink').unlink(path, expected));
      return isDone ? ok(undefined) : err({ kind: 'stale-token' });
    });
  }

  async makeDirectory(path: RelativePath): Promise<Result<void, 'exists' | 'parent-missing'>> {
    this.#assertWritable('make directory', path);
    return this.#locks.run(path, async () => {
      const at = await this.#look(path, 'make directory');
      if (at !== undefined) return at.kind === 'directory' && (await this.#isSpelledSo(path)) ? ok(undefined) : err('exists');
      try {
        await this.#assertParent(path);
      } catch (error) {
        const { code } = error as { readonly code?: unknown };
        if (code === 'not-found' || code === 'not-a-directory') return err('parent-missing');
        throw error;
      }
      if (this.capabilities.keepsEmptyDirectories) {
        await translated('make directory', path, async () => able(this.#driver, 'mkdir').mkdir(path));
      }
      return ok(undefined);
    });
  }

  async removeDirectory(path: RelativePath): Promise<Result<void, 'not-empty' | 'not-a-directory'>> {
    this.#assertWritable('remove directory', path);
    return this.#locks.run(path, async () => {
      const at = await this.#look(path, 'remove directory');
      if (at === undefined) return ok(undefined);
      if (at.kind !== 'directory') return err('not-a-directory');
      // Where directories are no more than names of what lies in them, one that is there holds something.
      if (!this.capabilities.keepsEmptyDirectories) return err('not-empty');
      const isDone = await translated('remove directory', path, async () => able(this.#driver, 'rmdir').rmdir(path));
      return isDone ? ok(undefined) : err('not-empty');
    });
  }

  async flush(): Promise<void> {
    await translated('flush', ROOT, async () => this.#driver.flush?.());
  }

  watcher(): Watcher | undefined {
    return this.#driver.watcher?.();
  }

  /** What is at a path. A parent that is missing, or no directory, holds nothing. */
  async #look(path: RelativePath, operation: string): Promise<Attr | undefined> {
    try {
      return await translated(operation, path, () => this.#driver.getattr(path));
    } catch (error) {
      const { code } = error as { readonly code?: unknown };
      if (code === 'not-found' || code === 'not-a-directory') return undefined;
      throw error;
    }
  }

  async #assertRoot(operation: string): Promise<void> {
    const root = await this.#look(ROOT, operation);
    if (root === undefined) throw failure('not-found', operation, ROOT, `there is nothing at ${this.#driver.location}`);
    if (root.kind !== 'directory') throw failure('not-a-directory', operation, ROOT, `${this.#driver.location} is no directory`);
  }

  async #assertParent(path: RelativePath): Promise<void> {
    const { keepsEmptyDirectories } = this.capabilities;
    if (!keepsEmptyDirectories) await this.#assertRoot('write');
    const above = keepsEmptyDirectories ? [parentOf(path)] : ancestorsOf(path);
    for (const directory of above) {
      const at = await this.#look(directory, 'look at');
      if (at === undefined && keepsEmptyDirectories) throw failure('not-found', 'write', path, 'its directory is not there');
      if (at !== undefined && at.kind !== 'directory') throw failure('not-a-directory', 'write', path, `${directory} is no directory`);
    }
  }

  #assertWritable(operation: string, path: RelativePath): void {
    if (this.capabilities.isReadOnly) throw failure('read-only', operation, path, 'nothing is ever written to this storage');
  }

  /** Whether a name that was found is spelled as it was asked for (T73). */
  async #isSpelledSo(path: RelativePath): Promise<boolean> {
    if (this.capabilities.isCaseSensitive) return true;
    const entries = await translated('look at', path, () => this.#driver.readdir(parentOf(path)));
    return entries.some(({ name }) => name === nameOf(path));
  }

  async #readMarker(): Promise<string | undefined> {
    const at = await this.#look(MARKER, 'read');
    if (at?.kind !== 'file') return undefined;
    const chunks: Uint8Array[] = [];
    await translated('read', MARKER, async () => {
      for await (const chunk of this.#driver.read(MARKER)) chunks.push(new Uint8Array(chunk));
    });
    const text = Buffer.concat(chunks).toString('utf8').trim();
    if (UUID.test(text)) return text;
    throw failure('damaged', 'read', MARKER, 'it holds no id; remove it if this is the right place, and the next pass takes it for a new one');
  }

  async #writeMarker(): Promise<string> {
    const area = RESERVED_NAME as RelativePath;
    const hasArea = (await this.#look(area, 'look at')) !== undefined;
    if (!hasArea && this.capabilities.keepsEmptyDirectories) {
      await translated('make directory', area, async () => able(this.#driver, 'mkdir').mkdir(area));
    }
    const uuid = randomUUID();
    const bytes = new TextEncoder().encode(`${uuid}\n`);
    const writer = await this.openForSafeReplace(MARKER, undefined, { mtimeMs: Number.NaN });
    try {
      await writer.write(bytes);
      const spool = new Spool();
      await spool.write(bytes);
      await writer.commit({ sha256: toSha256(spool.sha256), sizeBytes: bytes.length });
    } finally {
      await writer.abort();
    }
    // Another machine may have come first: what is there now counts.
    return (await this.#readMarker()) ?? uuid;
  }
}

function isReserved(path: RelativePath): boolean {
  return path !== ROOT && isWithin(path, RESERVED_NAME as RelativePath);
}

/** The driver as one that has that method. */
function able<K extends 'unlink' | 'mkdir' | 'rmdir'>(driver: Driver, method: K): Driver & Required<Pick<Driver, K>> {
  if (driver[method] === undefined) throw failure('unsupported', method, ROOT, 'the driver cannot do that; a storage that cannot be written has to say is_read_only');
  return driver as Driver & Required<Pick<Driver, K>>;
}

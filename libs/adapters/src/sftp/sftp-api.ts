/**
 * The operations of a folder on an SFTP server, by path: what was asked and what came of it, without
 * any rule of syncing. Paths are those of the storage, or of our area in it.
 *
 * INV-34: the protocol follows links in the middle of a path, so each part is looked at, in the same
 * round trip. INV-8, INV-18: what only looks is asked again after a lost connection; what changes
 * something is not, and rejects with `unreachable`.
 */

import { createHash } from 'node:crypto';

import { ROOT, type RelativePath, type Token, type UnknownReason } from '@wl/domain';
import { isBackendError } from '@wl/ports';
import type { RawEntry } from 'ssh2';

import { MARKER } from '../remote/area.js';
import type { FolderPage } from '../remote/folder-walk.js';
import type { Connection } from './connection.js';
import { assertWanted, damaged, failure, isRefusal, Status, toFailure, unlessMissing, type Concern } from './failure.js';
import type { Session, Space } from './session.js';
import { foundOf, type SftpFile, type SftpFound } from './sftp-found.js';
import { readAhead, type OpenFile } from './transfer.js';
import type { VersionClock } from './version.js';

/** Stands in a name for bytes that are no Unicode: which ones, nobody can tell any more. */
export const NOT_UNICODE = '\ufffd';

/** What became of a step that may find something in its way. */
export type Stepped = 'done' | 'refused' | 'missing' | 'forbidden';

/** Why a directory has no entries to show. */
export type NoPage = { readonly reason: UnknownReason | 'missing' };

const TRIES = 4;
/** Requests for entries under way for one directory. */
const PAGES_AT_ONCE = 3;

/** One storage's folder. */
export class SftpApi {
  /** The root that the storage is tied to (T04): what its marker says, and the version of the marker that said so. */
  #tie: { readonly marker: string; token?: Token } | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly base: string,
    private readonly versions: VersionClock,
  ) {}

  /** Ties the storage to the root that bears this marker, or to none. */
  tieTo(marker: string | undefined): void {
    this.#tie = marker === undefined ? undefined : { marker };
  }

  /** What is at a path; `undefined` when nothing is, below a folder that is there. */
  async look(path: string, concern: Concern, signal?: AbortSignal): Promise<SftpFound | undefined> {
    if (path.includes(NOT_UNICODE)) return { kind: 'unknown', reason: 'name-not-unicode' };
    const found = await this.#again(concern, signal, (session) => this.#lookOnce(session, path));
    // INV-8: a storage that is gone has no absent files.
    if (found === undefined) await this.assertRoot(concern, signal);
    return found;
  }

  /** Rejects with `not-found` when the storage's folder is not there, or another stands in its place. */
  async assertRoot(concern: Concern, signal?: AbortSignal): Promise<void> {
    const [root, isTied] = await this.#again(concern, signal, (session) => Promise.all([unlessMissing(() => session.stat(this.#at(ROOT))), this.#isTied(session)]));
    if (root === undefined) throw failure('not-found', concern, `there is no folder ${this.base} on the server`);
    if (foundOf(ROOT, root, this.versions).kind !== 'directory') throw failure('not-a-directory', concern, `${this.base} on the server is no folder`);
    if (!isTied) throw failure('not-found', concern, `another folder stands in the place of ${this.base}: it does not bear the marker of this storage`);
  }

  /** Where the folder really is, for people and for comparing. */
  realPath(concern: Concern, signal?: AbortSignal): Promise<string> {
    return this.#again(concern, signal, (session) => session.realpath(this.#at(ROOT)));
  }

  /** The entries of a directory, all of them, or why there are none. */
  directory(path: RelativePath, concern: Concern, signal?: AbortSignal): Promise<FolderPage<SftpFound> | NoPage> {
    return this.#again(concern, signal, async (session) => {
      try {
        const [own, entries] = await Promise.all([path === ROOT ? undefined : this.#lookOnce(session, path), this.#entries(session, path)]);
        if (path !== ROOT && own?.kind !== 'directory') return { reason: own?.kind === 'unknown' ? own.reason : 'missing' };
        return this.#page(path, entries, concern);
      } catch (error) {
        if (isRefusal(error, Status.noSuchFile)) return { reason: 'missing' };
        if (isRefusal(error, Status.permissionDenied)) return { reason: 'permission-denied' };
        if (isRefusal(error)) return { reason: 'read-error' };
        throw error;
      }
    });
  }

  /** Opens a file for reading; `undefined` when it is not there. */
  open(path: string, concern: Concern, signal?: AbortSignal): Promise<OpenFile | undefined> {
    return this.#again(concern, signal, async (session) => {
      const handle = await unlessMissing(() => session.open(this.#at(path), 'r'));
      return handle && { session, handle };
    });
  }

  /** Makes a new file, for writing and reading. */
  create(path: string, mode: number, concern: Concern, signal?: AbortSignal): Promise<OpenFile> {
    return this.#once(concern, signal, async (session) => ({ session, handle: await session.open(this.#at(path), 'wx+', { mode }) }));
  }

  /** What the open file is now. */
  current(path: string, { session, handle }: OpenFile, concern: Concern): Promise<SftpFound> {
    return this.within(concern, async () => foundOf(path, await session.fstat(handle), this.versions));
  }

  /** Closes a file; what went wrong before is not told twice. */
  async close({ session, handle }: OpenFile): Promise<void> {
    await session.close(handle).catch(() => undefined);
  }

  /** SHA-256 of a file's content, hex; `undefined` when it is not there. Rejects with `damaged` when it is not of the size. */
  async hash(path: string, sizeBytes: number, concern: Concern, signal?: AbortSignal): Promise<string | undefined> {
    const file = await this.open(path, concern, signal);
    if (file === undefined) return undefined;
    try {
      return await this.hashOpen(file, sizeBytes, concern, signal);
    } finally {
      await this.close(file);
    }
  }

  /** The same of an open file. */
  async hashOpen(file: OpenFile, sizeBytes: number, concern: Concern, signal?: AbortSignal): Promise<string> {
    const hash = createHash('sha256');
    let count = 0;
    await this.within(concern, async () => {
      for await (const chunk of readAhead(file, sizeBytes)) {
        assertWanted(concern, signal);
        count += chunk.length;
        hash.update(chunk);
      }
    });
    if (count !== sizeBytes) throw damaged(concern, `the server sent ${String(count)} bytes of ${String(sizeBytes)}`);
    return hash.digest('hex');
  }

  /** A small file's text; `undefined` when it is not there, `''` when it is larger or no file. */
  readSmall(path: string, mostBytes: number, concern: Concern, signal?: AbortSignal): Promise<string | undefined> {
    return this.#again(concern, signal, (session) => this.#readSmall(session, path, mostBytes));
  }

  /** Renames; what is there already is refused by the protocol, and by the servers that were probed for it. */
  rename(from: string, to: string, concern: Concern, signal?: AbortSignal): Promise<Stepped> {
    return this.#step(concern, signal, (session) => session.rename(this.#at(from), this.#at(to)));
  }

  /** Renames over what is there, in one step. */
  renameOver(from: string, to: string, concern: Concern, signal?: AbortSignal): Promise<Stepped> {
    return this.#step(concern, signal, (session) => session.posixRename(this.#at(from), this.#at(to)));
  }

  /** Gives a file another name; never replaces. */
  link(from: string, to: string, concern: Concern, signal?: AbortSignal): Promise<Stepped> {
    return this.#step(concern, signal, (session) => session.hardlink(this.#at(from), this.#at(to)));
  }

  /** Removes a file. Missing already is success. */
  async remove(path: string, concern: Concern, signal?: AbortSignal): Promise<void> {
    await this.#once(concern, signal, (session) => unlessMissing(() => session.unlink(this.#at(path))));
  }

  makeDirectory(path: string, concern: Concern, signal?: AbortSignal, mode?: number): Promise<Stepped> {
    return this.#step(concern, signal, (session) => session.mkdir(this.#at(path), mode));
  }

  /** Removes an empty directory. */
  removeDirectory(path: string, concern: Concern, signal?: AbortSignal): Promise<Stepped> {
    return this.#step(concern, signal, (session) => session.rmdir(this.#at(path)));
  }

  /** Makes a link, for probing what the server tells of such. */
  makeLink(path: string, target: string, concern: Concern, signal?: AbortSignal): Promise<Stepped> {
    return this.#step(concern, signal, (session) => session.symlink(target, this.#at(path)));
  }

  /** Space left; `undefined` where the server does not tell. */
  space(path: string, concern: Concern, signal?: AbortSignal): Promise<Space | undefined> {
    return this.#again(concern, signal, async (session) => {
      try {
        return await session.space(this.#at(path));
      } catch (error) {
        if (isRefusal(error)) return undefined;
        throw error;
      }
    });
  }

  /** Whether there is a connection now. */
  get isConnected(): boolean {
    return this.connection.isUp;
  }

  /** Ends the connection for good: whatever asks from now on is cancelled. */
  disconnect(): Promise<void> {
    return this.connection.close();
  }

  /** Runs what asks the server, so that failures come as errors of the port. */
  async within<T>(concern: Concern, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      throw toFailure(error, concern);
    }
  }

  async #lookOnce(session: Session, path: string): Promise<SftpFound | undefined> {
    if (path === ROOT) return foundOf(ROOT, await session.stat(this.#at(ROOT)), this.versions);
    const parts = path.split('/');
    const prefixes = parts.map((_, depth) => parts.slice(0, depth + 1).join('/'));
    const found = await Promise.all(prefixes.map((prefix) => this.#entryAt(session, prefix)));
    for (const [depth, entry] of found.entries()) {
      if (depth === parts.length - 1 || entry === undefined) return entry;
      if (entry.kind === 'unknown') return entry;
      if (entry.kind === 'file') return undefined;
    }
    return undefined;
  }

  async #entryAt(session: Session, path: string): Promise<SftpFound | undefined> {
    try {
      return foundOf(path, await session.lstat(this.#at(path)), this.versions);
    } catch (error) {
      if (isRefusal(error, Status.noSuchFile)) return undefined;
      if (isRefusal(error, Status.permissionDenied)) return { kind: 'unknown', reason: 'permission-denied' };
      throw error;
    }
  }

  async #entries(session: Session, path: RelativePath): Promise<RawEntry[]> {
    // OpenSSH leaves out what it cannot look at: a directory that may be read but not entered would seem empty.
    const entering = session.lstat(`${this.#at(path)}/.`);
    entering.catch(() => undefined);
    const handle = await session.opendir(this.#at(path));
    try {
      const entries: RawEntry[] = [];
      for (let isEnd = false; !isEnd; ) {
        const pages = await Promise.all(Array.from({ length: PAGES_AT_ONCE }, () => session.readdir(handle)));
        for (const page of pages) entries.push(...(page ?? []));
        isEnd = pages.includes(undefined);
      }
      await entering;
      return entries;
    } finally {
      session.close(handle).catch(() => undefined);
    }
  }

  #page(path: RelativePath, raw: readonly RawEntry[], concern: Concern): FolderPage<SftpFound> {
    const entries = new Map<string, SftpFound>();
    const notUnicode: string[] = [];
    for (const { filename, attrs } of raw) {
      if (filename === '.' || filename === '..') continue;
      if (filename.includes(NOT_UNICODE)) notUnicode.push(filename);
      else if (filename === '' || filename.includes('/')) throw damaged(concern, 'the listing names something that is not in the directory');
      // A name that was renamed to while the directory was read may come twice: the later look counts.
      else entries.set(filename, foundOf(path === ROOT ? filename : `${path}/${filename}`, attrs, this.versions));
    }
    return { entries, notUnicode, isIncomplete: false };
  }

  /** Whether the root is the one that the storage is tied to. The marker is read again only when it looks changed. */
  async #isTied(session: Session): Promise<boolean> {
    const tie = this.#tie;
    if (tie === undefined) return true;
    const token = fileOf(await this.#entryAt(session, MARKER))?.token;
    if (token !== undefined && token === tie.token) return true;
    const text = await this.#readSmall(session, MARKER, MOST_MARKER_BYTES);
    if (text?.trim() !== tie.marker) return false;
    if (token !== undefined) tie.token = token;
    return true;
  }

  async #readSmall(session: Session, path: string, mostBytes: number): Promise<string | undefined> {
    const found = await unlessMissing(() => session.lstat(this.#at(path)));
    if (found === undefined) return undefined;
    const { kind } = foundOf(path, found, this.versions);
    if (kind !== 'file' || (found.size ?? Infinity) > mostBytes) return '';
    const handle = await unlessMissing(() => session.open(this.#at(path), 'r'));
    if (handle === undefined) return undefined;
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of readAhead({ session, handle }, found.size ?? 0)) chunks.push(chunk);
      return Buffer.concat(chunks).toString('latin1');
    } finally {
      session.close(handle).catch(() => undefined);
    }
  }

  #at(path: string): string {
    return path === ROOT ? this.base : `${this.base}/${path}`;
  }

  /** A step whose refusals are answers. The protocol has no status of its own for what is in the way. */
  #step(concern: Concern, signal: AbortSignal | undefined, act: (session: Session) => Promise<void>): Promise<Stepped> {
    return this.#once(concern, signal, async (session) => {
      try {
        await act(session);
        return 'done';
      } catch (error) {
        if (isRefusal(error, Status.noSuchFile)) return 'missing';
        if (isRefusal(error, Status.permissionDenied)) return 'forbidden';
        if (isRefusal(error, Status.failure)) return 'refused';
        throw error;
      }
    });
  }

  async #once<T>(concern: Concern, signal: AbortSignal | undefined, act: (session: Session) => Promise<T>): Promise<T> {
    assertWanted(concern, signal);
    return this.within(concern, async () => act(await this.connection.session()));
  }

  async #again<T>(concern: Concern, signal: AbortSignal | undefined, act: (session: Session) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await orAborted(this.#once(concern, signal, act), concern, signal);
      } catch (error) {
        assertWanted(concern, signal);
        if (tries === TRIES || !isBackendError(error) || error.code !== 'unreachable' || !error.details.retryable) throw error;
      }
    }
  }
}

const MOST_MARKER_BYTES = 64;

/** Does not wait for a server that is silent when nobody waits for its answer any more. */
function orAborted<T>(work: Promise<T>, concern: Concern, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(failure('cancelled', concern, 'stopped on request'));
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** A file, or nothing. */
export function fileOf(found: SftpFound | undefined): SftpFile | undefined {
  return found?.kind === 'file' ? found : undefined;
}

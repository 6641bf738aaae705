/**
 * One logged-in connection, as promises. A request ends by the server's answer, by its no (`Refusal`)
 * or, once the connection is lost, with `ConnectionLost`: the client library leaves requests that are
 * made or under way then without an answer. So many are under way at a time, the others wait (INV-40).
 * A server that has given no answer for minutes is lost too: the SSH below it may be well when what serves
 * the files hangs.
 */

import type { Client, Done, RawAttributes, RawEntry, RawSpace, SettableAttributes, SFTPWrapper } from 'ssh2';

import { ConnectionLost, Refusal, Status } from './failure.js';

/** Space on the file system behind the server. */
export interface Space {
  readonly freeBytes: number;
  /** Whether another file can be made. */
  readonly hasInodes: boolean;
}

const MOST_UNDER_WAY = 96;
/** Making a large file durable may take a disk a while. */
const SILENT_MS = 180_000;
const FAREWELL_MS = 2000;

/** A connection in use. */
export class Session {
  readonly #client: Client;
  readonly #sftp: SFTPWrapper;
  readonly #pending = new Set<(error: unknown) => void>();
  readonly #waiting: (() => void)[] = [];
  readonly #onLost: () => void;
  #underWay = 0;
  #isLost = false;
  /** Runs while an answer is waited for. */
  #silence: NodeJS.Timeout | undefined;

  /** `silentMs`: how long the server may take for its next answer. */
  constructor(
    client: Client,
    sftp: SFTPWrapper,
    onLost: () => void,
    private readonly silentMs = SILENT_MS,
  ) {
    this.#client = client;
    this.#sftp = sftp;
    this.#onLost = onLost;
    for (const event of ['close', 'end', 'error']) {
      sftp.on(event, () => this.end());
      client.on(event, () => this.end());
    }
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** Ends the connection; requests under way reject. */
  end(): void {
    if (this.#isLost) return;
    this.#isLost = true;
    clearTimeout(this.#silence);
    this.#onLost();
    for (const reject of [...this.#pending]) reject(new ConnectionLost());
    for (const next of this.#waiting.splice(0)) next();
    this.#client.end();
    // A server that is gone does not answer a farewell.
    setTimeout(() => this.#client.destroy(), FAREWELL_MS).unref();
  }

  lstat(path: string): Promise<RawAttributes> {
    return this.#ask((done) => this.#sftp.lstat(path, done));
  }
  stat(path: string): Promise<RawAttributes> {
    return this.#ask((done) => this.#sftp.stat(path, done));
  }
  realpath(path: string): Promise<string> {
    return this.#ask((done) => this.#sftp.realpath(path, done));
  }
  opendir(path: string): Promise<Buffer> {
    return this.#ask((done) => this.#sftp.opendir(path, done));
  }
  /** Some more entries; `undefined` at the end. */
  async readdir(handle: Buffer): Promise<readonly RawEntry[] | undefined> {
    try {
      return await this.#ask<RawEntry[]>((done) => this.#sftp.readdir(handle, done));
    } catch (error) {
      if (error instanceof Refusal && error.status === Status.end) return undefined;
      throw error;
    }
  }
  open(path: string, flags: 'r' | 'wx+', attributes: SettableAttributes = {}): Promise<Buffer> {
    return this.#ask((done) => this.#sftp.open(path, flags, attributes, done));
  }
  close(handle: Buffer): Promise<void> {
    return this.#ask((done) => this.#sftp.close(handle, done));
  }
  /** How many bytes came; 0 at the end of the file. */
  read(handle: Buffer, into: Buffer, offset: number, length: number, position: number): Promise<number> {
    return this.#ask((done) => this.#sftp.read(handle, into, offset, length, position, done));
  }
  write(handle: Buffer, bytes: Buffer, position: number): Promise<void> {
    return this.#ask((done) => this.#sftp.write(handle, bytes, 0, bytes.length, position, done));
  }
  fstat(handle: Buffer): Promise<RawAttributes> {
    return this.#ask((done) => this.#sftp.fstat(handle, done));
  }
  fsetstat(handle: Buffer, attributes: SettableAttributes): Promise<void> {
    return this.#ask((done) => this.#sftp.fsetstat(handle, attributes, done));
  }
  unlink(path: string): Promise<void> {
    return this.#ask((done) => this.#sftp.unlink(path, done));
  }
  rename(from: string, to: string): Promise<void> {
    return this.#ask((done) => this.#sftp.rename(from, to, done));
  }
  mkdir(path: string, mode?: number): Promise<void> {
    return this.#ask((done) => this.#sftp.mkdir(path, mode === undefined ? {} : { mode }, done));
  }
  rmdir(path: string): Promise<void> {
    return this.#ask((done) => this.#sftp.rmdir(path, done));
  }
  symlink(target: string, path: string): Promise<void> {
    return this.#ask((done) => this.#sftp.symlink(target, path, done));
  }
  posixRename(from: string, to: string): Promise<void> {
    return this.#ask((done) => this.#sftp.ext_openssh_rename(from, to, done));
  }
  hardlink(from: string, to: string): Promise<void> {
    return this.#ask((done) => this.#sftp.ext_openssh_hardlink(from, to, done));
  }
  fsync(handle: Buffer): Promise<void> {
    return this.#ask((done) => this.#sftp.ext_openssh_fsync(handle, done));
  }
  async space(path: string): Promise<Space> {
    const { f_frsize: unit, f_bavail: free, f_favail: inodes, f_files: allInodes } = await this.#ask<RawSpace>((done) => this.#sftp.ext_openssh_statvfs(path, done));
    // File systems without a fixed number of inodes tell of none at all.
    return { freeBytes: unit * free, hasInodes: allInodes === 0 || inodes > 0 };
  }

  async #ask<T>(send: (done: Done<T>) => void): Promise<T> {
    while (this.#underWay >= MOST_UNDER_WAY && !this.#isLost) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#isLost) throw new ConnectionLost();
    this.#underWay += 1;
    this.#silence ??= setTimeout(() => this.end(), this.silentMs).unref();
    let reject: ((error: unknown) => void) | undefined;
    try {
      return await new Promise<T>((resolve, refuse) => {
        reject = refuse;
        this.#pending.add(refuse);
        try {
          send((error, value) => (error === null || error === undefined ? resolve(value) : refuse(toRefusal(error))));
        } catch (error) {
          refuse(/extended request/.test(String(error)) ? new Refusal(Status.unsupported, 'it has no such extension') : (error as Error));
        }
      });
    } finally {
      this.#pending.delete(reject!);
      this.#underWay -= 1;
      this.#waiting.shift()?.();
      this.#listenOn();
    }
  }

  /** An answer has come: the next one is waited for anew. */
  #listenOn(): void {
    if (this.#underWay > 0) {
      this.#silence?.refresh();
      return;
    }
    clearTimeout(this.#silence);
    this.#silence = undefined;
  }
}

/** Without a status the library has given up waiting for the answer. */
function toRefusal(error: Error & { readonly code?: number }): Error {
  return typeof error.code === 'number' ? new Refusal(error.code, error.message) : new ConnectionLost();
}

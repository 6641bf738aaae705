/**
 * Writes one file: to a name in our area first, as the bytes come, read back from there, made durable,
 * and only then shown (INV-6, INV-27, INV-40).
 */

import { createHash } from 'node:crypto';

import type { RelativePath, Result, Token } from '@wl/domain';
import { isBackendError, type Committed, type ContentIdentity, type FileAttributes, type FileWriter, type StaleToken } from '@wl/ports';

import type { Area } from '../remote/area.js';
import type { SftpAbilities } from './abilities.js';
import { assertWanted, damaged, failure, isRefusal, Status, toFailure, type Concern } from './failure.js';
import type { Placing, Staged } from './placing.js';
import { fileOf, type SftpApi } from './sftp-api.js';
import { WriteBehind, type OpenFile } from './transfer.js';
import { LATEST_S, tellingMtime, type VersionClock } from './version.js';

/** What a writer works with. */
export interface SftpWriterParts {
  readonly api: SftpApi;
  readonly area: Area;
  readonly abilities: SftpAbilities;
  readonly placing: Placing;
  readonly versions: VersionClock;
  readonly path: RelativePath;
  readonly expected: Token | undefined;
  readonly attributes: FileAttributes;
  readonly signal: AbortSignal;
  readonly onEnd: (writer: SftpWriter) => void;
}

interface Upload {
  readonly place: string;
  readonly file: OpenFile;
  readonly bytes: WriteBehind;
}

/** Where so little is free, that is why a write was refused. */
const LITTLE_BYTES = 1 << 20;

/** One file being written. */
export class SftpWriter implements FileWriter {
  readonly #parts: SftpWriterParts;
  readonly #concern: Concern;
  readonly #hash = createHash('sha256');
  #sizeBytes = 0;
  #starting: Promise<Upload> | undefined;
  #isEnded = false;

  constructor(parts: SftpWriterParts) {
    this.#parts = parts;
    this.#concern = { operation: 'replace', path: parts.path };
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#assertWanted();
    this.#hash.update(chunk);
    this.#sizeBytes += chunk.length;
    // The caller may use its buffer again.
    const own = Buffer.from(chunk);
    const { bytes } = await this.#start();
    await this.#stored(() => bytes.write(own));
  }

  async commit(content: ContentIdentity): Promise<Result<Committed, StaleToken>> {
    this.#assertWanted();
    this.#isEnded = true;
    try {
      const { placing, path, expected, attributes, signal } = this.#parts;
      const sha256 = this.#hash.digest('hex');
      const told = attributes.content ?? content;
      if (sha256 !== content.sha256 || this.#sizeBytes !== content.sizeBytes || told.sha256 !== sha256) throw damaged(this.#concern, 'what was written is not what was announced');
      const upload = await this.#start();
      await this.#stored(() => upload.bytes.finish());
      const staged = await this.#complete(upload, sha256);
      assertWanted(this.#concern, signal);
      return await placing.show(path, staged, expected, signal);
    } finally {
      await this.#drop();
    }
  }

  async abort(): Promise<void> {
    if (this.#isEnded && this.#starting === undefined) return;
    this.#isEnded = true;
    await this.#drop();
  }

  /**
   * Verifies what was stored, gives it its attributes and makes it durable. What is asked of one open file is
   * done in the order in which it is asked (draft-ietf-secsh-filexfer-02), so not every answer is waited for.
   */
  async #complete({ place, file }: Upload, sha256: string): Promise<Staged> {
    const { api, abilities, versions, signal } = this.#parts;
    const { session, handle } = file;
    const [found, readBack, mode] = await Promise.all([
      api.current(place, file, this.#concern),
      api.hashOpen(file, this.#sizeBytes, this.#concern, signal),
      this.#modeOfReplaced(),
    ]);
    const stored = fileOf(found);
    if (stored?.sizeBytes !== this.#sizeBytes) throw damaged(this.#concern, 'the server does not hold as many bytes as it was sent');
    // Nothing has set this time but the server itself.
    versions.learn(stored.mtimeS);
    if (readBack !== sha256) throw damaged(this.#concern, 'the server does not hold what it was sent');
    const mtime = this.#mtimeToSet(stored.mtimeS);
    const [, , now] = await Promise.all([
      // Times and permissions that the server does not set: the content counts, they are a courtesy.
      this.#attempted(() => session.fsetstat(handle, { atime: mtime, mtime, ...(mode !== undefined && { mode }) })),
      abilities.flushes ? this.#stored(() => session.fsync(handle)) : undefined,
      api.current(place, file, this.#concern),
    ]);
    const made = fileOf(now);
    if (made === undefined) throw damaged(this.#concern, 'what was staged is no file any more');
    if (made.token === this.#parts.expected) throw failure('io-error', this.#concern, 'the new version could not be told from the old one: the server sets no times', true);
    return { place, token: made.token };
  }

  /** Without a sensible time a file keeps the one it was stored at. */
  #mtimeToSet(storedS: number): number {
    const { attributes, expected } = this.#parts;
    const wantedS = Math.floor(attributes.mtimeMs / 1000);
    return tellingMtime(this.#sizeBytes, wantedS >= 0 && wantedS <= LATEST_S ? wantedS : storedS, expected);
  }

  /** Somebody chose the permissions of a file that is replaced; whether it is a program comes from the source. */
  async #modeOfReplaced(): Promise<number | undefined> {
    const { api, path, expected, attributes, signal } = this.#parts;
    const replaced = expected === undefined ? undefined : fileOf(await api.look(path, this.#concern, signal));
    if (replaced === undefined) return undefined;
    if (attributes.isExecutable === undefined) return replaced.mode;
    return attributes.isExecutable ? replaced.mode | ((replaced.mode & 0o444) >> 2) : replaced.mode & ~0o111;
  }

  #start(): Promise<Upload> {
    this.#starting ??= this.#open();
    return this.#starting;
  }

  async #open(): Promise<Upload> {
    const { api, area, attributes, signal } = this.#parts;
    const place = await area.stagingPlace(this.#concern);
    const file = await this.#stored(() => api.create(place, attributes.isExecutable === true ? 0o777 : 0o666, this.#concern, signal));
    return { place, file, bytes: new WriteBehind(file) };
  }

  /** Storing something: a server that is full has no other status for it than `failure`. */
  async #stored<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      const isVague = isRefusal(error, Status.failure) || (isBackendError(error) && error.code === 'io-error');
      if (!isVague) throw toFailure(error, this.#concern);
      const { api, signal } = this.#parts;
      const space = await api.space('.wl', this.#concern, signal).catch(() => undefined);
      if (space !== undefined && (space.freeBytes < LITTLE_BYTES || !space.hasInodes)) throw failure('no-space', this.#concern, 'the disk of the server is full');
      throw isRefusal(error) ? failure('io-error', this.#concern, 'the server could not store it and does not say why; the quota of this account may be used up', true) : error;
    }
  }

  async #attempted(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!isRefusal(error)) throw toFailure(error, this.#concern);
    }
  }

  /** Ends what is under way and removes what was staged; what cannot be removed goes with the other leftovers. */
  async #drop(): Promise<void> {
    const { api, onEnd } = this.#parts;
    const upload = await this.#starting?.catch(() => undefined);
    this.#starting = undefined;
    if (upload !== undefined) {
      await upload.bytes.finish().catch(() => undefined);
      const removing = api.remove(upload.place, { operation: 'clear staging' }).catch(() => undefined);
      await Promise.all([api.close(upload.file), removing]);
    }
    onEnd(this);
  }

  #assertWanted(): void {
    assertWanted(this.#concern, this.#parts.signal);
    if (this.#isEnded) throw failure('cancelled', this.#concern, 'the writer has ended');
  }
}

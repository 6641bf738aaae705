/**
 * Writes one file: to a name in our area first, read back from there, and shown by a move. Small
 * ones are sent in one piece, larger ones as they come (INV-6, INV-27, INV-40).
 */

import { createHash } from 'node:crypto';

import type { RelativePath, Result, Token } from '@wl/domain';
import type { Clock, Committed, ContentIdentity, FileAttributes, FileWriter, StaleToken } from '@wl/ports';

import { ChunkPipe } from '../http/chunk-pipe.js';
import type { Area } from '../remote/area.js';
import { tagOf, type DavAbilities } from './abilities.js';
import type { DavApi } from './dav-api.js';
import { damaged, failure } from './failure.js';
import type { DavFile } from './multistatus.js';
import { hashContent } from './observer.js';
import type { Placing } from './placing.js';

/** What a writer works with. */
export interface DavWriterParts {
  readonly api: DavApi;
  readonly area: Area;
  readonly abilities: DavAbilities;
  readonly placing: Placing;
  readonly clock: Clock;
  readonly path: RelativePath;
  readonly expected: Token | undefined;
  readonly attributes: FileAttributes;
  readonly signal: AbortSignal;
  readonly onEnd: (writer: DavWriter) => void;
}

/** Up to here a file is sent in one piece, bytes. */
const WHOLE_BYTES = 1 << 20;
const PIPE_BYTES = 1 << 20;
const NEXT_SECOND_MS = 1100;

/** One file being written. */
export class DavWriter implements FileWriter {
  readonly #parts: DavWriterParts;
  readonly #hash = createHash('sha256');
  #held: Uint8Array[] = [];
  #sizeBytes = 0;
  /** Where it is being written, once anything was sent. */
  #staged: string | undefined;
  #pipe: ChunkPipe | undefined;
  #sending: Promise<unknown> | undefined;
  #isEnded = false;

  constructor(parts: DavWriterParts) {
    this.#parts = parts;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#assertWanted();
    this.#hash.update(chunk);
    this.#sizeBytes += chunk.length;
    // The caller may use its buffer again.
    const own = new Uint8Array(chunk);
    if (this.#pipe !== undefined) return this.#pipe.push(own);
    this.#held.push(own);
    if (this.#sizeBytes > WHOLE_BYTES) await this.#beginStream();
  }

  async commit(content: ContentIdentity): Promise<Result<Committed, StaleToken>> {
    this.#assertWanted();
    this.#isEnded = true;
    try {
      const { path, api, placing, expected, attributes, signal } = this.#parts;
      const concern = { operation: 'replace', path };
      const sha256 = this.#hash.digest('hex');
      const told = attributes.content ?? content;
      if (sha256 !== content.sha256 || this.#sizeBytes !== content.sizeBytes || told.sha256 !== sha256) throw damaged(concern, 'what was written is not what was announced');
      await this.#finishUpload();
      const file = await this.#tellApart(await this.#lookAtStaged());
      const staged = this.#staged!;
      const uploadedMs = this.#parts.clock.monotonicMs();
      if ((await hashContent(api, staged, content.sizeBytes, concern, signal)) !== sha256) throw damaged(concern, 'the server does not hold what it was sent');
      await this.#note(staged, content, tagOf(file));
      return await placing.show(path, { place: staged, file, uploadedMs }, expected, signal);
    } finally {
      await this.#drop();
    }
  }

  async abort(): Promise<void> {
    this.#isEnded = true;
    await this.#drop();
  }

  async #beginStream(): Promise<void> {
    const { api, path, signal } = this.#parts;
    const concern = { operation: 'replace', path };
    const place = await this.#stage();
    const pipe = new ChunkPipe(PIPE_BYTES);
    this.#pipe = pipe;
    this.#sending = api.put(place, pipe.chunks(), { isNew: false }, concern, signal).finally(() => pipe.unread());
    // Told of by commit.
    this.#sending.catch(() => undefined);
    for (const chunk of this.#held) await pipe.push(chunk);
    this.#held = [];
  }

  /** Until the whole file is in staging. */
  async #finishUpload(): Promise<void> {
    const { api, path, signal } = this.#parts;
    if (this.#pipe === undefined) {
      await api.put(await this.#stage(), Buffer.concat(this.#held), { isNew: false }, { operation: 'replace', path }, signal);
      return;
    }
    this.#pipe.end();
    await this.#sending;
  }

  async #lookAtStaged(): Promise<DavFile> {
    const { api, path, signal } = this.#parts;
    const concern = { operation: 'replace', path };
    const file = await api.look(this.#staged!, concern, signal);
    if (file?.kind !== 'file') throw damaged(concern, 'the server does not show what it was sent');
    return file;
  }

  /** A version of the size and from the second of the one it replaces would pass for it where there are no ETags: it is sent once more, later. */
  async #tellApart(file: DavFile): Promise<DavFile> {
    const { api, area, clock, expected, path, signal } = this.#parts;
    const concern = { operation: 'replace', path };
    if (file.token !== expected) return file;
    await clock.sleep(NEXT_SECOND_MS, signal);
    const first = this.#staged!;
    const opened = await api.get(first, concern, signal);
    if (opened === undefined) throw damaged(concern, 'what was staged is gone');
    const next = await area.stagingPlace(concern);
    await api.put(next, opened.body, { isNew: false }, concern, signal);
    this.#staged = next;
    await api.delete(first, 'file', concern, signal);
    return this.#lookAtStaged();
  }

  async #stage(): Promise<string> {
    this.#staged ??= await this.#parts.area.stagingPlace({ operation: 'replace', path: this.#parts.path });
    return this.#staged;
  }

  async #note(staged: string, { sha256, sizeBytes }: ContentIdentity, etag: string): Promise<void> {
    const { api, abilities, attributes, path, signal } = this.#parts;
    const { mtimeMs, isExecutable = false } = attributes;
    const isSensible = Number.isFinite(mtimeMs) && Math.abs(mtimeMs) < 8.64e15;
    if (!abilities.keepsNotes || !isSensible) return;
    await api.setNote(staged, { sha256, sizeBytes, mtimeMs: Math.round(mtimeMs * 1000) / 1000, etag, isExecutable }, { operation: 'replace', path }, signal);
  }

  /** Ends what is under way and removes what was staged; what cannot be removed goes with the other leftovers. */
  async #drop(): Promise<void> {
    const { api, path, onEnd } = this.#parts;
    this.#held = [];
    this.#pipe?.fail(failure('cancelled', { operation: 'replace', path }, 'the write was given up'));
    await this.#sending?.catch(() => undefined);
    const staged = this.#staged;
    this.#staged = undefined;
    if (staged !== undefined) await api.delete(staged, 'file', { operation: 'clear staging', path }).catch(() => undefined);
    onEnd(this);
  }

  #assertWanted(): void {
    const concern = { operation: 'replace', path: this.#parts.path };
    if (this.#parts.signal.aborted) throw failure('cancelled', concern, 'stopped on request');
    if (this.#isEnded) throw failure('cancelled', concern, 'the writer has ended');
  }
}

/**
 * One archive at one place, whatever version of it is there: opens it, reads its directory and
 * remembers that as long as the file is surely the same.
 */

import type { Clock } from '@wl/ports';

import { look, openArchive, type ArchiveLook, type ArchiveStamp, type OpenArchive } from './archive-file.js';
import { readIndex, type ArchiveIndex } from './archive-index.js';
import { damaged, toBackendError, type Concern } from './failure.js';

/** An open archive and what is in it. */
export interface IndexedArchive extends OpenArchive {
  readonly index: ArchiveIndex;
}

/** An archive changed again within this time may carry the same stamp: file systems note changes by ticks of up to 2 s. */
const SETTLED_MS = 2000;
/** How often an archive that changes while its directory is read is looked into. */
const ATTEMPTS = 3;

/** The archive at one place. */
export class Archive {
  #remembered: { readonly stamp: ArchiveStamp; readonly index: ArchiveIndex } | undefined;

  constructor(
    private readonly location: string,
    private readonly clock: Clock,
  ) {}

  /** The stamp of what is there now. Rejects with `BackendError` where it cannot be seen. */
  async stamp(concern: Concern): Promise<ArchiveStamp> {
    const archive = await this.#openFile(concern);
    await archive.handle.close();
    return archive.stamp;
  }

  /** Opens it; the caller closes `handle`. Rejects with `BackendError` where it cannot be looked into. */
  async open(concern: Concern, signal?: AbortSignal): Promise<IndexedArchive> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const archive = await this.#openFile(concern);
      const index = await this.#indexOf(archive, concern, signal).catch(async (error: unknown) => {
        await archive.handle.close();
        throw toBackendError(error, concern);
      });
      if (index !== undefined) return { ...archive, index };
      await archive.handle.close();
    }
    throw damaged(concern, 'the archive is being written');
  }

  /** What is in it now. */
  async index(concern: Concern, signal?: AbortSignal): Promise<ArchiveIndex> {
    const archive = await this.open(concern, signal);
    await archive.handle.close();
    return archive.index;
  }

  /** `undefined`: it changed meanwhile. */
  async #indexOf(archive: OpenArchive, concern: Concern, signal: AbortSignal | undefined): Promise<ArchiveIndex | undefined> {
    const { stamp } = archive;
    if (this.#remembered?.stamp === stamp) return this.#remembered.index;
    const index = await readIndex(archive, signal).catch(async (error: unknown) => {
      // One that was rewritten under our hands is no damaged one.
      if ((await look(archive.handle, concern)).stamp === stamp) throw error;
      return undefined;
    });
    const after = await look(archive.handle, concern);
    if (index === undefined || after.stamp !== stamp) return undefined;
    this.#remembered = this.#isSettled(after) ? { stamp, index } : undefined;
    return index;
  }

  #isSettled({ changedMs }: ArchiveLook): boolean {
    return Math.abs(this.clock.nowMs() - changedMs) > SETTLED_MS;
  }

  async #openFile(concern: Concern): Promise<OpenArchive> {
    try {
      return await openArchive(this.location, concern);
    } catch (error) {
      throw toBackendError(error, concern);
    }
  }
}

/**
 * The rules of showing, removing and keeping (INV-5, INV-17). WebDAV compares before it acts and not
 * while it does, and Apache takes what is overwritten away for an instant before the new is there;
 * so what is replaced is copied to the trash first, and what is removed is moved there and looked
 * at: another version than expected is given back.
 *
 * A move that may replace is only ever made where a file was seen right before: over a directory
 * the protocol demands that everything in it be deleted.
 */

import { err, NO_TOKEN, ok, parentOf, ROOT, type RelativePath, type Result, type Token } from '@wl/domain';
import { isBackendError, type Clock, type Committed, type StaleToken } from '@wl/ports';

import type { Area } from '../remote/area.js';
import type { PathTurns } from '../remote/path-turns.js';
import { tagOf, TICKS_MS, type DavAbilities } from './abilities.js';
import type { DavApi, Transferred } from './dav-api.js';
import { damaged, failure, type Concern } from './failure.js';
import type { DavFile } from './multistatus.js';

/** A file in staging, verified. */
export interface Staged {
  readonly place: string;
  readonly file: DavFile;
  /** When the upload was over, by the monotonic clock. */
  readonly uploadedMs: number;
}

/** What placing works with. */
export interface PlacingParts {
  readonly api: DavApi;
  readonly area: Area;
  readonly turns: PathTurns;
  readonly abilities: () => DavAbilities;
  readonly clock: Clock;
}

/** An ETag called weak until a moment ago is another text now: then it is tried again. */
const ATTEMPTS = 3;
/** How often a move or copy is made whose connection was cut before it was made. */
const MOST_TRIES = 3;
const PAUSE_MS = 100;

const stale = err({ kind: 'stale-token' } as const);

/** Puts files in their places and takes them away. */
export class Placing {
  constructor(private readonly parts: PlacingParts) {}

  /** Shows a staged file at `path` if that still is version `expected`. */
  show(path: RelativePath, staged: Staged, expected: Token | undefined, signal: AbortSignal): Promise<Result<Committed, StaleToken>> {
    const concern = { operation: 'replace', path };
    return this.parts.turns.take(path, async () => {
      const swapped = expected === undefined ? await this.#create(path, staged, concern, signal) : await this.#replace(path, staged, expected, concern, signal);
      if (!swapped) return stale;
      const shown = await this.parts.api.look(path, concern, signal);
      // Somebody was faster than our look: it is theirs to be told of by the next one.
      if (shown?.kind !== 'file' || shown.sizeBytes !== staged.file.sizeBytes) throw failure('io-error', concern, 'somebody changed it right after it was written', true);
      return ok({ token: shown.token, isRacy: shown.isRacy && !this.#isSettled(shown, staged) });
    });
  }

  /** Rejects unless the directory above a path is there. */
  async assertParent(path: RelativePath, concern: Concern, signal?: AbortSignal): Promise<void> {
    const parent = parentOf(path);
    if (parent === ROOT) return;
    const found = await this.parts.api.look(parent, concern, signal);
    if (found === undefined) throw failure('not-found', concern, 'the directory above is not there');
    if (found.kind === 'file') throw failure('not-a-directory', concern, 'the directory above is a file');
    if (found.kind === 'unknown') throw failure('io-error', concern, `the directory above cannot be seen: ${found.reason}`, true);
  }

  /** Moves version `expected` of a file to the trash. */
  remove(path: RelativePath, expected: Token, signal: AbortSignal): Promise<Result<void, StaleToken>> {
    const { api, area, turns } = this.parts;
    const concern = { operation: 'remove', path };
    return turns.take(path, async () => {
      const found = await api.look(path, concern, signal);
      if (found?.kind !== 'file' || found.token !== expected || expected === NO_TOKEN) return stale;
      const place = await area.trashPlace(path, concern);
      const moved = await this.#sureOf(() => api.move(path, place, { overwrite: false }, concern, signal), path, place, found, concern);
      if (moved !== 'done') return moved === 'no-source' ? stale : this.#refuse(concern, 'it could not be moved to the trash');
      const kept = await api.look(place, concern);
      if (kept?.kind === 'file' && kept.token === expected) return ok(undefined);
      const isDirectory = kept?.kind === 'directory';
      const back = await api.move(place, path, { overwrite: false, isDirectory }, concern).catch(() => 'refused' as const);
      return back === 'done' ? stale : err({ kind: 'stale-token', leftover: place } as const);
    });
  }

  /** Removes a directory that is empty. It is taken away whole and looked into where nobody finds it: a DELETE takes everything. */
  removeDirectory(path: RelativePath, signal: AbortSignal): Promise<Result<void, 'not-empty' | 'not-a-directory'>> {
    const { api, area, turns } = this.parts;
    const concern = { operation: 'remove directory', path };
    return turns.take(path, async () => {
      const found = await api.look(path, concern, signal);
      if (found === undefined) return ok(undefined);
      if (found.kind !== 'directory') return err('not-a-directory');
      if (!(await this.#isEmpty(path, concern))) return err('not-empty');
      const place = await area.trashPlace(path, concern);
      const moved = await api.move(path, place, { overwrite: false, isDirectory: true }, concern, signal);
      if (moved === 'no-source') return ok(undefined);
      if (moved !== 'done') return this.#refuse(concern, 'it could not be moved away');
      if (await this.#isEmpty(place, concern)) {
        await api.delete(place, 'directory', concern);
        return ok(undefined);
      }
      const back = await api.move(place, path, { overwrite: false, isDirectory: true }, concern);
      return back === 'done' ? err('not-empty') : this.#refuse(concern, `something was put into it in that instant, which is in ${place} now`);
    });
  }

  /** `false`: something is there. */
  async #create(path: RelativePath, { place, file }: Staged, concern: Concern, signal: AbortSignal): Promise<boolean> {
    const { api } = this.parts;
    if ((await api.look(path, concern, signal)) !== undefined) return false;
    // nginx makes missing directories on the way, and Apache calls them its own error.
    await this.assertParent(path, concern, signal);
    const moved = await this.#sureOf(() => api.move(place, path, { overwrite: false }, concern, signal), place, path, file, concern);
    if (moved === 'refused') return false;
    if (moved === 'done') return true;
    throw moved === 'no-parent' ? failure('not-found', concern, 'the directory above is not there') : damaged(concern, 'what was staged is gone');
  }

  /** `false`: it is another version. */
  async #replace(path: RelativePath, { place, file }: Staged, expected: Token, concern: Concern, signal: AbortSignal): Promise<boolean> {
    const { api, abilities } = this.parts;
    let kept: string | undefined;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      if (kept === undefined && (await this.#current(path, expected, concern, signal)) !== undefined) {
        kept = await this.#copyToTrash(path, concern, signal);
      }
      const current = await this.#current(path, expected, concern, signal);
      if (kept === undefined || current === undefined) break;
      const destinationEtag = abilities().comparesDestination ? current.etag : undefined;
      const moved = await this.#sureOf(() => api.move(place, path, { overwrite: true, destinationEtag }, concern, signal), place, path, file, concern);
      if (moved === 'done') return true;
      if (moved !== 'refused') throw damaged(concern, 'what was staged, or the directory, is gone');
    }
    if (kept !== undefined) await api.delete(kept, 'file', concern).catch(() => undefined);
    return false;
  }

  async #current(path: RelativePath, expected: Token, concern: Concern, signal: AbortSignal): Promise<DavFile | undefined> {
    const found = await this.parts.api.look(path, concern, signal);
    return found?.kind === 'file' && expected !== NO_TOKEN && found.token === expected ? found : undefined;
  }

  /** Where the copy is. One whose connection was cut may have been made: the next has another place, and a version is kept twice. */
  async #copyToTrash(path: RelativePath, concern: Concern, signal: AbortSignal): Promise<string> {
    const { api, area, clock } = this.parts;
    for (let tries = 1; ; tries += 1) {
      const kept = await area.trashPlace(path, concern);
      try {
        await api.copy(path, kept, { overwrite: false }, concern, signal);
        return kept;
      } catch (error) {
        if (!isCut(error) || tries === MOST_TRIES) throw error;
        await clock.sleep(PAUSE_MS, signal);
      }
    }
  }

  /** INV-18: where the answer to a move was lost, both ends tell whether it was made; one that was not is made again. */
  async #sureOf(act: () => Promise<Transferred>, from: string, to: string, file: DavFile, concern: Concern): Promise<Transferred> {
    const { api, clock } = this.parts;
    for (let tries = 1; ; tries += 1) {
      try {
        const moved = await act();
        // The one before may have been slow, and was made after it was looked for.
        return moved === 'no-source' && tries > 1 && (await this.#isAt(to, file, concern)) ? 'done' : moved;
      } catch (error) {
        if (!isBackendError(error) || error.code === 'cancelled') throw error;
        const isStillThere = (await api.look(from, concern)) !== undefined;
        if (!isStillThere && (await this.#isAt(to, file, concern))) return 'done';
        if (!isStillThere || !isCut(error) || tries === MOST_TRIES) throw error;
        await clock.sleep(PAUSE_MS);
      }
    }
  }

  async #isAt(path: string, { sizeBytes, token }: DavFile, concern: Concern): Promise<boolean> {
    const found = await this.parts.api.look(path, concern);
    return found?.kind === 'file' && found.sizeBytes === sizeBytes && found.token === token;
  }

  async #isEmpty(path: string, concern: Concern): Promise<boolean> {
    const listed = await this.parts.api.directory(path, concern);
    if ('status' in listed) return this.#refuse(concern, 'it cannot be looked into');
    return listed.entries.size === 0 && listed.notUnicode.length === 0 && !listed.isIncomplete;
  }

  /** The time in an ETag is that of the upload: any later change has another. */
  #isSettled(shown: DavFile, { file, uploadedMs }: Staged): boolean {
    const { abilities, clock } = this.parts;
    return abilities().tellsQuickChanges && tagOf(shown) !== '' && tagOf(shown) === tagOf(file) && clock.monotonicMs() - uploadedMs > TICKS_MS;
  }

  #refuse(concern: Concern, explanation: string): never {
    throw failure('io-error', concern, explanation, true);
  }
}

/** Whether there was no answer, for want of a connection. */
function isCut(error: unknown): boolean {
  return isBackendError(error) && error.code === 'unreachable' && error.details.retryable;
}

/**
 * The rules of showing, removing and keeping (INV-5, INV-6, INV-17). A new file gets its name by a
 * second link, which never replaces. What is replaced gets a second name in the trash first, so that
 * its own is never empty, and is then renamed over; between the last look and that step another
 * program's version may be lost. What is removed is moved to the trash and looked at: another version
 * than expected is given back.
 *
 * Where the server, or the owner of a file (Linux's `protected_hardlinks`), does not let us have a
 * second name, the old version is moved to the trash and the new one put where nothing is: nothing is
 * lost then, but for an instant the name is empty.
 */

import { err, NO_TOKEN, ok, parentOf, ROOT, type RelativePath, type Result, type Token, type UnknownReason } from '@wl/domain';
import { isBackendError, type Committed, type StaleToken } from '@wl/ports';

import type { Area } from '../remote/area.js';
import type { PathTurns } from '../remote/path-turns.js';
import type { SftpAbilities } from './abilities.js';
import { damaged, failure, type Concern } from './failure.js';
import { fileOf, type SftpApi, type Stepped } from './sftp-api.js';

/** A file in staging, verified. */
export interface Staged {
  readonly place: string;
  readonly token: Token;
}

/** What placing works with. */
export interface PlacingParts {
  readonly api: SftpApi;
  readonly area: Area;
  readonly turns: PathTurns;
  readonly abilities: () => SftpAbilities;
}

const stale = err({ kind: 'stale-token' } as const);

/** Puts files in their places and takes them away. */
export class Placing {
  constructor(private readonly parts: PlacingParts) {}

  /** Shows a staged file at `path` if that still is version `expected`. */
  show(path: RelativePath, staged: Staged, expected: Token | undefined, signal: AbortSignal): Promise<Result<Committed, StaleToken>> {
    const concern = { operation: 'replace', path };
    return this.parts.turns.take(path, async () => {
      const placed = expected === undefined ? await this.#create(path, staged, concern, signal) : await this.#replace(path, staged, expected, concern, signal);
      if (!placed.ok) return placed;
      const shown = fileOf(await this.parts.api.look(path, concern, signal));
      // Somebody was faster than our look: it is theirs to be told of by the next one.
      if (shown?.token !== staged.token) throw failure('io-error', concern, 'somebody changed it right after it was written', true);
      return ok({ token: shown.token, isRacy: shown.isRacy });
    });
  }

  /** Rejects unless the directory above a path is there. */
  async assertParent(path: RelativePath, concern: Concern, signal?: AbortSignal): Promise<void> {
    const parent = parentOf(path);
    if (parent === ROOT) return;
    const found = await this.parts.api.look(parent, concern, signal);
    if (found === undefined) throw failure('not-found', concern, 'the directory above is not there');
    if (found.kind === 'file') throw failure('not-a-directory', concern, 'the directory above is a file');
    if (found.kind === 'unknown') throw noDirectory(found.reason, concern);
  }

  /** Moves version `expected` of a file to the trash. */
  remove(path: RelativePath, expected: Token, signal: AbortSignal): Promise<Result<void, StaleToken>> {
    const concern = { operation: 'remove', path };
    return this.parts.turns.take(path, async () => {
      if (!(await this.#isCurrent(path, expected, concern, signal))) return stale;
      const moved = await this.#moveAside(path, expected, concern, signal);
      return moved.ok ? ok(undefined) : moved;
    });
  }

  /** Makes a directory. */
  async makeDirectory(path: RelativePath, signal: AbortSignal): Promise<Result<void, 'exists' | 'parent-missing'>> {
    const { api } = this.parts;
    const concern = { operation: 'make directory', path };
    const parent = await api.look(parentOf(path), concern, signal);
    if (parent === undefined || parent.kind === 'file') return err('parent-missing');
    if (parent.kind === 'unknown') throw noDirectory(parent.reason, concern);
    const made = await this.#sure(() => api.makeDirectory(path, concern, signal), async () => (await api.look(path, concern))?.kind === 'directory');
    if (made === 'done') return ok(undefined);
    const found = await api.look(path, concern, signal);
    if (found !== undefined) return found.kind === 'directory' ? ok(undefined) : err('exists');
    if (made === 'missing') return err('parent-missing');
    throw refused(made, concern, 'it could not be made');
  }

  /** Removes a directory that is empty: the server itself refuses any other. */
  removeDirectory(path: RelativePath, signal: AbortSignal): Promise<Result<void, 'not-empty' | 'not-a-directory'>> {
    const { api, turns } = this.parts;
    const concern = { operation: 'remove directory', path };
    return turns.take(path, async () => {
      const found = await api.look(path, concern, signal);
      if (found === undefined) return ok(undefined);
      if (found.kind !== 'directory') return err('not-a-directory');
      const removed = await this.#sure(() => api.removeDirectory(path, concern, signal), async () => (await api.look(path, concern)) === undefined);
      if (removed === 'done' || removed === 'missing') return ok(undefined);
      const listed = await api.directory(path, concern, signal);
      const isEmpty = 'entries' in listed && listed.entries.size + listed.notUnicode.length === 0;
      if (!isEmpty && removed === 'refused') return err('not-empty');
      throw refused(removed, concern, 'it could not be removed');
    });
  }

  async #create(path: RelativePath, staged: Staged, concern: Concern, signal: AbortSignal): Promise<Result<void, StaleToken>> {
    const [found] = await Promise.all([this.parts.api.look(path, concern, signal), this.assertParent(path, concern, signal)]);
    if (found !== undefined) return stale;
    return (await this.#put(staged, path, concern, signal)) ? ok(undefined) : stale;
  }

  async #replace(path: RelativePath, staged: Staged, expected: Token, concern: Concern, signal: AbortSignal): Promise<Result<void, StaleToken>> {
    const { api, area, abilities } = this.parts;
    if (!(await this.#isCurrent(path, expected, concern, signal))) return stale;
    if (abilities().linksHard && abilities().renamesOver) {
      const kept = await area.trashPlace(path, concern);
      const linked = await this.#sure(() => api.link(path, kept, concern, signal), async () => (await api.look(kept, concern)) !== undefined);
      if (linked === 'missing') return stale;
      if (linked === 'done') return this.#renameOver(path, staged, expected, kept, concern, signal);
    }
    const moved = await this.#moveAside(path, expected, concern, signal);
    if (!moved.ok) return moved;
    try {
      return (await this.#put(staged, path, concern, signal)) ? ok(undefined) : err({ kind: 'stale-token', leftover: moved.value });
    } catch (error) {
      // Nothing took its place: it gets its name back.
      await this.#giveBack(moved.value, expected, path, concern);
      throw error;
    }
  }

  /** With the old version safe at `kept`. */
  async #renameOver(path: RelativePath, { place, token }: Staged, expected: Token, kept: string, concern: Concern, signal: AbortSignal): Promise<Result<void, StaleToken>> {
    const { api } = this.parts;
    const isExpected = await Promise.all([kept, path].map((at) => this.#isCurrent(at, expected, concern, signal)));
    if (!isExpected.every(Boolean)) {
      await api.remove(kept, concern).catch(() => undefined);
      return stale;
    }
    const renamed = await this.#sure(() => api.renameOver(place, path, concern, signal), async () => (await api.look(place, concern)) === undefined && (await this.#isCurrent(path, token, concern)));
    if (renamed === 'done') return ok(undefined);
    await api.remove(kept, concern).catch(() => undefined);
    if (renamed === 'missing') throw damaged(concern, 'what was staged, or the directory, is gone');
    // A directory has taken the name, most likely.
    if (!(await this.#isCurrent(path, expected, concern, signal))) return stale;
    throw refused(renamed, concern, 'it could not be replaced');
  }

  /** Moves whatever is at a path to the trash; the place is the value if it was version `expected`, else it is given back. */
  async #moveAside(path: RelativePath, expected: Token, concern: Concern, signal: AbortSignal): Promise<Result<string, StaleToken>> {
    const { api, area } = this.parts;
    const place = await area.trashPlace(path, concern);
    // OpenSSH's plain rename is a second link and a removal: what is put at the path in between would be removed.
    const move = this.parts.abilities().renamesOver ? api.renameOver.bind(api) : api.rename.bind(api);
    const moved = await this.#sure(() => move(path, place, concern, signal), async () => (await api.look(place, concern)) !== undefined);
    if (moved === 'missing') return stale;
    if (moved !== 'done') throw refused(moved, concern, 'it could not be moved to the trash');
    if (await this.#isCurrent(place, expected, concern)) return ok(place);
    const other = fileOf(await api.look(place, concern))?.token;
    return (await this.#giveBack(place, other, path, concern)) ? stale : err({ kind: 'stale-token', leftover: place });
  }

  /** Gives what was moved aside its name back, if that is still free. A directory has no second name. */
  async #giveBack(place: string, token: Token | undefined, path: RelativePath, concern: Concern): Promise<boolean> {
    const { api } = this.parts;
    try {
      if (token === undefined) return (await api.rename(place, path, concern)) === 'done';
      if (!(await this.#put({ place, token }, path, concern))) return false;
      await api.remove(place, concern);
      return true;
    } catch {
      return false;
    }
  }

  /** Gives a file of our area its name if that is free; `false` when it is taken. Where it has two names then, the first is the caller's to remove. */
  async #put({ place, token }: Staged, path: RelativePath, concern: Concern, signal?: AbortSignal): Promise<boolean> {
    const { api, abilities } = this.parts;
    const { linksHard } = abilities();
    const put = await this.#sure(
      () => (linksHard ? api.link(place, path, concern, signal) : api.rename(place, path, concern, signal)),
      () => this.#isCurrent(path, token, concern),
    );
    if (put === 'done') return true;
    if ((await api.look(path, concern)) !== undefined) return false;
    await this.assertParent(path, concern);
    if (put === 'missing') throw damaged(concern, 'what was staged is gone');
    throw refused(put, concern, 'it could not be put in its place; is that another file system of the server?');
  }

  async #isCurrent(path: string, expected: Token, concern: Concern, signal?: AbortSignal): Promise<boolean> {
    return expected !== NO_TOKEN && fileOf(await this.parts.api.look(path, concern, signal))?.token === expected;
  }

  /** INV-18: where the answer to a step was lost, the server is asked whether it was made. */
  async #sure(act: () => Promise<Stepped>, isDone: () => Promise<boolean>): Promise<Stepped> {
    try {
      return await act();
    } catch (error) {
      if (!isBackendError(error) || error.code !== 'unreachable' || !(await isDone())) throw error;
      return 'done';
    }
  }
}

function noDirectory(reason: UnknownReason, concern: Concern): Error {
  if (reason === 'permission-denied') return failure('permission-denied', concern, 'the directory above cannot be looked at');
  return failure('not-a-directory', concern, `the directory above is none: ${reason}`);
}

function refused(how: Stepped, concern: Concern, explanation: string): Error {
  if (how === 'forbidden') return failure('permission-denied', concern, `${explanation}: the server does not allow it`);
  return failure('io-error', concern, `${explanation}; the server does not say why`, true);
}

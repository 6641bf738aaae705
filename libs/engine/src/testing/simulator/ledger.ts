/**
 * What one storage of a simulated world has held, name by name, and who changed it. The oracle
 * judges by this account, never by what the engine says of itself.
 */

import { ancestorsOf, type RelativePath } from '@wl/domain';
import type { FileVersion, MemoryTree, MemoryVolume, TreeChange } from '@wl/adapters/memory';

/** What stands at a name: a file's text, `/` for a directory, `<…>` for what is neither; `undefined` for nothing. */
export type State = string | undefined;

/** A directory's state. */
export const FOLDER = '/';

/** One change of one name. */
export interface Change {
  readonly path: string;
  readonly before: State;
  readonly after: State;
}

/** A moment in the life of a name. */
interface Moment {
  readonly serial: number;
  readonly state: State;
  /** What a power loss took back: nobody's doing, and no reason for anything. */
  readonly isWorld: boolean;
}

/** Counts moments; shared by all ledgers of a world. */
export interface Ticker {
  serial: number;
}

const TEXTS = new WeakMap<FileVersion, string>();
const DECODER = new TextDecoder();

/** The account of one tree. */
export class Ledger {
  readonly tree: MemoryTree;
  readonly now = new Map<string, string>();
  /** Copies of each text that are there now. */
  readonly copies = new Map<string, number>();
  /**
   * Names that came to hold another text under the very token of an earlier one, by a clock of a storage of
   * coarse times that was set back. Nothing but reading everything again would show it.
   */
  readonly repeated = new Set<string>();
  #mayRepeatTokens = false;
  /** Names to which that has happened within one tick of a clock, which an engine that is told the truth sees. */
  readonly #repeatedInTime = new Set<string>();
  readonly #tokens = new Map<string, string>();
  /** Set while a power loss is carried out. */
  isWorldActing = false;
  readonly #home: MemoryVolume | undefined;
  readonly #moments = new Map<string, Moment[]>();
  readonly #ticker: Ticker;
  readonly #isWhole: boolean;
  readonly #hasCoarseTimes: boolean;
  readonly #onChanges: (changes: readonly Change[], by: string | undefined) => void;
  readonly #onForeign: (change: TreeChange) => void;

  constructor(
    tree: MemoryTree,
    ticker: Ticker,
    onChanges: (changes: readonly Change[], by: string | undefined) => void,
    onForeign: (change: TreeChange) => void,
    hasCoarseTimes = false,
  ) {
    this.tree = tree;
    this.#ticker = ticker;
    this.#home = tree.volume;
    this.#isWhole = !tree.isCaseSensitive;
    this.#hasCoarseTimes = hasCoarseTimes;
    this.#onChanges = onChanges;
    this.#onForeign = onForeign;
    tree.observe((change) => this.#observe(change));
  }

  /** Whether the tree's own volume is plugged in. */
  get isHome(): boolean {
    return this.tree.volume === this.#home;
  }

  /** The volume that belongs here. */
  get home(): MemoryVolume | undefined {
    return this.#home;
  }

  /** The clock of this storage was set back. */
  clockSetBack(): void {
    this.#mayRepeatTokens = true;
  }

  /** Somebody may be shown an earlier text for the one of this token: what stands for two texts was taken for the wrong one. */
  readsBecomeStale(): void {
    this.#mayRepeatTokens = true;
    for (const path of this.#repeatedInTime) this.repeated.add(path);
  }

  /** Whether this name ever held that. */
  everHeld(path: string, state: State): boolean {
    return (this.#moments.get(path) ?? []).some((moment) => moment.state === state) || (state === undefined && !this.#moments.has(path));
  }

  /** Whether, at a moment or later, this name held something else, and not by a power loss, unless that counts too. */
  everDifferedSince(path: string, state: State, serial: number, countsWorld = false): boolean {
    let then: State;
    for (const moment of this.#moments.get(path) ?? []) {
      if (moment.isWorld && !countsWorld) continue;
      if (moment.serial > serial && moment.state !== state) return true;
      if (moment.serial <= serial) then = moment.state;
    }
    return then !== state;
  }

  /** Texts that this name has held before, oldest first. */
  earlier(path: string): string[] {
    return (this.#moments.get(path) ?? []).flatMap(({ state }) => (state === undefined || state === FOLDER || state.startsWith('<') ? [] : [state]));
  }

  #observe(change: TreeChange): void {
    if (!this.isHome) {
      if (change.by !== undefined) this.#onForeign(change);
      return;
    }
    this.#ticker.serial += 1;
    const changes = change.isTree || this.#isWhole || change.path === '' ? this.#compareAll() : this.#compareOne(change.path);
    for (const one of changes) this.#note(one);
    if (changes.length > 0) this.#onChanges(changes, change.by);
  }

  #compareOne(path: string): Change[] {
    const changes: Change[] = [];
    // Directories come with what is written into them, and in some storages go with it.
    for (const place of [...ancestorsOf(path as RelativePath).reverse(), path]) {
      const [before, after] = [this.now.get(place), this.#stateAt(place)];
      if (before !== after) changes.push({ path: place, before, after });
    }
    return changes;
  }

  #compareAll(): Change[] {
    const changes: Change[] = [];
    const seen = new Set<string>();
    for (const path of this.tree.paths().sort()) {
      seen.add(path);
      const [before, after] = [this.now.get(path), this.#stateAt(path)];
      if (before !== after) changes.push({ path, before, after });
    }
    for (const [path, before] of this.now) if (!seen.has(path)) changes.push({ path, before, after: undefined });
    return changes;
  }

  #stateAt(path: string): State {
    const place = this.tree.locate(path, true);
    if (place.kind !== 'found') return undefined;
    if (place.entry.kind !== 'file') return place.entry.kind === 'directory' ? FOLDER : `<${place.entry.kind}>`;
    const { version } = place.entry;
    let text = TEXTS.get(version);
    if (text === undefined) TEXTS.set(version, (text = DECODER.decode(version.bytes)));
    if (this.#hasCoarseTimes) this.#noteToken(path, this.tree.tokenOf(place.entry), text);
    return text;
  }

  #noteToken(path: string, token: string, text: string): void {
    const key = `${path}/${token}`;
    const earlier = this.#tokens.get(key);
    if (earlier !== undefined && earlier !== text) (this.#mayRepeatTokens ? this.repeated : this.#repeatedInTime).add(path);
    this.#tokens.set(key, text);
  }

  #note({ path, before, after }: Change): void {
    if (after === undefined) this.now.delete(path);
    else this.now.set(path, after);
    if (before !== undefined) this.copies.set(before, (this.copies.get(before) ?? 0) - 1);
    if (after !== undefined) this.copies.set(after, (this.copies.get(after) ?? 0) + 1);
    const moments = this.#moments.get(path);
    const moment = { serial: this.#ticker.serial, state: after, isWorld: this.isWorldActing };
    if (moments === undefined) this.#moments.set(path, [moment]);
    else moments.push(moment);
  }
}

/** Whether a state is a file's. */
export function isText(state: State): state is string {
  return state !== undefined && state !== FOLDER && !state.startsWith('<');
}

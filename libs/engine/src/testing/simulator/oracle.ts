/**
 * Watches a simulated world and says at once what breaks an invariant. It knows from the
 * ledgers who changed what, and from the baselines what each machine was entitled to.
 *
 * At every change by an engine: INV-5, INV-12, INV-17 (only what the baseline knows is replaced
 * or removed, and it goes to the trash), INV-6 (what appears is whole and was there on the
 * other side), INV-7 (untouched conflicts stay so), INV-8, INV-9 (a removal has a reason),
 * INV-10 (the root is the right one), INV-14 (ignored names are left alone), INV-37 (a one-way
 * source is never written), INV-39 (no mass deletion without a word). At every write of the
 * state: INV-15 (rows are true and durable), INV-24 (tokens name their content), INV-36
 * (conflicts end for a reason).
 */

import { createHash } from 'node:crypto';

import { ancestorsOf, directoryKey, fileKey, HANDFUL, isDirectoryKey, isTrusted, isWithin, MASS_DELETION_SHARE, otherSide, pathOfKey, type Key, type RelativePath, type SideName, type Version } from '@wl/domain';
import type { BaselineChange, ConflictRecord, PairState } from '@wl/ports';

import { FOLDER, isText, type Change, type Ledger, type State, type Ticker } from './ledger.js';
import type { People } from './people.js';

/** What the oracle knows of a machine. */
export interface Suspect {
  readonly index: number;
  readonly isUnidirectional: boolean;
  /** The state itself, past every fault. */
  readonly pair: PairState;
  readonly ledgers: Readonly<Record<SideName, Ledger>>;
  /** Names that the rules leave out now. */
  readonly ignored: readonly string[];
  /** Whether the user has allowed mass deletions to the run at hand. */
  readonly isMassDeleteAllowed: boolean;
  /** Paths at which a person's choice in a conflict is being carried out, or was. */
  readonly choices: ReadonlySet<string>;
  /** Serial at which the pass at hand began. */
  readonly passSince: number;
  /** Faults under which a guarantee cannot hold by definition. */
  readonly excuses: { precondition: boolean; stale: boolean; shortListing: boolean; ambiguousTokens: boolean };
}

const HASHES = new Map<string, string>();

/** SHA-256 of a text. */
export function hashOf(text: string): string {
  let hash = HASHES.get(text);
  if (hash === undefined) {
    if (HASHES.size > 50_000) HASHES.clear();
    HASHES.set(text, (hash = createHash('sha256').update(text).digest('hex')));
  }
  return hash;
}

/** Judges one world. */
export class Oracle {
  readonly violations: string[] = [];
  /** Texts of which a person, or a power loss, took the last or another copy away. */
  readonly givenUp = new Set<string>();
  /** Names that a person removed while both sides agreed on them, with the text: they must not come back. */
  readonly gone = new Map<string, string>();
  readonly #givenUpHashes = new Set<string>();
  readonly #givenUpAt = new Map<Ledger, Set<string>>();
  readonly #ticker: Ticker;
  readonly #people: People;
  /** When each row was last written, by machine. */
  readonly #rowSince = new Map<Suspect, Map<Key, number>>();
  /** When each conflict was last shown, by machine. */
  readonly #shownSince = new Map<Suspect, Map<RelativePath, number>>();
  /** Removals of files by the pass at hand, by machine and side. */
  readonly #removals = new Map<Suspect, Record<SideName, { count: number; known: number; since: number }>>();
  /** When the volume of a side was last exchanged, by ledger. */
  readonly exchangedSince = new Map<Ledger, number>();

  constructor(ticker: Ticker, people: People) {
    this.#ticker = ticker;
    this.#people = people;
  }

  /** A person chose another version than this one. */
  giveUpHash(sha256: string | undefined): void {
    if (sha256 !== undefined) this.#givenUpHashes.add(sha256);
  }

  /** Whether a person took a copy away from this very storage. */
  givenUpBy(ledger: Ledger, text: string): boolean {
    return this.#givenUpAt.get(ledger)?.has(text) === true;
  }

  /** A person took a copy of a text away from a storage. */
  giveUp(ledger: Ledger, text: string): void {
    this.givenUp.add(text);
    let texts = this.#givenUpAt.get(ledger);
    if (texts === undefined) this.#givenUpAt.set(ledger, (texts = new Set<string>()));
    texts.add(text);
  }

  /** Whether a text may be nowhere any more. */
  isGivenUp(text: string): boolean {
    return this.givenUp.has(text) || (this.#givenUpHashes.size > 0 && this.#givenUpHashes.has(hashOf(text)));
  }

  blame(text: string): void {
    if (this.violations.length < 20) this.violations.push(text);
  }

  /** An engine changed names on one of its sides. */
  engineChanged(who: Suspect, side: SideName, changes: readonly Change[]): void {
    for (const change of changes) this.#judge(who, side, change);
  }

  /** An engine changed something in a volume that does not belong to its root. */
  foreignChanged(who: Suspect, side: SideName, path: string): void {
    const since = this.exchangedSince.get(who.ledgers[side]) ?? 0;
    if (who.pair.summary()[side === 'source' ? 'sourceRootIds' : 'targetRootIds'].length === 0) return;
    if (who.passSince > since) this.blame(`INV-10: ${name(who, side)} changed ${path} on a volume that is not its own`);
  }

  #judge(who: Suspect, side: SideName, change: Change): void {
    const { path, before, after } = change;
    const at = `${path} on ${name(who, side)} (${show(before)} -> ${show(after)})`;
    const other = who.ledgers[otherSide(side)];
    if (who.isUnidirectional && side === 'source') this.blame(`INV-37: ${at}`);
    if (isIgnored(path, who.ignored)) this.blame(`INV-14: ${at} is left out by the rules`);
    if (isText(before)) this.#judgeLoss(who, side, change, at);
    if (isText(after)) {
      if (!this.#people.written.has(after)) this.blame(`INV-6: ${at} shows what nobody wrote`);
      else if (!other.everHeld(path, after)) this.blame(`INV-6: ${at} was never there on the other side`);
    }
    if (before === FOLDER && after === undefined) this.#judgeFolderLoss(who, side, path, at);
    if (before !== undefined && before.startsWith('<')) this.blame(`INV-5: ${at} is nothing that is synced`);
    this.#judgeConflict(who, side, change, at);
  }

  #judgeLoss(who: Suspect, side: SideName, { path, before, after }: Change, at: string): void {
    if (!isText(before)) return;
    const { tree } = who.ledgers[side];
    const isKept = [...tree.trash.values()].some((one) => one.path === path && decode(one.bytes) === before);
    if (!isKept) this.blame(`INV-5: ${at} is not in the trash`);
    if (who.excuses.precondition || who.choices.has(path)) return;
    const key = fileKey(path as RelativePath);
    const row = who.pair.get(key);
    if (row?.kind !== 'file') {
      this.blame(`INV-12: ${at}, which the baseline does not know`);
      return;
    }
    if (row.hash !== hashOf(before)) {
      if (!who.excuses.ambiguousTokens) this.blame(`INV-5, INV-17: ${at} is not the version that was agreed on`);
      return;
    }
    if (after !== undefined) return;
    this.#judgeRemoval(who, side, path, before, at, key);
  }

  #judgeRemoval(who: Suspect, side: SideName, path: string, before: string, at: string, key: Key): void {
    const other = who.ledgers[otherSide(side)];
    const since = this.#rowSince.get(who)?.get(key) ?? 0;
    const isWorldEnough = who.excuses.stale || (who.isUnidirectional && side === 'target');
    if (!isWorldEnough && !other.everDifferedSince(path, before, since)) this.blame(`INV-8, INV-9: ${at}, which nobody removed on the other side`);
    // Half of a move counts for no rule, also when a person has removed its other half since.
    if (who.isMassDeleteAllowed || (who.ledgers[side].copies.get(before) ?? 0) > 0 || this.givenUpBy(who.ledgers[side], before)) return;
    const record = this.#removalsOf(who)[side];
    record.count += 1;
    if (record.count > HANDFUL && record.count > record.known * MASS_DELETION_SHARE) {
      this.blame(`INV-39: ${at} is removal ${String(record.count)} of ${String(record.known)} files that were known`);
    }
  }

  #judgeFolderLoss(who: Suspect, side: SideName, path: string, at: string): void {
    const { tree } = who.ledgers[side];
    if (!tree.keepsEmptyDirectories) return;
    const key = directoryKey(path as RelativePath);
    if (who.pair.get(key) === undefined) {
      this.blame(`INV-9, INV-12: ${at}, which the baseline does not know`);
      return;
    }
    const since = this.#rowSince.get(who)?.get(key) ?? 0;
    const isWorldEnough = who.excuses.stale || who.isUnidirectional;
    if (!isWorldEnough && !who.ledgers[otherSide(side)].everDifferedSince(path, FOLDER, since)) {
      this.blame(`INV-9: ${at}, which nobody removed on the other side`);
    }
  }

  /** INV-7: as long as both sides hold the versions that a conflict shows, neither is touched. */
  #judgeConflict(who: Suspect, side: SideName, { path, before, after }: Change, at: string): void {
    if (who.choices.has(path)) return;
    // A storage that shows a version as gone, as if somebody had decided so, and then lets it be replaced all the
    // same lies twice: the trash, which is looked at elsewhere, is all that can be asked for.
    if (who.excuses.precondition && (who.excuses.shortListing || who.excuses.stale)) return;
    // T40: a side that is back at the baseline is disputed no longer, also if it came there while it was hashed for the record.
    const row = who.pair.get(fileKey(path as RelativePath));
    if (isText(before) && isText(after) && row?.kind === 'file' && row.hash === hashOf(before)) return;
    for (const record of who.pair.conflicts()) {
      if (!isWithin(path as RelativePath, record.path)) continue;
      if (record.reason === 'name-collision' || who.choices.has(record.path)) continue;
      const held = (one: SideName): State => (one === side && record.path === path ? before : who.ledgers[one].now.get(record.path));
      if (isShown(record.source, held('source')) && isShown(record.target, held('target'))) {
        this.blame(`INV-7: ${at} is in conflict (${record.reason})`);
      }
    }
  }

  // --- the state ---

  committing(who: Suspect, changes: readonly BaselineChange[]): void {
    const since = this.#mapOf(this.#rowSince, who);
    for (const change of changes) {
      if (change.kind !== 'put') {
        if (change.kind === 'delete') since.delete(change.key);
        else for (const key of [...since.keys()]) if (key.startsWith(change.key)) since.delete(key);
        continue;
      }
      since.set(change.key, this.#ticker.serial);
      this.#judgeRow(who, change.key, change.row);
    }
  }

  #judgeRow(who: Suspect, key: Key, row: Extract<BaselineChange, { kind: 'put' }>['row']): void {
    const path = pathOfKey(key);
    for (const side of ['source', 'target'] as const) {
      const ledger = who.ledgers[side];
      if (row.kind === 'directory') {
        if (isDirectoryKey(key) && ledger.tree.keepsEmptyDirectories && !ledger.everHeld(path, FOLDER)) this.blame(`INV-15: a row for ${key}, which ${name(who, side)} never held`);
        continue;
      }
      const texts = ledger.earlier(path);
      if (!texts.some((text) => hashOf(text) === row.hash)) this.blame(`INV-15: a row for ${key}, a version that ${name(who, side)} never held`);
      const token = side === 'source' ? row.sourceToken : row.targetToken;
      const now = ledger.now.get(path);
      const place = ledger.isHome ? ledger.tree.locate(path, true) : undefined;
      if (!isTrusted(token) || !isText(now) || place?.kind !== 'found' || place.entry.kind !== 'file') continue;
      if (ledger.tree.tokenOf(place.entry) === token && hashOf(now) !== row.hash && !who.excuses.ambiguousTokens) {
        this.blame(`INV-24: the row for ${key} takes ${show(now)} on ${name(who, side)} for another version`);
      }
      const isWritten = side === 'target' || !who.isUnidirectional;
      if (isWritten && hashOf(now) === row.hash && ledger.tree.isDurable(path) === false) {
        this.blame(`INV-15: a row for ${key} before ${name(who, side)} has flushed it`);
      }
    }
  }

  showing(who: Suspect, records: readonly ConflictRecord[]): void {
    const since = this.#mapOf(this.#shownSince, who);
    for (const record of records) since.set(record.path, this.#ticker.serial);
  }

  /** INV-36: a conflict whose versions both still stand, untouched since it was shown, does not end. */
  endingConflicts(who: Suspect, paths: readonly RelativePath[]): void {
    const since = this.#mapOf(this.#shownSince, who);
    // Where a listing shows nothing as if that were all, both sides can look alike.
    if (who.excuses.shortListing || who.excuses.stale) return;
    for (const path of paths) {
      const record = who.pair.conflict(path);
      if (record === undefined || record.reason === 'name-collision' || isIgnored(path, who.ignored)) continue;
      const then = since.get(path) ?? 0;
      const states = { source: who.ledgers.source.now.get(path), target: who.ledgers.target.now.get(path) };
      // A version that changed while it was hashed for the record can have become the other one.
      if (states.source === states.target) continue;
      // A version that a power loss took, and that came again, was away all the same.
      const isUntouched = (['source', 'target'] as const).every((side) => !who.ledgers[side].everDifferedSince(path, states[side], then, true));
      if (isUntouched && isShown(record.source, states.source) && isShown(record.target, states.target)) {
        this.blame(`INV-36: the conflict of ${path} ended by itself on machine ${String(who.index)}`);
      }
    }
  }

  /** The baseline of a machine was forgotten as a whole: what was removed may come back. */
  forgetting(who: Suspect): void {
    this.#rowSince.delete(who);
    this.gone.clear();
  }

  /** A pass begins: mass deletions are counted anew. */
  passBegins(who: Suspect): void {
    const known = who.pair.totals().files;
    const record = (): { count: number; known: number; since: number } => ({ count: 0, known, since: this.#ticker.serial });
    this.#removals.set(who, { source: record(), target: record() });
  }

  #removalsOf(who: Suspect): Record<SideName, { count: number; known: number; since: number }> {
    if (!this.#removals.has(who)) this.passBegins(who);
    return this.#removals.get(who)!;
  }

  #mapOf<K>(maps: Map<Suspect, Map<K, number>>, who: Suspect): Map<K, number> {
    let map = maps.get(who);
    if (map === undefined) maps.set(who, (map = new Map<K, number>()));
    return map;
  }
}

/** Whether the rules leave out a name or one above it. */
export function isIgnored(path: string, ignored: readonly string[]): boolean {
  if (ignored.length === 0) return false;
  return [...ancestorsOf(path as RelativePath), path].some((place) => ignored.includes(place.slice(place.lastIndexOf('/') + 1)));
}

/** Whether a state is the version that a conflict shows. */
export function isShown(version: Version, state: State): boolean {
  if (version.kind === 'absent') return state === undefined;
  if (version.kind === 'directory') return state === FOLDER;
  return isText(state) && version.sha256 !== undefined && version.sha256 === hashOf(state);
}

/** A state for people. */
export function show(state: State): string {
  if (state === undefined) return 'nothing';
  return state === FOLDER ? 'folder' : JSON.stringify(state);
}

function name(who: Suspect, side: SideName): string {
  return side === 'source' ? `folder ${String(who.index + 1)}` : `the shared storage (machine ${String(who.index + 1)})`;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/**
 * A person with two hands, and the book that is kept about them. Each path has one owner, the
 * side it is edited at, so that it is known at every moment what has to be there in the end;
 * paths in `both/` are edited at both, where a conflict is as good as a sequence. The check is
 * independent: it walks both sides itself and knows nothing of the product but its trash.
 *
 * A fault between a copy and the record of it leaves a version that no baseline knows. What a person
 * does to the same path before the next rest is then a conflict, or comes back, and rightly so
 * (INV-12): that is allowed for paths that were changed twice since the last rest, and counted.
 *
 * INV-5: every version that no person gave up is in place, in a conflict, or in a trash.
 * INV-6: what is visible is a version that somebody wrote, whole.
 */
import { sha256 } from './sha256.mjs';

const SIDES = ['left', 'right'];
const EMPTY = sha256(Buffer.alloc(0));
/** Files a person has at most, at each side. */
const MOST_FILES = 60;

/** What was written and removed, by whom. */
export class Ledger {
  #count = 0;
  /** Hashes of everything ever written. */
  #written = new Set([EMPTY]);
  /** Path to the hash that has to be there. */
  expected = new Map();
  /** Paths that were removed and not made again. */
  removed = new Set();
  /** Path in `both/` to the last hash per side; `undefined` where none was written. */
  contested = new Map();
  /** Path to how often it was changed since everything was at rest. */
  #changes = new Map();

  /** `sides` are `{ left, right }`; `label` makes contents unlike those of other rounds. */
  constructor(sides, chance, label) {
    Object.assign(this, { sides, chance, label });
  }

  /** So many acts. Answers how many took place: a person's own disk may be full, too. */
  act(count, options) {
    let done = 0;
    for (let index = 0; index < count; index += 1) done += this.#actOnce(options) ? 1 : 0;
    return done;
  }

  #actOnce({ sizes = [0, 10, 1000, 40_000], contests = true, only = SIDES, removes = 0.2 } = {}) {
    const side = this.chance.pick(only);
    const mine = [...this.expected.keys()].filter((name) => name.startsWith(side));
    const dice = this.chance.next();
    try {
      if (contests && dice < 0.1) return this.contest(side, `both/${this.chance.below(5)}.txt`, this.content(this.chance.pick(sizes)));
      if (mine.length > 4 && dice < 0.1 + removes) return this.remove(side, this.chance.pick(mine));
      const name = mine.length > 0 && (mine.length > MOST_FILES || this.chance.happens(0.4)) ? this.chance.pick(mine) : this.#newName(side);
      return this.write(side, name, this.content(this.chance.pick(sizes)));
    } catch (error) {
      if (['ENOSPC', 'EACCES', 'EPERM', 'ENOTDIR', 'EIO'].includes(error.code)) return false;
      throw error;
    }
  }

  #newName(side) {
    const depth = this.chance.below(3);
    const parts = Array.from({ length: depth }, () => `d${this.chance.below(3)}`);
    return [side, ...parts, `f${this.#count}.txt`].join('/');
  }

  /** Bytes that were never written before. */
  content(sizeBytes) {
    this.#count += 1;
    const head = `${this.label} version ${this.#count}\n`;
    const filler = 'abcdefghijklmnopqrstuvwxyz0123456789\n'.repeat(Math.ceil(sizeBytes / 37));
    return Buffer.from(head + filler.slice(0, sizeBytes));
  }

  /** Everything is at rest: baselines know it all. */
  rested() {
    this.#changes.clear();
  }

  /** Whether a fault may have left a version of it that no baseline knows. */
  isShaky(name) {
    return (this.#changes.get(name) ?? 0) > 1;
  }

  #changed(name) {
    this.#changes.set(name, (this.#changes.get(name) ?? 0) + 1);
  }

  write(side, name, bytes) {
    // Noted before: it may be seen on the other side before this call is back.
    this.#written.add(sha256(bytes));
    const isInPlace = bytes.length < 4096 && this.chance.happens(0.3);
    try {
      this.sides[side].write(name, bytes, isInPlace);
    } catch (error) {
      // Who saves in place on a full disk has saved what is left there: nothing, mostly.
      const left = isInPlace ? this.sides[side].look().files.get(name) : undefined;
      if (left !== undefined) this.#noteSaved(name, left);
      throw error;
    }
    this.#noteSaved(name, sha256(bytes));
    return true;
  }

  #noteSaved(name, hash) {
    this.#written.add(hash);
    this.#changed(name);
    this.expected.set(name, hash);
    this.removed.delete(name);
  }

  remove(side, name) {
    this.sides[side].remove(name);
    this.#changed(name);
    this.expected.delete(name);
    this.removed.add(name);
    return true;
  }

  contest(side, name, bytes) {
    this.#written.add(sha256(bytes));
    this.sides[side].write(name, bytes);
    this.contested.set(name, { ...this.contested.get(name), [side]: sha256(bytes) });
    return true;
  }

  /** What is wrong in the middle of everything: nobody but its owner may have touched a path at its own side, and nothing is torn. */
  findings() {
    const seen = this.#look();
    const found = this.#torn(seen);
    for (const [name, hash] of this.expected) {
      const side = name.split('/')[0];
      const there = seen[side].files.get(name);
      if (there === undefined) found.push({ kind: 'falseDelete', text: `${name} is gone from ${side}, where it was written` });
      else if (there !== hash) found.push({ kind: 'lost', text: `${name} was overwritten at ${side}, where it was written` });
    }
    return found;
  }

  /** The same while everything is at rest, for both sides, given the paths in conflict; `lenient`: a removed file may come back. */
  findingsAtRest({ lenient = false, conflicts = new Set() } = {}) {
    const seen = this.#look();
    const found = this.#torn(seen);
    for (const side of SIDES) {
      for (const [name, hash] of this.expected) {
        const there = seen[side].files.get(name);
        if (there === hash) continue;
        const isKept = SIDES.some((one) => seen[one].kept.has(hash) || [...seen[one].files.values()].includes(hash));
        const isConflict = side !== name.split('/')[0] && conflicts.has(name) && this.isShaky(name);
        if (!isKept) found.push({ kind: 'lost', text: `${name} is nowhere any more` });
        else if (!lenient && !isConflict) found.push({ kind: there === undefined ? 'falseDelete' : 'lost', text: `${name} is ${there === undefined ? 'not' : 'another version'} at ${side}` });
      }
      for (const name of seen[side].files.keys()) {
        if (this.expected.has(name) || this.contested.has(name)) continue;
        if (this.removed.has(name)) {
          if (!lenient && !this.isShaky(name)) found.push({ kind: 'resurrected', text: `${name} is back at ${side}` });
        } else found.push({ kind: 'foreign', text: `${name} at ${side} was made by nobody` });
      }
    }
    return [...found, ...this.#lostContests(seen)];
  }

  /** Whether both sides hold what they have to; cheap enough to be asked again and again. */
  isSettled(conflicts = new Set()) {
    const seen = this.#look();
    const isAllowed = (name) => this.expected.has(name) || this.contested.has(name) || this.isShaky(name);
    return SIDES.every((side) => {
      for (const [name, hash] of this.expected) if (seen[side].files.get(name) !== hash && !(conflicts.has(name) && this.isShaky(name))) return false;
      return [...seen[side].files.keys()].every(isAllowed);
    });
  }

  /** How many paths wait for a person, or came back, because no baseline knew their last version. */
  leftToPeople(conflicts) {
    const { left } = this.#look();
    return [...conflicts].filter((name) => !this.contested.has(name)).length + [...left.files.keys()].filter((name) => this.removed.has(name)).length;
  }

  get files() {
    return this.expected.size + this.contested.size;
  }

  #torn(seen) {
    return SIDES.flatMap((side) =>
      [...seen[side].files].filter(([, hash]) => !this.#written.has(hash)).map(([name]) => ({ kind: 'torn', text: `${name} at ${side} is a version that nobody wrote` })),
    );
  }

  #lostContests(seen) {
    const everywhere = new Set(SIDES.flatMap((side) => [...seen[side].kept, ...seen[side].files.values()]));
    const found = [];
    for (const [name, versions] of this.contested) {
      for (const side of SIDES) {
        if (versions[side] !== undefined && !everywhere.has(versions[side])) found.push({ kind: 'lost', text: `${name}: what ${side} wrote last is nowhere any more` });
      }
    }
    return found;
  }

  #look() {
    return { left: this.sides.left.look(), right: this.sides.right.look() };
  }
}

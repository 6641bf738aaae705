/**
 * Plans a whole tree from one ordered stream of names: feeds `reconcile` with one name
 * at a time and adds the rules that span names (DESIGN §2, §4; SPEC.md, "Trees").
 *
 * - A file `a` and a directory `a/` are not neighbours in key order (`a`, `a.txt`, `a/`):
 *   a file's name is *held* until keys that can still be `a/` are past.
 * - A directory that one side deleted is *doomed* until its last entry was seen: new
 *   content below brings it back, anything else that stays keeps it where it is (INV-9, T65).
 * - Below a conflict or an unobservable place nothing is decided (INV-7, INV-8).
 * - Below a directory that the baseline does not have, no row is a reason to delete (INV-12).
 * - Under a side that folds names, two names that fold alike are a conflict (INV-35, T73).
 *
 * INV-4: items come in an order in which every prefix leaves both sides a tree: a directory
 * before what is copied into it, what is deleted before the directory that held it.
 * INV-40: memory is the depth of the tree plus the names held, never its size (with folding:
 * the names of the directories that are open).
 */

import { ABSENT, type BaselineNode, type DirectoryNode, type FileNode, type Node, type SideName } from './content.js';
import { FoldedNames } from './folded-names.js';
import { directoryKey, fileKey, pathOfKey, type Key, type RelativePath } from './path.js';
import type { PlanItem, Survivor, Triple } from './plan.js';
import { reconcile, reconcileOneWay, type Decision, type KnownConflict } from './reconcile.js';
import { assertNever, invariant } from './result.js';

/** What a planner needs to know of its job. */
export interface PlannerOptions {
  readonly isUnidirectional: boolean;
  /** The recorded conflict of a path. */
  known(path: RelativePath): KnownConflict | undefined;
  /** Maps a name to what a side that does not tell such names apart sees; absent when both sides tell all names apart. */
  readonly fold?: (name: string) => string;
}

/** How what lies below a directory is taken. */
type Mode =
  /** On both sides and in the baseline: name by name. */
  | 'present'
  /** Not in the baseline, or brought to the other side whole: rows below are leftovers and count for nothing. */
  | 'fresh'
  /** On one side only, deleted on the other: goes if nothing in it stays. */
  | 'doomed'
  /** Left out by the rules: the baseline forgets what is below. */
  | 'ignored'
  /** In conflict or not observable: nothing below is decided. */
  | 'skipped';

interface Frame {
  readonly type: 'frame';
  readonly path: RelativePath;
  /** The directory's key: what every key below starts with. */
  readonly prefix: string;
  readonly parent: Frame | undefined;
  mode: Mode;
  /** Where a doomed directory still is. */
  readonly side: SideName;
  survivor: Survivor | undefined;
  names: FoldedNames | undefined;
}

/** All that is known of one name, from its keys as a file and as a directory. */
interface Name {
  readonly type: 'name';
  readonly path: RelativePath;
  readonly fileRow: BaselineNode;
  readonly directoryRow: BaselineNode;
  readonly source: Node;
  readonly target: Node;
}

const SIDES = ['source', 'target'] as const;

/**
 * Plans one directory and all below it. Feed keys in key order, then `finish`. Keys on which
 * all three agree may be left out, which is what makes a pass without changes cheap; except
 * where names are folded, or a storage shows a file and a directory of one name (T76).
 */
export class TreePlanner {
  readonly #options: PlannerOptions;
  /** What is open: directories that hold the current key, and names that may still turn out to be directories. */
  readonly #stack: (Frame | Name)[] = [];
  #frame: Frame;

  /** `root` is a directory that is on both sides (the storages' root, or one that the caller looked at). */
  constructor(root: RelativePath, options: PlannerOptions) {
    this.#options = options;
    this.#frame = newFrame(root, undefined, 'present', 'source');
  }

  /** Takes one key of the merged streams and appends what is decided by it, and by having passed earlier ones. */
  visit(triple: Triple, out: PlanItem[]): void {
    const { key, baseline, source, target } = triple;
    this.#closeBefore(key, out);
    if (this.#frame.mode === 'skipped') return;
    if (this.#frame.mode === 'ignored') {
      if (baseline.kind !== 'absent') out.push({ kind: 'forget', key });
      return;
    }
    const isDirectory = key.endsWith('/');
    if (this.#options.fold !== undefined && isToBeOnBothSides(source, target) && this.#noteName(key, out)) {
      // A name that is taken already could only be merged into the other one.
      this.#frame.survivor ??= 'conflict';
      if (isDirectory) this.#open(pathOfKey(key), 'skipped');
    } else if (isDirectory) {
      this.#visitDirectory(triple, out);
    } else {
      this.#stack.push({ type: 'name', path: pathOfKey(key), fileRow: baseline, directoryRow: ABSENT, source, target });
    }
  }

  /** All keys were fed: appends what was still open. */
  finish(out: PlanItem[]): void {
    for (let top = this.#stack.pop(); top !== undefined; top = this.#stack.pop()) this.#close(top, out);
  }

  #visitDirectory(triple: Triple, out: PlanItem[]): void {
    const held = this.#takeHeld(triple.key);
    const name: Name = {
      type: 'name',
      path: pathOfKey(triple.key),
      fileRow: held?.fileRow ?? ABSENT,
      directoryRow: triple.baseline,
      source: mergeKinds(held?.source, triple.source),
      target: mergeKinds(held?.target, triple.target),
    };
    const mode = this.#decideName(name, out);
    this.#open(name.path, mode, name.source.kind === 'directory' ? 'source' : 'target');
  }

  /** Decides one name, all of whose keys are known, and says how what lies below it is to be taken. */
  #decideName(name: Name, out: PlanItem[]): Mode {
    const { path, source, target } = name;
    const baseline = this.#frame.mode === 'fresh' ? ABSENT : baselineOf(name);
    const decision = this.#options.isUnidirectional
      ? reconcileOneWay(baseline, source, target)
      : reconcile(baseline, source, target, this.#options.known(path));
    switch (decision.kind) {
      case 'in-sync':
        if (source.kind === 'file' && target.kind === 'file') out.push({ kind: 'in-sync', path, source, target });
        forgetAllBut(source.kind, name, out);
        return this.#modeBelow(name, source, source.kind === 'directory' ? 'present' : 'fresh', out);
      case 'adopt':
        out.push({ kind: 'adopt', path, source: present(source), target: present(target) });
        forgetAllBut(source.kind, name, out);
        return this.#modeBelow(name, source, 'fresh', out);
      case 'forget':
        forgetAllBut('absent', name, out);
        return 'fresh';
      case 'copy':
        return this.#copy(name, decision.to, out);
      case 'delete':
        return this.#delete(name, decision.on, out);
      default:
        return this.#stay(decision, name, out);
    }
  }

  /** Brings what the other side has to `to`: a file, or a directory whose entries follow. */
  #copy(name: Name, to: SideName, out: PlanItem[]): Mode {
    const { path, source, target } = name;
    const [from, replaced] = to === 'target' ? [source, target] : [target, source];
    this.#bringBack(this.#frame, to, out);
    if (from.kind === 'directory') {
      invariant(replaced.kind === 'absent', 'INV-5: a directory is made where there is nothing');
      // Two-way, a directory that the baseline has is brought back only by a choice. Its rows go
      // first: seen together with the new directory, by a pass after an interruption, they would
      // turn what is still to be copied into deletions.
      forgetAllBut(this.#options.isUnidirectional ? 'directory' : 'absent', name, out);
      out.push({ kind: 'make-directory', on: to, path });
    } else {
      invariant(replaced.kind === 'file' || replaced.kind === 'absent', 'INV-5: a file replaces a file or nothing');
      out.push({ kind: 'copy-file', to, path, from: file(from), replaces: replaced.kind === 'file' ? replaced : undefined });
      forgetAllBut('file', name, out);
    }
    return this.#modeBelow(name, from, 'fresh', out);
  }

  /** Removes what still is the baseline's from `on`: a file at once, a directory once nothing is left in it. */
  #delete(name: Name, on: SideName, out: PlanItem[]): Mode {
    const { path } = name;
    const node = name[on];
    if (node.kind !== 'directory') {
      out.push({ kind: 'delete-file', on, path, node: file(node) });
      return 'fresh';
    }
    const mode = this.#modeBelow(name, node, 'doomed', out);
    // INV-9: what could not be listed may hold anything.
    if (mode === 'skipped') this.#keep(on, path, 'blocked', out);
    return mode;
  }

  /** Carries out the decisions that change nothing on either side. */
  #stay(decision: Extract<Decision, { kind: Survivor }>, name: Name, out: PlanItem[]): Mode {
    const { path, source, target } = name;
    this.#frame.survivor ??= decision.kind;
    switch (decision.kind) {
      case 'conflict':
        if (decision.cause === 'name-collision') out.push(collision(path));
        else out.push({ kind: 'conflict', path, cause: decision.cause, source, target });
        return 'skipped';
      case 'blocked':
        for (const side of SIDES) {
          const node = name[side];
          if (node.kind === 'unknown') out.push({ kind: 'blocked', path, side, reason: node.reason });
        }
        return 'skipped';
      case 'ignored':
        forgetAllBut('absent', name, out);
        return 'ignored';
      case 'left-alone':
        // What only the target of a one-way job has is entered, to leave each of its entries alone.
        forgetAllBut('absent', name, out);
        return this.#modeBelow(name, target, 'fresh', out);
      default:
        return assertNever(decision);
    }
  }

  /** How a directory that is entered is taken: as `mode` says, unless a side could not list it to the end (INV-8). */
  #modeBelow(name: Name, node: Node, mode: Mode, out: PlanItem[]): Mode {
    if (node.kind !== 'directory') return mode;
    let isListed = true;
    for (const side of SIDES) {
      const seen = name[side];
      if (seen.kind !== 'directory' || seen.unlisted === undefined) continue;
      out.push({ kind: 'blocked', path: name.path, side, reason: seen.unlisted });
      isListed = false;
    }
    return isListed ? mode : 'skipped';
  }

  /** New content is coming to `to`: the directories it needs, which `to` had deleted, are made again, outermost first. */
  #bringBack(frame: Frame | undefined, to: SideName, out: PlanItem[]): void {
    if (frame === undefined || frame.mode !== 'doomed') return;
    this.#bringBack(frame.parent, to, out);
    frame.mode = 'present';
    out.push({ kind: 'make-directory', on: to, path: frame.path });
  }

  /** A doomed directory stays, and so does what holds it. */
  #keep(on: SideName, path: RelativePath, because: Survivor, out: PlanItem[]): void {
    out.push({ kind: 'keep-directory', on, path, because });
    this.#frame.survivor ??= because;
  }

  #open(path: RelativePath, mode: Mode, side: SideName = 'source'): void {
    this.#frame = newFrame(path, this.#frame, mode, side);
    this.#stack.push(this.#frame);
  }

  /** Closes what no further key can belong to, innermost first. */
  #closeBefore(key: Key, out: PlanItem[]): void {
    for (let top = this.#stack.at(-1); top !== undefined; top = this.#stack.at(-1)) {
      if (top.type === 'frame' ? key.startsWith(top.prefix) : mayStillMeet(top, key)) break;
      this.#stack.pop();
      this.#close(top, out);
    }
  }

  #close(item: Frame | Name, out: PlanItem[]): void {
    if (item.type === 'name') {
      this.#decideName(item, out);
      return;
    }
    invariant(item.parent !== undefined, 'only directories below the root are closed');
    this.#frame = item.parent;
    if (item.mode !== 'doomed') return;
    if (item.survivor === undefined) out.push({ kind: 'delete-directory', on: item.side, path: item.path });
    else this.#keep(item.side, item.path, item.survivor, out);
  }

  /** The file of the name that `key` now shows as a directory, if one is held. */
  #takeHeld(key: Key): Name | undefined {
    const top = this.#stack.at(-1);
    if (top === undefined || top.type === 'frame' || directoryKey(top.path) !== key) return undefined;
    this.#stack.pop();
    return top;
  }

  /** Reports names of one directory that a folding side cannot hold together; says whether the name of `key` is taken. */
  #noteName(key: Key, out: PlanItem[]): boolean {
    const { fold } = this.#options;
    if (fold === undefined) return false;
    const { prefix } = this.#frame;
    const names = (this.#frame.names ??= new FoldedNames(fold));
    const name = pathOfKey(key).slice(prefix.length);
    for (const colliding of names.note(name)) out.push(collision(`${prefix}${colliding}` as RelativePath));
    return names.isTaken(name);
  }
}

function newFrame(path: RelativePath, parent: Frame | undefined, mode: Mode, side: SideName): Frame {
  return { type: 'frame', path, prefix: directoryKey(path), parent, mode, side, survivor: undefined, names: undefined };
}

/** Between the file key `a` and the directory key `a/` lie only keys that start with `a` and a byte below `/`. */
function mayStillMeet({ path }: Name, key: string): boolean {
  return key.startsWith(path) && key.charCodeAt(path.length) <= SLASH;
}

const SLASH = 0x2f;

/** A storage that shows a file and a directory of one name cannot be understood there (T76). */
function mergeKinds(asFile: Node | undefined, asDirectory: Node): Node {
  if (asFile === undefined || asFile.kind === 'absent') return asDirectory;
  return asDirectory.kind === 'absent' ? asFile : { kind: 'unknown', reason: 'file-and-directory' };
}

/** The baseline knows a name as one kind. Rows of both kinds are what a crash left behind: neither can be trusted. */
function baselineOf({ fileRow, directoryRow }: Name): BaselineNode {
  if (fileRow.kind === 'absent') return directoryRow;
  return directoryRow.kind === 'absent' ? fileRow : ABSENT;
}

/** Drops the rows of a name that are not of the kind that it now is; a directory's row goes with all below it. */
function forgetAllBut(now: Node['kind'], { path, fileRow, directoryRow }: Name, out: PlanItem[]): void {
  if (fileRow.kind !== 'absent' && now !== 'file') out.push({ kind: 'forget', key: fileKey(path) });
  if (directoryRow.kind !== 'absent' && now !== 'directory') out.push({ kind: 'forget', key: directoryKey(path) });
}

/** Whether a name is on a side and the rules want it on both. */
function isToBeOnBothSides(source: Node, target: Node): boolean {
  if (source.kind === 'ignored' || target.kind === 'ignored') return false;
  return source.kind !== 'absent' || target.kind !== 'absent';
}

/** A conflict of names, not of versions: it shows none. */
function collision(path: RelativePath): PlanItem {
  return { kind: 'conflict', path, cause: 'name-collision', source: ABSENT, target: ABSENT };
}

function file(node: Node): FileNode {
  invariant(node.kind === 'file', 'INV-5: a file operation on something that is no file');
  return node;
}

function present(node: Node): FileNode | DirectoryNode {
  invariant(node.kind === 'file' || node.kind === 'directory', 'INV-19: adopted what neither side holds');
  return node;
}

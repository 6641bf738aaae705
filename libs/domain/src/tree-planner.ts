/**
 * Plans a whole tree from one ordered stream of names: feeds `reconcile` with one name
 * at a time and adds the rules that span names (DESIGN §2, §4).
 *
 * - A file `a` and a directory `a/` are not neighbours in key order (`a`, `a.txt`, `a/`):
 *   a name that is missing on a side is *held* until keys starting with it are past.
 * - A directory that one side deleted is *doomed* until its last entry was seen: new
 *   content below brings it back, anything else that stays keeps it where it is (INV-9, T65).
 * - Below a conflict or an unobservable place nothing is decided (INV-7, INV-8).
 * - Under a side that folds names, two names that fold alike are a conflict (INV-35, T73).
 *
 * INV-4: items come in an order in which every prefix leaves both sides a tree: a directory
 * before what is copied into it, what is deleted before the directory that held it.
 * INV-40: memory is the depth of the tree plus the names held, never its size (with folding:
 * the names of the directories that are open).
 */

import {
  ABSENT,
  otherSide,
  type BaselineNode,
  type DirectoryNode,
  type FileNode,
  type Node,
  type SideName,
  type UnknownReason,
} from './content.js';
import { directoryKey, fileKey, pathOfKey, type Key, type RelativePath } from './path.js';
import { reconcile, reconcileOneWay, type ConflictCause, type Decision, type KnownConflict } from './reconcile.js';
import { assertNever, invariant } from './result.js';

/** One step of a plan. Paths are complete, from the root. */
export type PlanItem =
  /** The same file on both sides, as the baseline says; tokens may have moved on. */
  | { readonly kind: 'in-sync'; readonly path: RelativePath; readonly source: FileNode; readonly target: FileNode }
  | {
      readonly kind: 'adopt';
      readonly path: RelativePath;
      readonly source: FileNode | DirectoryNode;
      readonly target: FileNode | DirectoryNode;
    }
  | { readonly kind: 'forget'; readonly key: Key }
  | { readonly kind: 'make-directory'; readonly on: SideName; readonly path: RelativePath }
  | {
      readonly kind: 'copy-file';
      readonly to: SideName;
      readonly path: RelativePath;
      readonly from: FileNode;
      readonly replaces: FileNode | undefined;
    }
  | { readonly kind: 'delete-file'; readonly on: SideName; readonly path: RelativePath; readonly node: FileNode }
  | { readonly kind: 'delete-directory'; readonly on: SideName; readonly path: RelativePath }
  /** A directory deleted on the other side stays on `on`, because of what it still holds. */
  | { readonly kind: 'keep-directory'; readonly on: SideName; readonly path: RelativePath; readonly because: Survivor }
  | {
      readonly kind: 'conflict';
      readonly path: RelativePath;
      readonly cause: ConflictCause;
      readonly source: Node;
      readonly target: Node;
    }
  | { readonly kind: 'blocked'; readonly path: RelativePath; readonly side: SideName; readonly reason: UnknownReason };

/** What keeps a directory from being deleted. */
export type Survivor = 'conflict' | 'blocked' | 'ignored' | 'left-alone';

/** One key of the merged streams. A side is absent where its listing has no such key. */
export interface Triple {
  readonly key: Key;
  readonly baseline: BaselineNode;
  readonly source: Node;
  readonly target: Node;
}

/** What a planner needs to know of its job. */
export interface PlannerOptions {
  readonly isUnidirectional: boolean;
  /** The recorded conflict of a path. */
  known(path: RelativePath): KnownConflict | undefined;
  /** Maps a name to what a side that does not tell such names apart sees; absent when both sides tell all names apart. */
  readonly fold?: (name: string) => string;
}

type Mode =
  /** On both sides now, or brought to both by this plan. */
  | 'present'
  /** On `side` only, deleted on the other: goes if nothing in it stays. */
  | 'doomed'
  /** In the baseline only. */
  | 'gone'
  /** Left out by the rules. */
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
  readonly unlisted: { readonly source: UnknownReason | undefined; readonly target: UnknownReason | undefined };
  names: Map<string, string> | undefined;
}

interface Held {
  readonly type: 'held';
  readonly path: RelativePath;
  readonly prefix: string;
  readonly baseline: BaselineNode;
  readonly source: Node;
  readonly target: Node;
}

/** Plans one directory and all below it. Feed keys in key order, then `finish`. */
export class TreePlanner {
  readonly #options: PlannerOptions;
  readonly #stack: (Frame | Held)[] = [];
  #frame: Frame;

  /** `root` is a directory that is on both sides (the storages' root, or one that the caller looked at). */
  constructor(root: RelativePath, options: PlannerOptions) {
    this.#options = options;
    this.#frame = {
      type: 'frame',
      path: root,
      prefix: directoryKey(root),
      parent: undefined,
      mode: 'present',
      side: 'source',
      survivor: undefined,
      unlisted: { source: undefined, target: undefined },
      names: undefined,
    };
  }

  /**
   * Says that `key` comes next and needs no decision (all three agree): closes what it has
   * left behind. Cheap when nothing is open but directories that hold `key`.
   */
  advance(key: Key, out: PlanItem[]): void {
    for (let top = this.#stack.at(-1); top !== undefined; top = this.#stack.at(-1)) {
      if (top.type === 'frame' ? key.startsWith(top.prefix) : mayStillMeet(top, key)) break;
      this.#stack.pop();
      this.#close(top, out);
    }
    if (this.#options.fold !== undefined) this.#noteName(key, out);
  }

  /** Whether what lies below the current directory is not decided at all. */
  get isSkipping(): boolean {
    return this.#frame.mode === 'skipped';
  }

  /** Takes one key of the merged streams and appends what is decided by it. */
  visit(triple: Triple, out: PlanItem[]): void {
    this.advance(triple.key, out);
    if (triple.key.endsWith('/')) this.#visitDirectory(triple, out);
    else this.#visitFile(triple, out);
  }

  /** All keys were fed: appends what was still open. */
  finish(out: PlanItem[]): void {
    for (let top = this.#stack.pop(); top !== undefined; top = this.#stack.pop()) this.#close(top, out);
  }

  #visitFile({ key, baseline, source, target }: Triple, out: PlanItem[]): void {
    if (this.#frame.mode === 'skipped') return;
    if (this.#frame.mode === 'ignored') {
      if (baseline.kind !== 'absent') out.push({ kind: 'forget', key });
      return;
    }
    const path = pathOfKey(key);
    const name: Held = {
      type: 'held',
      path,
      prefix: `${key}/`,
      baseline,
      source: this.#observed('source', source),
      target: this.#observed('target', target),
    };
    // Where a side lacks the file it may still turn out to have a directory of that name.
    if (name.source.kind === 'absent' || name.target.kind === 'absent') this.#stack.push(name);
    else this.#decideFile(name, out);
  }

  #visitDirectory(triple: Triple, out: PlanItem[]): void {
    const held = this.#takeHeld(triple.key);
    if (this.#frame.mode === 'skipped') return;
    if (this.#frame.mode === 'ignored') {
      if (triple.baseline.kind !== 'absent') out.push({ kind: 'forget', key: triple.key });
      return;
    }
    const path = pathOfKey(triple.key);
    const source = this.#observed('source', mergeKinds(held?.source, triple.source));
    const target = this.#observed('target', mergeKinds(held?.target, triple.target));
    // The baseline knows a name as one kind; a row of the other kind is a leftover of an earlier one.
    const fileRow = held?.baseline ?? ABSENT;
    const baseline = triple.baseline.kind === 'absent' ? fileRow : triple.baseline;
    if (fileRow.kind !== 'absent' && baseline !== fileRow) out.push({ kind: 'forget', key: fileKey(path) });
    this.#decideDirectory(path, baseline, source, target, out);
  }

  /** Decides a name that no side and no baseline row has as a directory. */
  #decideFile({ path, baseline, source, target }: Held, out: PlanItem[]): void {
    const decision = this.#decide(path, baseline, source, target);
    switch (decision.kind) {
      case 'in-sync':
        if (source.kind === 'file' && target.kind === 'file') out.push({ kind: 'in-sync', path, source, target });
        return;
      case 'adopt':
        out.push({ kind: 'adopt', path, source: present(source), target: present(target) });
        return;
      case 'forget':
        out.push({ kind: 'forget', key: fileKey(path) });
        return;
      case 'copy':
        this.#copyFile(decision.to, path, source, target, out);
        return;
      case 'delete':
        out.push({ kind: 'delete-file', on: decision.on, path, node: file(decision.on === 'source' ? source : target) });
        return;
      default:
        this.#stay(decision, path, baseline, source, target, out);
    }
  }

  /** Decides a name that is a directory on a side or in the baseline, and opens it. */
  #decideDirectory(path: RelativePath, baseline: BaselineNode, source: Node, target: Node, out: PlanItem[]): void {
    const decision = this.#decide(path, baseline, source, target);
    switch (decision.kind) {
      case 'in-sync':
        return this.#open(path, baseline.kind === 'absent' ? 'gone' : 'present', source, target, out);
      case 'adopt':
        out.push({ kind: 'adopt', path, source: present(source), target: present(target) });
        this.#forgetOtherKind(path, baseline, source.kind, out);
        return this.#open(path, source.kind === 'directory' ? 'present' : 'gone', source, target, out);
      case 'forget':
        out.push({ kind: 'forget', key: baselineKey(path, baseline) });
        return this.#open(path, 'gone', source, target, out);
      case 'copy': {
        const from = decision.to === 'source' ? target : source;
        if (from.kind === 'file') this.#copyFile(decision.to, path, source, target, out);
        else this.#makeDirectory(decision.to, path, out);
        this.#forgetOtherKind(path, baseline, from.kind, out);
        return this.#open(path, from.kind === 'file' ? 'gone' : 'present', source, target, out);
      }
      case 'delete': {
        const node = decision.on === 'source' ? source : target;
        if (node.kind === 'directory') return this.#open(path, 'doomed', source, target, out, decision.on);
        out.push({ kind: 'delete-file', on: decision.on, path, node: file(node) });
        return this.#open(path, 'gone', source, target, out);
      }
      default:
        this.#stay(decision, path, baseline, source, target, out);
        // What only the target of a one-way job has is entered, to leave each of its entries alone.
        return this.#open(path, OPEN_AFTER[decision.kind], source, target, out);
    }
  }

  #decide(path: RelativePath, baseline: BaselineNode, source: Node, target: Node): Decision {
    return this.#options.isUnidirectional
      ? reconcileOneWay(baseline, source, target)
      : reconcile(baseline, source, target, this.#options.known(path));
  }

  /** Carries out the decisions that change nothing on either side. */
  #stay(
    decision: Extract<Decision, { kind: keyof typeof OPEN_AFTER }>,
    path: RelativePath,
    baseline: BaselineNode,
    source: Node,
    target: Node,
    out: PlanItem[],
  ): void {
    switch (decision.kind) {
      case 'conflict':
        out.push({ kind: 'conflict', path, cause: decision.cause, source, target });
        break;
      case 'blocked': {
        const node = decision.side === 'source' ? source : target;
        invariant(node.kind === 'unknown', 'INV-8: blocked by a side that was observed');
        out.push({ kind: 'blocked', path, side: decision.side, reason: node.reason });
        break;
      }
      case 'ignored':
        if (baseline.kind !== 'absent') out.push({ kind: 'forget', key: baselineKey(path, baseline) });
        break;
      case 'left-alone':
        break;
      default:
        assertNever(decision);
    }
    this.#frame.survivor ??= decision.kind;
  }

  #copyFile(to: SideName, path: RelativePath, source: Node, target: Node, out: PlanItem[]): void {
    const [from, replaced] = to === 'target' ? [source, target] : [target, source];
    invariant(replaced.kind === 'file' || replaced.kind === 'absent', 'INV-5: a file replaces a file or nothing');
    this.#bringBack(this.#frame, to, out);
    out.push({ kind: 'copy-file', to, path, from: file(from), replaces: replaced.kind === 'file' ? replaced : undefined });
  }

  #makeDirectory(on: SideName, path: RelativePath, out: PlanItem[]): void {
    this.#bringBack(this.#frame, on, out);
    out.push({ kind: 'make-directory', on, path });
  }

  /** New content is coming to `to`: the directories it needs, which `to` had deleted, are made again, outermost first. */
  #bringBack(frame: Frame | undefined, to: SideName, out: PlanItem[]): void {
    if (frame === undefined || frame.mode !== 'doomed' || frame.side === to) return;
    this.#bringBack(frame.parent, to, out);
    frame.mode = 'present';
    out.push({ kind: 'make-directory', on: to, path: frame.path });
  }

  /** A name changed from file to directory or back: its old row goes (rows below a directory are met on their own). */
  #forgetOtherKind(path: RelativePath, baseline: BaselineNode, now: Node['kind'], out: PlanItem[]): void {
    if (baseline.kind !== 'absent' && baseline.kind !== now) out.push({ kind: 'forget', key: baselineKey(path, baseline) });
  }

  #open(path: RelativePath, mode: Mode, source: Node, target: Node, out: PlanItem[], side: SideName = 'source'): void {
    const parent = this.#frame;
    const unlisted = { source: unlistedReason(source), target: unlistedReason(target) };
    const isEntered = mode === 'present' || mode === 'doomed';
    for (const on of ['source', 'target'] as const) {
      const reason = unlisted[on];
      if (isEntered && reason !== undefined) out.push({ kind: 'blocked', path, side: on, reason });
    }
    this.#frame = {
      type: 'frame',
      path,
      prefix: directoryKey(path),
      parent,
      mode,
      side,
      // INV-9: what could not be listed may hold anything.
      survivor: unlisted[side] === undefined ? undefined : 'blocked',
      unlisted: {
        source: parent.unlisted.source ?? unlisted.source,
        target: parent.unlisted.target ?? unlisted.target,
      },
      names: undefined,
    };
    this.#stack.push(this.#frame);
  }

  #close(item: Frame | Held, out: PlanItem[]): void {
    if (item.type === 'held') {
      this.#decideFile(item, out);
      return;
    }
    invariant(item.parent !== undefined, 'only directories below the root are closed');
    this.#frame = item.parent;
    if (item.mode !== 'doomed') return;
    if (item.survivor === undefined) {
      out.push({ kind: 'delete-directory', on: item.side, path: item.path });
    } else {
      out.push({ kind: 'keep-directory', on: item.side, path: item.path, because: item.survivor });
      this.#frame.survivor ??= item.survivor;
    }
  }

  /** Below a directory that could not be listed to the end, nothing is known. */
  #observed(side: SideName, node: Node): Node {
    const reason = this.#frame.unlisted[side];
    return reason === undefined ? node : { kind: 'unknown', reason };
  }

  #takeHeld(key: Key): Held | undefined {
    const top = this.#stack.at(-1);
    if (top === undefined || top.type === 'frame' || top.prefix !== key) return undefined;
    this.#stack.pop();
    return top;
  }

  /** Reports two names of one directory that a folding side cannot hold together. */
  #noteName(key: Key, out: PlanItem[]): void {
    const { fold } = this.#options;
    if (fold === undefined || this.#frame.mode === 'skipped') return;
    const path = pathOfKey(key);
    const name = path.slice(this.#frame.prefix.length);
    const names = (this.#frame.names ??= new Map<string, string>());
    const folded = fold(name);
    const first = names.get(folded);
    if (first === undefined) {
      names.set(folded, name);
      return;
    }
    if (first === name) return;
    const collision = { kind: 'conflict', cause: 'name-collision', source: ABSENT, target: ABSENT } as const;
    out.push({ ...collision, path: `${this.#frame.prefix}${first}` as RelativePath }, { ...collision, path });
  }
}

/** How a directory that stays as it is is entered. */
const OPEN_AFTER = { conflict: 'skipped', blocked: 'skipped', ignored: 'ignored', 'left-alone': 'present' } as const;

/** Between the file key `a` and the directory key `a/` lie only keys that start with `a` and a byte below `/`. */
function mayStillMeet(held: Held, key: string): boolean {
  return key === held.prefix || (key.startsWith(held.path) && key.charCodeAt(held.path.length) < SLASH);
}

const SLASH = 0x2f;

/** A storage that shows a file and a directory of one name cannot be understood there (T76). */
function mergeKinds(asFile: Node | undefined, asDirectory: Node): Node {
  if (asFile === undefined || asFile.kind === 'absent') return asDirectory;
  return asDirectory.kind === 'absent' ? asFile : { kind: 'unknown', reason: 'file-and-directory' };
}

function unlistedReason(node: Node): UnknownReason | undefined {
  return node.kind === 'directory' ? node.unlisted : undefined;
}

function baselineKey(path: RelativePath, baseline: BaselineNode): Key {
  return baseline.kind === 'directory' ? directoryKey(path) : fileKey(path);
}

function file(node: Node): FileNode {
  invariant(node.kind === 'file', 'INV-5: a file operation on something that is no file');
  return node;
}

function present(node: Node): FileNode | DirectoryNode {
  invariant(node.kind === 'file' || node.kind === 'directory', 'INV-19: adopted what neither side holds');
  return node;
}

/**
 * What a sync must come to, told a second time and independently of the planner: recursive
 * functions over whole trees, straight from the table of DESIGN §4. Slow, obvious, and
 * ignorant of streams, keys, held names and plans. The planner has to agree with it on every
 * small tree (`tree-planner.exhaustive.spec.ts`) and on random ones.
 */

import { childrenOf, dir, none, type Children, type Tree } from './trees.js';

/** The three trees of one name, before or after. */
export interface Three {
  readonly baseline: Tree;
  readonly source: Tree;
  readonly target: Tree;
}

/** Where a sync must end. */
export interface Expected {
  readonly baseline: Children;
  readonly source: Children;
  readonly target: Children;
  /** Paths in conflict. */
  readonly conflicts: ReadonlySet<string>;
  /** Places that could not be observed, as `side path`; what lies below them is not mentioned. */
  readonly blocked: ReadonlySet<string>;
}

/** The three roots of a job, by their entries. */
export interface Roots {
  readonly baseline: Children;
  readonly source: Children;
  readonly target: Children;
}

/** Says what a pass over these roots must come to. */
export function expectedOutcome(roots: Roots, isUnidirectional: boolean): Expected {
  const conflicts = new Set<string>();
  const blocked = new Set<string>();
  const after = isUnidirectional ? new OneWay(conflicts, blocked) : new TwoWay(conflicts, blocked);
  const { baseline, source, target } = after.entries('', roots.baseline, roots.source, roots.target);
  return { baseline, source, target, conflicts, blocked };
}

abstract class Rules {
  constructor(
    readonly conflicts: Set<string>,
    readonly blocked: Set<string>,
  ) {}

  /** What becomes of a name where the sides do not hold the same: two files, or one side alone. */
  protected abstract filesDiffer(path: string, now: Three): Three;
  protected abstract onlySource(path: string, now: Three): Three;
  protected abstract onlyTarget(path: string, now: Three): Three;

  /** One name with everything below it. */
  name(path: string, now: Three): Three {
    const { source, target } = now;
    if (!isObserved(source) || !isObserved(target)) {
      if (!isObserved(source)) this.blocked.add(`source ${path}`);
      if (!isObserved(target)) this.blocked.add(`target ${path}`);
      return now;
    }
    if (source.kind === 'ignored' || target.kind === 'ignored') return { ...now, baseline: none };
    if (source.kind === 'absent' && target.kind === 'absent') return { ...now, baseline: none };
    if (source.kind === 'absent') return this.onlyTarget(path, now);
    if (target.kind === 'absent') return this.onlySource(path, now);
    if (source.kind !== target.kind) return this.conflict(path, now);
    if (source.kind === 'directory') return this.inside(path, now);
    return sameFile(source, target) ? { baseline: source, source, target } : this.filesDiffer(path, now);
  }

  /** The entries of a directory that stays, or comes to be, on both sides. */
  inside(path: string, now: Three): Three {
    if (this.isUnreadable(path, now)) {
      // The directory itself is there and agreed on; of what is in it nothing is known.
      const known = now.baseline.kind === 'directory' ? now.baseline : dir();
      return { baseline: known, source: orEmpty(now.source), target: orEmpty(now.target) };
    }
    const after = this.entries(`${path}/`, childrenOf(now.baseline), childrenOf(now.source), childrenOf(now.target));
    return { baseline: dir(after.baseline), source: dir(after.source), target: dir(after.target) };
  }

  /** A directory that one side has deleted since the last agreement: what it holds decides how far the deletion goes. */
  deletedDirectory(path: string, now: Three): Three {
    if (this.isUnreadable(path, now)) return now;
    const after = this.entries(`${path}/`, childrenOf(now.baseline), childrenOf(now.source), childrenOf(now.target));
    const [source, target] = [hasAny(after.source), hasAny(after.target)];
    if (!source && !target) return { baseline: none, source: none, target: none };
    // What stays keeps its directory; what came to the other side has it there again.
    return {
      baseline: dir(after.baseline),
      source: source ? dir(after.source) : none,
      target: target ? dir(after.target) : none,
    };
  }

  entries(prefix: string, baseline: Children, source: Children, target: Children): Roots {
    const after: { baseline: Record<string, Tree>; source: Record<string, Tree>; target: Record<string, Tree> } = {
      baseline: {},
      source: {},
      target: {},
    };
    for (const name of new Set([...Object.keys(baseline), ...Object.keys(source), ...Object.keys(target)])) {
      const result = this.name(prefix + name, {
        baseline: baseline[name] ?? none,
        source: source[name] ?? none,
        target: target[name] ?? none,
      });
      if (result.baseline.kind !== 'absent') after.baseline[name] = result.baseline;
      if (result.source.kind !== 'absent') after.source[name] = result.source;
      if (result.target.kind !== 'absent') after.target[name] = result.target;
    }
    return after;
  }

  conflict(path: string, now: Three): Three {
    this.conflicts.add(path);
    return now;
  }

  isUnreadable(path: string, { source, target }: Three): boolean {
    const sides = { source, target };
    const unreadable = (['source', 'target'] as const).filter((side) => isUnlisted(sides[side]));
    for (const side of unreadable) this.blocked.add(`${side} ${path}`);
    return unreadable.length > 0;
  }
}

class TwoWay extends Rules {
  protected filesDiffer(path: string, now: Three): Three {
    const { baseline, source, target } = now;
    if (sameFile(baseline, source)) return { baseline: target, source: target, target };
    if (sameFile(baseline, target)) return { baseline: source, source, target: source };
    return this.conflict(path, now);
  }

  protected onlySource(path: string, now: Three): Three {
    return this.onlyOne(path, now, now.source);
  }

  protected onlyTarget(path: string, now: Three): Three {
    return this.onlyOne(path, now, now.target);
  }

  /** One side has it and the other does not: new, deleted there, or changed here and deleted there. */
  private onlyOne(path: string, now: Three, version: Tree): Three {
    const { baseline } = now;
    if (version.kind === 'directory') {
      if (baseline.kind === 'absent') return this.inside(path, now);
      return baseline.kind === 'directory' ? this.deletedDirectory(path, now) : this.conflict(path, now);
    }
    if (baseline.kind === 'absent') return { baseline: version, source: version, target: version };
    return sameFile(baseline, version) ? { baseline: none, source: none, target: none } : this.conflict(path, now);
  }
}

class OneWay extends Rules {
  protected filesDiffer(path: string, now: Three): Three {
    const { baseline, source, target } = now;
    return sameFile(baseline, target) ? { baseline: source, source, target: source } : this.conflict(path, now);
  }

  /** Nothing on the target is in the way, so the source's version comes, whatever was before. */
  protected onlySource(path: string, now: Three): Three {
    const { source } = now;
    return source.kind === 'directory' ? this.inside(path, now) : { baseline: source, source, target: source };
  }

  protected onlyTarget(path: string, now: Three): Three {
    const { baseline, target } = now;
    // Never agreed on: the target's own, left alone with all it holds.
    if (baseline.kind === 'absent') return target.kind === 'directory' ? this.leftAlone(path, now) : now;
    if (baseline.kind === 'directory' && target.kind === 'directory') return this.deletedDirectory(path, now);
    return sameFile(baseline, target) ? { baseline: none, source: none, target: none } : this.conflict(path, now);
  }

  private leftAlone(path: string, now: Three): Three {
    if (!this.isUnreadable(path, now)) this.entries(`${path}/`, {}, {}, childrenOf(now.target));
    return now;
  }
}

function sameFile(a: Tree, b: Tree): boolean {
  return a.kind === 'file' && b.kind === 'file' && a.content === b.content;
}

function isObserved(tree: Tree): boolean {
  return tree.kind !== 'unknown' && tree.kind !== 'double';
}

function isUnlisted(tree: Tree): boolean {
  return tree.kind === 'directory' && tree.isUnlisted;
}

function orEmpty(tree: Tree): Tree {
  return tree.kind === 'absent' ? dir() : tree;
}

function hasAny(children: Children): boolean {
  return Object.keys(children).length > 0;
}

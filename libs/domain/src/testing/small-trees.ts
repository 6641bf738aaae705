/** The trees of the exhaustive checks: what one name `d` can be, with at most two children. */

import { dir, file, none, type Children, type Tree } from './trees.js';

/** Three contents: the baseline's and two others are enough for every way to agree and differ. */
export const FILES: readonly Tree[] = [file(1), file(2), file(3)];

/** What a child can be: absent, a file, or an empty directory. */
export const PLAIN_CHILDREN: readonly Tree[] = [none, ...FILES, dir()];

/** All 29: absent, a file, or a directory with the children `a` and `b`. */
export const PLAIN_TREES: readonly Tree[] = [none, ...FILES, ...directories(PLAIN_CHILDREN)];

/** A directory for every pair of children. */
export function directories(children: readonly Tree[], make: (children: Children) => Tree = dir): Tree[] {
  return children.flatMap((a) => children.map((b) => make({ a, b })));
}

/** A root that holds the tree as `d`. */
export function rootOf(tree: Tree): Children {
  return tree.kind === 'absent' ? {} : { d: tree };
}

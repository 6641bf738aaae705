/**
 * Small trees for tests of the pure core: written by hand, listed as streams of keys, printed.
 * A file's content is a number; nothing here knows how anything is decided.
 */

import {
  ABSENT,
  DIRECTORY,
  IGNORED,
  toSha256,
  type BaselineNode,
  type FileNode,
  type Node,
  type Token,
} from '../content.js';
import { compareKeys, type Key } from '../path.js';
import type { Triple } from '../plan.js';

/** What a side holds at one name, with everything below. */
export type Tree =
  | { readonly kind: 'absent' }
  | { readonly kind: 'file'; readonly content: number }
  /** `isUnlisted`: its entries were not enumerated to the end, though some may be there. */
  | { readonly kind: 'directory'; readonly children: Children; readonly isUnlisted: boolean }
  /** Could not be observed. */
  | { readonly kind: 'unknown' }
  /** Left out by the rules; listed as a directory or as a file. */
  | { readonly kind: 'ignored'; readonly asDirectory: boolean }
  /** A file and a directory of one name, as an object store can hold them (T76). */
  | { readonly kind: 'double'; readonly content: number; readonly children: Children };

/** The entries of a directory by name. */
export type Children = Readonly<Record<string, Tree>>;

/** A side, or the baseline, by path: what stands at each path, not what lies below it. */
export type Flat = Map<string, Tree>;

/** Nothing. */
export const none: Tree = { kind: 'absent' };
/** Something that could not be looked at. */
export const unknown: Tree = { kind: 'unknown' };
/** A file that the rules leave out. */
export const ignored: Tree = { kind: 'ignored', asDirectory: false };
/** A directory that the rules leave out. */
export const ignoredDirectory: Tree = { kind: 'ignored', asDirectory: true };

/** A file. */
export function file(content: number): Tree {
  return { kind: 'file', content };
}

/** A directory; absent children may be named and are left out. */
export function dir(children: Children = {}): Tree {
  return { kind: 'directory', children: withoutAbsent(children), isUnlisted: false };
}

/** A directory that could not be listed to the end. */
export function unlisted(children: Children = {}): Tree {
  return { kind: 'directory', children: withoutAbsent(children), isUnlisted: true };
}

/** A file and a directory of one name. */
export function double(content: number, children: Children = {}): Tree {
  return { kind: 'double', content, children: withoutAbsent(children) };
}

/** The entries of a directory; none for anything else. */
export function childrenOf(tree: Tree): Children {
  return tree.kind === 'directory' || tree.kind === 'double' ? tree.children : {};
}

/** Spreads the entries of a root over their paths. */
export function flatten(children: Children, prefix = '', into: Flat = new Map()): Flat {
  for (const name in children) {
    const tree = children[name]!;
    if (tree.kind === 'absent') continue;
    into.set(prefix + name, tree);
    if (tree.kind === 'directory' || tree.kind === 'double') flatten(tree.children, `${prefix}${name}/`, into);
  }
  return into;
}

/** One line for a whole side, its paths sorted: `d/ d/a=1 d/b?`. Equal lines mean equal sides. */
export function show(flat: Flat): string {
  const entries = [...flat].map(([path, tree]) => path + MARK[tree.kind](tree));
  return entries.sort().join(' ') || '(empty)';
}

const MARK: Readonly<Record<Tree['kind'], (tree: Tree) => string>> = {
  absent: () => '!absent',
  file: (tree) => `=${contentOf(tree)}`,
  directory: (tree) => (tree.kind === 'directory' && tree.isUnlisted ? '/unlisted' : '/'),
  unknown: () => '?',
  ignored: (tree) => (tree.kind === 'ignored' && tree.asDirectory ? '/~' : '~'),
  double: (tree) => `=${contentOf(tree)}&/`,
};

function contentOf(tree: Tree): number {
  return tree.kind === 'file' || tree.kind === 'double' ? tree.content : Number.NaN;
}

/** Files whose contents differ have one size, so that only their hashes tell them apart. */
const SIZE_BYTES = 7;

const FILE_NODES: FileNode[] = [];

/** The node a storage shows for a file of a content; its token is `t<content>`. */
export function fileNode(content: number): FileNode {
  return (FILE_NODES[content] ??= {
    kind: 'file',
    token: `t${content}` as Token,
    sizeBytes: SIZE_BYTES,
    mtimeMs: 0,
    hash: toSha256(content.toString(16).padStart(64, '0')),
    isRacy: false,
  });
}

/** The content of a node made by `fileNode`. */
export function contentOfNode(node: FileNode): number {
  return Number(node.token.slice(1));
}

/** Merges the listings of three sides into the stream that a planner is fed. */
export function merge(baseline: Flat, source: Flat, target: Flat): Triple[] {
  const triples = new Map<string, { baseline: BaselineNode; source: Node; target: Node }>();
  const at = (key: string): { baseline: BaselineNode; source: Node; target: Node } => {
    let triple = triples.get(key);
    if (triple === undefined) triples.set(key, (triple = { baseline: ABSENT, source: ABSENT, target: ABSENT }));
    return triple;
  };
  for (const [key, node] of listing(baseline)) at(key).baseline = baselineNode(node);
  for (const [key, node] of listing(source)) at(key).source = node;
  for (const [key, node] of listing(target)) at(key).target = node;
  const keys = [...triples.keys()].sort(compareKeys);
  return keys.map((key) => ({ key: key as Key, ...at(key) }));
}

function* listing(flat: Flat): Generator<readonly [string, Node]> {
  for (const [path, tree] of flat) {
    switch (tree.kind) {
      case 'file':
        yield [path, fileNode(tree.content)];
        break;
      case 'directory':
        yield [`${path}/`, tree.isUnlisted ? { kind: 'directory', unlisted: 'permission-denied' } : DIRECTORY];
        break;
      case 'unknown':
        yield [path, { kind: 'unknown', reason: 'read-error' }];
        break;
      case 'ignored':
        yield [tree.asDirectory ? `${path}/` : path, IGNORED];
        break;
      case 'double':
        yield [path, fileNode(tree.content)];
        yield [`${path}/`, DIRECTORY];
        break;
      case 'absent':
        break;
    }
  }
}

function baselineNode(node: Node): BaselineNode {
  if (node.kind === 'directory') return DIRECTORY;
  if (node.kind === 'file' && node.hash !== undefined) return { kind: 'file', hash: node.hash, sizeBytes: node.sizeBytes };
  throw new Error(`a baseline holds files and directories, not ${node.kind}`);
}

function withoutAbsent(children: Children): Children {
  const kept: Record<string, Tree> = {};
  for (const name in children) {
    const tree = children[name]!;
    if (tree.kind !== 'absent') kept[name] = tree;
  }
  return kept;
}

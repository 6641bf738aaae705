/** Looking at single paths: what is there, without following links, in the very spelling asked for. */

import type { BigIntStats } from 'node:fs';

import { ABSENT, DIRECTORY, nameOf, parentOf, ROOT, type Node, type RelativePath, type Token } from '@wl/domain';

import { NoDirectory, oddityOf, whyUnknown, type DirectoryTree } from './directory-tree.js';
import { toBackendError } from './failure.js';
import { isRacy, mtimeMsOf, tokenOf } from './token.js';

/** Whether names that differ in case only are the same to the root's file system. */
export interface Spelling {
  readonly isCaseSensitive: boolean;
}

/** Observes one path; failures to look answer `unknown`. */
export function observe(tree: DirectoryTree, path: RelativePath, spelling: Spelling): Node {
  if (path === ROOT) return DIRECTORY;
  try {
    return nodeOf(look(tree, path, spelling));
  } catch (error) {
    const reason = whyUnknown(error);
    if (reason === undefined) throw error;
    return { kind: 'unknown', reason };
  }
}

/** Token of the file at `path`, `undefined` where there is none. Throws `BackendError` when it could not be looked for. */
export function observeToken(tree: DirectoryTree, path: RelativePath, spelling: Spelling): Token | undefined {
  if (path === ROOT) return undefined;
  try {
    const seen = look(tree, path, spelling);
    return seen.stats?.isFile() === true && !seen.isOtherName ? tokenOf(seen.stats) : undefined;
  } catch (error) {
    if (error instanceof NoDirectory && error.cause === undefined) return undefined;
    throw toBackendError(error instanceof NoDirectory ? error.cause : error, 'look at', path);
  }
}

interface Seen {
  readonly stats: BigIntStats | undefined;
  readonly seenMs: number;
  /** Something is there under another spelling. */
  readonly isOtherName: boolean;
}

const NOTHING: Seen = { stats: undefined, seenMs: 0, isOtherName: false };

/** Throws `NoDirectory` only where nothing can be said about the path. */
function look(tree: DirectoryTree, path: RelativePath, spelling: Spelling): Seen {
  const parent = parentOf(path);
  try {
    const directory = tree.open(parent);
    const seenMs = Date.now();
    const stats = tree.lstat(directory, nameOf(path));
    if (stats === undefined) return NOTHING;
    return { stats, seenMs, isOtherName: !spelling.isCaseSensitive && !isSpelledExactly(tree, path) };
  } catch (error) {
    if (error instanceof NoDirectory && (error.reason === 'absent' || error.reason === 'file')) return NOTHING;
    throw error;
  }
}

function nodeOf({ stats, seenMs, isOtherName }: Seen): Node {
  if (stats === undefined) return ABSENT;
  if (isOtherName) return { kind: 'unknown', reason: 'name-collision' };
  if (stats.isDirectory()) return DIRECTORY;
  if (!stats.isFile()) return { kind: 'unknown', reason: oddityOf(stats) };
  return {
    kind: 'file',
    token: tokenOf(stats),
    sizeBytes: Number(stats.size),
    mtimeMs: mtimeMsOf(stats),
    hash: undefined,
    isRacy: isRacy(stats, seenMs),
  };
}

/** Whether every part of `path` is in its directory in exactly this spelling (T73). */
export function isSpelledExactly(tree: DirectoryTree, path: RelativePath): boolean {
  for (let rest = path; rest !== ROOT; rest = parentOf(rest)) {
    const directory = tree.open(parentOf(rest));
    const name = nameOf(rest);
    if (!tree.disk.readDirectory(tree.anchor.self(directory)).some((entry) => entry.name === name)) return false;
  }
  return true;
}

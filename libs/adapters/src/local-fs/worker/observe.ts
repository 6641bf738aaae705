/** Looking at single paths: what is there, without following links, in the very spelling asked for. */

import type { BigIntStats } from 'node:fs';

import { ABSENT, DIRECTORY, nameOf, parentOf, ROOT, type Node, type RelativePath, type Token } from '@wl/domain';

import { NoDirectory, oddityOf, whyUnknown, type DirectoryTree } from './directory-tree.js';
import { toBackendError } from './failure.js';
import { statsOf } from './file-stats.js';
import { isRacy, mtimeMsOf, tokenOf } from './token.js';

/** Observes one path; failures to look answer `unknown`. */
export function observe(tree: DirectoryTree, path: RelativePath): Node {
  if (path === ROOT) return DIRECTORY;
  try {
    return nodeOf(look(tree, path));
  } catch (error) {
    const reason = whyUnknown(error);
    if (reason === undefined) throw error;
    return { kind: 'unknown', reason };
  }
}

/** Token of the file at `path`, `undefined` where there is none. Throws `BackendError` when it could not be looked for. */
export function observeToken(tree: DirectoryTree, path: RelativePath): Token | undefined {
  if (path === ROOT) return undefined;
  try {
    const seen = look(tree, path);
    return seen.stats?.isFile() === true && !seen.isOtherName ? tokenOf(statsOf(seen.stats)) : undefined;
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
function look(tree: DirectoryTree, path: RelativePath): Seen {
  const parent = parentOf(path);
  try {
    const directory = tree.open(parent);
    const seenMs = Date.now();
    const stats = tree.lstat(directory, nameOf(path));
    if (stats === undefined) return NOTHING;
    return { stats, seenMs, isOtherName: !tree.isCaseSensitive && !tree.isSpelled(directory, nameOf(path)) };
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
  const file = statsOf(stats);
  return {
    kind: 'file',
    token: tokenOf(file),
    sizeBytes: file.sizeBytes,
    mtimeMs: mtimeMsOf(file),
    hash: undefined,
    isRacy: isRacy(file, seenMs),
  };
}

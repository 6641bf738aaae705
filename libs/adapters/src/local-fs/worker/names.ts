/**
 * The names in a directory, complete (INV-8) and in key order.
 *
 * Reading a directory that others change at the same time may miss a name that was there
 * all along: a rename takes it out behind the reading position and puts it in before. So a
 * directory that changed while it was read, or may have, is read again, and every name
 * seen in any reading counts; whether it is still there shows when it is looked at.
 */

import { isUtf8 } from 'node:buffer';
import { compareKeys } from '@wl/domain';

import type { Directory } from './anchor.js';
import type { DirectoryTree } from './directory-tree.js';
import { isSameTime, statsOf, type FileStats } from './file-stats.js';
import { isRacy } from './token.js';

/** Names of one directory. */
export interface Names {
  /** In key order, directories with a trailing `/` as the directory said it; others may be anything. */
  readonly keys: readonly string[];
  /** Names that are not Unicode, for display. */
  readonly unrepresentable: readonly string[];
}

/** A directory that keeps changing is taken as it is after so many readings. */
const MAX_READINGS = 3;

const REPLACEMENT = '\ufffd';

/** Reads the names in an open directory. Throws what the system throws: then nothing is known of them. */
export function readNames(tree: DirectoryTree, directory: Directory): Names {
  const { disk, anchor } = tree;
  let before = statsOf(disk.fstat(directory.fd));
  let nowMs = Date.now();
  let entries = disk.readDirectory(anchor.self(directory));
  let keys = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
  for (let reading = 1; reading < MAX_READINGS && mayHaveChanged(before, nowMs, statsOf(disk.fstat(directory.fd))); reading += 1) {
    before = statsOf(disk.fstat(directory.fd));
    nowMs = Date.now();
    entries = disk.readDirectory(anchor.self(directory));
    keys = merge(keys, entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)));
  }
  let unrepresentable: readonly string[] = [];
  if (keys.some((key) => key.includes(REPLACEMENT))) {
    const honest = honestNames(disk.readDirectoryBytes(anchor.self(directory)));
    keys = keys.filter((key) => !key.includes(REPLACEMENT) || honest.valid.has(key.endsWith('/') ? key.slice(0, -1) : key));
    unrepresentable = honest.invalid;
  }
  return { keys: sortKeys(keys), unrepresentable };
}

/** A change within the tick of the last one leaves the times as they are. */
function mayHaveChanged(before: FileStats, nowMs: number, after: FileStats): boolean {
  return !isSameTime(before.mtime, after.mtime) || !isSameTime(before.ctime, after.ctime) || isRacy(before, nowMs);
}

/** All names of both readings; a name that changed between file and directory counts as it was seen last. */
function merge(earlier: readonly string[], later: readonly string[]): string[] {
  const byName = new Map<string, string>();
  for (const keys of [earlier, later]) {
    for (const key of keys) byName.set(key.endsWith('/') ? key.slice(0, -1) : key, key);
  }
  return [...byName.values()];
}

/** Tells names that hold a real U+FFFD from those that are no Unicode. */
function honestNames(names: readonly Uint8Array[]): { readonly valid: ReadonlySet<string>; readonly invalid: readonly string[] } {
  const valid = new Set<string>();
  const invalid: string[] = [];
  const decoder = new TextDecoder();
  for (const name of names) {
    const text = decoder.decode(name);
    if (isUtf8(name)) valid.add(text);
    else invalid.push(text);
  }
  return { valid, invalid };
}

/** Surrogates stand for the highest code points but sort before U+E000: only then the order of UTF-16 is not that of UTF-8. */
const SURROGATE = /[\ud800-\udfff]/;

function sortKeys(keys: string[]): string[] {
  // The sort without a comparator is the fastest, and right wherever no surrogate is involved.
  return keys.some((key) => SURROGATE.test(key)) ? keys.sort(compareKeys) : keys.sort();
}

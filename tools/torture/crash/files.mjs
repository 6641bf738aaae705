/**
 * Trees of files, as simple as can be: what a scenario writes, and an own walk with sha256 that
 * knows nothing of the product's code but the name of its area.
 *
 * A tree is an object: path → text, or `{ tag, bytes }` for a larger file, or `DIRECTORY`.
 */
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { sha256 } from '../sha256.mjs';

/** The area of the product at the root of each storage. */
export const AREA = '.wl';

/** Stands for a directory in a tree. */
export const DIRECTORY = 'directory';

/** A file of so many bytes that look random and are the same at every run. */
export const large = (tag, bytes) => ({ tag, bytes });

/** The bytes that a tree names. */
export function bytesOf(content) {
  if (typeof content === 'string') return Buffer.from(content);
  const block = Buffer.alloc(32 * 1024);
  for (let at = 0; at < block.length; at += 32) createHash('sha256').update(`${content.tag} ${at}`).digest().copy(block, at);
  const all = Buffer.alloc(content.bytes);
  for (let at = 0; at < all.length; at += block.length) {
    block.copy(all, at);
    if (at + 4 <= all.length) all.writeUInt32LE(at, at);
  }
  return all;
}

const hashes = new Map();

/** Hash of what a tree names. */
export function hashOf(content) {
  const key = typeof content === 'string' ? content : `\0${content.tag}\0${content.bytes}`;
  if (!hashes.has(key)) hashes.set(key, sha256(bytesOf(content)));
  return hashes.get(key);
}

/** Writes a tree below a directory. */
export function plant(root, tree) {
  for (const [name, content] of Object.entries(tree)) {
    const file = path.join(root, name);
    mkdirSync(content === DIRECTORY ? file : path.dirname(file), { recursive: true });
    if (content !== DIRECTORY) writeFileSync(file, bytesOf(content));
  }
}

/** Does what a user does: `['write', path, content]`, `['remove', path]`, `['rename', from, to]`, `['directory', path]`, `['program', path]`. */
export function edit(root, steps) {
  for (const [what, name, other] of steps) {
    const file = path.join(root, name);
    if (what === 'write') plant(root, { [name]: other });
    else if (what === 'directory') mkdirSync(file, { recursive: true });
    else if (what === 'remove') rmSync(file, { recursive: true });
    else if (what === 'remove-directory') rmdirSync(file);
    else if (what === 'program') chmodSync(file, 0o755);
    else if (what === 'rename') renameSync(file, path.join(root, other));
    else throw new Error(`no such step: ${what}`);
  }
}

/** The visible tree below a directory: path → sha256, or `DIRECTORY`. */
export function visible(root) {
  const found = {};
  for (const [name, value] of Object.entries(everything(root))) if (name !== AREA && !name.startsWith(`${AREA}/`)) found[name] = value;
  return found;
}

/** Which of these files are executable. */
export function programsAmong(root, names) {
  return names.filter((name) => (statSync(path.join(root, name), { throwIfNoEntry: false })?.mode & 0o111) !== 0);
}

/** Everything below a directory, the area too. What somebody takes away while this looks is not there. */
export function everything(root, prefix = '', found = {}) {
  for (const entry of ifThere(() => readdirSync(path.join(root, prefix), { withFileTypes: true })) ?? []) {
    const name = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    if (entry.isDirectory()) {
      found[name] = DIRECTORY;
      everything(root, name, found);
    } else {
      const bytes = entry.isFile() ? ifThere(() => readFileSync(path.join(root, name))) : Buffer.from('special');
      if (bytes !== undefined) found[name] = sha256(bytes);
    }
  }
  return found;
}

function ifThere(look) {
  try {
    return look();
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  }
}

/** What a scenario's tree looks like to `visible`. */
export function hashed(tree) {
  const found = {};
  for (const [name, content] of Object.entries(tree)) {
    for (let at = name.indexOf('/'); at > 0; at = name.indexOf('/', at + 1)) found[name.slice(0, at)] = DIRECTORY;
    found[name] = content === DIRECTORY ? DIRECTORY : hashOf(content);
  }
  return found;
}

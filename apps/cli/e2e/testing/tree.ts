/** Directory trees: writing them, and seeing them as values that can be compared. */

import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Our own area at the top of a synced directory. */
const OWN_AREA = '.wl';
const LONGEST_SHOWN = 200;

/** Writes files below `root`, by name relative to it; directories are made, a name that ends in `/` is one. */
export function plant(root: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    const place = path.join(root, name);
    mkdirSync(name.endsWith('/') ? place : path.dirname(place), { recursive: true });
    if (!name.endsWith('/')) writeFileSync(place, content);
  }
}

/**
 * What is below `root`, by name: directories as `dir`, links as `-> target`, special files as
 * `special`, files as their text or, when long, as size and digest. Names that are no UTF-8 are
 * shown byte by byte. The own area of `wl` is left out.
 */
export function treeOf(root: string): Record<string, string> {
  const found: Record<string, string> = {};
  walk(Buffer.from(root), '', found);
  return found;
}

/** Names of the files that are being written on a side, or were left from that; quick, and while others write. */
export function staged(root: string): string[] {
  const staging = path.join(root, OWN_AREA, 'staging');
  for (;;) {
    try {
      const all = readdirSync(staging, { recursive: true, withFileTypes: true });
      return all.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
    } catch (error) {
      // A directory in it went while it was looked at, or there is none at all.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      if (!existsSync(staging)) return [];
    }
  }
}

function walk(directory: Buffer, prefix: string, found: Record<string, string>): void {
  for (const name of readdirSync(directory, { encoding: 'buffer' })) {
    const shown = prefix + nameText(name);
    if (shown === OWN_AREA) continue;
    const place = Buffer.concat([directory, Buffer.from('/'), name]);
    const stats = lstatSync(place);
    if (stats.isDirectory()) {
      found[`${shown}/`] = 'dir';
      walk(place, `${shown}/`, found);
    } else if (stats.isSymbolicLink()) found[shown] = `-> ${readlinkSync(place)}`;
    else if (stats.isFile()) found[shown] = contentText(readFileSync(place));
    else found[shown] = 'special';
  }
}

function nameText(name: Buffer): string {
  const text = name.toString('utf8');
  return Buffer.from(text).equals(name) ? text : name.toString('latin1');
}

/** Short text as it is; anything else as size and digest. */
export function contentText(bytes: Buffer): string {
  const text = bytes.length <= LONGEST_SHOWN ? bytes.toString('utf8') : '';
  if (bytes.length <= LONGEST_SHOWN && Buffer.from(text).equals(bytes)) return text;
  return `${bytes.length} bytes ${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`;
}

/**
 * Whether anything was lost or torn in the race torture (INV-5, INV-6, INV-27), from what the editors say they saved
 * and what is on the disks. Knows nothing of how `wl` works but where its trash is.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { sha256 } from '../sha256.mjs';

/** Every visible file below a root, by relative path: its sha256. */
export function visible(root) {
  const found = new Map();
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const name = path.relative(root, path.join(entry.parentPath, entry.name));
    if (!name.startsWith('.wl/')) found.set(name, sha256(readFileSync(path.join(root, name))));
  }
  return found;
}

/** Hashes of everything in the trash of a root that came from below `directory`. */
export function trashed(root, directory) {
  const trash = path.join(root, '.wl/trash');
  if (!existsSync(trash)) return new Set();
  const files = readdirSync(trash, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && entry.parentPath.includes(directory));
  return new Set(files.map((entry) => sha256(readFileSync(path.join(entry.parentPath, entry.name)))));
}

/**
 * Sentences for last saves that are not where they have to be.
 * @param {{ ledger: readonly any[], roots: { left: string, right: string }, conflicts: readonly string[] }} state
 */
export function missingSaves({ ledger, roots, conflicts }) {
  const sides = { left: visible(roots.left), right: visible(roots.right) };
  const missing = [];
  const expected = new Set(ledger.map(({ file }) => file));
  for (const [side, files] of Object.entries(sides)) {
    for (const name of files.keys()) if (!expected.has(name) && !isContested(name)) missing.push({ what: 'remains', file: name, side });
  }
  for (const entry of ledger.filter(({ kind }) => kind !== 'contested')) {
    for (const [side, files] of Object.entries(sides)) {
      if (files.get(entry.file) !== entry.sha256) missing.push({ what: 'lost', side, ...entry });
    }
    if (conflicts.includes(entry.file)) missing.push({ what: 'conflict without a second author', ...entry });
  }
  return missing;
}

/** The same for files that were saved on both sides at once: both last saves have to stand, or to be in a trash; sides that differ have to be in conflict. */
export function missingContested({ ledger, roots, conflicts }) {
  const sides = { left: visible(roots.left), right: visible(roots.right) };
  const trash = { left: trashed(roots.left, 'contested'), right: trashed(roots.right, 'contested') };
  const missing = [];
  const where = { inPlaceBoth: 0, inConflict: 0, inTrash: 0 };
  for (const entry of ledger.filter(({ kind }) => kind === 'contested')) {
    const { file, sha256: hash } = entry;
    const [left, right] = [sides.left.get(file), sides.right.get(file)];
    if (left === hash && right === hash) where.inPlaceBoth += 1;
    else if (left === hash || right === hash) where.inConflict += 1;
    else if (trash.left.has(hash) || trash.right.has(hash)) where.inTrash += 1;
    else missing.push({ what: 'lost', ...entry });
    if (left !== right && !conflicts.includes(file)) missing.push({ what: 'sides differ without a conflict', left, right, ...entry });
  }
  return { missing, where };
}

function isContested(name) {
  return name.startsWith('contested/');
}

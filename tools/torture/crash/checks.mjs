/**
 * What must be true of a world, checked without a line of the product's code: own walk, own
 * hashes, and for the baseline plain SQL. Each check answers sentences, none when all is well.
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

import { AREA, DIRECTORY, everything, hashed, programsAmong } from './files.mjs';

const TRASH = `${AREA}/trash/`;
const STAGING = `${AREA}/staging/`;

/** Path → hashes that ever were there, on either side; directories too. */
export function knownVersions(scenario, start) {
  const known = new Map();
  for (const tree of [hashed(scenario.before), start.left, start.right]) {
    for (const [name, hash] of Object.entries(tree)) known.set(name, (known.get(name) ?? new Set()).add(hash));
  }
  return known;
}

/** Everything on both sides. */
export function allEverything(place) {
  return { left: everything(place.left), right: place.bucket === undefined ? everything(place.right) : place.bucket.everything() };
}

/** INV-6: each visible file is one of the versions this path ever had, whole. Nothing else is visible. */
export function checkWhole(place, all) {
  const wrong = [];
  for (const [side, tree] of Object.entries(all)) {
    for (const [name, hash] of Object.entries(tree)) {
      if (name === AREA || name.startsWith(`${AREA}/`)) continue;
      if (!place.known.has(name)) wrong.push(`foreign: ${side} shows ${name}`);
      else if (!place.known.get(name).has(hash)) wrong.push(`torn: ${side} ${name} is no version it ever had`);
    }
  }
  return wrong;
}

/** INV-5: every version that was on a side when the run began is visible at its path, or in a trash. */
export function checkNothingLost(place, all) {
  const kept = new Set();
  for (const tree of Object.values(all)) {
    for (const [name, hash] of Object.entries(tree)) {
      if (name.startsWith(TRASH)) kept.add(hash);
      else if (!name.startsWith(`${AREA}/`)) kept.add(`${name}\0${hash}`);
    }
  }
  const wrong = [];
  for (const [side, tree] of Object.entries(place.begun)) {
    for (const [name, hash] of Object.entries(tree)) {
      if (hash !== DIRECTORY && !kept.has(hash) && !kept.has(`${name}\0${hash}`)) wrong.push(`lost: the version of ${name} that ${side} had`);
    }
  }
  return wrong;
}

/** At rest: both sides hold exactly what they must, nothing of ours lies about, and the job says so. */
export function checkFinal(place, all, job) {
  const { scenario, bucket } = place;
  const wrong = [...compare('left', scenario.final.left, all.left), ...compare('right', scenario.final.right, all.right, bucket !== undefined)];
  for (const [side, tree] of Object.entries(all)) {
    for (const [name, hash] of Object.entries(tree)) if (name.startsWith(STAGING) && hash !== DIRECTORY) wrong.push(`leftover: ${side} ${name}`);
  }
  for (const side of scenario.programs === undefined ? [] : ['left', 'right']) {
    const programs = programsAmong(place[side], Object.keys(scenario.final[side]).filter((name) => scenario.final[side][name] !== DIRECTORY));
    for (const name of new Set([...programs, ...scenario.programs])) {
      if (!programs.includes(name)) wrong.push(`different: ${side} ${name} is not executable in the end`);
      if (!scenario.programs.includes(name)) wrong.push(`different: ${side} ${name} is executable in the end`);
    }
  }
  for (const upload of bucket?.uploads() ?? []) wrong.push(`leftover: an upload of ${upload.key}`);
  if (job.state !== 'SYNCED') wrong.push(`status: ${job.state}: ${job.error ?? job.halt?.message}`);
  for (const problem of job.problems) wrong.push(`status: problem at ${problem.path}: ${problem.message}`);
  const conflicts = job.conflicts.map((conflict) => conflict.path).sort();
  if (JSON.stringify(conflicts) !== JSON.stringify([...scenario.conflicts].sort())) wrong.push(`status: the conflicts are ${conflicts.join(', ') || 'none'}`);
  return wrong;
}

/** `isBucket`: a bucket need not know directories that hold something. */
function compare(side, tree, found, isBucket = false) {
  const wanted = hashed(tree);
  const seen = Object.fromEntries(Object.entries(found).filter(([name]) => name !== AREA && !name.startsWith(`${AREA}/`)));
  const wrong = [];
  for (const name of new Set([...Object.keys(wanted), ...Object.keys(seen)])) {
    if (wanted[name] === seen[name] || (isBucket && wanted[name] === DIRECTORY && seen[name] === undefined)) continue;
    const what = seen[name] === undefined ? 'deleted' : wanted[name] === undefined ? 'unexpected' : 'different';
    wrong.push(`${what}: ${side} ${name} in the end`);
  }
  return wrong;
}

/**
 * INV-15: what the baseline calls synced is there on both sides, whole: the version of the row, or
 * one that a user made since; gone only where a user removed the name.
 */
export function checkBaseline(place, all) {
  const wrong = [];
  const { left, right } = place.begun;
  let rows;
  try {
    rows = baselineRows(place);
  } catch (error) {
    return [`torn: the state database cannot be read: ${error.message}`];
  }
  for (const { key, hash } of rows) {
    const isRemoved = left[key] === undefined || right[key] === undefined;
    for (const [side, tree] of Object.entries(all)) {
      const seen = tree[key];
      if (seen === undefined ? isRemoved : seen === hash || seen === left[key] || seen === right[key]) continue;
      wrong.push(`torn: the baseline calls ${key} synced, ${side} ${seen === undefined ? 'has nothing' : 'holds something else'}`);
    }
  }
  return wrong;
}

/** The rows of files, read from copies of the database so that looking changes nothing. */
function baselineRows(place) {
  const dir = mkdtempSync(path.join(place.home, 'rows-'));
  try {
    for (const suffix of ['', '-wal', '-journal']) {
      const file = path.join(place.base, `wl-state.db${suffix}`);
      if (existsSync(file)) copyFileSync(file, path.join(dir, `wl-state.db${suffix}`));
    }
    if (!existsSync(path.join(dir, 'wl-state.db'))) return [];
    const database = new (sqlite().DatabaseSync)(path.join(dir, 'wl-state.db'));
    try {
      return database.prepare("SELECT key, lower(hex(hash)) AS hash FROM baseline WHERE key NOT LIKE '%/'").all();
    } finally {
      database.close();
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function sqlite() {
  const require = createRequire(import.meta.url);
  try {
    return require('node:sqlite');
  } catch {
    return require('@photostructure/sqlite');
  }
}

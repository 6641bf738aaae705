/**
 * A process of the race torture that keeps reading the files no editor writes to: what is there came from the daemon,
 * and has to be whole. Torn versions are kept for the verdict. A file read through one descriptor is one version,
 * since the daemon shows versions by renaming only.
 */
import { closeSync, fstatSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { sha256 } from '../sha256.mjs';
import { lastRecord } from './records.mjs';

/** Torn versions that are kept in full. */
const KEPT = 2_000;
const torn = [];
let looks = 0;
let versions = 0;
let isOver = false;

process.on('message', (message) => {
  if (message.stop) isOver = true;
  else void sample(message);
});
process.on('disconnect', () => process.exit(1));

/** @param {{ directories: readonly string[], keep: string }} order directories whose files are sampled, and where torn ones are kept */
async function sample({ directories, keep }) {
  mkdirSync(keep, { recursive: true });
  const seen = new Map();
  for (let lastRound = false; ; ) {
    for (const directory of directories) for (const name of namesIn(directory)) look(path.join(directory, name), seen, keep);
    if (lastRound) break;
    lastRound = isOver;
    await sleep(5);
  }
  process.send({ done: true, looks, versions, torn });
}

function look(place, seen, keep) {
  const stats = lstatSync(place, { throwIfNoEntry: false, bigint: true });
  if (stats?.isFile() !== true) return;
  looks += 1;
  const token = `${stats.ino} ${stats.ctimeNs} ${stats.size}`;
  if (seen.get(place) === token) return;
  seen.set(place, token);
  let bytes;
  try {
    const fd = openSync(place, 'r');
    try {
      bytes = readFileSync(fd);
      if (!fstatSync(fd).isFile()) return;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  versions += 1;
  if (lastRecord(bytes) !== undefined) return;
  const kept = torn.length < KEPT ? path.join(keep, String(torn.length)) : undefined;
  if (kept !== undefined) writeFileSync(kept, bytes);
  torn.push({ place, sha256: sha256(bytes), size: bytes.length, kept, atMs: Date.now() });
}

function namesIn(directory) {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

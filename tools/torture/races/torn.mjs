/**
 * What a torn version was that the daemon had brought. Two kinds were really there: a state that an editor in place left
 * for a moment and says so (`stable`), and one that a single system call of an editor was half through (`mid-call`: the
 * beginning of one version, the rest of the one before). Anything else was made up on the way (`foreign`), which INV-27 forbids.
 */
import { readFileSync } from 'node:fs';

import { record } from './records.mjs';

/**
 * @param {readonly { sha256: string, kept?: string }[]} torn
 * @param {ReadonlySet<string>} states hashes of the states that editors left
 * @param {(author: string, file: string, number: number) => Buffer | undefined} versionOf makes a version again
 */
export function judgeTorn(torn, states, versionOf) {
  const figures = { stable: 0, midCall: 0, foreign: 0 };
  const foreign = [];
  for (const one of torn) {
    if (states.has(one.sha256)) figures.stable += 1;
    else if (one.kept !== undefined && isMidCall(readFileSync(one.kept), versionOf)) figures.midCall += 1;
    else {
      figures.foreign += 1;
      foreign.push(one);
    }
  }
  return { figures, foreign };
}

function isMidCall(bytes, versionOf) {
  const header = /^WLR (\S+) (\S+) (\d+) (\d+) [0-9a-f]{64}\n/.exec(bytes.toString('latin1', 0, 400));
  if (header === null) return bytes.every((byte) => byte === 0);
  const [, author, file, first] = header;
  // Appended files begin with an older record: try every version that begins so.
  for (let number = Number(first); ; number += 1) {
    const next = versionOf(author, file, number);
    if (next === undefined) return false;
    if (!next.subarray(0, header[0].length).equals(bytes.subarray(0, header[0].length))) return false;
    const common = commonLength(bytes, next);
    if (common === bytes.length) return true;
    const before = versionOf(author, file, number - 1) ?? Buffer.alloc(0);
    if (isRestOf(bytes, before, common)) return true;
  }
}

/** Whether `bytes` from `position` on are those of `before`, or zeros beyond its end. */
function isRestOf(bytes, before, position) {
  for (let at = position; at < bytes.length; at += 1) if (bytes[at] !== (before[at] ?? 0)) return false;
  return true;
}

function commonLength(a, b) {
  const limit = Math.min(a.length, b.length);
  let length = 0;
  while (length < limit && a[length] === b[length]) length += 1;
  return length;
}

/** Makes versions again from what the editors say of them. */
export function versionMaker(histories) {
  return (author, file, number) => {
    const version = histories.get(`${author} ${file} ${number}`);
    if (version === undefined) return undefined;
    const parts = [];
    for (let each = version.first; each <= number; each += 1) {
      parts.push(record({ seed: version.seed, author, file, number: each, size: histories.get(`${author} ${file} ${each}`).size }));
    }
    return Buffer.concat(parts);
  };
}

/**
 * What is known of the parts of large objects, in files: one for each object, named by the hash of
 * its key, below a directory for each storage. A file begins with the SHA-256 of what follows, so
 * that one that was damaged is the same as one that is not there. The oldest go when there are too
 * many (INV-40).
 */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';

import { areWhole, type KnownParts, type PartsMemory } from './known-parts.js';
import { writePrivately } from './private-file.js';

/** Raised when the format changes. */
const VERSION = 1;

/** Bounds of one storage: 128 parts, which is 1 GiB, are 6 KiB. */
export interface PartsLimits {
  readonly files: number;
  readonly bytes: number;
}

const LIMITS: PartsLimits = { files: 1000, bytes: 32 << 20 };

/** Parts kept in files below `directory` (absolute), which is made when there is something to keep. */
export function createFileParts(directory: string, limits: PartsLimits = LIMITS): PartsMemory {
  const fileOf = (key: string): string => path.join(directory, hex(key));
  return {
    recall(key) {
      try {
        const file = fileOf(key);
        if (statSync(file).size > limits.bytes) return undefined;
        const known = parse(readFileSync(file, 'utf8'));
        return known?.key === key && areWhole(known) ? known : undefined;
      } catch {
        return undefined;
      }
    },
    remember(parts) {
      try {
        writePrivately(fileOf(parts.key), Buffer.from(format(parts)));
        makeRoom(directory, limits);
      } catch {
        // A full disk, a directory that cannot be written: the next version is sent as a whole.
      }
    },
  };
}

function format({ digests, ...facts }: KnownParts): string {
  const body = JSON.stringify({ version: VERSION, ...facts, digests: Buffer.from(digests).toString('base64') });
  return `${hex(body)}\n${body}\n`;
}

function parse(text: string): KnownParts | undefined {
  const [sum, body = ''] = text.split('\n');
  if (sum !== hex(body)) return undefined;
  const { version, digests, ...facts } = JSON.parse(body) as Omit<KnownParts, 'digests'> & { version: number; digests: string };
  return version === VERSION ? { ...facts, digests: Buffer.from(digests, 'base64') } : undefined;
}

function makeRoom(directory: string, limits: PartsLimits): void {
  const found = readdirSync(directory).map((name) => {
    const file = path.join(directory, name);
    const { mtimeMs, size } = statSync(file);
    return { file, mtimeMs, size };
  });
  let files = found.length;
  let bytes = found.reduce((sum, { size }) => sum + size, 0);
  for (const { file, size } of found.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
    if (files <= limits.files && bytes <= limits.bytes) return;
    rmSync(file, { force: true });
    files -= 1;
    bytes -= size;
  }
}

function hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

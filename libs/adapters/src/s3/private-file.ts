/** Files for the user alone that are there whole or not at all, also after a crash. */

import { randomBytes } from 'node:crypto';
import { closeSync, constants, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';

const PRIVATE_FILE = 0o600;
const PRIVATE_DIRECTORY = 0o700;

/** Written aside, synced and renamed: a reader sees the old file or the new one. Makes the directory. */
export function writePrivately(file: string, bytes: Uint8Array): void {
  const directory = path.dirname(file);
  mkdirSync(directory, { recursive: true, mode: PRIVATE_DIRECTORY });
  const aside = path.join(directory, `.${path.basename(file)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const descriptor = openSync(aside, 'wx', PRIVATE_FILE);
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(aside, file);
    syncDirectory(directory);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
}

function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, constants.O_RDONLY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

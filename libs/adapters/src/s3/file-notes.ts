/**
 * The notes of one S3 storage in a file: what an endpoint was found to do, uploads under way.
 *
 * Several drivers of the same storage may have the file in use in one process (a job, a dry run,
 * a check), so it is read anew each time: reading, changing and writing are one synchronous step
 * that no other driver of the process comes between. Notes may be lost at the cost of time only,
 * so whatever goes wrong with the file is the same as notes that are not there.
 */

import { randomBytes } from 'node:crypto';
import { closeSync, constants, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';

import type { S3Notes } from './s3-params.js';

/** Notes hold the progress of uploads; ones that grow beyond this are damaged, or of no use. In bytes. */
const LIMIT_BYTES = 16 * 1024 * 1024;

/** Bucket names and ids of uploads are for the user alone. */
const PRIVATE_FILE = 0o600;
const PRIVATE_DIRECTORY = 0o700;

/** Notes kept in the file at `file` (absolute), which is made with its directory when there is something to note. */
export function createFileNotes(file: string): S3Notes {
  return {
    get: (name) => read(file).get(name),
    put(name, value) {
      const notes = read(file);
      if (value === undefined && !notes.has(name)) return;
      if (value === undefined) notes.delete(name);
      else notes.set(name, value);
      try {
        write(file, JSON.stringify(Object.fromEntries(notes)));
      } catch {
        // A full disk, a directory that cannot be written: the notes are lost, the sync goes on.
      }
    },
  };
}

function read(file: string): Map<string, unknown> {
  try {
    const bytes = readFileSync(file);
    if (bytes.length > LIMIT_BYTES) return new Map();
    const notes: unknown = JSON.parse(bytes.toString('utf8'));
    const isRecord = typeof notes === 'object' && notes !== null && !Array.isArray(notes);
    return new Map(isRecord ? Object.entries(notes) : []);
  } catch {
    return new Map();
  }
}

/** Written aside, synced and renamed: a reader sees the old notes or the new ones, also after a crash. */
function write(file: string, text: string): void {
  const directory = path.dirname(file);
  mkdirSync(directory, { recursive: true, mode: PRIVATE_DIRECTORY });
  const aside = path.join(directory, `.${path.basename(file)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const descriptor = openSync(aside, 'wx', PRIVATE_FILE);
    try {
      const bytes = Buffer.from(text);
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

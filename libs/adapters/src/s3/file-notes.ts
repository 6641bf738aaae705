/**
 * The notes of one S3 storage in a file: what an endpoint was found to do, uploads under way.
 *
 * Several drivers of the same storage may have the file in use in one process (a job, a dry run,
 * a check), so it is read anew each time: reading, changing and writing are one synchronous step
 * that no other driver of the process comes between. Notes may be lost at the cost of time only,
 * so whatever goes wrong with the file is the same as notes that are not there.
 */

import { readFileSync } from 'node:fs';

import { writePrivately } from './private-file.js';
import type { S3Notes } from './s3-params.js';

/** Notes hold the progress of uploads; ones that grow beyond this are damaged, or of no use. In bytes. */
const LIMIT_BYTES = 16 * 1024 * 1024;

/** Notes kept in the file at `file` (absolute), which is made with its directory when there is something to note; bucket names and ids of uploads are for the user alone. */
export function createFileNotes(file: string): S3Notes {
  return {
    get: (name) => read(file).get(name),
    put(name, value) {
      const notes = read(file);
      if (value === undefined && !notes.has(name)) return;
      if (value === undefined) notes.delete(name);
      else notes.set(name, value);
      try {
        writePrivately(file, Buffer.from(JSON.stringify(Object.fromEntries(notes))));
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

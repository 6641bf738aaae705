/**
 * How chokidar reads a directory here: its directories only, in one call. It reads a directory
 * anew after each event in it, and would look twice at every file there, only to leave it out then.
 */

import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';

import type { FSWatcher } from 'chokidar';

import { codeOf } from './watch-error.js';

/** What chokidar is told of one directory. */
interface Entry {
  readonly path: string;
  readonly fullPath: string;
  readonly basename: string;
  /** Chokidar asks it for its kind only. */
  readonly stats: Dirent;
}

/** Which directories it wants to hear of. */
interface Filter {
  readonly directoryFilter?: (entry: Entry) => boolean;
}

/** Reads a directory; fails as `readdir` does. */
export type ReadDirectory = (directory: string) => Promise<Dirent[]>;

/** Has a watcher read this way from now on. */
export function readDirectoriesOnly(chokidar: FSWatcher, read: ReadDirectory = readTyped): void {
  const reading = chokidar as unknown as { _readdirp: (directory: string, filter: Filter) => Readable | undefined };
  reading._readdirp = (directory, { directoryFilter = () => true }) => (chokidar.closed ? undefined : Readable.from(directoriesIn(directory, read, directoryFilter)));
}

function readTyped(directory: string): Promise<Dirent[]> {
  return readdir(directory, { withFileTypes: true });
}

async function* directoriesIn(directory: string, read: ReadDirectory, isWanted: (entry: Entry) => boolean): AsyncGenerator<Entry> {
  const found = await read(directory).catch((error: unknown) => {
    // It went away, or is not ours to read: nothing is seen there, as by chokidar's own reader.
    if (UNSEEN.has(codeOf(error))) return [];
    throw error;
  });
  for (const dirent of found) {
    if (!dirent.isDirectory()) continue;
    const entry: Entry = { path: dirent.name, fullPath: path.join(directory, dirent.name), basename: dirent.name, stats: dirent };
    if (isWanted(entry)) yield entry;
  }
}

const UNSEEN: ReadonlySet<string> = new Set(['ENOENT', 'EPERM', 'EACCES', 'ELOOP']);

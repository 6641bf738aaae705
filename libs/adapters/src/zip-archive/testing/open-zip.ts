/** A zip archive in a scratch directory, with the hands of its owner, who makes it anew at every change. */

import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { Clock, StorageBackend } from '@wl/ports';
import type { OpenBackend } from '@wl/ports/testing';

import { createZipBackend } from '../zip-backend.js';
import { zipOf, type ZipEntry } from './zip-writer.js';

/** An archive, its place, and a way to put any bytes there. */
export interface OpenZip extends OpenBackend {
  readonly location: string;
  /** Puts an archive there in one step. */
  readonly replaceArchive: (bytes: Uint8Array) => Promise<void>;
}

/** Real time. */
export const realClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    }),
};

/** Opens an empty archive. */
export async function openZip(): Promise<OpenZip> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'wl-zip-'));
  const location = path.join(scratch, 'archive.zip');
  /** Files by path; directories by their path with a slash and no bytes. */
  const tree = new Map<string, Uint8Array>();
  const backends: StorageBackend[] = [];
  let serial = 0;

  const replaceArchive = async (bytes: Uint8Array): Promise<void> => {
    serial += 1;
    const temporary = `${location}.${String(serial)}`;
    await writeFile(temporary, bytes);
    await rename(temporary, location);
  };
  const save = (): Promise<void> =>
    replaceArchive(zipOf([...tree].map(([name, bytes]): ZipEntry => ({ name, ...(name.endsWith('/') ? { mode: 0o040755 } : { bytes }) }))));
  const openOne = async (): Promise<StorageBackend> => {
    const backend = createZipBackend({ backendId: 'archive', location }, { clock: realClock });
    await backend.open();
    backends.push(backend);
    return backend;
  };

  await save();
  const backend = await openOne();
  const isAt = (key: string, place: string): boolean => key === place || key.startsWith(`${place}/`);
  return {
    backend,
    location,
    replaceArchive,
    close: async () => {
      for (const one of backends) await one.close();
      await rm(scratch, { recursive: true });
    },
    writeOutside: async (name, bytes) => {
      tree.set(name, new Uint8Array(bytes));
      await save();
    },
    readOutside: async (name) => tree.get(name),
    removeOutside: async (place) => {
      for (const key of [...tree.keys()]) if (isAt(key, place)) tree.delete(key);
      await save();
    },
    mkdirOutside: async (place) => {
      tree.set(`${place}/`, new Uint8Array(0));
      await save();
    },
    renameOutside: async (from, to) => {
      for (const [key, bytes] of [...tree]) {
        if (!isAt(key, from)) continue;
        tree.delete(key);
        tree.set(`${to}${key.slice(from.length)}`, bytes);
      }
      await save();
    },
    namesOutside: async () => [...tree.keys()].map((key) => key.replace(/\/$/, '')),
    removeRoot: () => rm(location),
    reopen: async () => {
      await backend.close();
      return openOne();
    },
  };
}

/** A folder of its own on a real WebDAV server, with the hands of somebody who uses it with another client. */

import { randomUUID } from 'node:crypto';

import { RESERVED_NAME } from '@wl/domain';
import type { Clock, StorageBackend } from '@wl/ports';
import type { OpenBackend } from '@wl/ports/testing';

import { Transport } from '../../http/transport.js';
import { Authorization } from '../authorization.js';
import { createWebdavBackend } from '../create-webdav-backend.js';
import { DavApi } from '../dav-api.js';
import { DavClient } from '../dav-client.js';
import { DavLocation } from '../dav-location.js';

/** Real time. */
export const realClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    }),
};

/** Which server, and how the storage on it is opened. */
export interface OpenWebdavOptions {
  readonly url: string;
  readonly credentials?: { readonly login: string; readonly password: string };
  readonly readOnly?: boolean;
  /** Whether the server keeps modification times. */
  readonly keepsTimes: boolean;
  /** Whether it lists names that begin with a dot. */
  readonly listsDotNames: boolean;
}

const CONCERN = { operation: 'do by hand' };

/** Makes an empty folder and opens it. */
export async function openWebdav({ url, credentials, readOnly = false, keepsTimes, listsDotNames }: OpenWebdavOptions): Promise<OpenBackend> {
  const folder = `${url}${randomUUID()}/`;
  const apiOf = (place: string): DavApi => {
    const location = DavLocation.parse(place);
    if (!location.ok) throw new Error(location.error);
    const client = new DavClient({ origin: location.value.origin, transport: new Transport({}), authorization: new Authorization(credentials), clock: realClock });
    return new DavApi(client, location.value);
  };
  const [above, hands] = [apiOf(url), apiOf(folder)];
  const name = folder.slice(url.length, -1);
  await above.makeDirectory(name, CONCERN);
  const backends: StorageBackend[] = [];
  const openOne = async (): Promise<StorageBackend> => {
    const backend = createWebdavBackend({ backendId: 'dav', url: folder, readOnly, ...(credentials !== undefined && { credentials }) }, { clock: realClock, env: {} });
    backends.push(backend);
    await backend.open();
    return backend;
  };
  const backend = await openOne();
  const mkdir = async (path: string): Promise<void> => {
    const parts = path.split('/');
    for (let depth = 1; depth <= parts.length; depth += 1) await hands.makeDirectory(parts.slice(0, depth).join('/'), CONCERN);
  };
  const bytesAt = async (path: string): Promise<Uint8Array | undefined> => {
    if ((await hands.look(path, CONCERN))?.kind !== 'file') return undefined;
    const opened = await hands.get(path, CONCERN);
    if (opened === undefined) return undefined;
    const chunks: Uint8Array[] = [];
    for await (const chunk of opened.body) chunks.push(chunk);
    return new Uint8Array(Buffer.concat(chunks));
  };
  const walk = async (directory: string): Promise<string[]> => {
    const listed = await hands.directory(directory, CONCERN);
    if ('status' in listed) return [];
    const names: string[] = [];
    for (const [entry, { kind }] of listed.entries) {
      const path = directory === '' ? entry : `${directory}/${entry}`;
      names.push(path, ...(kind === 'directory' ? await walk(path) : []));
    }
    return names;
  };
  return {
    backend,
    ...(!keepsTimes && { keepsTimes }),
    ...(!listsDotNames && { listsDotNames }),
    close: async () => {
      for (const one of backends) await one.close();
      await above.delete(name, 'directory', CONCERN);
      await above.close();
      await hands.close();
    },
    writeOutside: async (path, bytes) => {
      if (path.includes('/')) await mkdir(path.slice(0, path.lastIndexOf('/')));
      await hands.put(path, bytes, { isNew: false }, CONCERN);
    },
    readOutside: bytesAt,
    removeOutside: async (path) => {
      const found = await hands.look(path, CONCERN);
      if (found !== undefined) await hands.delete(path, found.kind === 'directory' ? 'directory' : 'file', CONCERN);
    },
    mkdirOutside: mkdir,
    renameOutside: async (from, to) => {
      const isDirectory = (await hands.look(from, CONCERN))?.kind === 'directory';
      await hands.move(from, to, { overwrite: !isDirectory, isDirectory }, CONCERN);
    },
    namesOutside: async () => (await walk('')).filter((path) => path !== RESERVED_NAME && !path.startsWith(`${RESERVED_NAME}/`)),
    trashOutside: async () => {
      const files = await Promise.all((await walk(`${RESERVED_NAME}/trash`)).map(bytesAt));
      return files.filter((bytes) => bytes !== undefined);
    },
    removeRoot: () => above.delete(name, 'directory', CONCERN),
    reopen: async () => {
      await backend.close();
      return openOne();
    },
  };
}

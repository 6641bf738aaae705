/**
 * Where the file system shows a storage, for syncers that work on paths. A local storage is its
 * own; another one may name a place in its manifest (`mount-path`).
 *
 * INV-10: such a place is used only while something is mounted there and it bears the root marker
 * of that very storage. An empty mount point, another disk or another bucket is no mount of it.
 */

import { open, realpath, stat } from 'node:fs/promises';
import path from 'node:path';

import { err, ok, RESERVED_NAME, type Result } from '@wl/domain';
import type { Clock, StorageBackend } from '@wl/ports';
import type { StorageParams } from '@wl/ports/schemas';

/** The file system, as far as it is asked here. */
export interface MountHost {
  /** The path with all links resolved; rejects where nothing is. */
  readonly realpath: (place: string) => Promise<string>;
  /** Number of the device that holds a path. */
  readonly deviceOf: (place: string) => Promise<number>;
  /** The first bytes of a file as text; rejects where there is none. */
  readonly readStart: (file: string) => Promise<string>;
}

/** What finding mounts needs. */
export interface MountParts {
  readonly clock: Clock;
  /** Whether a storage is a directory of this machine. */
  readonly isLocal: (params: StorageParams) => boolean;
  readonly host?: MountHost;
}

/** A network mount whose server is gone answers never. Milliseconds. */
const ANSWER_LIMIT_MS = 10_000;

/** Name of the marker in the reserved area of a root, and how its ids begin. */
const MARKER = path.join(RESERVED_NAME, 'root-id');
const MARKER_ID = 'marker:';
const MARKER_BYTES = 64;

const systemHost: MountHost = {
  realpath: (place) => realpath(place),
  deviceOf: async (place) => (await stat(place)).dev,
  readStart: async (file) => {
    const handle = await open(file, 'r');
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(MARKER_BYTES), 0, MARKER_BYTES, 0);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await handle.close();
    }
  },
};

/**
 * Makes the function that finds the mount of a storage: an absolute path, or why there is none,
 * in words that follow "the source" or "the target". It opens a storage that has to be asked for
 * its marker, and leaves it open.
 */
export function mountFinder({ clock, isLocal, host = systemHost }: MountParts): (params: StorageParams, storage: StorageBackend) => Promise<Result<string, string>> {
  return async (params, storage) => {
    const named = params['mount-path'];
    const isOwn = isLocal(params);
    const place = isOwn ? params.location : named;
    if (place === undefined) return err(`(type ${params.type}) has no mount-path in its manifest`);
    if (!path.isAbsolute(place)) return err(`has a mount-path that is not absolute: ${place}`);
    const answered = new AbortController();
    const limit = clock.sleep(ANSWER_LIMIT_MS, answered.signal).then(() => err(`does not answer at ${place}`));
    try {
      return await Promise.race([isOwn ? existing(place, host) : mounted(place, storage, host), limit]);
    } finally {
      answered.abort();
    }
  };
}

async function existing(place: string, host: MountHost): Promise<Result<string, string>> {
  try {
    return ok(await host.realpath(place));
  } catch (error) {
    return err(`is not there at ${place} (${messageOf(error)})`);
  }
}

async function mounted(place: string, storage: StorageBackend, host: MountHost): Promise<Result<string, string>> {
  const real = await existing(place, host);
  if (!real.ok) return real;
  if ((await mountPointAbove(real.value, host)) === undefined) return err(`is not mounted at ${place}`);
  const ids = await idsOf(storage);
  if (!ids.ok) return ids;
  const markers = ids.value.filter((id) => id.startsWith(MARKER_ID));
  if (markers.length === 0) return err('has no root marker yet: sync it once, then it can be recognised where it is mounted');
  let seen: string;
  try {
    seen = `${MARKER_ID}${(await host.readStart(path.join(real.value, MARKER))).trim()}`;
  } catch (error) {
    return err(`cannot be recognised at ${place}: there is no root marker to be read (${messageOf(error)})`);
  }
  return markers.includes(seen) ? real : err(`is not what is mounted at ${place}: that is another storage`);
}

async function idsOf(storage: StorageBackend): Promise<Result<readonly string[], string>> {
  try {
    await storage.open();
    return ok((await storage.rootIdentity({ mark: false })).ids);
  } catch (error) {
    return err(`cannot be looked at (${messageOf(error)})`);
  }
}

/** The closest directory at or above `place` that lies on another device than its parent; the root directory does not count. */
async function mountPointAbove(place: string, host: MountHost): Promise<string | undefined> {
  for (let current = place, device = await host.deviceOf(place); current !== path.dirname(current); current = path.dirname(current)) {
    if ((await host.deviceOf(path.dirname(current))) !== device) return current;
  }
  return undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

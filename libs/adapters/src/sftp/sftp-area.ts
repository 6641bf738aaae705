/** Our area on an SFTP server, its marker, and what the server's clock shows. */

import type { RelativePath } from '@wl/domain';
import { isBackendError, type Clock } from '@wl/ports';

import { Area } from '../remote/area.js';
import { RootMarker } from '../remote/root-marker.js';
import { failure, type Concern } from './failure.js';
import type { SftpApi } from './sftp-api.js';
import type { VersionClock } from './version.js';

/** Nobody else looks into what is not shown yet, or no longer. */
const PRIVATE = 0o700;

/** The area of one storage. */
export function sftpArea(api: SftpApi, versions: VersionClock, clock: Clock): Area {
  return new Area(
    {
      makeDirectory: async (directory, concern) => {
        const made = await api.makeDirectory(directory, concern, undefined, PRIVATE);
        if (made === 'done') return;
        const found = await api.look(directory, concern);
        if (found?.kind === 'directory') return;
        if (made === 'forbidden') throw failure('permission-denied', concern, `the server does not allow to make ${directory}`);
        if (found === undefined) throw failure('io-error', concern, `the server could not make ${directory}`, true);
        throw failure('not-a-directory', concern, `${directory} belongs to wl, but something else is there; move it away`);
      },
      removeTree: (path, concern, signal) => removeTree(api, path, concern, signal),
      agesIn: async (path, concern, signal) => {
        const listed = await api.directory(path as RelativePath, concern, signal);
        if ('reason' in listed) return undefined;
        const nowMs = versions.serverMs ?? NaN;
        return new Map([...listed.entries].flatMap(([name, found]): [string, number][] => (found.kind === 'directory' ? [[name, nowMs - (found.mtimeS ?? NaN) * 1000]] : [])));
      },
    },
    clock,
  );
}

/** Removes a directory of ours with everything in it; links are removed, not followed. Missing already is success. */
export async function removeTree(api: SftpApi, path: string, concern: Concern, signal?: AbortSignal): Promise<void> {
  const listed = await api.directory(path as RelativePath, concern, signal);
  if ('reason' in listed) {
    if (listed.reason === 'missing') return;
    throw failure('io-error', concern, `${path} cannot be looked into: ${listed.reason}`, true);
  }
  await Promise.all(
    [...listed.entries].map(([name, { kind }]) => (kind === 'directory' ? removeTree(api, `${path}/${name}`, concern, signal) : api.remove(`${path}/${name}`, concern, signal))),
  );
  await api.removeDirectory(path, concern, signal);
}

/** The marker of one storage. It is there with its text, or not at all. */
export function sftpMarker(api: SftpApi, area: Area): RootMarker {
  return new RootMarker(
    {
      read: async (place, mostBytes, concern, signal) => {
        const text = await api.readSmall(place, mostBytes, concern, signal);
        if (text === undefined) await api.assertRoot(concern, signal);
        return text;
      },
      create: async (place, text, concern, signal) => {
        const staged = await area.stagingPlace(concern);
        const file = await api.create(staged, 0o600, concern, signal);
        try {
          await api.within(concern, () => file.session.write(file.handle, Buffer.from(text), 0));
        } finally {
          await api.close(file);
        }
        await api.rename(staged, place, concern, signal);
        await api.remove(staged, concern, signal);
      },
    },
    area,
  );
}

/** Reads the server's clock off a file made for that. Where that cannot be, versions are told without it. */
export async function readServerClock(api: SftpApi, area: Area, versions: VersionClock, signal?: AbortSignal): Promise<void> {
  const concern = { operation: "read the server's clock" };
  try {
    const place = await area.stagingPlace(concern);
    const file = await api.create(place, 0o600, concern, signal);
    const made = await api.current(place, file, concern);
    await api.close(file);
    if (made.kind === 'file') versions.learn(made.mtimeS);
    await api.remove(place, concern, signal);
  } catch (error) {
    if (!isBackendError(error) || error.code === 'cancelled') throw error;
    area.forget();
  }
}

/** Our area on a WebDAV server. */

import type { Clock } from '@wl/ports';

import { Area } from '../remote/area.js';
import type { DavApi } from './dav-api.js';
import { failure } from './failure.js';

/** The area of one storage. */
export function davArea(api: DavApi, clock: Clock): Area {
  return new Area(
    {
      makeDirectory: async (directory, concern) => {
        const made = await api.makeDirectory(directory, concern);
        if (made === 'made') return;
        const found = await api.look(directory, concern);
        if (found?.kind !== 'directory') throw failure('not-a-directory', concern, `${directory} belongs to wl, but something else is there; move it away`);
      },
      removeTree: (path, concern, signal) => api.delete(path, 'directory', concern, signal),
      agesIn: async (path, concern, signal) => {
        const listed = await api.directory(path, concern, signal);
        if ('status' in listed) return undefined;
        const directories = [...listed.entries].flatMap(([name, found]): [string, number][] => (found.kind === 'directory' ? [[name, listed.serverMs - (found.modifiedMs ?? NaN)]] : []));
        return new Map(directories);
      },
    },
    clock,
  );
}

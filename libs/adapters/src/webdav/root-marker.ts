/** The marker of a WebDAV folder. */

import type { Area } from '../remote/area.js';
import { RootMarker } from '../remote/root-marker.js';
import type { DavApi } from './dav-api.js';

/** Reads and makes the marker of one storage. */
export function davMarker(api: DavApi, area: Area): RootMarker {
  return new RootMarker(
    {
      read: async (place, mostBytes, concern, signal) => {
        const found = await api.look(place, concern, signal);
        if (found === undefined) return undefined;
        const opened = found.kind === 'file' && found.sizeBytes <= mostBytes ? await api.get(place, concern, signal) : undefined;
        const chunks: Uint8Array[] = [];
        if (opened !== undefined) for await (const chunk of opened.body) chunks.push(chunk);
        return Buffer.concat(chunks).toString('latin1');
      },
      create: async (place, text, concern, signal) => {
        await api.put(place, Buffer.from(text), { isNew: true }, concern, signal);
      },
    },
    area,
  );
}

/** Looks at single paths of a WebDAV folder, and hashes what is there. */

import { createHash } from 'node:crypto';

import { nameOf, parentOf, type FileNode } from '@wl/domain';
import { isBackendError } from '@wl/ports';

import { Observer } from '../remote/observer.js';
import type { DavApi } from './dav-api.js';
import { damaged, type Concern } from './failure.js';
import type { DavFile } from './multistatus.js';

/** The eyes of one storage. */
export function davObserver(api: DavApi, isCaseSensitive: () => boolean): Observer<DavFile> {
  return new Observer<DavFile>({
    look: (path, concern, signal) => api.look(path, concern, signal),
    hashContent: (path, sizeBytes, concern, signal) => hashContent(api, path, sizeBytes, concern, signal),
    knownHash: hashOf,
    isSpeltSo: async (path, concern, signal) => {
      if (isCaseSensitive()) return true;
      const listed = await api.directory(parentOf(path), concern, signal);
      return 'entries' in listed && listed.entries.has(nameOf(path));
    },
  });
}

/** SHA-256 of a file's content, hex; `undefined` when it is not there. Rejects with `damaged` when it is not of the size. */
export async function hashContent(api: DavApi, path: string, sizeBytes: number, concern: Concern, signal?: AbortSignal): Promise<string | undefined> {
  const opened = await api.get(path, concern, signal);
  if (opened === undefined) return undefined;
  const hash = createHash('sha256');
  let count = 0;
  try {
    for await (const chunk of opened.body) {
      count += chunk.length;
      hash.update(chunk);
    }
  } catch (error) {
    throw isBackendError(error) ? error : damaged(concern, 'the server stopped in the middle of the file');
  }
  if (count !== sizeBytes) throw damaged(concern, `the server sent ${String(count)} bytes of ${String(sizeBytes)}`);
  return hash.digest('hex');
}

/** The hash that was noted of this version; a racy one may be another by now. */
export function hashOf(file: DavFile): FileNode['hash'] {
  return file.isRacy ? undefined : file.note?.sha256;
}

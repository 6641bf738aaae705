/**
 * Tries what an endpoint can do so that a crash in the middle leaves nothing for good: where it is
 * tried is noted before the first request, and what lies there is removed before the next try.
 */

import type { S3Abilities } from './abilities.js';
import { probe } from './probe.js';
import type { S3Api } from './s3-api.js';
import { S3Error } from './s3-error.js';
import type { S3Notes } from './s3-params.js';

const NOTE = 'probing';

/** Like `probe`. */
export async function notedProbe(api: S3Api, area: string, newId: () => string, notes: S3Notes): Promise<S3Abilities> {
  const left = notes.get(NOTE);
  if (typeof left === 'string' && left !== '') await clearAway(api, `${area}probe/${left}/`);
  const id = newId();
  notes.put(NOTE, id);
  const abilities = await probe(api, area, () => id);
  notes.put(NOTE, undefined);
  return abilities;
}

/** What cannot be removed now is small; uploads among it end with others that are a week old. */
async function clearAway(api: S3Api, prefix: string): Promise<void> {
  try {
    for await (const { key, uploadId } of api.listUploads(prefix)) await api.abortUpload(key, uploadId);
    // A probe makes a few dozen objects: they are on the first page.
    const { objects } = await api.list({ prefix });
    for (const { key } of objects) await api.deleteObject(key, { kind: 'none' });
    if (objects.length === 0 || !(await api.isVersioned())) return;
    for (const { key } of objects) for (const { versionId } of await api.listVersions(key)) await api.deleteObject(key, { kind: 'none' }, versionId);
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
  }
}

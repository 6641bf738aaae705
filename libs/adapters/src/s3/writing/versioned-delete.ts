/**
 * Removing an object of a bucket that keeps versions, where the server does not compare: a
 * delete marker is laid on top, then it is looked at what lies below. Nothing is lost at any
 * point: what was hidden by mistake is a version still, and shows again when our marker goes.
 */

import type { ListedVersion } from '../s3-api.js';

import type { WriteContext } from './context.js';
import { mayHaveTakenEffect } from './swap.js';

/** Removes `key` if its latest version is `etag`; `stale` when it is another one, which stays or shows again. */
export async function versionedDelete(context: WriteContext, key: string, etag: string, signal?: AbortSignal): Promise<'done' | 'stale'> {
  const { api } = context;
  if ((await api.headObject(key, signal))?.etag !== etag) return 'stale';
  let marker: string | undefined;
  try {
    const answer = await api.deleteObject(key, { kind: 'none', isOnce: true }, undefined, signal);
    if (answer.kind === 'refused') return 'stale';
    marker = answer.versionId;
  } catch (error) {
    if (!mayHaveTakenEffect(error) || signal?.aborted === true) throw error;
    // Whose marker it is cannot be told; if it hides what was to be removed, that is done.
    if (isRemoved(await api.listVersions(key, signal), 0, etag)) return 'done';
    throw error;
  }
  const versions = await api.listVersions(key, signal);
  const position = versions.findIndex(({ versionId, isDeleteMarker }) => (marker === undefined ? isDeleteMarker : versionId === marker));
  if (isRemoved(versions, position, etag)) return 'done';
  // Only a marker that is known to be ours is taken away (INV-18).
  if (marker !== undefined && position >= 0) await api.deleteObject(key, { kind: 'none' }, marker, signal);
  return 'stale';
}

/** Whether a delete marker at `position` hides version `etag`, with nothing but markers of others in between. */
function isRemoved(versions: readonly ListedVersion[], position: number, etag: string): boolean {
  if (position < 0 || versions[position]?.isDeleteMarker !== true) return false;
  const below = versions.slice(position).find((version) => !version.isDeleteMarker);
  return below?.etag === etag;
}

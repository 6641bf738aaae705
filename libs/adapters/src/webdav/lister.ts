/**
 * Lists a WebDAV folder. INV-8: a directory that the server does not list is in the listing with the
 * reason; an answer that makes no sense ends it as a failure.
 */

import type { RelativePath, UnknownReason } from '@wl/domain';
import { EntryKind, type ListingBatch, type ListingRow, type ListOptions } from '@wl/ports';

import { plainRow, walkFolder, type FolderAnswer } from '../remote/folder-walk.js';
import type { DavApi } from './dav-api.js';
import { failure, statusFailure } from './failure.js';
import type { DavFound } from './multistatus.js';

/** Lists everything below a directory. */
export async function* listFolder(api: DavApi, directory: RelativePath, options: ListOptions): AsyncGenerator<ListingBatch> {
  const concern = { operation: 'list', path: directory };
  const listed = await api.directory(directory, concern, options.signal);
  if ('status' in listed) {
    if (listed.status !== 404 && listed.status !== 400) throw statusFailure(listed.status, concern);
    await api.assertRoot(concern, options.signal);
    throw failure('not-found', concern, 'there is no such directory');
  }
  if (listed.isIncomplete) throw failure('damaged', concern, 'the server did not list all of it', true);
  const ask = async (path: RelativePath): Promise<FolderAnswer<DavFound>> => {
    const answer = await api.directory(path, { operation: 'list', path }, options.signal);
    return 'status' in answer ? { reason: reasonOf(answer.status) } : answer;
  };
  yield* walkFolder({ ask, rowOf }, directory, listed, options);
}

/** Servers refuse single directories by a status; one that cannot say anything at all is no listing. */
function reasonOf(status: number): UnknownReason {
  if (status === 403 || status === 401) return 'permission-denied';
  if (status === 404 || status === 410) return 'vanished';
  if (status === 423) return 'changing';
  return 'read-error';
}

function rowOf(path: string, found: DavFound): ListingRow {
  if (found.kind === 'directory') return plainRow(`${path}/`, EntryKind.directory);
  if (found.kind === 'unknown') return plainRow(path, EntryKind.unknown, found.reason);
  const { token, sizeBytes, mtimeMs, isRacy } = found;
  // A file that the server gives no version of cannot be told from a changed one.
  if (token === '') return plainRow(path, EntryKind.unknown, 'read-error');
  return { key: path, kind: EntryKind.file, token, sizeBytes, mtimeMs, isRacy, reason: undefined };
}

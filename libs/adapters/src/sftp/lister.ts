/**
 * Lists a folder of an SFTP server. INV-8: a directory that cannot be read is in the listing with the
 * reason; a connection that is lost for good ends it as a failure. T04: the folder must be the same at the end.
 */

import type { RelativePath } from '@wl/domain';
import { EntryKind, type ListingBatch, type ListingRow, type ListOptions } from '@wl/ports';

import { plainRow, walkFolder, type FolderAnswer } from '../remote/folder-walk.js';
import { failure } from './failure.js';
import type { NoPage, SftpApi } from './sftp-api.js';
import type { SftpFound } from './sftp-found.js';

/** Lists everything below a directory. */
export async function* listFolder(api: SftpApi, directory: RelativePath, options: ListOptions & { readonly signal: AbortSignal }): AsyncGenerator<ListingBatch> {
  const concern = { operation: 'list', path: directory };
  const { signal } = options;
  await api.assertRoot(concern, signal);
  const listed = await api.directory(directory, concern, signal);
  if ('reason' in listed) {
    if (listed.reason === 'missing') throw failure('not-found', concern, 'there is no such directory');
    if (listed.reason === 'permission-denied') throw failure('permission-denied', concern, 'the server does not allow it');
    throw failure(listed.reason === 'symlink' ? 'not-a-directory' : 'io-error', concern, `it cannot be read: ${listed.reason}`, listed.reason === 'read-error');
  }
  const ask = async (path: RelativePath): Promise<FolderAnswer<SftpFound>> => {
    const answer = await api.directory(path, { operation: 'list', path }, signal);
    return 'reason' in answer ? { reason: reasonOf(answer) } : answer;
  };
  yield* walkFolder({ ask, rowOf }, directory, listed, options);
  await api.assertRoot(concern, signal);
}

function reasonOf({ reason }: NoPage): Exclude<NoPage['reason'], 'missing'> {
  return reason === 'missing' ? 'vanished' : reason;
}

function rowOf(path: string, found: SftpFound): ListingRow {
  if (found.kind === 'directory') return plainRow(`${path}/`, EntryKind.directory);
  if (found.kind === 'unknown') return plainRow(path, EntryKind.unknown, found.reason);
  const { token, sizeBytes, mtimeMs, isRacy } = found;
  return { key: path, kind: EntryKind.file, token, sizeBytes, mtimeMs, isRacy, reason: undefined };
}

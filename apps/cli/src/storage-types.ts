/**
 * The storage types that can be added to a container, and what must hold of a storage before it
 * is: its type is one of them, a local one is a directory that exists, an archive a file, and no two of a container
 * are in one another, in a file system or in a bucket (INV-23: the same files would be source and target at once).
 */

import { stat } from 'node:fs/promises';

import { canonicalPath, isLocal, LOCAL_TYPES, s3Overlap, s3PlaceOf, sftpOverlap, sftpPlaceOf, sftpText, shellWord, webdavOverlap, webdavUrlOf } from '@wl/adapters/manifests';
import { rootOverlap } from '@wl/domain';
import type { StorageParams } from '@wl/ports/schemas';

import { CommandFailure, orFail } from './errors.js';

/** Names of the types. */
export type StorageTypes = ReadonlySet<string>;

/** All types that this version can sync. */
export const STORAGE_TYPES: StorageTypes = new Set([...LOCAL_TYPES, 's3', 'sftp', 'webdav', 'zip-archive']);

/** Checks a storage that is to stand beside `others` in a container. Throws `CommandFailure` with what to do. */
export async function checkNewStorage(storage: StorageParams, others: readonly StorageParams[], types: StorageTypes): Promise<void> {
  if (!types.has(storage.type)) {
    throw new CommandFailure(`storages of type ${storage.type} are not supported by this version, and by no plugin of yours. Supported: ${[...types].join(', ')}`);
  }
  if (storage.type === 's3') checkPlaceInBucket(storage, others);
  if (storage.type === 'webdav') checkFolderOnServer(storage, others);
  if (storage.type === 'sftp') checkFolderOverSsh(storage, others);
  const { location } = storage;
  if (storage.type === 'zip-archive' && location !== undefined) await checkArchive(location);
  if (!isLocal(storage) || location === undefined) return;
  await checkDirectory(location);
  for (const other of others) {
    if (!isLocal(other) || other.location === undefined) continue;
    const overlap = rootOverlap(canonicalPath(location), canonicalPath(other.location));
    if (overlap === 'apart') continue;
    const how = overlap === 'same' ? 'are the same directory' : 'are in one another';
    throw new CommandFailure(
      `${location} and ${other.location}, two storages of one container, ${how}: each storage needs a directory of its own, apart from the others`,
    );
  }
}

function checkPlaceInBucket(storage: StorageParams, others: readonly StorageParams[]): void {
  const place = orFail(s3PlaceOf(storage));
  for (const other of others) {
    const otherPlace = other.type === 's3' ? s3PlaceOf(other) : undefined;
    // One that cannot be used is nobody's neighbour.
    if (otherPlace?.ok !== true) continue;
    const overlap = s3Overlap(place, otherPlace.value);
    if (overlap === 'apart') continue;
    const how = overlap === 'same' ? 'are the same place' : 'are in one another';
    throw new CommandFailure(
      `${place.url} and ${otherPlace.value.url}, two storages of one container, ${how}: each storage needs a path of its own, apart from the others`,
    );
  }
}

function checkFolderOnServer(storage: StorageParams, others: readonly StorageParams[]): void {
  const url = orFail(webdavUrlOf(storage));
  for (const other of others) {
    const otherUrl = other.type === 'webdav' ? webdavUrlOf(other) : undefined;
    if (otherUrl?.ok !== true) continue;
    const overlap = webdavOverlap(url, otherUrl.value);
    if (overlap === 'apart') continue;
    const how = overlap === 'same' ? 'are the same folder' : 'are in one another';
    throw new CommandFailure(`${url} and ${otherUrl.value}, two storages of one container, ${how}: each storage needs a folder of its own, apart from the others`);
  }
}

function checkFolderOverSsh(storage: StorageParams, others: readonly StorageParams[]): void {
  const place = orFail(sftpPlaceOf(storage));
  for (const other of others) {
    const otherPlace = other.type === 'sftp' ? sftpPlaceOf(other) : undefined;
    if (otherPlace?.ok !== true) continue;
    const overlap = sftpOverlap(place, otherPlace.value);
    if (overlap === 'apart') continue;
    const how = overlap === 'same' ? 'are the same folder' : 'are in one another';
    throw new CommandFailure(`${sftpText(place)} and ${sftpText(otherPlace.value)}, two storages of one container, ${how}: each storage needs a folder of its own, apart from the others`);
  }
}

/**
 * A warning where a storage's directory holds the base directory: syncing that would copy secret
 * keys, and change what is being synced while it is.
 */
export function ownFilesWarning(storage: StorageParams, baseDirectory: string): string | undefined {
  if (!isLocal(storage) || storage.location === undefined) return undefined;
  const [outside, inside] = [canonicalPath(storage.location), canonicalPath(baseDirectory)];
  if (outside !== inside && rootOverlap(outside, inside) !== 'nested') return undefined;
  if (inside.length < outside.length) return undefined;
  return `Warning: ${storage.location} holds wl's own files with your keys (${baseDirectory}). Leave them out with an ignore pattern, see: wl container modify --help`;
}

async function checkDirectory(location: string): Promise<void> {
  const found = await lookAt(location);
  if (found === undefined) throw new CommandFailure(`there is no directory ${location}. Make it first: mkdir -p ${shellWord(location)}`);
  if (found !== 'directory') throw new CommandFailure(`${location} is no directory: a local storage needs one`);
}

async function checkArchive(location: string): Promise<void> {
  const found = await lookAt(location);
  if (found === undefined) throw new CommandFailure(`there is no archive ${location}: a storage of type zip-archive is only read, somebody else has to make it`);
  if (found !== 'file') throw new CommandFailure(`${location} is no file: a storage of type zip-archive is one`);
}

/** `undefined` where nothing of that name is there. */
async function lookAt(location: string): Promise<'directory' | 'file' | 'other' | undefined> {
  try {
    const found = await stat(location);
    return found.isDirectory() ? 'directory' : found.isFile() ? 'file' : 'other';
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'ENOTDIR') return 'other';
    throw new CommandFailure(`unable to look at ${location}: ${message}`);
  }
}

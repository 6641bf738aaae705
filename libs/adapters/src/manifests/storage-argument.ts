/**
 * A storage named in one word on the command line: a path or a URL.
 */

import path from 'node:path';

import { err, ok, type Result } from '@wl/domain';
import type { StorageParams as AnyStorageParams } from '@wl/ports/schemas';

import { fileOfUrl } from './naming.js';
import { homeDirectory, type Environment } from './paths.js';
import { parseS3Url } from './s3-storage.js';
import { setupError, type SetupError } from './setup-error.js';

/** Turns `~/Docs`, `/mnt/usb/docs`, `file:///mnt/usb/docs` or `s3://bucket/docs` into the fields of a storage. */
export function storageFromArgument(
  text: string,
  context: { readonly env: Environment; readonly workingDirectory: string; readonly localHostname?: string },
): Result<AnyStorageParams, SetupError> {
  if (text === '' || text.includes('\0')) return err(setupError('bad-name', 'a storage is named by a path or a URL, not by nothing'));
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === 's3') {
    const place = parseS3Url(text);
    return place.ok ? ok({ type: 's3', s3_url: place.value.url }) : place;
  }
  if (scheme === 'file') {
    const file = fileOfUrl(text, context.localHostname ?? 'localhost');
    return file.ok ? ok({ type: 'local', location: path.resolve(file.value) }) : file;
  }
  if (scheme !== undefined) {
    return err(setupError('unsupported-url', `no storage type is known for ${scheme}:// URLs: use a path or an s3:// URL, or wl storage create <type>`));
  }
  const expanded = text === '~' || text.startsWith('~/') ? path.join(homeDirectory(context.env), text.slice(1)) : text;
  return ok({ type: 'local', location: path.resolve(context.workingDirectory, expanded) });
}

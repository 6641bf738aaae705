/**
 * What the manifest of a WebDAV storage says: where it is, checked before anybody connects to it.
 * `base_path` is a path below the URL's, as in the original, written as people read it. Credentials
 * in the URL are refused, and no message here repeats a text that may hold some.
 */

import { err, ok, RESERVED_NAME, type Result } from '@wl/domain';
import type { StorageParams as AnyStorageParams } from '@wl/ports/schemas';

import { setupError, type SetupError } from './setup-error.js';

/** The folder that the parameters of a WebDAV storage name, as a URL that ends in a slash. */
export function webdavUrlOf(storage: AnyStorageParams): Result<string, SetupError> {
  const url = parseWebdavUrl(text(storage['url']) ?? '');
  const below = (text(storage['base_path']) ?? '').split('/').filter((part) => part !== '');
  if (!url.ok || below.length === 0) return url;
  if (below.some((part) => part === '.' || part === '..' || !part.isWellFormed())) return refuse("the base_path of a WebDAV storage has a part '.' or '..', or broken Unicode");
  return parseWebdavUrl(`${url.value}${below.map(encodeURIComponent).join('/')}/`);
}

/** The URL of a WebDAV folder as it is stored: scheme, host, port and path. */
export function parseWebdavUrl(url: string): Result<string, SetupError> {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) return refuse('the URL of a WebDAV folder begins with https:// or http://, like https://dav.example.org/files');
  const { origin, pathname, search, hash, username, password } = new URL(url);
  if (username !== '' || password !== '') return refuse('credentials have no place in the URL: give them as such');
  if (search !== '' || hash !== '') return refuse("the URL of a WebDAV folder has no '?' and no '#'");
  const parts = pathname.split('/').filter((part) => part !== '');
  if (parts.includes(RESERVED_NAME)) return refuse(`the URL has a part ${RESERVED_NAME}, which is for what wl keeps for itself`);
  return ok(`${origin}/${parts.map((part) => `${part}/`).join('')}`);
}

/** How two folders lie to each other, by their URLs. */
export function webdavOverlap(one: string, other: string): 'apart' | 'same' | 'nested' {
  const [a, b] = [one, other].map((url) => url.replace(/^https?:\/\//, ''));
  if (a === b) return 'same';
  return a!.startsWith(b!) || b!.startsWith(a!) ? 'nested' : 'apart';
}

function refuse(message: string): Result<never, SetupError> {
  return err(setupError('unsupported-url', message));
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

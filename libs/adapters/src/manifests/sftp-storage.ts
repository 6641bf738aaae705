/**
 * What the manifest of an SFTP storage says: where it is and how to log in, checked before anybody
 * connects to it. Fields are those that the original has for sshfs (`host`, `path`, `login`,
 * `identity`, `passwd`), and ours; no message here repeats a text that may be a secret.
 */

import { err, ok, RESERVED_NAME, type Result } from '@wl/domain';
import type { StorageParams as AnyStorageParams } from '@wl/ports/schemas';

import { setupError, type SetupError } from './setup-error.js';

/** Where an SFTP storage is. */
export interface SftpPlace {
  readonly host: string;
  readonly port: number;
  /** Left out: the user that the daemon runs as. */
  readonly login: string | undefined;
  /** Without a slash at the end; `.` and what does not begin with a slash begin at the login's home. */
  readonly path: string;
}

const DEFAULT_PORT = 22;

/** The place that the parameters of an SFTP storage name. */
export function sftpPlaceOf(storage: AnyStorageParams): Result<SftpPlace, SetupError> {
  const { host, port = DEFAULT_PORT, login, path = '.' } = storage as Readonly<Record<string, unknown>>;
  // A bracketed IPv6 address is written as in a URL.
  const name = typeof host === 'string' ? host.replace(/^\[(.*)\]$/, '$1') : '';
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]*$|^[0-9a-fA-F:]+(%[A-Za-z0-9._-]+)?$/.test(name)) return refuse("the host of an SFTP storage is a name or an address, like files.example.org, without scheme, login and path");
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535) return refuse('the port of an SFTP storage is a number from 1 to 65535');
  if (login !== undefined && (typeof login !== 'string' || login === '' || /[\u0000-\u0020\u007f:@]/.test(login))) return refuse("the login of an SFTP storage is a name without spaces, ':' and '@'");
  if (typeof path !== 'string' || path === '' || !path.isWellFormed() || /[\u0000-\u001f\u007f\ufffd]/.test(path)) return refuse('the path of an SFTP storage is text without control characters');
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) return refuse("the path of an SFTP storage has no part '..'");
  if (parts.includes(RESERVED_NAME)) return refuse(`the path has a part ${RESERVED_NAME}, which is for what wl keeps for itself`);
  const isAbsolute = path.startsWith('/');
  return ok({ host: name.toLowerCase(), port, login, path: isAbsolute ? `/${parts.join('/')}` : parts.length === 0 ? '.' : parts.join('/') });
}

/** For people. */
export function sftpText({ host, port, login, path }: SftpPlace): string {
  const server = `${login === undefined ? '' : `${login}@`}${host.includes(':') ? `[${host}]` : host}${port === DEFAULT_PORT ? '' : `:${String(port)}`}`;
  return `sftp://${server}${path.startsWith('/') ? path : path === '.' ? '/~' : `/~/${path}`}`;
}

/** How two folders lie to each other, as far as their names tell: where a home is, only the server knows. */
export function sftpOverlap(one: SftpPlace, other: SftpPlace): 'apart' | 'same' | 'nested' {
  const isRelative = (place: SftpPlace): boolean => !place.path.startsWith('/');
  if (one.host !== other.host || one.port !== other.port || isRelative(one) !== isRelative(other)) return 'apart';
  if (isRelative(one) && one.login !== other.login) return 'apart';
  const [a, b] = [one, other].map(({ path }) => (path === '.' || path === '/' ? '' : `${path}/`)) as [string, string];
  if (a === b) return 'same';
  return a.startsWith(b) || b.startsWith(a) ? 'nested' : 'apart';
}

/** Whether a text is the fingerprint of a server's key, as `ssh-keygen -l` shows it. */
export function isHostKeyFingerprint(text: string): boolean {
  return /^SHA256:[A-Za-z0-9+/]{43}=?$/.test(text);
}

function refuse(message: string): Result<never, SetupError> {
  return err(setupError('unsupported-url', message));
}

/** What an SFTP server says of an entry. */

import type { UnknownReason } from '@wl/domain';
import type { RawAttributes } from 'ssh2';

import type { RemoteFile } from '../remote/observer.js';
import { tokenOf, type VersionClock } from './version.js';

/** A file. */
export interface SftpFile extends RemoteFile {
  readonly mtimeS: number;
  /** Permission bits. */
  readonly mode: number;
}

/** An entry. */
export type SftpFound =
  /** `mtimeS`: when names in it last changed, by the server's clock. */
  | { readonly kind: 'directory'; readonly mtimeS: number | undefined }
  | SftpFile
  | { readonly kind: 'unknown'; readonly reason: UnknownReason };

const TYPE = 0o170000;
const [REGULAR, DIRECTORY, LINK] = [0o100000, 0o040000, 0o120000];

/** Takes the attributes of a path apart; links are not followed, they are what they are. */
export function foundOf(path: string, { mode, size, mtime }: RawAttributes, versions: VersionClock): SftpFound {
  // A server need not tell what kind of thing something is; then nobody knows.
  if (mode === undefined) return { kind: 'unknown', reason: 'read-error' };
  switch (mode & TYPE) {
    case DIRECTORY:
      return { kind: 'directory', mtimeS: mtime };
    case LINK:
      return { kind: 'unknown', reason: 'symlink' };
    case REGULAR: {
      if (size === undefined || mtime === undefined) return { kind: 'unknown', reason: 'read-error' };
      const token = tokenOf(size, mtime);
      return { kind: 'file', token, sizeBytes: size, mtimeMs: mtime * 1000, mtimeS: mtime, mode: mode & 0o777, isRacy: versions.isRacy(path, token, mtime) };
    }
    default:
      return { kind: 'unknown', reason: 'special-file' };
  }
}

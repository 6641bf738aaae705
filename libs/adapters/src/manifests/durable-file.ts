/**
 * Small files, read and written with care: a reader sees the old file or the new one, never a
 * part, also after a crash (W-48 of the reference: the original wrote in place).
 *
 * Written aside, synced, put in place by `rename` (replace) or `link` (create, fails when the
 * name is taken), then the directory is synced. The name of the file aside follows from the
 * file's own, so what a crash left is overwritten by the next write; callers hold the lock of
 * the file (`withFileLock`), or write names that nobody else writes.
 */

import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { link, mkdir, open, realpath, rename, unlink } from 'node:fs/promises';
import path from 'node:path';

import { err, ok, type Result } from '@wl/domain';

import { fromSystemError, setupError, systemCode, type SetupError } from './setup-error.js';

/** More than any manifest or configuration has; a larger file is refused unread. */
export const MAX_FILE_BYTES = 1024 * 1024;

/** Only the owner reads and writes: manifests hold credentials, keys are keys. */
export const PRIVATE_FILE = 0o600;
const PRIVATE_DIRECTORY = 0o700;

/**
 * Reads a small regular file; `not-found` only where the system says that nothing is there.
 *
 * At once: a command reads half a dozen of them one after the other, and loading `node:fs/promises` and going by
 * threads of Node.js four times a file takes longer than all the rest of it.
 */
export function readSmallFile(file: string): Result<Buffer, SetupError> {
  try {
    // Non-blocking: opening a FIFO somebody put there must not hang.
    const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = fstatSync(fd);
      if (!stats.isFile()) return err(setupError('unreadable', `unable to read ${file}: it is not a regular file`, file));
      if (stats.size > MAX_FILE_BYTES) return err(tooLarge(file));
      const bytes = readFileSync(fd);
      return bytes.length > MAX_FILE_BYTES ? err(tooLarge(file)) : ok(bytes);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return err(setupError('not-found', `there is no file ${file}`, file));
    return err(fromSystemError('unreadable', `read ${file}`, file, error));
  }
}

/** Puts `bytes` in place of the file's content, or makes the file. Follows a link at `file` to the file itself. */
export async function replaceFile(file: string, bytes: Uint8Array, mode: number): Promise<Result<void, SetupError>> {
  try {
    const target = await followLink(file);
    const aside = await writeAside(target, bytes, mode);
    await rename(aside, target);
    await syncDirectory(path.dirname(target));
    return ok(undefined);
  } catch (error) {
    return err(fromSystemError('unwritable', `write ${file}`, file, error));
  }
}

/** Makes a file that must not exist yet; `false` when its name is taken. */
export async function createFile(file: string, bytes: Uint8Array, mode: number): Promise<Result<boolean, SetupError>> {
  try {
    const aside = await writeAside(file, bytes, mode);
    try {
      await link(aside, file);
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return ok(false);
      // A file system without hard links: the lock that the caller holds has to do.
      if (!(await tryRenameToFreeName(aside, file, error))) return ok(false);
    } finally {
      await unlinkIfThere(aside);
    }
    await syncDirectory(path.dirname(file));
    return ok(true);
  } catch (error) {
    return err(fromSystemError('unwritable', `write ${file}`, file, error));
  }
}

/** Removes a file durably; `not-found` when there is none. */
export async function removeFile(file: string): Promise<Result<void, SetupError>> {
  try {
    await unlink(file);
    await syncDirectory(path.dirname(file));
    return ok(undefined);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return err(setupError('not-found', `there is no file ${file}`, file));
    return err(fromSystemError('unwritable', `remove ${file}`, file, error));
  }
}

/** Makes a directory and what is missing above it, for the owner alone; leaves an existing one as it is. */
export async function makePrivateDirectory(directory: string): Promise<Result<void, SetupError>> {
  try {
    await mkdir(directory, { recursive: true, mode: PRIVATE_DIRECTORY });
    return ok(undefined);
  } catch (error) {
    return err(fromSystemError('unwritable', `make the directory ${directory}`, directory, error));
  }
}

async function writeAside(file: string, bytes: Uint8Array, mode: number): Promise<string> {
  const name = createHash('sha256').update(path.basename(file)).digest('hex').slice(0, 16);
  const aside = path.join(path.dirname(file), `.wl-${name}.tmp`);
  await unlinkIfThere(aside);
  const handle = await open(aside, 'wx', mode);
  try {
    // The mode given to open is cut by the umask.
    await handle.chmod(mode);
    await handle.writeFile(bytes);
    await handle.sync();
  } catch (error) {
    await unlinkIfThere(aside);
    throw error;
  } finally {
    await handle.close();
  }
  return aside;
}

async function tryRenameToFreeName(aside: string, file: string, linkError: unknown): Promise<boolean> {
  const code = systemCode(linkError);
  if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS' && code !== 'EMLINK') throw linkError;
  try {
    await (await open(file, 'wx', PRIVATE_FILE)).close();
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
  await rename(aside, file);
  return true;
}

/** The file a link leads to: replacing the link itself would cut the user's own arrangement. */
async function followLink(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return file;
    throw error;
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY);
  try {
    await handle.sync();
  } catch (error) {
    // Some file systems cannot sync a directory; the file itself is synced.
    const code = systemCode(error);
    if (code !== 'EINVAL' && code !== 'ENOTSUP' && code !== 'EPERM') throw error;
  } finally {
    await handle.close();
  }
}

async function unlinkIfThere(file: string): Promise<void> {
  try {
    await unlink(file);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

function tooLarge(file: string): SetupError {
  return setupError('too-large', `unable to read ${file}: it has more than ${MAX_FILE_BYTES} bytes, which no such file needs`, file);
}

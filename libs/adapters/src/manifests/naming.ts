/**
 * Names of manifests on disk (reference §2): `<name>.<kind>.yaml`, made without ever taking a
 * name that is in use, and found by what the user types.
 */

import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { err, ok, type Result } from '@wl/domain';

import { createFile, makePrivateDirectory, PRIVATE_FILE } from './durable-file.js';
import { withFileLock } from './file-lock.js';
import type { ManifestKind } from './manifest.js';
import { fromSystemError, setupError, systemCode, type SetupError } from './setup-error.js';

/** Names longer than this leave no room for a number and the ending. */
const MAX_NAME_BYTES = 200;

/** The name a manifest of that kind gets when the user asks for `given`: endings that will be added are taken off. */
export function toManifestName(kind: ManifestKind, given: string): Result<string, SetupError> {
  const name = withoutEnding(withoutEnding(given, '.yaml'), `.${kind}`);
  const refuse = (why: string) => err(setupError('bad-name', `${JSON.stringify(given)} cannot be the name of a ${kind}: ${why}`));
  if (name === '') return refuse('it is empty');
  if (name.includes('/') || name.startsWith('.')) return refuse('it becomes a file name, so it has no / and does not begin with a dot');
   
  if (/[\x00-\x1f\x7f]/.test(name)) return refuse('it has control characters');
  if (isUrl(name) || name.startsWith('-')) return refuse('a command would read it as something else');
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return refuse(`it has more than ${MAX_NAME_BYTES} bytes`);
  return ok(name);
}

/** How the user calls the manifest in `file`. */
export function nameOfManifest(kind: ManifestKind, file: string): string {
  return withoutEnding(withoutEnding(path.basename(file), '.yaml'), `.${kind}`);
}

/**
 * Finds the file of a manifest: `<directory>/<argument>` with the endings that may be left out,
 * then the argument as a path, or a `file://` URL of this machine.
 */
export function findManifest(
  kind: ManifestKind,
  argument: string,
  places: { readonly directory: string; readonly workingDirectory: string; readonly localHostname: string },
): Result<string, SetupError> {
  if (isUrl(argument)) return fileOfUrl(argument, places.localHostname);
  const inDirectory = (name: string): string => path.join(places.directory, name);
  const candidates = [
    inDirectory(`${argument}.yaml`),
    inDirectory(`${argument}.${kind}.yaml`),
    inDirectory(argument),
    path.resolve(places.workingDirectory, argument),
  ];
  for (const candidate of argument === '' || argument.includes('\0') ? [] : candidates) {
    try {
      if (statSync(candidate).isFile()) return ok(candidate);
    } catch (error) {
      const code = systemCode(error);
      if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'ENAMETOOLONG') {
        return err(fromSystemError('unreadable', `look for ${candidate}`, candidate, error));
      }
    }
  }
  return err(setupError('not-found', `${kind} not found: ${argument} (wl ${kind} list shows those there are)`));
}

/** Files of manifests in `directory`, sorted; none when it does not exist. */
export function listManifestFiles(directory: string): Result<readonly string[], SetupError> {
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith('.yaml') && !name.startsWith('.'));
    return ok(names.sort().map((name) => path.join(directory, name)));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return ok([]);
    return err(fromSystemError('unreadable', `list ${directory}`, directory, error));
  }
}

/** Writes a new manifest; where the name is in use `.1`, `.2`, … comes before the kind. Returns its file. */
export async function createManifestFile(kind: ManifestKind, directory: string, name: string, bytes: Uint8Array): Promise<Result<string, SetupError>> {
  const made = await makePrivateDirectory(directory);
  if (!made.ok) return made;
  return withFileLock(path.join(directory, `${name}.${kind}.yaml`), async () => {
    for (let number = 0; ; number++) {
      const file = path.join(directory, `${name}${number === 0 ? '' : `.${number}`}.${kind}.yaml`);
      const created = await createFile(file, bytes, PRIVATE_FILE);
      if (!created.ok) return created;
      if (created.value) return ok(file);
    }
  });
}

/** Whether an argument is a URL or a Wildland path (`[wildland:][owner]:/path:`) rather than a name. */
export function isUrl(argument: string): boolean {
  return argument.includes('://') || /^(wildland:)?(0x[0-9a-f]+|@[\w-]+)?:\//.test(argument);
}

/** The file that a `file://` URL of this machine names. */
export function fileOfUrl(url: string, localHostname: string): Result<string, SetupError> {
  const refused = setupError('unsupported-url', `${url} cannot be opened: only file:// URLs of this machine are supported, and names and paths of files`);
  try {
    const parsed = new URL(url);
    if (parsed.protocol !== 'file:') return err(refused);
    if (parsed.hostname !== '' && parsed.hostname !== 'localhost' && parsed.hostname !== localHostname.toLowerCase()) return err(refused);
    parsed.hostname = '';
    return ok(fileURLToPath(parsed));
  } catch {
    return err(refused);
  }
}

function withoutEnding(text: string, ending: string): string {
  return text.endsWith(ending) ? text.slice(0, -ending.length) : text;
}

/**
 * What a server does, found out by trying in our area (INV-26): that it names an extension does not
 * mean that the file system behind it can do it, and what `rename` does to a name that is taken
 * differs from server to server.
 */

import { randomUUID } from 'node:crypto';

import { RESERVED_NAME, type RelativePath } from '@wl/domain';
import { isBackendError, type AbilityReport, type StorageCapabilities } from '@wl/ports';

import type { Area } from '../remote/area.js';
import { abilityReport, capabilitiesFrom } from '../remote/abilities-told.js';
import { failure, toFailure } from './failure.js';
import { fileOf, type SftpApi } from './sftp-api.js';
import { removeTree } from './sftp-area.js';
import type { VersionClock } from './version.js';

/** What was proved. */
export interface SftpAbilities {
  /** A file can have two names, and getting one replaces nothing (`hardlink@openssh.com`). */
  readonly linksHard: boolean;
  /** A file is replaced in one step (`posix-rename@openssh.com`). */
  readonly renamesOver: boolean;
  /** Plain renaming replaces nothing. */
  readonly renameKeeps: boolean;
  /** Content can be made durable (`fsync@openssh.com`). */
  readonly flushes: boolean;
  /** Modification times are kept as given. */
  readonly keepsTimes: boolean;
  /** Listings tell links from what they lead to. */
  readonly tellsLinks: boolean;
  readonly isCaseSensitive: boolean;
}

const CONCERN = { operation: 'try what the server can do' };
/** Some second in 2001. */
const SOME_TIME_S = 1_000_000_001;

/** Tries everything; leaves nothing behind. Reads the server's clock on the way. */
export async function probe(api: SftpApi, area: Area, versions: VersionClock): Promise<SftpAbilities> {
  await area.ensure(RESERVED_NAME, CONCERN);
  const directory = `${RESERVED_NAME}/probe-${randomUUID()}`;
  await area.ensure(directory, CONCERN);
  try {
    return await tryAll(api, directory, versions);
  } finally {
    await removeTree(api, directory, CONCERN);
  }
}

async function tryAll(api: SftpApi, directory: string, versions: VersionClock): Promise<SftpAbilities> {
  const [one, two, other, link] = ['one', 'two', 'other', 'link'].map((name) => `${directory}/${name}`) as [string, string, string, string];
  const { flushes, keepsTimes } = await makeFile(api, one, 'x', versions);
  await makeFile(api, two, 'longer', versions);
  const sizeOf = async (path: string): Promise<number | undefined> => fileOf(await api.look(path, CONCERN))?.sizeBytes;
  if ((await sizeOf(one)) !== 1) throw failure('unsupported', CONCERN, 'what is written to this server does not show');
  const linked = await orUnsupported(() => api.link(one, other, CONCERN));
  const overTaken = await orUnsupported(() => api.link(two, other, CONCERN));
  const linksHard = linked === 'done' && overTaken === 'refused' && (await sizeOf(one)) === 1 && (await sizeOf(other)) === 1;
  if (!linksHard) {
    await api.remove(other, CONCERN);
    await makeFile(api, other, 'x', versions);
  }
  const renameKeeps = (await orUnsupported(() => api.rename(two, other, CONCERN))) !== 'done' && (await sizeOf(other)) === 1 && (await sizeOf(two)) === 6;
  if (!renameKeeps) {
    await api.remove(two, CONCERN);
    await makeFile(api, two, 'longer', versions);
  }
  const renamesOver = (await orUnsupported(() => api.renameOver(two, other, CONCERN))) === 'done' && (await sizeOf(other)) === 6 && (await sizeOf(two)) === undefined;
  const isCaseSensitive = (await sizeOf(`${directory}/ONE`)) === undefined;
  const tellsLinks = (await orUnsupported(() => api.makeLink(link, 'one', CONCERN))) !== 'done' || (await seesLink(api, directory));
  return { linksHard, renamesOver, renameKeeps, flushes, keepsTimes, tellsLinks, isCaseSensitive };
}

async function makeFile(api: SftpApi, path: string, text: string, versions: VersionClock): Promise<Pick<SftpAbilities, 'flushes' | 'keepsTimes'>> {
  const file = await api.create(path, 0o600, CONCERN);
  try {
    const { session, handle } = file;
    await api.within(CONCERN, () => session.write(handle, Buffer.from(text), 0));
    const made = fileOf(await api.current(path, file, CONCERN));
    if (made !== undefined) versions.learn(made.mtimeS);
    const flushes = (await orUnsupported(() => session.fsync(handle).then(() => 'done'))) === 'done';
    await orUnsupported(() => session.fsetstat(handle, { atime: SOME_TIME_S, mtime: SOME_TIME_S }).then(() => 'done'));
    return { flushes, keepsTimes: fileOf(await api.current(path, file, CONCERN))?.mtimeS === SOME_TIME_S };
  } finally {
    await api.close(file);
  }
}

async function seesLink(api: SftpApi, directory: string): Promise<boolean> {
  const [listed, looked] = await Promise.all([api.directory(directory as RelativePath, CONCERN), api.look(`${directory}/link`, CONCERN)]);
  const entry = 'entries' in listed ? listed.entries.get('link') : undefined;
  return [entry, looked].every((found) => found?.kind === 'unknown' && found.reason === 'symlink');
}

/** Any refusal shows that it cannot be relied on; only a lost connection shows nothing. */
async function orUnsupported(act: () => Promise<string>): Promise<string> {
  try {
    return await act();
  } catch (error) {
    const told = toFailure(error, CONCERN);
    if (isBackendError(told) && told.code !== 'unreachable' && told.code !== 'cancelled') return 'unsupported';
    throw told;
  }
}

/** Rejects where nothing can be written without the danger of replacing what is there (INV-5), or of going through links (INV-34). */
export function assertUsable({ linksHard, renameKeeps, tellsLinks }: SftpAbilities): void {
  if (!linksHard && !renameKeeps) throw failure('unsupported', CONCERN, 'this server replaces what is there when a file is renamed, and has no hardlink@openssh.com: nothing can be put there safely; mark the storage read-only to sync from it');
  if (!tellsLinks) throw failure('unsupported', CONCERN, 'this server shows links as what they lead to: what is written could end up outside of the folder; mark the storage read-only to sync from it');
}

/** Capabilities; before anything was tried, the least that can be. */
export function capabilitiesOf(abilities: SftpAbilities | undefined, isReadOnly: boolean): StorageCapabilities {
  return capabilitiesFrom(abilities, isReadOnly, notesOf);
}

function notesOf({ linksHard, renamesOver, flushes, keepsTimes }: SftpAbilities): string[] {
  const notes = [
    linksHard && renamesOver
      ? 'SFTP replaces without comparing: wl looks right before, and what another program puts in place between that look and the replacement may be lost; what was there before is in the trash.'
      : 'This server cannot give a file a second name, or not replace one in one step (hardlink@openssh.com, posix-rename@openssh.com): while wl replaces a file, for an instant nothing is at its name; what was there is in the trash.',
    'SFTP tells times in whole seconds and nothing else of a version: files that changed within the last two seconds are read again to be sure of them, and a change that keeps both size and time is not seen.',
  ];
  if (!linksHard) notes.push('This server has no hardlink@openssh.com: a file that another program makes in the very instant in which wl makes one of that name may be replaced by it.');
  if (!flushes) notes.push('This server has no fsync@openssh.com: what was written last may be lost if its power fails.');
  if (!keepsTimes) notes.push('This server does not keep modification times: they are those of the upload.');
  return notes;
}

/** As `wl storage check` shows them. */
export function abilityReports({ linksHard, renamesOver, renameKeeps, flushes, keepsTimes, tellsLinks, isCaseSensitive }: SftpAbilities): AbilityReport[] {
  return [
    abilityReport('create only if absent', linksHard, 'a second name (hardlink@openssh.com) never replaces', renameKeeps ? 'renaming does not replace what is there, as far as it was tried' : 'nothing is written there'),
    abilityReport('replace in one step', linksHard && renamesOver, 'posix-rename@openssh.com, after the old version got a second name in the trash', 'the old version is moved to the trash first: for an instant nothing is at the name'),
    abilityReport('durable writes', flushes, 'fsync@openssh.com', 'what was written last may be lost if the power of the server fails'),
    abilityReport('modification times', keepsTimes, 'are kept, in whole seconds', 'are those of the upload'),
    abilityReport('links', tellsLinks, 'are told from what they lead to', 'nothing is written there'),
    abilityReport('upper and lower case', isCaseSensitive, 'names may differ in case alone', 'names that differ in case alone are conflicts'),
  ];
}

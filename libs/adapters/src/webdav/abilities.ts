/**
 * What a server does of what the protocol says, found out by trying in our area (INV-26): headers
 * that a server does not know are answered like ones that hold.
 */

import { randomUUID } from 'node:crypto';

import { RESERVED_NAME, toSha256 } from '@wl/domain';
import type { AbilityReport, Clock, StorageCapabilities } from '@wl/ports';

import type { Area } from '../remote/area.js';
import { abilityReport, capabilitiesFrom } from '../remote/abilities-told.js';
import type { DavApi } from './dav-api.js';
import { failure } from './failure.js';
import type { DavFile } from './multistatus.js';

/** What was proved. */
export interface DavAbilities {
  /** `Overwrite: F` keeps what is there. */
  readonly keepsExisting: boolean;
  /** A move happens only if the destination has the ETag named. */
  readonly comparesDestination: boolean;
  /** Properties of ours are kept, and move along. */
  readonly keepsNotes: boolean;
  /** Entries have ETags. */
  readonly hasEtags: boolean;
  /** Two quick changes of one size have different ETags. */
  readonly tellsQuickChanges: boolean;
  readonly isCaseSensitive: boolean;
  /** Names that begin with a dot are in listings; nginx leaves them out. */
  readonly listsDotNames: boolean;
}

/** A later change carries another time in an ETag than one from so long before: clocks of kernels tick every 10 ms at most. */
export const TICKS_MS = 20;

const CONCERN = { operation: 'try what the server can do' };
/** A server that is never quick enough to make two versions within a second is taken for one that does not tell them apart. */
const QUICK_TRIES = 10;

/** Tries everything; leaves nothing behind. */
export async function probe(api: DavApi, area: Area, clock: Clock): Promise<DavAbilities> {
  const directory = `${RESERVED_NAME}/probe-${randomUUID()}`;
  await area.ensure(RESERVED_NAME, CONCERN);
  await api.makeDirectory(directory, CONCERN);
  try {
    const [one, other, third] = ['one', 'other', 'third'].map((name) => `${directory}/${name}`) as [string, string, string];
    const put = (path: string, text: string) => api.put(path, Buffer.from(text), { isNew: false }, CONCERN);
    const file = async (path: string): Promise<DavFile | undefined> => {
      const found = await api.look(path, CONCERN);
      return found?.kind === 'file' ? found : undefined;
    };
    await put(one, 'first');
    await put(other, 'its length differs');
    const kept = await api.move(one, other, { overwrite: false }, CONCERN);
    const keepsExisting = kept === 'refused' && (await file(other))?.sizeBytes === 18;
    await put(one, 'first');
    await put(other, 'its length differs');
    const compared = await api.move(one, other, { overwrite: true, destinationEtag: '"no such version"' }, CONCERN);
    const comparesDestination = compared === 'refused' && (await file(other))?.sizeBytes === 18;
    await put(one, 'first');
    const before = await file(one);
    if (before === undefined) throw failure('unsupported', CONCERN, 'what is written to this server does not show');
    const etag = tagOf(before);
    const note = { sha256: toSha256('0'.repeat(64)), sizeBytes: before.sizeBytes, mtimeMs: 1.5, etag, isExecutable: false };
    await api.setNote(one, note, CONCERN);
    await api.move(one, third, { overwrite: false }, CONCERN);
    const moved = await file(third);
    const change = async (text: string): Promise<DavFile | undefined> => {
      await put(third, text);
      return file(third);
    };
    const tellsQuickChanges = await provesQuickChanges(change, clock);
    await put(`${directory}/.dot`, 'first');
    const listed = await api.directory(directory, CONCERN);
    return {
      keepsExisting,
      comparesDestination,
      keepsNotes: etag !== '' && moved?.note !== undefined,
      hasEtags: etag !== '',
      tellsQuickChanges,
      listsDotNames: 'entries' in listed && listed.entries.has('.dot'),
      isCaseSensitive: (await api.look(`${directory}/THIRD`, CONCERN)) === undefined,
    };
  } finally {
    await api.delete(directory, 'directory', CONCERN);
  }
}

/**
 * Whether two changes that fall within one second, by the time that the server itself gives them, have different
 * tokens (T32). Where the second ended in between they differ anyhow, which proves nothing: most of a second is
 * left for the next try then. `change` makes a version with that text and looks at it.
 */
async function provesQuickChanges(change: (text: string) => Promise<DavFile | undefined>, clock: Clock): Promise<boolean> {
  for (let tries = 0; tries < QUICK_TRIES; tries += 1) {
    const first = await change('first');
    await clock.sleep(2 * TICKS_MS);
    const second = await change('FIRST');
    if (first === undefined || second === undefined || first.token === second.token) return false;
    if (first.mtimeMs === second.mtimeMs) return true;
  }
  return false;
}

/** The ETag in a token, `''` where the token has none. */
export function tagOf({ token }: Pick<DavFile, 'token'>): string {
  return token.startsWith('e') ? token.slice(1, token.lastIndexOf(':')) : '';
}

/** Capabilities; before anything was tried, the least that can be. */
export function capabilitiesOf(abilities: DavAbilities | undefined, isReadOnly: boolean): StorageCapabilities {
  return capabilitiesFrom(abilities, isReadOnly, notesOf);
}

function notesOf(abilities: DavAbilities): string[] {
  const notes = [
    abilities.comparesDestination && abilities.keepsExisting
      ? 'A WebDAV server compares before it writes, not while it does: what another program writes in that very instant may be lost; what was there before is in the trash.'
      : 'This server writes without comparing: wl looks right before, and what another program writes between that look and the write may be lost; what was there before is in the trash.',
  ];
  if (!abilities.keepsNotes) notes.push('This server keeps no properties: modification times are those of the upload, and files are read again to learn their hashes where those were forgotten.');
  if (!abilities.listsDotNames) notes.push('This server leaves names that begin with a dot out of its listings: wl cannot see such files there, and brings none to it.');
  if (!abilities.tellsQuickChanges) notes.push('This server tells times in whole seconds and nothing else: files that changed within the last two seconds are read to be sure of them.');
  return notes;
}

/** As `wl storage check` shows them. */
export function abilityReports(abilities: DavAbilities): AbilityReport[] {
  const { keepsExisting, comparesDestination, keepsNotes, hasEtags, tellsQuickChanges, isCaseSensitive, listsDotNames } = abilities;
  return [
    abilityReport('create only if absent', keepsExisting, 'a move does not replace what is there', 'wl looks right before'),
    abilityReport('replace only if unchanged', comparesDestination, 'a move compares the ETag of what it replaces', 'wl looks right before'),
    abilityReport('properties', keepsNotes, 'hash and modification time are kept with each file', 'hashes are remembered on this machine; times are those of the upload'),
    abilityReport('etags', hasEtags, 'each version has one', 'versions are told apart by time and size'),
    abilityReport('quick changes', tellsQuickChanges, 'two changes within a moment differ', 'files that changed within the last two seconds are read again'),
    abilityReport('names with a leading dot', listsDotNames, 'are listed', 'are not listed: such files are not seen, and none is brought there'),
    abilityReport('upper and lower case', isCaseSensitive, 'names may differ in case alone', 'names that differ in case alone are conflicts'),
  ];
}

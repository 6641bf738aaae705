/**
 * Names in archives, which are bytes of a code page nobody is sure of, written by programs of
 * all kinds. INV-34, INV-35: a name that would climb out of the root leads nowhere; what is
 * told for it instead is a place that could not be observed, never an absence.
 * Source: PKWARE APPNOTE 6.3.10, 4.4.2, 4.4.17, appendix D.
 */

import { parseRelativePath, type RelativePath } from '@wl/domain';
import { getFileNameLowLevel, type Entry } from 'yauzl';

/** What a name of an entry means here. */
export type EntryName =
  /** `isDirectory`: it ended in a slash. */
  | { readonly kind: 'path'; readonly path: RelativePath; readonly isDirectory: boolean }
  /** In our own area, or the root itself: nothing anyone is told of. */
  | { readonly kind: 'hidden' }
  /** It cannot be a path. `closest`: where a careless program would put it, if that is one. */
  | { readonly kind: 'unusable'; readonly display: string; readonly closest: RelativePath | undefined };

/** The header fields that say how a name is written. */
export type NameFields = Pick<Entry, 'fileNameRaw' | 'generalPurposeBitFlag' | 'extraFields' | 'versionMadeBy'>;

const UTF8_FLAG = 0x800;
/** Hosts on which the bytes of a name are UTF-8 whatever the flag says (macOS and many Unix programs leave it out). */
const UNIX_HOSTS: ReadonlySet<number> = new Set([3, 19]);
/** Hosts on which a backslash divides a path. */
const DOS_HOSTS: ReadonlySet<number> = new Set([0, 10, 11, 14]);

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads the name of an entry. */
export function readName(fields: NameFields): EntryName {
  const text = decode(fields);
  if (text === undefined) return { kind: 'unusable', display: new TextDecoder().decode(fields.fileNameRaw), closest: undefined };
  const name = DOS_HOSTS.has(hostOf(fields)) ? text.replaceAll('\\', '/') : text;
  const isDirectory = name.endsWith('/');
  // `./a` is how some programs write `a`.
  const parts = (isDirectory ? name.slice(0, -1) : name).split('/').filter((part) => part !== '.');
  const path = parts.join('/');
  if (path === '' && !name.startsWith('/')) return { kind: 'hidden' };
  const parsed = /^[A-Za-z]:\//.test(name) ? undefined : parseRelativePath(path);
  if (parsed?.ok === true) return { kind: 'path', path: parsed.value, isDirectory };
  if (parsed?.ok === false && parsed.error === 'reserved') return { kind: 'hidden' };
  return { kind: 'unusable', display: name, closest: closestPath(parts) };
}

/** `undefined` where the bytes are not what they are said to be. */
function decode(fields: NameFields): string | undefined {
  const { fileNameRaw, generalPurposeBitFlag, extraFields } = fields;
  if ((generalPurposeBitFlag & UTF8_FLAG) !== 0) return decodeUtf8(fileNameRaw);
  const isUnixUtf8 = UNIX_HOSTS.has(hostOf(fields)) ? decodeUtf8(fileNameRaw) : undefined;
  // Code page 437 has a character for each byte, so names stay apart; a Unicode name in an extra field wins.
  return isUnixUtf8 ?? getFileNameLowLevel(generalPurposeBitFlag, fileNameRaw, [...extraFields], true);
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

function hostOf({ versionMadeBy }: Pick<NameFields, 'versionMadeBy'>): number {
  return versionMadeBy >> 8;
}

/** Where programs that strip what is dangerous would put it. */
function closestPath(parts: readonly string[]): RelativePath | undefined {
  const kept: string[] = [];
  for (const part of parts) {
    if (part === '..') kept.pop();
    else if (part !== '' && !/^[A-Za-z]:$/.test(part)) kept.push(part);
  }
  const parsed = parseRelativePath(kept.join('/'));
  return parsed.ok ? parsed.value : undefined;
}

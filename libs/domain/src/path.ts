/**
 * Paths and keys: the one door through which raw strings become branded values.
 *
 * A *path* names a place relative to a storage's root; the root itself is the
 * empty path `ROOT`. A *key* is how that place sorts in a listing: a directory's
 * key ends in `/`. All streams are ordered by the UTF-8 bytes of the key, which is
 * the order S3 lists in and git keeps trees in, and is not JavaScript's `<` (that
 * compares UTF-16 units and differs outside the Basic Multilingual Plane).
 *
 * Names are kept byte for byte: no Unicode normalisation, since a name that was
 * changed no longer opens the file it came from (INV-35; see docs/adr/0002).
 */

import { err, ok, type Result } from './result.js';

declare const brand: unique symbol;

/** A path relative to a storage's root, `/`-separated, with no empty, `.` or `..` part and no NUL; `''` is the root. */
export type RelativePath = string & { readonly [brand]: 'RelativePath' };

/** The place of a path in key order: the path of a file, or the path of a directory followed by `/`. */
export type Key = string & { readonly [brand]: 'Key' };

/** The root of a storage. */
export const ROOT = '' as RelativePath;

/**
 * Name, at a storage's root, of the area that belongs to us (staging, trash, root
 * marker). No storage lists it and no sync touches what has this name at the root.
 */
export const RESERVED_NAME = '.wl';

/** Longest path accepted, in UTF-8 bytes: Linux's PATH_MAX. A storage with a lower limit (S3: 1,024) reports it per path. */
export const MAX_PATH_BYTES = 4096;

/** With the u flag a surrogate matches only when it stands alone. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Why a raw string is no path. */
export type PathError = 'empty' | 'absolute' | 'escapes-root' | 'empty-part' | 'nul' | 'not-unicode' | 'too-long' | 'reserved';

/** Turns a raw string into a path; the root is not accepted (use `ROOT`). */
export function parseRelativePath(raw: string): Result<RelativePath, PathError> {
  if (raw === '') return err('empty');
  if (raw.startsWith('/')) return err('absolute');
  if (raw.includes('\0')) return err('nul');
  if (LONE_SURROGATE.test(raw)) return err('not-unicode');
  if (utf8Length(raw) > MAX_PATH_BYTES) return err('too-long');
  const parts = raw.split('/');
  if (parts.some((part) => part === '.' || part === '..')) return err('escapes-root');
  if (parts.includes('')) return err('empty-part');
  if (parts[0] === RESERVED_NAME) return err('reserved');
  return ok(raw as RelativePath);
}

/** `parseRelativePath` for a string known to be a path; throws otherwise. */
export function toRelativePath(raw: string): RelativePath {
  const parsed = parseRelativePath(raw);
  if (!parsed.ok) throw new Error(`not a relative path (${parsed.error}): ${JSON.stringify(raw)}`);
  return parsed.value;
}

/** The key of a file at `path`. */
export function fileKey(path: RelativePath): Key {
  return path as string as Key;
}

/** The key of a directory at `path`; the root's is the empty key, a prefix of every other. */
export function directoryKey(path: RelativePath): Key {
  return (path === ROOT ? '' : `${path}/`) as Key;
}

/** Whether a key is a directory's. */
export function isDirectoryKey(key: Key): boolean {
  return key === '' || key.endsWith('/');
}

/** The path a key stands for. */
export function pathOfKey(key: Key): RelativePath {
  const path: string = key.endsWith('/') ? key.slice(0, -1) : key;
  return path as RelativePath;
}

/** The directory that holds `path`; `ROOT` for a top-level name. */
export function parentOf(path: RelativePath): RelativePath {
  const slash = path.lastIndexOf('/');
  return (slash < 0 ? '' : path.slice(0, slash)) as RelativePath;
}

/** The last part of a path. */
export function nameOf(path: RelativePath): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The directories above `path`, outermost first, without the root and without `path` itself. */
export function ancestorsOf(path: RelativePath): RelativePath[] {
  const ancestors: RelativePath[] = [];
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
    ancestors.push(path.slice(0, slash) as RelativePath);
  }
  return ancestors;
}

/** Whether `path` is `directory` itself or lies below it; everything lies below `ROOT`. */
export function isWithin(path: RelativePath, directory: RelativePath): boolean {
  return directory === ROOT || path === directory || path.startsWith(`${directory}/`);
}

/**
 * Orders keys by their UTF-8 bytes: negative, zero or positive.
 *
 * UTF-16 order equals UTF-8 order except that surrogates (0xD800–0xDFFF), which
 * stand for the highest code points, must come after 0xE000–0xFFFF.
 */
export function compareKeys(a: string, b: string): number {
  return a === b ? 0 : compareParts(a, 0, a.length, 0, b.length, b);
}

/** `compareKeys` of two parts of texts, `[start, end)` each; of one text unless told. */
export function compareParts(text: string, aStart: number, aEnd: number, bStart: number, bEnd: number, other = text): number {
  const shorter = Math.min(aEnd - aStart, bEnd - bStart);
  for (let i = 0; i < shorter; i += 1) {
    const x = text.charCodeAt(aStart + i);
    const y = other.charCodeAt(bStart + i);
    if (x !== y) return (x >= 0xd800 ? utf8Rank(x) : x) - (y >= 0xd800 ? utf8Rank(y) : y);
  }
  return aEnd - aStart - (bEnd - bStart);
}

/** Number of bytes of a string in UTF-8. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    // A surrogate pair is two units and four bytes, so each half counts for two.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}

/** Moves the surrogates behind the rest of the Basic Multilingual Plane, where their code points sort. */
function utf8Rank(unit: number): number {
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

/**
 * What an archive holds, by path and in key order: its central directory, read to the end and
 * believed only as far as it agrees with itself.
 *
 * - INV-8: an archive is listed whole or not at all. More than 65,535 entries without the fields
 *   for them are counted modulo 65,536 by some programs: what follows the last entry is looked at.
 * - Two entries of one name, a file that is also a directory, encrypted and outlandish entries are
 *   places that could not be observed.
 * - Tokens stand for content: checksum, sizes and time of the entry. So an archive made anew
 *   keeps the tokens of what did not change in it.
 */

import { compareKeys, ancestorsOf, type RelativePath, type UnknownReason } from '@wl/domain';
import { EntryKind, type EntryKindValue, type ListingRow, type UnrepresentableName } from '@wl/ports';
import { fromRandomAccessReaderPromise, type Entry, type ZipFile } from 'yauzl';

import { ArchiveBytes, type OpenArchive } from './archive-file.js';
import { readName } from './entry-names.js';

/** One entry that is a place in the storage. */
export interface IndexedEntry extends ListingRow {
  readonly kind: EntryKindValue;
  /** Set for files: where and how their bytes are in the archive. */
  readonly packed: PackedFile | undefined;
}

/** Where the bytes of a file are. */
export interface PackedFile {
  readonly headerOffset: number;
  readonly packedBytes: number;
  readonly isDeflated: boolean;
  readonly crc32: number;
  readonly isExecutable: boolean;
}

/** A whole archive. */
export interface ArchiveIndex {
  /** In key order. */
  readonly rows: readonly IndexedEntry[];
  readonly byPath: ReadonlyMap<RelativePath, IndexedEntry>;
  /** Names that no row stands for. */
  readonly unrepresentable: readonly UnrepresentableName[];
}

/** Memory is some hundred bytes an entry (INV-40). */
export const MOST_ENTRIES = 2_000_000;

/** What may follow the last entry: the ends of the directory, old and 64-bit, or a signature of it. */
const AFTER_ENTRIES: ReadonlySet<number> = new Set([0x06054b50, 0x06064b50, 0x05054b50]);
const STORED = 0;
const DEFLATED = 8;
const UNIX_HOSTS: ReadonlySet<number> = new Set([3, 19]);
const FILE_TYPE_MASK = 0o170000;

/** Reads the directory of an open archive. Rejects when it is not whole. */
export async function readIndex({ handle, sizeBytes }: OpenArchive, signal?: AbortSignal): Promise<ArchiveIndex> {
  const bytes = new ArchiveBytes(handle, sizeBytes);
  const zip = await fromRandomAccessReaderPromise(bytes, sizeBytes, { autoClose: false, decodeStrings: false, validateEntrySizes: false });
  if (zip.entryCount > MOST_ENTRIES) throw new Error(`it has more than ${String(MOST_ENTRIES)} entries`);
  const collected = new Collected();
  let directoryEnd = cursorOf(zip);
  for await (const entry of zip.eachEntry()) {
    signal?.throwIfAborted();
    collected.add(entry);
    directoryEnd = cursorOf(zip);
  }
  await assertNothingLeft(bytes, directoryEnd);
  return collected.finish();
}

/** Where the next entry would begin. */
function cursorOf(zip: ZipFile): number {
  // The types say that it is a boolean; it is an offset.
  return Number(zip.readEntryCursor);
}

async function assertNothingLeft(bytes: ArchiveBytes, position: number): Promise<void> {
  const next = Buffer.alloc(4);
  await new Promise<void>((resolve, reject) => bytes.read(next, 0, 4, position, (error) => (error === null ? resolve() : reject(error))));
  if (!AFTER_ENTRIES.has(next.readUInt32LE(0))) throw new Error('its directory has more or other entries than it says');
}

/** Entries as they come, until all are known. */
class Collected {
  readonly #byPath = new Map<RelativePath, IndexedEntry>();
  readonly #unusable: { readonly display: string; readonly closest: RelativePath | undefined }[] = [];

  add(entry: Entry): void {
    const name = readName(entry);
    if (name.kind === 'hidden') return;
    if (name.kind === 'unusable') return void this.#unusable.push(name);
    const row = rowOf(entry, name.path, name.isDirectory);
    const before = this.#byPath.get(name.path);
    if (before === undefined) this.#byPath.set(name.path, row);
    else if (before.kind !== EntryKind.directory || row.kind !== EntryKind.directory) {
      const isMixed = before.kind === EntryKind.directory || row.kind === EntryKind.directory;
      this.#byPath.set(name.path, unknownRow(name.path, isMixed ? 'file-and-directory' : 'name-collision'));
    }
  }

  finish(): ArchiveIndex {
    const unrepresentable = this.#placeUnusable();
    this.#addParents();
    // What lies below something that is no directory is told of by that.
    const rows = [...this.#byPath].filter(([path]) => ancestorsOf(path).every((above) => this.#byPath.get(above)?.kind === EntryKind.directory)).map(([, row]) => row);
    rows.sort((a, b) => compareKeys(a.key, b.key));
    return { rows, byPath: new Map(rows.map((row) => [pathOf(row), row])), unrepresentable };
  }

  /** A name that leads out shows as unknown where it might have been meant to be; what rightly is there stays. */
  #placeUnusable(): UnrepresentableName[] {
    const unplaced: UnrepresentableName[] = [];
    for (const { display, closest } of this.#unusable) {
      if (closest === undefined || this.#byPath.has(closest)) unplaced.push({ directory: '' as RelativePath, display: display.toWellFormed() });
      else this.#byPath.set(closest, unknownRow(closest, 'name-not-representable'));
    }
    return unplaced;
  }

  #addParents(): void {
    for (const path of [...this.#byPath.keys()]) {
      for (const above of ancestorsOf(path)) {
        const row = this.#byPath.get(above);
        if (row === undefined) this.#byPath.set(above, directoryRow(above));
        else if (row.kind === EntryKind.file) this.#byPath.set(above, unknownRow(above, 'file-and-directory'));
      }
    }
  }
}

function pathOf({ key }: ListingRow): RelativePath {
  return (key.endsWith('/') ? key.slice(0, -1) : key) as RelativePath;
}

function rowOf(entry: Entry, path: RelativePath, endsInSlash: boolean): IndexedEntry {
  const mode = UNIX_HOSTS.has(entry.versionMadeBy >> 8) ? entry.externalFileAttributes >>> 16 : 0;
  const type = mode & FILE_TYPE_MASK;
  if (type === 0o120000) return unknownRow(path, 'symlink');
  if (endsInSlash || type === 0o040000) return directoryRow(path);
  if (type !== 0 && type !== 0o100000) return unknownRow(path, 'special-file');
  if (entry.isEncrypted()) return unknownRow(path, 'permission-denied');
  const { compressionMethod, compressedSize, uncompressedSize, crc32 } = entry;
  const isStored = compressionMethod === STORED;
  if ((!isStored && compressionMethod !== DEFLATED) || (isStored && compressedSize !== uncompressedSize)) return unknownRow(path, 'read-error');
  const mtimeMs = modifiedMs(entry);
  return {
    key: path,
    kind: EntryKind.file,
    token: [crc32, uncompressedSize, compressedSize, mtimeMs].map((number) => number.toString(36)).join('.'),
    sizeBytes: uncompressedSize,
    mtimeMs,
    isRacy: false,
    reason: undefined,
    packed: { headerOffset: entry.relativeOffsetOfLocalHeader, packedBytes: compressedSize, isDeflated: !isStored, crc32, isExecutable: (mode & 0o111) !== 0 },
  };
}

/** Whole seconds, two of them where there is no better field; 0 where it makes no sense. */
function modifiedMs(entry: Entry): number {
  const ms = entry.getLastModDate().getTime();
  return Number.isFinite(ms) ? ms : 0;
}

function directoryRow(path: RelativePath): IndexedEntry {
  return { key: `${path}/`, kind: EntryKind.directory, token: '', sizeBytes: 0, mtimeMs: 0, isRacy: false, reason: undefined, packed: undefined };
}

function unknownRow(path: RelativePath, reason: UnknownReason): IndexedEntry {
  return { key: path, kind: EntryKind.unknown, token: '', sizeBytes: 0, mtimeMs: 0, isRacy: false, reason, packed: undefined };
}

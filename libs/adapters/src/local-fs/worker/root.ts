/** Opening a storage's root, and what it is known by (INV-10). */

import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';

import { RESERVED_NAME } from '@wl/domain';

import type { Abilities } from './abilities.js';
import type { AnchorKind, Directory } from './anchor.js';
import { ensureDirectory, explainArea, type StorageArea } from './area.js';
import { NoDirectory, type DirectoryTree } from './directory-tree.js';
import { errnoOf, failure, toWireError } from './failure.js';
import { sweepStaging } from './housekeeping.js';
import { moveNoReplace } from './moves.js';
import { purgeTrash, type PurgeLimits } from './purge-trash.js';
import type { Moment } from './trash-age.js';

/** What opening found out. */
export interface OpenedRoot {
  readonly device: bigint;
  readonly inode: bigint;
  readonly isCaseSensitive: boolean;
  /** Tried out, or, as long as that would leave traces, what can be expected. */
  readonly abilities: Abilities;
  readonly areTried: boolean;
  readonly anchor: AnchorKind;
}

/** What a root is known by, and where it is. */
export interface KnownRoot extends OpenedRoot {
  readonly ids: readonly string[];
  readonly location: string;
}

/** Name of the marker in the reserved area. */
const MARKER = 'root-id';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Checks the root and tidies its area. Nothing is made on a root that has no area yet. */
export function openRoot(tree: DirectoryTree, area: StorageArea | undefined, nowMs: number): OpenedRoot {
  const existing = openArea(tree, area === undefined);
  let abilities: Abilities | undefined;
  if (existing !== undefined && area !== undefined) {
    try {
      sweepStaging(tree, nowMs);
      abilities = area.abilities();
    } catch (error) {
      // A root that can be read but not written, or not now: writing will say so.
      if (!isRefusal(error)) throw error;
    }
  }
  return describe(tree, existing, abilities);
}

/** Empties the trash of what has been kept long enough; `false`: `purgeTrash` says when. Called where something may be written: looking, as a dry run does, leaves no trace (T84). */
export function tidyTrash(tree: DirectoryTree, area: StorageArea, now: Moment, limits: PurgeLimits): boolean {
  try {
    return purgeTrash(tree, area, now, limits);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return true;
  }
}

/** Looks at the root as it is now, and marks it first where asked and possible. */
export function identify(tree: DirectoryTree, area: StorageArea | undefined, mark: boolean): KnownRoot {
  const isReadOnly = area === undefined;
  let marker = readMarker(tree, isReadOnly);
  let abilities: Abilities | undefined;
  if (mark && area !== undefined) {
    try {
      marker ??= writeMarker(tree, area);
      abilities = area.abilities();
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  }
  const { inode, rootPath } = tree.root;
  const location = tree.disk.realpath(rootPath);
  const birthNs = tree.disk.fstat(tree.root.fd).birthtimeNs;
  const ids = marker === undefined ? [] : [`marker:${marker}`];
  // Without a time of birth an inode number says little: it is 1 on every FAT disk.
  if (birthNs > 0n) ids.push(`inode:${String(inode)}:${String(birthNs)}`);
  else if (marker === undefined) ids.push(`place:${String(inode)}:${location}`);
  return { ...describe(tree, openArea(tree, isReadOnly), abilities), ids, location };
}

function describe(tree: DirectoryTree, area: Directory | undefined, abilities: Abilities | undefined): OpenedRoot {
  const { device, inode } = tree.root;
  const isExpected = tree.disk.safeRenames !== undefined;
  return {
    device,
    inode,
    isCaseSensitive: isCaseSensitive(tree, area),
    abilities: abilities ?? {
      canRenameNoReplace: isExpected,
      canExchange: isExpected,
      canLink: true,
      canSeeWriters: tree.disk.isOpenForWriting !== undefined,
      keepsExecutable: !mayShowAllAlike(tree),
    },
    areTried: abilities !== undefined,
    anchor: tree.anchor.kind,
  };
}

/** Types of file systems that may show all files as executable, or none, as they are mounted; from `linux/magic.h`. */
const ALL_ALIKE: ReadonlySet<number> = new Set([
  0x4d44, // FAT
  0x2011bab0, // exFAT
  0x5346544e, // NTFS
  0x7366746e, // NTFS, the newer driver
  0x65735546, // FUSE: among others NTFS
  0x517b, // SMB
  0xff534d42, // CIFS
  0xfe534d42, // SMB 2
]);

function mayShowAllAlike({ disk, anchor, root }: DirectoryTree): boolean {
  return ALL_ALIKE.has(disk.fileSystemType(anchor.self(root)));
}

/**
 * The area, `undefined` when there is none. It is closed to other users: one who only reads
 * what belongs to somebody else has to do without it.
 */
function openArea(tree: DirectoryTree, isReadOnly: boolean): Directory | undefined {
  try {
    return tree.open(RESERVED_NAME);
  } catch (error) {
    if (error instanceof NoDirectory && (error.reason === 'absent' || (isReadOnly && error.reason === 'permission-denied'))) return undefined;
    throw explainArea(error);
  }
}

/** The marker, `undefined` when there is none. Throws when it cannot be read: then nobody knows whose root this is. */
function readMarker(tree: DirectoryTree, isReadOnly: boolean): string | undefined {
  const { disk, anchor } = tree;
  const area = openArea(tree, isReadOnly);
  if (area === undefined) return undefined;
  let fd: number;
  try {
    fd = disk.open(anchor.at(area, MARKER), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const buffer = Buffer.alloc(64);
    const text = buffer.toString('utf8', 0, disk.read(fd, buffer, 0, buffer.length, 0)).trim();
    if (UUID.test(text)) return text;
  } finally {
    disk.close(fd);
  }
  throw failure('damaged', 'read', `${RESERVED_NAME}/${MARKER}`, 'it holds no id; remove it if this is the right directory, and the next pass takes it for a new one');
}

/** Marks the root; when somebody else is faster, theirs counts. Durable. */
function writeMarker(tree: DirectoryTree, area: StorageArea): string | undefined {
  const { disk, anchor } = tree;
  const staging = area.staging();
  const name = area.nextName();
  const fd = disk.open(anchor.at(staging, name), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o644);
  try {
    const bytes = Buffer.from(`${randomUUID()}\n`);
    disk.write(fd, bytes, 0, bytes.length, 0);
    disk.fsync(fd);
  } finally {
    disk.close(fd);
  }
  const directory = ensureDirectory(tree, RESERVED_NAME, 0o700);
  try {
    moveNoReplace(tree, area.abilities(), { directory: staging, name }, { directory, name: MARKER });
  } catch (error) {
    disk.unlink(anchor.at(staging, name));
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  disk.fsync(directory.fd);
  disk.fsync(tree.root.fd);
  return readMarker(tree, false);
}

/** Whether the system refused to write here: nothing wrong with looking. */
function isRefusal(error: unknown): boolean {
  const { code } = toWireError(error, 'mark');
  return code === 'permission-denied' || code === 'read-only' || code === 'no-space' || code === 'unsupported';
}

/**
 * Whether names that differ in case are different, found out without making anything: by
 * looking for something that is there under another spelling. An empty root tells nothing;
 * it is taken for what is usual on this system until there is something.
 */
function isCaseSensitive(tree: DirectoryTree, area: Directory | undefined): boolean {
  const { disk, anchor, root } = tree;
  const usual = process.platform !== 'darwin' && process.platform !== 'win32';
  const names = area === undefined ? readNamesQuietly(tree) : [RESERVED_NAME];
  for (const name of names) {
    const other = name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase();
    if (other === name || names.includes(other)) continue;
    const [seen, seenOther] = [disk.lstat(anchor.at(root, name)), disk.lstat(anchor.at(root, other))];
    if (seen !== undefined) return seenOther?.ino !== seen.ino || seenOther.dev !== seen.dev;
  }
  return usual;
}

function readNamesQuietly({ disk, anchor, root }: DirectoryTree): string[] {
  try {
    return disk.readDirectory(anchor.self(root)).map((entry) => entry.name);
  } catch {
    return [];
  }
}

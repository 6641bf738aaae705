/**
 * A look at a file by a single system call that leaves plain numbers in one buffer. A pass
 * looks at every file of a tree: what Node allocates for a look (two objects, eighteen big
 * integers) costs more than the system call itself.
 *
 * Only the common case is told here: a regular file whose numbers a double holds. Everything
 * else, absence and failures above all, is no answer at all: look again with `lstat` (INV-8).
 *
 * INV-34: the name is resolved in a directory that is held open, and no link is followed.
 * Source of the layout: statx(2), `linux/stat.h`.
 */

import { endianness } from 'node:os';

import { EXECUTABLE } from '@wl/ports';

import { isExecutable, type FileStats } from './file-stats.js';
import type { TextColumn } from './text-column.js';
import { isRacyAt } from './token.js';

/**
 * Looks at `name` in an open directory, with the flags and for the numbers asked for, and fills the
 * buffer of `STATX_BYTES`; answers 0, or anything else where there is nothing to read.
 */
export type Statx = (directory: number, name: string, flags: number, mask: number, buffer: Uint8Array) => number;

/** Size of the kernel's `struct statx`. */
const STATX_BYTES = 256;

/** Offsets in units of 32 bits. */
const AT = { mask: 0, nameCount: 4, mode: 7, inode: 8, size: 10, blocks: 12, ctime: 24, mtime: 28 } as const;

/** Type, mode, times, inode number and size: `STATX_BASIC_STATS` as far as it is used. */
const VERSION_MASK = 0x1 | 0x2 | 0x40 | 0x80 | 0x100 | 0x200;
/** The same with the number of names and of blocks. */
const STATS_MASK = VERSION_MASK | 0x4 | 0x400;

/** From `linux/fcntl.h`: look at a link itself; and at what is open, without a name. */
const [AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH] = [0x100, 0x1000];

/** What the kernel counts blocks in. */
const BLOCK_BYTES = 512;

const TYPE_BITS = 0o170000;
const REGULAR_FILE = 0o100000;

/** Above this the upper half of a number of 64 bits does not fit into a double. */
const MAX_UPPER = 0x1f_ffff;
const UPPER = 0x1_0000_0000;

/** Looks at files; its fields tell of the last one that was seen by `seesFile`. */
export class QuickLook {
  sizeBytes = 0;
  private readonly bytes = new Uint8Array(STATX_BYTES);
  private readonly words = new Uint32Array(this.bytes.buffer);

  constructor(private readonly statx: Statx) {}

  /** Whether `name` in an open directory is a regular file; with `false` nothing is said about it. */
  seesFile(directory: number, name: string): boolean {
    if (!this.sees(directory, name, AT_SYMLINK_NOFOLLOW, VERSION_MASK)) return false;
    this.sizeBytes = whole(this.words, AT.size);
    return true;
  }

  /** What `name` in an open directory is, if it is a regular file; with `undefined` nothing is said about it. */
  statsAt(directory: number, name: string): FileStats | undefined {
    return this.sees(directory, name, AT_SYMLINK_NOFOLLOW, STATS_MASK) ? this.stats() : undefined;
  }

  /** The same of an open file. */
  statsOfOpen(fd: number): FileStats | undefined {
    return this.sees(fd, '', AT_EMPTY_PATH, STATS_MASK) ? this.stats() : undefined;
  }

  /** Modification time in milliseconds, with fraction; the same number as `mtimeMsOf`. */
  get mtimeMs(): number {
    return this.milliseconds(AT.mtime) + (this.nanoseconds(AT.mtime) % 1_000_000) / 1e6;
  }

  /** As `isRacy`. */
  isRacy(nowMs: number): boolean {
    const keepsFractions = this.nanoseconds(AT.ctime) !== 0 || this.nanoseconds(AT.mtime) !== 0;
    return isRacyAt({ ctimeMs: this.milliseconds(AT.ctime), mtimeMs: this.milliseconds(AT.mtime), keepsFractions }, nowMs);
  }

  /** Appends the token; the same text as `tokenOf`. */
  writeToken(column: TextColumn): void {
    column.beginText();
    column.putNumber(this.sizeBytes);
    column.putDot();
    this.putTime(column, AT.mtime);
    column.putDot();
    this.putTime(column, AT.ctime);
    column.putDot();
    column.putNumber(whole(this.words, AT.inode));
    if (isExecutable(word(this.words, AT.mode))) column.putText(EXECUTABLE);
  }

  private sees(directory: number, name: string, flags: number, mask: number): boolean {
    const { words } = this;
    if (this.statx(directory, name, flags, mask, this.bytes) !== 0) return false;
    if ((word(words, AT.mask) & mask) !== mask || (word(words, AT.mode) & TYPE_BITS) !== REGULAR_FILE) return false;
    const isPlain = isDouble(words, AT.inode) && isDouble(words, AT.size) && isDouble(words, AT.ctime) && isDouble(words, AT.mtime);
    // The first second of 1970 has no digits before its nanoseconds.
    return isPlain && this.seconds(AT.ctime) !== 0 && this.seconds(AT.mtime) !== 0;
  }

  private stats(): FileStats {
    const { words } = this;
    return {
      sizeBytes: whole(words, AT.size),
      mode: word(words, AT.mode) & 0xffff,
      nameCount: word(words, AT.nameCount),
      allocatedBytes: whole(words, AT.blocks) * BLOCK_BYTES,
      inode: whole(words, AT.inode),
      mtime: { seconds: this.seconds(AT.mtime), nanoseconds: this.nanoseconds(AT.mtime) },
      ctime: { seconds: this.seconds(AT.ctime), nanoseconds: this.nanoseconds(AT.ctime) },
    };
  }

  private putTime(column: TextColumn, at: number): void {
    column.putNumber(this.seconds(at));
    column.putDigits(this.nanoseconds(at), 9);
  }

  private seconds(at: number): number {
    return whole(this.words, at);
  }

  private nanoseconds(at: number): number {
    return word(this.words, at + 2);
  }

  /** Whole ones, as `BigIntStats` has them. */
  private milliseconds(at: number): number {
    return this.seconds(at) * 1000 + Math.floor(this.nanoseconds(at) / 1_000_000);
  }
}

/** The way of this machine, where it has one. */
export function createQuickLook(statx: Statx | undefined): QuickLook | undefined {
  // The halves of a number lie the other way round elsewhere.
  return statx === undefined || endianness() !== 'LE' ? undefined : new QuickLook(statx);
}

function whole(words: Uint32Array, at: number): number {
  return word(words, at + 1) * UPPER + word(words, at);
}

function isDouble(words: Uint32Array, at: number): boolean {
  return word(words, at + 1) <= MAX_UPPER;
}

function word(words: Uint32Array, at: number): number {
  return words[at] as number;
}

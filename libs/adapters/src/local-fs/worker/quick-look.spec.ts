/** The quick look at a file says what `lstat` says, or nothing at all. */

import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { createDisk, fstatFile, type Disk } from './disk.js';
import { millisecondsOf, statsOf } from './file-stats.js';
import { loadNative } from './native.js';
import { QuickLook, type Statx } from './quick-look.js';
import { TextColumn } from './text-column.js';
import { isRacy, mtimeMsOf, tokenOf } from './token.js';

const text = (column: TextColumn): string => Buffer.from(column.take()).toString('latin1');

function tokenSeen(look: QuickLook): string {
  const column = new TextColumn(8);
  look.writeToken(column);
  return text(column);
}

describe('a quick look', () => {
  let directory: string;
  let fd: number;
  let disk: Disk;

  beforeAll(async () => {
    directory = fs.mkdtempSync(join(tmpdir(), 'wl-look-'));
    fd = fs.openSync(directory, fs.constants.O_DIRECTORY);
    disk = createDisk(loadNative({ ownsThread: false }));
  });
  afterAll(() => {
    fs.closeSync(fd);
    fs.rmSync(directory, { recursive: true });
  });

  it.each([0, 1, 9, 10, 999_999_999, 1e9, 12_345_678_901])('tells the token, time and size that lstat tells, at %d seconds', (seconds) => {
    const path = join(directory, 'file');
    fs.writeFileSync(path, 'x'.repeat(seconds % 1000));
    fs.utimesSync(path, seconds + 0.123_456, seconds + 0.123_456);
    const { quickLook } = disk;
    if (quickLook === undefined) throw new Error('koffi is missing');
    const stats = statsOf(fs.lstatSync(path, { bigint: true }));
    const nowMs = Date.now();
    // At 0 seconds it may well say nothing.
    if (!quickLook.seesFile(fd, 'file')) return expect(seconds).toBe(0);
    expect(quickLook.statsAt(fd, 'file')).toEqual(stats);
    expect(tokenSeen(quickLook)).toBe(tokenOf(stats));
    expect(quickLook.mtimeMs).toBe(mtimeMsOf(stats));
    expect(quickLook.sizeBytes).toBe(stats.sizeBytes);
    for (const ms of [nowMs, nowMs + 10_000, millisecondsOf(stats.ctime) + 19]) expect(quickLook.isRacy(ms)).toBe(isRacy(stats, ms));
  });

  it('tells of an open file what fstat tells, whatever its name is by now', () => {
    const path = join(directory, 'open');
    fs.writeFileSync(path, Buffer.alloc(100_000, 1));
    fs.linkSync(path, join(directory, 'second'));
    const open = fs.openSync(path, 'r+');
    fs.unlinkSync(path);
    fs.ftruncateSync(open, 1_000_000);
    const stats = statsOf(fs.fstatSync(open, { bigint: true }));
    expect(disk.quickLook?.statsOfOpen(open)).toEqual(stats);
    expect(fstatFile({ ...disk, quickLook: undefined }, open)).toEqual(stats);
    expect(stats).toMatchObject({ sizeBytes: 1_000_000, nameCount: 1 });
    expect(stats.allocatedBytes).toBeLessThan(stats.sizeBytes);
    fs.closeSync(open);
    expect(disk.quickLook?.statsOfOpen(fd)).toBeUndefined();
    expect(fstatFile(disk, fd)).toBeUndefined();
  });

  it('INV-8: says nothing of what is no regular file, is absent, or has numbers it does not know', () => {
    fs.symlinkSync('file', join(directory, 'link'));
    fs.mkdirSync(join(directory, 'sub'));
    execFileSync('mkfifo', [join(directory, 'pipe')]);
    fs.writeFileSync(join(directory, 'old'), '');
    fs.utimesSync(join(directory, 'old'), new Date(-5500), new Date(-5500));
    const seen = ['link', 'sub', 'pipe', 'old', 'absent', 'absent/file'].map((name) => disk.quickLook?.seesFile(fd, name));
    expect(seen).toEqual([false, false, false, false, false, false]);
  });

  it('tells numbers of more than 32 bits, and none that a double cannot hold', () => {
    const fill = (inodeUpper: number): Statx => (_directory, _name, _flags, _mask, bytes) => {
      const words = new Uint32Array(bytes.buffer);
      words.set([0xffff], 0);
      words.set([0o100644], 7);
      words.set([5, inodeUpper, 7, 1], 8);
      words.set([1_700_000_000, 0, 5], 24);
      words.set([1_600_000_000, 0, 0], 28);
      return 0;
    };
    const look = new QuickLook(fill(0x1f_ffff));
    expect(look.seesFile(3, 'a')).toBe(true);
    expect(tokenSeen(look)).toBe(`4294967303.1600000000000000000.1700000000000000005.${String(0x1f_ffffn * 0x1_0000_0000n + 5n)}`);
    expect(new QuickLook(fill(0x20_0000)).seesFile(3, 'a')).toBe(false);
  });
});

describe('a column of texts', () => {
  it('holds numbers in decimal, whatever their length, and grows', () => {
    const column = new TextColumn(0);
    const numbers = [0, 7, 10, 4_294_967_295, 999_999_999, 1e9, 2 ** 53 - 1];
    for (const number of numbers) {
      column.beginText();
      column.putNumber(number);
    }
    column.add('');
    column.add('x'.repeat(1000));
    expect(text(column).split('\n')).toEqual([...numbers.map(String), '', 'x'.repeat(1000)]);
  });
});

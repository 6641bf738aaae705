/** Directories held open, where descriptors run out (INV-40). */

import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { createAnchor } from './anchor.js';
import { DirectoryTree } from './directory-tree.js';
import { createDisk, type Disk } from './disk.js';

/** A disk that has so many descriptors and enters directories as a thread of ours does. */
class FewDescriptors {
  readonly held = new Set<number>();
  readonly disk: Disk;

  constructor(allowed: number) {
    const disk = createDisk(undefined);
    this.disk = {
      ...disk,
      enterDirectory: (fd) => process.chdir(`/proc/self/fd/${String(fd)}`),
      open: (path, flags, mode) => {
        if (this.held.size >= allowed) throw Object.assign(new Error('EMFILE'), { code: 'EMFILE', errno: -24, syscall: 'open' });
        const fd = disk.open(path, flags, mode);
        this.held.add(fd);
        return fd;
      },
      close: (fd) => {
        this.held.delete(fd);
        disk.close(fd);
      },
    };
  }
}

const onLinux = process.platform === 'linux' ? describe : describe.skip;

onLinux('directories of a task', () => {
  const before = process.cwd();
  let root: string;

  beforeEach(() => {
    root = fs.mkdtempSync(join(tmpdir(), 'wl-tree-'));
    for (const name of ['a', 'b', 'c']) fs.mkdirSync(join(root, name, 'in'), { recursive: true });
  });
  afterEach(() => {
    process.chdir(before);
    fs.rmSync(root, { recursive: true });
  });

  it('are all closed, also when no descriptor is left to leave the last one by', () => {
    const few = new FewDescriptors(4);
    const tree = new DirectoryTree(few.disk, createAnchor(few.disk), { path: root });
    tree.open('a/in');
    tree.open('b');
    expect(() => tree.open('c')).toThrow('no directory at c: read-error');
    expect(few.held.size).toBe(4);
    tree.close();
    expect([...few.held]).toEqual([]);
    expect(process.cwd()).toBe('/');
  });

  it('let go without failing where somebody else has taken the last descriptor', () => {
    const few = new FewDescriptors(2);
    const anchor = createAnchor(few.disk);
    const tree = new DirectoryTree(few.disk, anchor, { path: root });
    tree.lstat(tree.open('a'), 'in');
    expect(() => anchor.release()).not.toThrow();
    expect(tree.lstat(tree.open('a'), 'in')?.isDirectory()).toBe(true);
    tree.close();
    expect([...few.held]).toEqual([]);
  });
});

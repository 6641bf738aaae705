import { beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '@wl/ports/testing';

import { MemoryTree } from './memory-tree.js';

describe('MemoryTree', () => {
  let tree: MemoryTree;
  beforeEach(() => {
    tree = new MemoryTree({ id: 'tree', clock: new ManualClock() });
  });

  it('shows everything in it as one plain value', () => {
    tree.write('b/c', 'text');
    tree.mkdir('a');
    tree.symlink('link', 'b');
    tree.special('pipe');
    tree.write('.wl/stray', 'hidden');
    expect(tree.snapshot()).toEqual({ 'a/': '', 'b/': '', 'b/c': 'text', link: '<symlink>', pipe: '<special>' });
  });

  it('rewrites in place under one inode and saves by rename under a new one', () => {
    tree.write('a', 'one');
    const inodeOf = (): number => {
      const place = tree.locate('a', true);
      return place.kind === 'found' && place.entry.kind === 'file' ? place.entry.inode : NaN;
    };
    const first = inodeOf();
    tree.write('a', 'two');
    tree.append('a', ' more');
    expect([inodeOf(), tree.text('a')]).toEqual([first, 'two more']);
    tree.save('a', 'three');
    expect(inodeOf()).not.toBe(first);
  });

  it('renames files over files and directories over empty directories only', () => {
    tree.write('a', 'a');
    tree.write('b', 'b');
    tree.rename('a', 'b');
    tree.write('d/x', 'x');
    tree.mkdir('e');
    tree.rename('d', 'e');
    expect(tree.snapshot()).toEqual({ b: 'a', 'e/': '', 'e/x': 'x' });
    expect(() => tree.rename('b', 'e')).toThrow('is a directory');
    expect(() => tree.rename('e', 'e/inner')).toThrow('unable to rename');
    expect(() => tree.write('b/inner', 'x')).toThrow('no directory');
    expect(tree.snapshot()).toEqual({ b: 'a', 'e/': '', 'e/x': 'x' });
  });

  it('renames in case only where case does not matter', () => {
    tree = new MemoryTree({ id: 'tree', clock: new ManualClock(), isCaseSensitive: false });
    tree.write('Name', 'x');
    tree.rename('Name', 'NAME');
    expect(tree.paths()).toEqual(['NAME']);
    tree.write('name', 'y');
    expect(tree.snapshot()).toEqual({ NAME: 'y' });
  });

  it('ends directories with their last file where they do not exist by themselves', () => {
    tree = new MemoryTree({ id: 'tree', clock: new ManualClock(), keepsEmptyDirectories: false });
    tree.mkdir('nothing');
    tree.write('a/b/c', 'x');
    tree.write('a/d', 'x');
    tree.rename('a/b/c', 'e/f');
    expect(tree.snapshot()).toEqual({ 'a/': '', 'a/d': 'x', 'e/': '', 'e/f': 'x' });
    tree.remove('a/d');
    tree.remove('e/f');
    expect(tree.snapshot()).toEqual({});
  });

  it('tells observers of every change until they stop', () => {
    const seen: string[] = [];
    const stop = tree.observe(({ path, isTree }) => seen.push(isTree ? `${path}/**` : path));
    tree.write('a/b', 'x');
    tree.touch('a/b', 0);
    tree.rename('a', 'c');
    tree.remove('c/b');
    tree.remove('nothing');
    stop();
    tree.write('unseen', 'x');
    expect(seen).toEqual(['a/b', 'a/b', 'a/**', 'c/**', 'c/b']);
  });

  it('is the same whenever the same is done', () => {
    const run = (): unknown => {
      const one = new MemoryTree({ id: 'tree', clock: new ManualClock() });
      one.write('a', 'x');
      one.save('a', 'y');
      const place = one.locate('a', true);
      return place.kind === 'found' && place.entry.kind === 'file' && one.nodeOf(place.entry);
    };
    expect(run()).toEqual(run());
  });
});

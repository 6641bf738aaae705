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

  describe('when the power fails (T50, INV-15)', () => {
    const synced = (files: Record<string, string>): MemoryTree => {
      const one = new MemoryTree({ id: 'tree', clock: new ManualClock(), losesUnflushed: true });
      for (const [path, text] of Object.entries(files)) one.write(path, text);
      one.sync();
      return one;
    };

    it('keeps what was flushed, and any of what was not, in no order', () => {
      const one = synced({ a: 'old', b: 'old' });
      one.save('a', 'new');
      one.save('b', 'new');
      one.write('c', 'new');
      expect([one.isDurable('a'), one.isDurable('c'), one.isDurable('nothing')]).toEqual([false, false, true]);
      expect(one.losePower((path) => path === 'b')).toEqual(['a', 'c']);
      expect(one.snapshot()).toEqual({ a: 'old', b: 'new' });
      // What is found then is on the disk.
      one.losePower(() => false);
      expect(one.snapshot()).toEqual({ a: 'old', b: 'new' });
    });

    it('leaves a tree: nothing in a lost directory, and none removed that is not empty', () => {
      const one = synced({ 'd/kept': 'x', 'd/gone': 'x' });
      one.remove('d');
      one.write('new/file', 'x');
      one.losePower((path) => ['d', 'd/gone', 'new/file'].includes(path));
      expect(one.snapshot()).toEqual({ 'd/': '', 'd/kept': 'x' });
    });

    it('leaves a file where it took the place of a directory for good', () => {
      const one = synced({ 'd/e/c': 'x' });
      one.remove('d');
      one.write('d', 'file');
      one.losePower((path) => path === 'd' || path === 'd/e');
      expect(one.snapshot()).toEqual({ d: 'file' });
    });

    it('loses nothing where everything lasts at once', () => {
      tree.write('a', 'x');
      expect(tree.isDurable('a')).toBeUndefined();
      tree.sync();
      expect(synced({}).losePower(() => false)).toEqual([]);
    });
  });

  it('leaves a file under its own spelling when renaming it fails', () => {
    const folding = new MemoryTree({ id: 'tree', clock: new ManualClock(), isCaseSensitive: false });
    folding.write('d/A', 'x');
    folding.mkdir('d/full');
    folding.write('d/full/file', 'x');
    expect(() => folding.rename('D/a', 'd/full')).toThrow('is a directory');
    expect(folding.paths().sort()).toEqual(['d', 'd/A', 'd/full', 'd/full/file']);
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

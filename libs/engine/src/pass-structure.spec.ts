/** Group 6 of the torture list: trees that change their shape, and names. */

import { describe, expect, it } from '@jest/globals';
import type { StorageBackend } from '@wl/ports';

import { files, Rig, synced } from './testing/rig.js';

const conflictsOf = (rig: Rig): string[] => rig.pair.conflicts().map(({ path, reason }) => `${reason} ${path}`);

describe('files and directories', () => {
  it('T64: a file that became a directory is a conflict there, its subtree is left alone, and the rest goes on', async () => {
    const rig = await synced({ a: '1', 'd/x': 'x', 'd/y': 'y', c: '3' });
    rig.sourceTree.remove('a');
    rig.sourceTree.write('a/inner', 'inner');
    rig.targetTree.remove('d');
    rig.targetTree.write('d', 'a file');
    rig.sourceTree.write('d/x', 'edited');
    rig.sourceTree.write('c', 'three');
    const before = [files(rig.sourceTree), { ...files(rig.targetTree), c: 'three' }];
    expect(await rig.pass()).toMatchObject({ conflicts: 2, copiedFiles: 1, deletedFiles: 0 });
    expect([files(rig.sourceTree), files(rig.targetTree)]).toEqual(before);
    expect(conflictsOf(rig)).toEqual(['file-against-directory a', 'file-against-directory d']);
    // Either gesture ends it: removing what is not wanted.
    rig.targetTree.remove('a');
    rig.sourceTree.remove('d');
    expect(await rig.pass()).toMatchObject({ conflicts: 0 });
    expect(files(rig.targetTree)).toEqual({ 'a/inner': 'inner', d: 'a file', c: 'three' });
    expect(rig.snapshots()[0]).toEqual(rig.snapshots()[1]);
  });

  it('T64: the same change of kind on both sides is no conflict', async () => {
    const rig = await synced({ a: '1', 'd/x': 'x', c: '3' });
    for (const tree of [rig.sourceTree, rig.targetTree]) {
      tree.remove('a');
      tree.write('a/inner', 'inner');
      tree.remove('d');
      tree.write('d', 'a file');
    }
    expect(await rig.pass()).toMatchObject({ conflicts: 0, copiedFiles: 0, deletedFiles: 0, files: 3 });
    rig.sourceTree.remove('a');
    await rig.pass();
    expect(files(rig.targetTree)).toEqual({ d: 'a file', c: '3' });
  });

  it.each(['before the scan', 'after the scan', 'after the plan'])('T65: content that is new or edited %s in a directory deleted on the other side survives', async (when) => {
    const rig = await synced({ 'd/a': '1', 'd/e/b': '2', 'd/e/f/c': '3', z: 'z' });
    rig.sourceTree.remove('d');
    const edit = (): void => {
      rig.targetTree.write('d/e/new', 'new');
      rig.targetTree.write('d/e/b', 'edited');
    };
    if (when === 'before the scan') edit();
    else {
      const stop = rig.target.faults.on(when === 'after the plan' ? 'remove' : 'rootIdentity', 'before', () => {
        if (when === 'after the scan' && rig.target.faults.take('flush', '', 'stale') !== undefined) return;
        stop();
        edit();
      });
    }
    await rig.pass();
    await rig.pass();
    expect(files(rig.targetTree)).toEqual({ 'd/e/new': 'new', 'd/e/b': 'edited', z: 'z' });
    expect(files(rig.sourceTree)).toEqual({ 'd/e/new': 'new', z: 'z' });
    expect(conflictsOf(rig)).toEqual(['changed-and-deleted d/e/b']);
    expect(rig.targetTree.paths()).not.toContain('d/e/f');
  });

  it('T69: one file renamed differently on both sides keeps both names and every content', async () => {
    const rig = await synced({ a: 'content', b: '2' });
    rig.sourceTree.rename('a', 'left');
    rig.targetTree.rename('a', 'right');
    expect(await rig.pass()).toMatchObject({ conflicts: 0, deletedFiles: 0 });
    expect(files(rig.sourceTree)).toEqual({ left: 'content', right: 'content', b: '2' });
    expect(files(rig.targetTree)).toEqual(files(rig.sourceTree));
  });

  it('T69: one file renamed on one side and edited on the other loses neither', async () => {
    const rig = await synced({ a: 'content', b: '2', c: '3' });
    rig.sourceTree.rename('a', 'renamed');
    rig.targetTree.write('a', 'edited');
    await rig.pass();
    expect(files(rig.targetTree)).toEqual({ a: 'edited', renamed: 'content', b: '2', c: '3' });
    expect(conflictsOf(rig)).toEqual(['changed-and-deleted a']);
  });

  it('T68: directories moved into each other end as a tree with every file', async () => {
    const rig = await synced({ 'x/a': '1', 'y/b': '2', z: 'z' });
    rig.sourceTree.rename('x', 'y/x');
    rig.targetTree.rename('y', 'x/y');
    await rig.pass();
    await rig.pass();
    expect(rig.snapshots()[0]).toEqual(rig.snapshots()[1]);
    expect(Object.values(files(rig.sourceTree)).sort()).toEqual(expect.arrayContaining(['1', '2', 'z']));
  });

  it('T68: a rotation of three names ends the same on both sides', async () => {
    const rig = await synced({ a: '1', b: '2', c: '3' });
    rig.sourceTree.rename('a', 't');
    rig.sourceTree.rename('c', 'a');
    rig.sourceTree.rename('b', 'c');
    rig.sourceTree.rename('t', 'b');
    expect(await rig.pass()).toMatchObject({ conflicts: 0, copiedFiles: 3 });
    expect(files(rig.targetTree)).toEqual({ a: '3', b: '1', c: '2' });
  });

  it('T71, T72, INV-34: links and special files are skipped with their reason, and what is behind them is never touched', async () => {
    const rig = await synced({ 'd/a': '1', c: '3', linked: 'l' });
    rig.sourceTree.symlink('d/link', '/etc/passwd');
    rig.sourceTree.symlink('loop', 'loop');
    rig.targetTree.special('d/fifo');
    rig.sourceTree.remove('linked');
    rig.sourceTree.symlink('linked', 'c');
    const report = await rig.pass();
    expect(report.problems).toEqual([]);
    expect(report.skipped).toEqual([
      { path: 'd/fifo', side: 'target', reason: 'special-file' },
      { path: 'd/link', side: 'source', reason: 'symlink' },
      { path: 'linked', side: 'source', reason: 'symlink' },
      { path: 'loop', side: 'source', reason: 'symlink' },
    ]);
    expect(rig.targetTree.snapshot()).toEqual({ 'd/': '', 'd/a': '1', 'd/fifo': '<special>', c: '3', linked: 'l' });
  });

  it('T80: deleted on one side, edited on the other, in both directions, is a conflict, and making it anew decides nothing by itself', async () => {
    const rig = await synced({ a: '1', b: '2', c: '3' });
    rig.sourceTree.remove('a');
    rig.targetTree.write('a', 'edited');
    rig.sourceTree.write('b', 'edited');
    rig.targetTree.remove('b');
    expect(await rig.pass()).toMatchObject({ conflicts: 2, deletedFiles: 0, copiedFiles: 0 });
    expect(conflictsOf(rig)).toEqual(['changed-and-deleted a', 'changed-and-deleted b']);
    rig.sourceTree.write('a', 'made anew');
    rig.targetTree.write('b', '2');
    await rig.pass();
    // "a" now differs on both sides; "b" went back to what both had agreed on, so the edit is no longer disputed.
    expect(conflictsOf(rig)).toEqual(['both-changed a']);
    expect(files(rig.targetTree)).toEqual({ a: 'edited', b: 'edited', c: '3' });
  });
});

describe('names', () => {
  const FOLDING = { target: { isCaseSensitive: false } };

  it('T73, INV-35: two names that the other side cannot tell apart are a conflict; nothing is overwritten or deleted', async () => {
    const rig = await synced({ c: '3', d: '4' }, FOLDING);
    rig.sourceTree.write('A', 'upper');
    rig.sourceTree.write('a', 'lower');
    rig.sourceTree.write('Dir/x', 'x');
    rig.sourceTree.write('dir/y', 'y');
    for (let i = 0; i < 3; i += 1) {
      await rig.pass();
      expect(files(rig.sourceTree)).toEqual({ A: 'upper', a: 'lower', 'Dir/x': 'x', 'dir/y': 'y', c: '3', d: '4' });
      expect(['upper', undefined]).toContain(rig.targetTree.text('A'));
      expect(conflictsOf(rig)).toEqual(expect.arrayContaining(['name-collision A', 'name-collision a', 'name-collision Dir', 'name-collision dir']));
    }
    rig.sourceTree.rename('a', 'b');
    rig.sourceTree.rename('dir', 'other');
    await rig.pass();
    await rig.pass();
    expect(conflictsOf(rig)).toEqual([]);
    expect(files(rig.targetTree)).toEqual({ A: 'upper', b: 'lower', 'Dir/x': 'x', 'other/y': 'y', c: '3', d: '4' });
  });

  it.each(['file', 'directory'])('T73: a %s renamed only in case is not deleted anywhere', async (kind) => {
    const before: Record<string, string> = kind === 'file' ? { a: '1', c: '3' } : { 'a/x': '1', 'a/y': '2', c: '3' };
    for (const options of [FOLDING, { source: { isCaseSensitive: false } }]) {
      const rig = await synced(before, options);
      rig.sourceTree.rename('a', 't');
      rig.sourceTree.rename('t', 'A');
      for (let i = 0; i < 3; i += 1) {
        expect(await rig.pass()).toMatchObject({ deletedFiles: 0 });
        for (const tree of [rig.sourceTree, rig.targetTree]) expect(Object.values(files(tree))).toEqual(expect.arrayContaining(Object.values(before)));
      }
      expect(await rig.pass(['a', 'A'])).toMatchObject({ deletedFiles: 0 });
    }
  });

  it('T73: points are no back door to names that differ in case', async () => {
    const rig = await synced({ 'd/A': 'upper', c: '3' }, FOLDING);
    rig.sourceTree.write('d/a', 'lower');
    expect(await rig.pass(['d/a'])).toMatchObject({ copiedFiles: 0, deletedFiles: 0, problems: [{ path: 'd/a', reason: 'name-collision' }] });
    expect(files(rig.targetTree)).toEqual({ 'd/A': 'upper', c: '3' });
  });

  it('T75: names with quotes, newlines, emoji and many bytes come over; what one side cannot hold is told by name', async () => {
    const names = ['quo"te', "apo'strophe", 'new\nline', 'tab\t', 'back\\slash', 'co:lon', 'dot.', 'space ', 'CON', '👩‍👩‍👧‍👦', 'é', 'e\u0301', '\u{10ffff}', '-rf', '*', 'x'.repeat(250)];
    const rig = new Rig({ target: { maxNameBytes: 200 } });
    for (const name of names) {
      rig.sourceTree.write(name, name);
      rig.sourceTree.write(`dir ${name}`.slice(0, 100) + '/inner', name);
    }
    const report = await rig.pass();
    expect(report.problems).toMatchObject([{ path: 'x'.repeat(250), side: 'target', reason: 'name-not-representable' }]);
    expect(() => JSON.parse(JSON.stringify(report)) as unknown).not.toThrow();
    rig.sourceTree.remove('x'.repeat(250));
    expect(files(rig.targetTree)).toEqual(files(rig.sourceTree));
    expect(await rig.pass()).toMatchObject({ copiedFiles: 0, deletedFiles: 0, problems: [] });
  });

  it('T75: the reserved name of a storage is a user’s name anywhere but at the root', async () => {
    const rig = new Rig();
    rig.sourceTree.write('d/.wl/x', 'x');
    rig.sourceTree.write('.wlx', 'x');
    await rig.pass();
    expect(files(rig.targetTree)).toEqual({ 'd/.wl/x': 'x', '.wlx': 'x' });
  });

  it('T77: a copy never lands on a name that somebody took meanwhile', async () => {
    const rig = await synced({ c: '3' });
    rig.sourceTree.write('a (conflict)', 'of the source');
    const stop = rig.target.faults.on('commit', 'before', () => {
      stop();
      rig.targetTree.write('a (conflict)', 'of the target');
    });
    await rig.pass();
    expect(rig.sourceTree.text('a (conflict)')).toBe('of the source');
    expect(rig.targetTree.text('a (conflict)')).toBe('of the target');
    expect(conflictsOf(rig)).toEqual(['both-created a (conflict)']);
  });
});

it('a new directory is made like that of the other side, whichever side that is', async () => {
  const rig = new Rig();
  const likes: string[] = [];
  for (const backend of [rig.source, rig.target]) {
    const make = backend.makeDirectory.bind(backend);
    backend.makeDirectory = (path, like?: StorageBackend) => {
      likes.push(`${backend.backendId}/${path} like ${String(like?.backendId)}`);
      return make(path);
    };
  }
  rig.sourceTree.mkdir('a/b');
  rig.targetTree.mkdir('c');
  await rig.pass();
  const [source, target] = [rig.source.backendId, rig.target.backendId];
  expect(likes.sort()).toEqual([`${source}/c like ${target}`, `${target}/a like ${source}`, `${target}/a/b like ${source}`].sort());
});

describe('a storage that keeps no empty directories', () => {
  it('makes no directory disappear from the other side', async () => {
    const rig = new Rig({ target: { keepsEmptyDirectories: false } });
    rig.sourceTree.mkdir('empty/inner');
    rig.sourceTree.write('d/a', '1');
    rig.sourceTree.write('e/b', '2');
    for (let i = 0; i < 3; i += 1) {
      rig.events.operations.length = 0;
      expect(await rig.pass()).toMatchObject({ deletedDirectories: 0, problems: [] });
      expect(await rig.pass(['empty', 'empty/inner'])).toMatchObject({ deletedDirectories: 0, problems: [] });
    }
    expect(rig.events.operations).toEqual([]);
    expect(rig.sourceTree.snapshot()).toEqual({ 'empty/': '', 'empty/inner/': '', 'd/': '', 'd/a': '1', 'e/': '', 'e/b': '2' });
  });

  it('takes a directory along with the last file that was deleted in it', async () => {
    const rig = await synced({ 'd/e/a': '1', b: '2', c: '3' }, { target: { keepsEmptyDirectories: false } });
    rig.targetTree.remove('d/e/a');
    expect(rig.targetTree.paths()).toEqual(expect.not.arrayContaining(['d']));
    await rig.pass();
    expect(rig.sourceTree.snapshot()).toEqual({ b: '2', c: '3' });
    rig.sourceTree.write('d/e/new', 'n');
    rig.targetTree.write('x/y', 'y');
    await rig.pass();
    expect(files(rig.sourceTree)).toEqual(files(rig.targetTree));
    rig.sourceTree.remove('x');
    await rig.pass();
    expect(files(rig.targetTree)).toEqual({ b: '2', c: '3', 'd/e/new': 'n' });
  });
});

/** Passes over single names: they decide what a full pass would decide, whatever hint came first or got lost (INV-30). */

import { describe, expect, it } from '@jest/globals';
import type { RelativePath } from '@wl/domain';

import { files, synced, type Rig } from './testing/rig.js';

/** The trees and records after passes over these scopes, and then a full one. */
async function outcome(make: () => Promise<Rig>, scopes: readonly (readonly string[])[]) {
  const rig = await make();
  for (const scope of scopes) await rig.pass(scope);
  const between = rig.snapshots();
  await rig.pass();
  return { between, end: rig.snapshots(), conflicts: rig.pair.conflicts().map(({ path, reason }) => `${reason} ${path}`) };
}

const CASES: [string, Record<string, string>, (rig: Rig) => void, string[]][] = [
  ['a new file in a directory deleted on the other side', { 'd/a': '1', c: '3' }, (rig) => { rig.sourceTree.remove('d'); rig.targetTree.write('d/new', 'n'); }, ['d/new', 'd', 'd/a']],
  ['the same, deeper down', { 'd/e/f/a': '1', c: '3' }, (rig) => { rig.sourceTree.remove('d'); rig.targetTree.write('d/e/f/new', 'n'); }, ['d/e/f/new', 'd/e/f', 'd/e', 'd']],
  ['a directory replaced by a file', { 'd/a': '1', 'd/b': '2', c: '3' }, (rig) => { rig.sourceTree.remove('d'); rig.sourceTree.write('d', 'file'); }, ['d/a', 'd/b', 'd']],
  ['a directory replaced by a link', { 'd/a': '1', 'd/b': '2', c: '3' }, (rig) => { rig.sourceTree.remove('d'); rig.sourceTree.symlink('d', '/etc'); }, ['d/a', 'd/b', 'd']],
  ['a file replaced by a directory', { f: '1', c: '3' }, (rig) => { rig.targetTree.remove('f'); rig.targetTree.write('f/inner', 'i'); }, ['f/inner', 'f']],
  ['a directory that cannot be looked into', { 'd/a': '1', 'd/b': '2', c: '3' }, (rig) => { rig.sourceTree.remove('d/a'); rig.sourceTree.setUnreadable('d', true); }, ['d/a', 'd']],
  ['a directory renamed', { 'd/a': '1', 'd/b': '2', c: '3' }, (rig) => rig.sourceTree.rename('d', 'e'), ['d/a', 'e/b', 'd', 'e']],
  ['a directory deleted on both sides', { 'd/a': '1', c: '3' }, (rig) => { rig.sourceTree.remove('d'); rig.targetTree.remove('d'); }, ['d/a', 'd']],
  ['a new directory on each side', { c: '3' }, (rig) => { rig.sourceTree.write('n/s', 's'); rig.targetTree.write('n/t', 't'); }, ['n/s', 'n/t', 'n']],
];

describe('a pass over points', () => {
  it.each(CASES)('INV-30, T60: %s ends the same whichever hint comes, alone or in any order', async (_, before, change, hints) => {
    const make = async (): Promise<Rig> => {
      const rig = await synced(before);
      change(rig);
      return rig;
    };
    const expected = await outcome(make, []);
    const orders = [...hints.map((hint) => [[hint]]), hints.map((hint) => [hint]), [...hints].reverse().map((hint) => [hint]), [hints], [[...hints, ...hints]]];
    for (const scopes of orders) {
      const { end, conflicts } = await outcome(make, scopes);
      expect({ scopes, end, conflicts }).toEqual({ scopes, end: expected.end, conflicts: expected.conflicts });
    }
  });

  it('INV-7: a hint below a conflict of a file against a directory deletes nothing there', async () => {
    const rig = await synced({ 'd/a': '1', 'd/b': '2', c: '3' });
    rig.sourceTree.remove('d');
    rig.sourceTree.write('d', 'a file now');
    await rig.pass(['d/a', 'd/b']);
    expect(files(rig.targetTree)).toEqual({ 'd/a': '1', 'd/b': '2', c: '3' });
    expect(rig.pair.conflicts()).toMatchObject([{ path: 'd', reason: 'file-against-directory' }]);
  });

  it('T73, INV-12: takes no row for a reason to delete that its own first look has given up', async () => {
    const rig = await synced({ 'd/b': '2', c: '3' }, { source: { isCaseSensitive: false } });
    rig.targetTree.remove('d');
    rig.sourceTree.remove('d/b');
    // Gone on both sides at the first look, and back before the directory around it is looked at.
    const stop = rig.source.faults.on('list', 'before', ({ path }) => {
      if (path !== '') return;
      rig.sourceTree.write('d/b', '2');
      stop();
    });
    await rig.pass(['d']);
    for (const tree of [rig.sourceTree, rig.targetTree]) expect(files(tree)).toEqual({ 'd/b': '2', c: '3' });
    expect(rig.sourceTree.trash.size).toBe(0);
  });

  it('T73, T85, INV-39: counts a deletion once that was met from two points', async () => {
    const before = Object.fromEntries(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'].map((name) => [`d/${name}`, name]));
    const rig = await synced({ ...before, x: 'x' }, { source: { isCaseSensitive: false } });
    for (const path of ['x', ...Object.keys(before).slice(0, 6)]) rig.targetTree.remove(path);
    // Whether `x` was renamed in case only its siblings can tell, and `d` is one of them.
    expect(await rig.pass(['d', 'x'])).toMatchObject({ deletedFiles: 7, halt: undefined });
  });

  it('looks at the point and nowhere else', async () => {
    const rig = await synced({ 'd/a': '1', 'd/b': '2', 'e/c': '3', f: '4' });
    for (const path of ['d/a', 'd/b', 'e/c', 'f']) rig.sourceTree.write(path, 'changed');
    const looked = new Set<string>();
    for (const backend of [rig.source, rig.target]) {
      for (const operation of ['stat', 'list', 'read', 'getHashes'] as const) backend.faults.on(operation, 'before', ({ path }) => void looked.add(path));
    }
    expect(await rig.pass(['d/a'])).toMatchObject({ copiedFiles: 1 });
    expect([...looked].sort()).toEqual(['d', 'd/a']);
    expect(files(rig.targetTree)).toEqual({ 'd/a': 'changed', 'd/b': '2', 'e/c': '3', f: '4' });
  });

  it('T63: the root, a reserved name, a name that was never there and one twice do no harm', async () => {
    const rig = await synced({ a: '1', b: '2' });
    rig.sourceTree.write('a', 'one');
    expect(await rig.pass(['nowhere/at/all', 'a', 'a'])).toMatchObject({ copiedFiles: 1, problems: [] });
    rig.sourceTree.write('b', 'two');
    const context = rig.context();
    const { runPass } = await import('./pass.js');
    const options = { allowMassDelete: false, acceptNewRoot: false, deletionDelayMs: 0, retries: 0 };
    await runPass(context, ['.wl/trash/x'] as RelativePath[], options);
    expect((await runPass(context, ['', 'a'] as RelativePath[], options)).report).toMatchObject({ copiedFiles: 1 });
  });

  it('T75: keeps telling of a name that no path can be made of', async () => {
    const rig = await synced({ 'd/a': '1', b: '2' });
    rig.sourceTree.write('d/bad\uD800name', 'x');
    const expected = [{ path: 'd/bad\uFFFDname', side: 'source', reason: 'name-not-unicode' }];
    expect((await rig.pass()).problems).toMatchObject(expected);
    expect((await rig.pass(['d'])).problems).toMatchObject(expected);
    rig.targetTree.remove('d');
    expect((await rig.pass()).problems).toMatchObject([...expected, { path: 'd', reason: 'directory-kept' }]);
    expect(rig.sourceTree.paths()).toContain('d/bad\uD800name');
  });

  it('INV-39: deletes piece by piece no more than at once', async () => {
    const rig = await synced({ a: '1', b: '2', c: '3' });
    for (const path of ['a', 'b', 'c']) rig.sourceTree.remove(path);
    expect(await rig.pass(['a'])).toMatchObject({ halt: { reason: 'side-emptied' }, deletedFiles: 0 });
  });
});

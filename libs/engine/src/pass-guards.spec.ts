/**
 * Guards that stand behind other guards: each is seen to hold by itself. The defects that these tests
 * catch were planted by `npm run mutants` and noticed by nothing else.
 */

import { describe, expect, it } from '@jest/globals';
import { directoryKey, toRelativePath as at } from '@wl/domain';

import { resolveConflict } from './resolve.js';
import { files, Rig, synced, trashed } from './testing/rig.js';

const named = (count: number, directory: string): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${directory}/${String(i).padStart(4, '0')}`, `${directory} ${String(i)}`]));

describe('copying', () => {
  it('T51, INV-27: does not bring over a version whose bytes are not those its token stood for', async () => {
    const rig = await synced({ a: 'base' });
    rig.sourceTree.write('a', 'left');
    rig.targetTree.write('a', 'rite');
    await rig.clock.advance(60_000);
    await rig.pass();
    // A bit rots; size, times and token stay.
    rig.sourceTree.read('a')![0]! ^= 1;
    rig.targetTree.remove('a');
    await rig.clock.advance(60_000);
    expect(await rig.pass()).toMatchObject({ copiedFiles: 0, problems: [{ path: 'a', reason: 'changing' }] });
    expect(rig.targetTree.text('a')).toBeUndefined();
  });

  it('T57: looks again within the same pass at what lost a race', async () => {
    const rig = new Rig();
    rig.sourceTree.write('a', 'ours');
    await rig.clock.advance(60_000);
    const stop = rig.target.faults.on('commit', 'before', () => {
      rig.targetTree.write('a', 'theirs');
      stop();
    });
    expect(await rig.pass()).toMatchObject({ conflicts: 1 });
    expect(rig.pair.conflicts()).toMatchObject([{ path: 'a', reason: 'both-created' }]);
  });
});

describe('deleting', () => {
  it('T55, INV-9: leaves a directory that is back on the other side', async () => {
    const rig = await synced({ 'd/a': '1', b: '2' });
    rig.sourceTree.remove('d');
    const stop = rig.target.faults.on('remove', 'after', () => {
      rig.sourceTree.mkdir('d');
      stop();
    });
    expect(await rig.pass('all', { retries: 0 })).toMatchObject({ deletedFiles: 1, deletedDirectories: 0 });
    expect(rig.targetTree.snapshot()).toEqual({ b: '2', 'd/': '' });
  });

  it('INV-15: takes the row of a directory with it', async () => {
    const rig = await synced({ 'd/a': '1', b: '2' });
    rig.sourceTree.remove('d');
    await rig.pass();
    expect(rig.pair.get(directoryKey(at('d')))).toBeUndefined();
  });

  it('T06, INV-8: carries out none of a point whose listing breaks off, not even those seen before', async () => {
    // More than a chunk, so that the first deletions are planned when the listing breaks.
    const rig = await synced({ ...named(1100, 'd'), b: '2' }, { backend: { batchSize: 500 } });
    for (let i = 0; i < 5; i += 1) rig.sourceTree.remove(`d/${String(i).padStart(4, '0')}`);
    for (let i = 5; i < 1100; i += 1) rig.sourceTree.touch(`d/${String(i).padStart(4, '0')}`, 1);
    rig.source.faults.truncateListing(1090, { path: 'd' });
    expect(await rig.pass(['d'], { retries: 0 })).toMatchObject({ deletedFiles: 0 });
    expect(await rig.pass(['d'], { retries: 0 })).toMatchObject({ deletedFiles: 5 });
  });

  it('T73, INV-35: withholds a name that collides with a later one', async () => {
    const rig = await synced({ A: 'upper', c: '3' }, { target: { isCaseSensitive: false } });
    rig.sourceTree.remove('A');
    rig.sourceTree.write('a', 'something else');
    expect(await rig.pass()).toMatchObject({ deletedFiles: 0 });
    expect(rig.targetTree.text('A')).toBe('upper');
    expect(trashed(rig.targetTree)).toEqual([]);
  });

  it('INV-16: removes nothing more once the rows of what was copied cannot be written', async () => {
    const rig = await synced({ ...named(200, 'd'), b: '2' });
    for (let i = 0; i < 100; i += 1) rig.sourceTree.remove(`d/${String(i).padStart(4, '0')}`);
    rig.sourceTree.write('b', 'two');
    rig.target.faults.fail('flush');
    await expect(rig.pass()).rejects.toMatchObject({ code: 'io-error' });
    expect(Object.keys(files(rig.targetTree))).toHaveLength(201);
  });

  it('T85: files that came make up for files that went', async () => {
    const rig = await synced({ ...named(40, 'd'), ...named(30, 'e') });
    for (let i = 0; i < 25; i += 1) rig.sourceTree.remove(`d/${String(i).padStart(4, '0')}`);
    expect(await rig.pass()).toMatchObject({ halt: undefined, deletedFiles: 25 });
    for (let i = 0; i < 30; i += 1) rig.sourceTree.write(`new/${String(i)}`, `n ${String(i)}`);
    expect(await rig.pass()).toMatchObject({ halt: undefined, copiedFiles: 30 });
    // 55 of 100 would be too many within a day; with what came since it is 30 of 75.
    for (let i = 25; i < 40; i += 1) rig.sourceTree.remove(`d/${String(i).padStart(4, '0')}`);
    for (let i = 0; i < 15; i += 1) rig.sourceTree.remove(`e/${String(i).padStart(4, '0')}`);
    expect(await rig.pass()).toMatchObject({ halt: undefined, deletedFiles: 30 });
  });
});

describe('a directory that a choice brings back', () => {
  it('INV-12, T88: is not deleted on the other side when the process is killed before its content follows', async () => {
    const rig = await synced({ 'd/a': '1', 'd/b': '2', c: '3' });
    rig.targetTree.remove('d');
    rig.targetTree.write('d', 'a file now');
    await rig.clock.advance(60_000);
    expect(await rig.pass()).toMatchObject({ conflicts: 1 });
    // The user decides for the directory by removing the file.
    await resolveConflict({ ...rig.context(), path: at('d'), keep: 'source' });
    expect(rig.targetTree.text('d')).toBeUndefined();
    rig.target.faults.on('makeDirectory', 'after', () => rig.crash());
    await rig.pass().catch(() => undefined);
    rig.restart();
    await rig.pass();
    await rig.pass();
    const all = { 'd/a': '1', 'd/b': '2', c: '3' };
    expect([files(rig.sourceTree), files(rig.targetTree)]).toEqual([all, all]);
  });
});

describe('conflicts on record', () => {
  it('INV-36: stay below a place that is in conflict itself by now, or cannot be synced', async () => {
    for (const gesture of ['file', 'link'] as const) {
      const rig = await synced({ 'd/a': 'base', c: '3' });
      rig.sourceTree.write('d/a', 'left');
      rig.targetTree.write('d/a', 'right');
      await rig.clock.advance(60_000);
      await rig.pass();
      rig.targetTree.remove('d');
      if (gesture === 'file') rig.targetTree.write('d', 'a file now');
      else rig.targetTree.symlink('d', '/elsewhere');
      await rig.clock.advance(60_000);
      await rig.pass();
      expect(rig.pair.conflicts().map(({ path }) => path)).toContain('d/a');
      expect(rig.events.resolved).toEqual([]);
    }
  });
});

describe('the hash cache', () => {
  it('T30, INV-24: learns nothing of a version that can change under its token', async () => {
    const rig = new Rig({ source: { timestampGranularityMs: 60_000 }, target: { timestampGranularityMs: 60_000 } });
    rig.sourceTree.write('a', 'one');
    rig.targetTree.write('a', 'two');
    await rig.pass();
    for (const storage of [rig.source, rig.target]) {
      const node = await storage.stat(at('a'));
      expect(node).toMatchObject({ kind: 'file', isRacy: true });
      expect(node.kind === 'file' && rig.state.get(storage.backendId, at('a'), node.token)).toBeUndefined();
    }
  });
});

describe('stopping', () => {
  it('INV-16: leaves no deletion whose failure nobody hears of', async () => {
    const rig = await synced(named(40, 'd'));
    for (let i = 0; i < 5; i += 1) rig.sourceTree.remove(`d/000${String(i)}`);
    await rig.clock.advance(60_000);
    const unheard: unknown[] = [];
    const onUnheard = (reason: unknown): void => void unheard.push(reason);
    process.on('unhandledRejection', onUnheard);
    try {
      const abort = new AbortController();
      // The process dies while the first deletion is looked at; the second is about to begin.
      rig.source.faults.on('stat', 'before', () => {
        abort.abort();
        rig.source.crash();
      });
      await expect(rig.pass('all', {}, { signal: abort.signal })).rejects.toBeDefined();
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.off('unhandledRejection', onUnheard);
    }
    expect(unheard).toEqual([]);
  });
});
